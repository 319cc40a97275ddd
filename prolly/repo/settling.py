"""Settling conflicts: what is to stand is written, and the conflict marked, together.

    take       record                                   part of a description
    ours       the clashing fields as ours has them     as it stands
    theirs     the clashing fields as theirs has them   name, policy, dropped: theirs
    base       as they were                             the same of the base
    a value    that value, or row                       -

Without fields the whole record is meant, deletion included. A field is written onto the
row as it stands, so edits of other fields stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import Address, Descriptor
from prolly.errors import Error, Invalid, Unsupported
from prolly.maps import ABSENT
from prolly.merge import ConflictKind, ConflictTree, StoredConflict
from prolly.tables import Column, Schema, converted

from .conflicts import (
    Conflict,
    ConflictName,
    ConflictView,
    Side,
    no_conflict,
    no_merge,
)
from .storage import Storage
from .waiting_merge import Settlement
from .working_area import WorkingArea
from .workspace import Workspace

# What a mark in the tree of conflicts says of one that got a value of its own.
OWN_VALUE = "value"


class Conflicts(Mapping[ConflictName, Conflict]):
    """The open conflicts of a merge, by (dataset, key); to be settled.

    A conflict about the dataset itself has the name (dataset, what, "schema"). The
    mapping shows the state as it stands at each call: another process may settle some.
    """

    def __init__(self, storage: Storage, area: WorkingArea) -> None:
        self._storage = storage
        self._area = area

    def _view(self) -> ConflictView | None:
        found = self._found()
        return None if found is None else found[0]

    def _found(self) -> tuple[ConflictView, tuple[bytes, ...]] | None:
        """Return the conflicts and the parents of the merge, if one waits."""
        state = self._area.state
        if state.conflicts is None:
            return None
        storage = self._storage
        view = ConflictView.of_state(storage.reader, storage.commits, state)
        return view, state.merge_parents

    def __len__(self) -> int:
        view = self._view()
        return 0 if view is None else view.open_count()

    def __iter__(self) -> Iterator[ConflictName]:
        """Yield the names of what is open, in order, each once."""
        before: ConflictName | None = None
        for conflict in self.of():
            if conflict.name != before:
                yield conflict.name
            before = conflict.name

    def __getitem__(self, name: ConflictName) -> Conflict:
        """Return an open conflict; NotFound ``no-such-conflict``, which is no
        KeyError."""
        view = self._view()
        if view is not None:
            for stored in view.find(name):
                if stored.entry.settled is None:
                    return view.shown(stored)
        raise no_conflict(name)

    def __contains__(self, name: object) -> bool:
        return any(name == one for one in self)

    def of(
        self, dataset: str | None = None, *, open_only: bool = True
    ) -> Iterator[Conflict]:
        """Yield conflicts by dataset, kind and key, those of one dataset or all."""
        view = self._view()
        return (
            iter(()) if view is None else view.conflicts(dataset, open_only=open_only)
        )

    def settle(self, dataset: str, key: Any, take: Side) -> None:
        """Settle a conflict as ours, theirs or the base has it.

        May be done again, until the merge is committed. NotFound ``no-such-conflict``,
        Invalid ``no-merge``, Stale ``merge-ended``, Unsupported ``settle-by-hand``, and
        as writing the record does (``unique-violation`` and others). An error changes
        nothing.
        """
        self._settle((dataset, key), take)

    def settle_schema(self, dataset: str, what: str, take: Side) -> None:
        """Settle a conflict about the dataset itself; raises as ``settle``.

        Unsupported ``settle-by-hand`` for theirs or the base of a part that a word does
        not bring about: alter the dataset, then take ours, which is as it stands.
        """
        self._settle((dataset, what, "schema"), take)

    def _settle(self, name: ConflictName, take: Side) -> None:
        view, parents = self._require_found()
        found = _require_found(view, name)
        with self._area.edit(
            f"resolve {name[0]}", _marks(parents, found, take)
        ) as edited:
            for stored in found:
                take_side(edited, view, stored, take)

    def settle_value(self, dataset: str, key: Any, value: Any) -> None:
        """Settle a conflict with a value or row; ``ABSENT`` deletes the record.

        A row may leave columns out: they stay as they stand. Raises as ``settle``.
        """
        view, parents = self._require_found()
        found = _require_found(view, (dataset, key))
        marks = _marks(parents, found, OWN_VALUE)
        with self._area.edit(f"resolve {dataset}", marks) as edited:
            write_value(edited, view, found[0], value)

    def settle_all(self, take: Side, dataset: str | None = None) -> int:
        """Settle all that is open, or that of one dataset; return how many there were.

        Raises as ``settle``; then none is settled.
        """
        view, parents = self._require_found()
        identity = None if dataset is None else view.require(dataset)
        number = 0

        def mark(tree: ConflictTree, writer: ChunkWriter) -> bytes:
            return tree.settle_all(writer, take, identity)

        settlement = Settlement(parents, mark)
        with self._area.edit(f"resolve {dataset or 'all'}", settlement) as edited:
            for stored in view.tree.entries(identity, open_only=True):
                take_side(edited, view, stored, take)
                number += 1
        return number

    def commit(
        self, message: str | None = None, *, author: str | None = None
    ) -> Address:
        """Commit the merge, all settled; raises as ``WorkingArea.commit``."""
        return self._area.commit(message, author=author, why="merge")

    def _require_found(self) -> tuple[ConflictView, tuple[bytes, ...]]:
        found = self._found()
        if found is None:
            raise no_merge(self._area.branch)
        return found


def _require_found(view: ConflictView, name: ConflictName) -> list[StoredConflict]:
    found = view.find(name)
    if not found:
        raise no_conflict(name)
    return found


def _marks(
    parents: tuple[bytes, ...], found: Sequence[StoredConflict], how: str
) -> Settlement:
    """Return what marks conflicts as settled."""

    def mark(tree: ConflictTree, writer: ChunkWriter) -> bytes:
        for one in found:
            root = tree.settle(writer, one.dataset, one.kind, {one.key: how})
            tree = tree.at(root)
        return tree.root

    return Settlement(parents, mark)


def take_side(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, side: Side
) -> None:
    """Write what one side has for a conflict."""
    if stored.kind == ConflictKind.SCHEMA:
        _take_description(workspace, view, stored, side)
        return
    entry = _require_entry(workspace, view, stored)
    there = view.entry(side, stored.dataset)
    if entry.kind == "blob":
        if there is not None:
            workspace.adopt(stored.dataset, replace(entry, roots=there.roots))
    elif entry.kind != "table":
        edits = {stored.key: view.record(side, stored)}
        workspace.put_stored(stored.dataset, entry, edits)
    else:
        _take_row(workspace, view, stored, (entry, there, side))


def _require_entry(
    workspace: Workspace, view: ConflictView, stored: StoredConflict
) -> Descriptor:
    """Return the dataset as it stands, or raise NotFound."""
    name = view.known(stored.dataset).name
    entry = workspace.base.by_id.get(stored.dataset)
    return workspace.require(name) if entry is None else entry


def _take_row(
    workspace: Workspace,
    view: ConflictView,
    stored: StoredConflict,
    versions: tuple[Descriptor, Descriptor | None, Side],
) -> None:
    entry, there, side = versions
    table = workspace.table(entry.name)
    schema = table.schema
    key = table.decode_keys([stored.key])[0]
    row = view.value(side, stored)
    if row is ABSENT or there is None:
        if key in table:
            table.delete(key)
        return
    old = Schema.from_value(there.schema)
    cells = _as_columns_now(old, schema, row)
    stands = table.get(key)
    if stands is not None:
        fields = set(stored.entry.fields)
        if fields:
            named = {one.name for one in schema.columns if one.id in fields}
            cells = {name: cells[name] for name in named if name in cells}
        cells = {**stands, **cells}
    table.upsert({**cells, **dict(zip(schema.key, _parts(key, schema), strict=True))})


def _as_columns_now(
    old: Schema, schema: Schema, row: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the cells of a row under the names and types that columns have now."""
    before = {one.id: one for one in old.columns}
    cells = {}
    for column in schema.columns:
        found = before.get(column.id)
        if found is None:
            continue
        value = row[found.name]
        if found.type != column.type and value is not None:
            value = _converted(found, column, value)
        cells[column.name] = value
    return cells


def _converted(old: Column, new: Column, value: Any) -> Any:
    try:
        return converted(old, new, [value])[0]
    except Error as error:
        raise Invalid(
            f"column {new.name!r} is of type {new.type} now, and the value is not: "
            f"{error.message}",
            code="settle-type",
            hint="Give a value of your own.",
            column=new.name,
            value=value,
        ) from error


def _parts(key: Any, schema: Schema) -> tuple[Any, ...]:
    return key if len(schema.key) > 1 else (key,)


def write_value(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, value: Any
) -> None:
    """Write a value of the user's own for a record in conflict."""
    entry = _require_entry(workspace, view, stored)
    if entry.kind == "map":
        mapping = workspace.map(entry.name)
        key = mapping.decode_keys([stored.key])[0]
        if value is not ABSENT:
            mapping[key] = value
        elif key in mapping:
            del mapping[key]
    elif entry.kind == "table":
        table = workspace.table(entry.name)
        key = table.decode_keys([stored.key])[0]
        if value is ABSENT:
            if key in table:
                table.delete(key)
            return
        parts = dict(zip(table.schema.key, _parts(key, table.schema), strict=True))
        table[key] = {**(table.get(key) or {}), **parts, **value}
    else:
        raise Unsupported(
            f"a conflict of the {entry.kind} {entry.name!r} takes no value",
            code="settle-by-hand",
            hint="Write what is to stand, then take ours, which is as it stands.",
            dataset=entry.name,
        )


def _take_description(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, side: Side
) -> None:
    """Let a part of a dataset's description be as one side has it."""
    if side == "ours":
        return
    what = str(stored.entry.facts.get("what", ""))
    there = view.entry(side, stored.dataset)
    now = workspace.base.by_id.get(stored.dataset)
    if what == "dropped" and there is None:
        if now is not None:
            workspace.drop(now.name)
        return
    if what == "name" and there is not None and now is not None:
        if there.name != now.name:
            workspace.rename(now.name, there.name)
        return
    if what.startswith("policy ") and there is not None and now is not None:
        scope = what.removeprefix("policy ")
        workspace.set_scope(now.name, scope, there.policies.get(scope))
        return
    raise Unsupported(
        f"{what} of {view.known(stored.dataset).name!r} is not changed by one word",
        code="settle-by-hand",
        hint="Alter the dataset (`prolly schema --set`, `prolly dataset`), then take "
        "ours, which is as it stands.",
        dataset=view.known(stored.dataset).name,
    )
