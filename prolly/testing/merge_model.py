"""A merge of plain dictionaries, and the datasets that it is compared with.

For tests: three tables and a map whose constraints meet often, states of them as plain
dictionaries, and what merging three states must give under the policies ``conflict``,
``ours`` and ``theirs``. The model looks at all records again and again; it knows
nothing of trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from prolly.codec import Descriptor, TreeParameters
from prolly.datasets import Manifest, stored_table
from prolly.maps import OrderedMap, encode_values
from prolly.repo import Repository
from prolly.tables import (
    Check,
    Index,
    RecordCodec,
    Reference,
    Schema,
    StoredTable,
    Table,
    Trees,
    as_predicate,
    carry_indexes,
)
from prolly.tree import NodeReader, build

Row = dict[str, Any]
Records = dict[Any, Any]
State = dict[str, Records]

# A record, or a cell of one, that is not there: equal to nothing else, not to a null.
NOTHING = object()

# What a child's number must stay below.
NUMBER_BELOW = 90

PARENTS = Schema.create(
    [("id", "int"), ("tag", "text"), ("number", "int")],
    "id",
    indexes=[Index("tag", ("tag",), unique=True)],
)
CHILDREN = Schema.create(
    [("id", "int"), ("parent", "int"), ("number", "int"), ("note", "text")],
    "id",
    checks=[Check("low", as_predicate(f"number < {NUMBER_BELOW}"))],
    references=[Reference("parent", ("parent",), "parents")],
)
SCHEMAS = {"parents": PARENTS, "children": CHILDREN}
NAMES = ("children", "map", "parents")


class ModelMerge(NamedTuple):
    """The merged state, and the keys in conflict by dataset."""

    state: State
    conflicts: dict[str, set[Any]]


def empty_state() -> State:
    """Return a state without a record."""
    return {name: {} for name in NAMES}


def is_valid(state: State) -> bool:
    """Tell whether a state keeps all constraints."""
    return not any(True for _ in _faults(state)) and not any(
        True for _ in _lost_references(state)
    )


def _faults(state: State) -> Iterator[tuple[str, set[Any]]]:
    """Yield the datasets and keys that break a check or a unique index."""
    bad = {
        key
        for key, row in state["children"].items()
        if row["number"] is not None and row["number"] >= NUMBER_BELOW
    }
    if bad:
        yield "children", bad
    tags: dict[str, set[Any]] = {}
    for key, row in state["parents"].items():
        if row["tag"] is not None:
            tags.setdefault(row["tag"], set()).add(key)
    shared = set().union(*[keys for keys in tags.values() if len(keys) > 1])
    if shared:
        yield "parents", shared


def _lost_references(state: State) -> Iterator[tuple[Any, Any]]:
    """Yield (child, parent) where a child refers to a parent that is not there."""
    for key, row in state["children"].items():
        if row["parent"] is not None and row["parent"] not in state["parents"]:
            yield key, row["parent"]


def merge_states(
    base: State,
    ours: State,
    theirs: State,
    policy: str = "conflict",
    *,
    mode: Literal["ours", "base"] = "ours",
) -> ModelMerge:
    """Merge three valid states; where both changed a thing, the mode's stands."""
    merged, conflicts = empty_state(), {name: set[Any]() for name in NAMES}
    for name in NAMES:
        for key in {*base[name], *ours[name], *theirs[name]}:
            three = [one[name].get(key, NOTHING) for one in (base, ours, theirs)]
            stands = policy if mode == "ours" else mode
            value, is_settled = _merge_record(three, stands, is_row=name != "map")
            if value is not NOTHING:
                merged[name][key] = value
            if not is_settled:
                conflicts[name].add(key)
    _keep_constraints(merged, ours, conflicts)
    return ModelMerge(merged, conflicts)


def _merge_record(three: list[Any], policy: str, *, is_row: bool) -> tuple[Any, bool]:
    base, ours, theirs = three
    if theirs in (ours, base):
        return ours, True
    if ours == base:
        return theirs, True
    if not is_row or ours is NOTHING or theirs is NOTHING:
        stands = {"theirs": theirs, "base": base}.get(policy, ours)
        return stands, policy in ("ours", "theirs")
    merged: Row = {}
    is_settled = True
    for name in ours:
        # In a row that both added, no cell stood before.
        stood = NOTHING if base is NOTHING else base[name]
        cell, is_cell_settled = _merge_record(
            [stood, ours[name], theirs[name]], policy, is_row=False
        )
        merged[name] = cell
        is_settled = is_settled and is_cell_settled
    if base is NOTHING and policy == "base" and not is_settled:
        return NOTHING, False
    return merged, is_settled


def _keep_constraints(
    merged: State, ours: State, conflicts: dict[str, set[Any]]
) -> None:
    """Withhold the change of theirs where a constraint breaks, until none does."""
    while True:
        while faults := list(_faults(merged)):
            for name, keys in faults:
                _withhold(merged, ours, conflicts, {(name, key) for key in keys})
        guilty = set()
        for child, parent in _lost_references(merged):
            changed = merged["children"].get(child) != ours["children"].get(child)
            guilty.add(("children", child) if changed else ("parents", parent))
        if not guilty:
            return
        _withhold(merged, ours, conflicts, guilty)


def _withhold(
    merged: State,
    ours: State,
    conflicts: dict[str, set[Any]],
    guilty: set[tuple[str, Any]],
) -> None:
    for name, key in guilty:
        stands = ours[name].get(key, NOTHING)
        if merged[name].get(key, NOTHING) == stands:
            continue
        conflicts[name].add(key)
        if stands is NOTHING:
            del merged[name][key]
        else:
            merged[name][key] = stands


def write_state(repo: Repository, branch: str, state: State) -> bytes:
    """Make a branch hold a state in one commit; return the root of its manifest."""
    with repo.transaction(branch, message="state") as tx:
        for name in NAMES:
            if name == "map":
                held = tx.map(name)
                for key in [one for one in held if one not in state[name]]:
                    del held[key]
                held.update(state[name])
                continue
            table = tx.table(name, schema=SCHEMAS[name])
            for key in [one for one in table if one not in state[name]]:
                table.delete(key)
            for key, row in state[name].items():
                table.upsert({"id": key, **row})
    assert tx.commit_id is not None
    return repo.commit_of(tx.commit_id).root


def read_state(reader: NodeReader, root: bytes) -> State:
    """Return the records of all tables and maps under a manifest, by name.

    Rows are without their key ``id``.
    """
    state: State = {}
    for entry in Manifest(reader, root).by_id.values():
        records = entry.roots[0].address
        if entry.kind == "map":
            state[entry.name] = dict(OrderedMap(reader, records).items())
        elif entry.kind == "table":
            rows = Table(reader, records, stored_table(entry).schema).values()
            state[entry.name] = {row.pop("id"): row for row in map(dict, rows)}
    return state


def rebuilt_roots(
    trees: Trees, entry: Descriptor, records: Mapping[Any, Any]
) -> tuple[bytes, ...]:
    """Return the roots that a dataset of these records has when built from scratch."""
    assert isinstance(trees.parameters, TreeParameters)
    if entry.kind == "map":
        held = OrderedMap(trees.reader, build(trees.writer, [], trees.parameters))
        keys = {held.encode_key(key): value for key, value in records.items()}
        stored = encode_values([keys[key] for key in sorted(keys)], trees.writer)
        return (build(trees.writer, [(sorted(keys), stored)], trees.parameters),)
    schema = stored_table(entry).schema
    codec = RecordCodec(schema)
    rows = {codec.encode_key(key): {"id": key, **row} for key, row in records.items()}
    ordered = [rows[key] for key in sorted(rows)]
    batch: list[tuple[list[bytes], list[bytes]]] = []
    if ordered:
        columns = [[row[name] for row in ordered] for name in schema.names]
        batch = [(sorted(rows), codec.encode_rows(columns, trees.writer))]
    root = build(trees.writer, batch, trees.parameters)
    none = StoredTable(schema, None, ())
    return (root, *carry_indexes(trees, none, schema, root))
