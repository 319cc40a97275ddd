"""Rows merged cell by cell: by policy, by resolver, or left in conflict."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.maps import ABSENT
from prolly.merge import (
    UNRESOLVED,
    Clash,
    Policies,
    RecordConflict,
    RecordMerge,
    Terms,
    check_policy,
    merge_value,
)
from prolly.tables import RecordCodec, Schema
from prolly.testing.strategies import typed_tables
from prolly.tree import Both

SCHEMA = Schema.create(
    [
        ("id", "int"),
        ("name", "text"),
        ("hits", "int", False, 0),
        ("price", "decimal"),
        ("score", "float"),
        ("tags", "json"),
        ("note", "text"),
    ],
    "id",
)
ROW = {
    "id": 1,
    "name": "tea",
    "hits": 10,
    "price": Decimal("1.10"),
    "score": 0.5,
    "tags": ["a"],
    "note": None,
}
LONG, LONGER = "long " * 300, "longer " * 400


def row(**cells: Any) -> dict[str, Any]:
    """Return the row with other cells."""
    return {**ROW, **cells}


class TableMerge:
    """The merge of records of a table, from rows to rows."""

    def __init__(
        self,
        policies: dict[str | None, str] | None = None,
        schema: Schema = SCHEMA,
        **options: Any,
    ) -> None:
        self.writer = MemoryStore().writer()
        self.codec = RecordCodec(schema)
        self.schema = schema
        self.reads = 0
        self.conflicts: list[RecordConflict] = []
        self.lost: list[Any] = []
        scopes = {
            check_policy(policy, "table", schema, column=column): policy
            for column, policy in (policies or {}).items()
        }
        self.terms = Terms(
            Policies(scopes),
            self.read,
            self.writer,
            dataset="t",
            report=self.conflicts.append,
            lost=lambda key, stored: self.lost.append(self.shown(key, stored)),
            **options,
        )
        self.merge = RecordMerge("table", schema, self.terms)

    def read(self, address: bytes) -> bytes | None:
        """Give a chunk, counted."""
        self.reads += 1
        return self.writer.get(address)

    def stored(self, one: Any) -> bytes | None:
        """Return what a leaf holds for a row."""
        if one is ABSENT:
            return None
        columns = [[one[name]] for name in self.schema.names]
        return self.codec.encode_rows(columns, self.writer)[0]

    def shown(self, key: bytes, stored: bytes | None) -> Any:
        """Return the row that a leaf holds."""
        if stored is None:
            return ABSENT
        return self.codec.decode_row(key, stored, self.writer.get)

    def both(self, *case: Any) -> Both:
        """Return what the walk hands on for three rows."""
        known = next(one for one in case if one is not ABSENT)
        key = self.codec.encode_key(self.codec.key_of(known))
        return Both(key, *map(self.stored, case))

    def __call__(self, *case: Any) -> Any:
        """Settle one record of (base, ours, theirs)."""
        both = self.both(*case)
        (found,) = self.merge.settle([both])
        return self.shown(both.key, found)

    @property
    def fields(self) -> list[tuple[str, ...]]:
        """The names of the columns of each conflict that was told."""
        names = {one.id: one.name for one in self.schema.columns}
        return [tuple(names[one] for one in told.fields) for told in self.conflicts]


def test_changes_of_different_cells_are_both_made() -> None:
    """Field by field, nulls too."""
    merge = TableMerge()
    found = merge(row(), row(name="coffee", note=None), row(hits=11, price=None))
    assert found == row(name="coffee", hits=11, price=None)
    assert not merge.conflicts


def test_a_cell_that_both_changed_is_a_conflict_of_its_own() -> None:
    """Ours stands in it; all other cells merge."""
    merge = TableMerge()
    found = merge(row(), row(name="x", hits=1), row(name="y", score=2.0))
    assert found == row(name="x", hits=1, score=2.0)
    assert merge.fields == [("name",)]


@pytest.mark.parametrize("mode", ["ours", "base"])
def test_long_cells_in_conflict_are_not_read(mode: Any) -> None:
    """Where nobody is asked, what is out of line stays there."""
    merge = TableMerge(on_conflict=mode)
    texts = [letter * 5000 for letter in "abc"]
    case = [row(note=note) for note in texts]
    both = merge.both(*case)
    merge.reads = 0
    (found,) = merge.merge.settle([both])
    assert found == (both.ours if mode == "ours" else both.base)
    assert merge.reads == (mode == "base") and merge.fields == [("note",)]


def test_for_a_virtual_base_the_base_stands_in_the_cell() -> None:
    """All other cells merge; a row that is new on both sides stays away."""
    merge = TableMerge(on_conflict="base")
    found = merge(row(), row(name="x", hits=1), row(name="y", score=2.0))
    assert found == row(hits=1, score=2.0)
    assert merge(ABSENT, row(name="x"), row(name="y")) is ABSENT


def test_unattended_the_greater_cell_stands() -> None:
    """The row that loses a cell is handed on whole; both are, where both lose one."""
    merge = TableMerge(on_conflict="keep-both")
    ours, theirs = row(name="x", hits=2), row(name="y", hits=1)
    assert merge(row(), ours, theirs) == row(name="y", hits=2)
    assert merge.lost == [ours, theirs]
    assert merge(row(), row(hits=2), row(hits=1)) == row(hits=2)
    assert merge.lost[2:] == [row(hits=1)]
    assert merge(row(), ABSENT, row(hits=1)) == row(hits=1)
    assert merge(row(), row(hits=1), ABSENT) == row(hits=1)
    assert merge.lost[3:] == [ABSENT, ABSENT]
    assert not merge.conflicts


def test_a_row_new_on_both_sides_merges_cell_by_cell() -> None:
    """Equal cells stand, others are in conflict, a counter starts from nothing."""
    merge = TableMerge({"hits": "counter"})
    found = merge(ABSENT, row(hits=3, name="x"), row(hits=4, name="y"))
    assert found == row(hits=7, name="x")
    assert merge.fields == [("name",)]


@pytest.mark.parametrize(
    ("policy", "ours", "theirs"),
    [
        ("ours", "ours", "ours"),
        ("theirs", "theirs", "theirs"),
        ("keep-both", "changed", "changed"),
        ("last-writer-wins", "changed", "changed"),
        ("max", "conflict", "conflict"),
        ("conflict", "conflict", "conflict"),
    ],
)
def test_deleted_on_one_side_and_changed_on_the_other(
    policy: str, ours: str, theirs: str
) -> None:
    """Only a policy that needs no look inside decides; else it is a conflict."""
    changed = row(name="x")
    for case, word in (((ABSENT, changed), ours), ((changed, ABSENT), theirs)):
        merge = TableMerge({None: policy})
        found = merge(row(), *case)
        meant = {"ours": case[0], "theirs": case[1], "changed": changed}
        assert found == meant.get(word, case[0])
        assert merge.fields == ([()] if word == "conflict" else [])


def test_policies_of_columns_decide() -> None:
    """Each cell by the policy of its column, in one row."""
    merge = TableMerge(
        {
            "hits": "counter",
            "price": "min",
            "score": "max",
            "tags": "set",
            "name": "theirs",
            "note": "text",
        }
    )
    found = merge(
        row(note="1\n2\n3\n"),
        row(
            hits=12,
            price=Decimal(2),
            score=1.5,
            tags=["a", "b"],
            name="x",
            note="0\n1\n2\n3\n",
        ),
        row(hits=9, price=Decimal(1), score=1.0, tags=["c"], name="y", note="1\n2\n"),
    )
    assert found == row(
        hits=11,
        price=Decimal(1),
        score=1.5,
        tags=["b", "c"],
        name="y",
        note="0\n1\n2\n",
    )
    assert not merge.conflicts


def test_equal_steps_of_a_counter_are_two() -> None:
    """The walk hands on rows that are equal on both sides; other cells stand."""
    merge = TableMerge({"hits": "counter"})
    assert merge.merge.equal_too
    assert merge(row(), row(hits=11, name="x"), row(hits=11, name="x")) == row(
        hits=12, name="x"
    )
    assert merge(row(), ABSENT, ABSENT) is ABSENT
    assert merge(row(), row(name="x"), row(name="x")) == row(name="x")
    assert not TableMerge().merge.equal_too


def test_a_result_that_its_column_cannot_hold_is_a_conflict() -> None:
    """A sum past the limits of the column's type, with the reason."""
    merge = TableMerge({"price": "counter"})
    far, fine = Decimal("1E+3000"), Decimal("1E-3000")
    assert merge(row(price=None), row(price=far), row(price=fine)) == row(price=far)
    assert merge.fields == [("price",)] and "digits" in merge.conflicts[0].reason


def test_stamps_are_asked_for_by_column() -> None:
    """A cell has a stamp of its own; a deleted row that of the record."""
    asked = []

    def stamps(key: bytes, column: int | None) -> tuple[bytes, bytes]:
        asked.append(column)
        return b"\2" * 16, b"\1" * 16

    merge = TableMerge({None: "last-writer-wins"}, stamps=stamps)
    assert merge(row(), row(name="x"), row(name="y")) == row(name="x")
    assert merge(row(), ABSENT, row(name="y")) is ABSENT
    assert asked == [SCHEMA.column("name").id, None]


def test_resolve_sees_rows_and_answers_one() -> None:
    """With the fields that clash, and the row with all else merged."""
    seen: list[Clash] = []

    def resolve(clash: Clash) -> Any:
        seen.append(clash)
        return {**clash.merged, "name": clash.ours["name"] + clash.theirs["name"]}

    merge = TableMerge(resolve=resolve)
    ours, theirs = row(name="x", hits=1), row(name="y", score=2.0)
    assert merge(row(), ours, theirs) == row(name="xy", hits=1, score=2.0)
    assert seen == [
        Clash(
            "t",
            1,
            ROW,
            ours,
            theirs,
            fields=("name",),
            merged=row(name="x", hits=1, score=2.0),
        )
    ]
    assert not merge.conflicts


def test_resolve_is_asked_about_deleted_rows() -> None:
    """It may answer the row, or ABSENT."""
    merge = TableMerge(resolve=lambda clash: clash.theirs)
    assert merge(row(), ABSENT, row(hits=1)) == row(hits=1)
    assert merge(row(), row(hits=1), ABSENT) is ABSENT
    bare = TableMerge(resolve=lambda clash: {"name": "n", **clash.ours})
    assert bare(row(), row(hits=1), ABSENT) == row(hits=1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda one: None, "no row"),
        (lambda one: 5, "no row"),
        (lambda one: {}, "lacks column"),
        (lambda one: {**one.merged, "colour": 1}, "'colour'"),
        (lambda one: {**one.merged, "id": 2}, "another key"),
        (lambda one: {**one.merged, "id": "1"}, "another key"),
        (lambda one: {**one.merged, "hits": None}, "not nullable"),
        (lambda one: {**one.merged, "hits": "many"}, "'hits'"),
        (lambda one: {**one.merged, "tags": object()}, "'tags'"),
        (lambda one: one.merged["nothing"], "KeyError"),
    ],
)
def test_rubbish_from_a_resolver_leaves_the_conflict(answer: Any, reason: str) -> None:
    """What is no row of the table stays out, and the reason says why."""
    merge = TableMerge(resolve=answer)
    assert merge(row(), row(name="x"), row(name="y", hits=1)) == row(name="x", hits=1)
    assert merge.fields == [("name",)] and reason in merge.conflicts[0].reason


def test_a_policy_of_a_column_names_a_resolver_of_cells() -> None:
    """It gets cells, and is not asked where only one side changed."""
    seen: list[Clash] = []

    def longer(clash: Clash) -> Any:
        seen.append(clash)
        return max(clash.ours, clash.theirs, key=len)

    merge = TableMerge({"name": "app:longer"}, resolvers={"longer": longer})
    assert merge(row(), row(name="xyz"), row(name="y")) == row(name="xyz")
    assert merge(row(), row(name="x"), row(hits=1)) == row(name="x", hits=1)
    assert seen == [Clash("t", 1, "tea", "xyz", "y", fields=("name",), column="name")]
    wrong = TableMerge({"name": "app:one"}, resolvers={"one": lambda clash: 1})
    assert wrong(row(), row(name="x"), row(name="y")) == row(name="x")
    assert wrong.fields == [("name",)]


def test_a_policy_of_records_names_a_resolver_of_rows() -> None:
    """It gets rows, once for all cells that clash, and rows deleted on one side."""
    seen: list[Clash] = []

    def newer(clash: Clash) -> Any:
        seen.append(clash)
        return clash.theirs

    merge = TableMerge({None: "app:newer"}, resolvers={"newer": newer})
    theirs = row(name="y", hits=2)
    assert merge(row(), row(name="x", hits=1), theirs) == theirs
    assert merge(row(), row(name="x"), ABSENT) is ABSENT
    assert [one.fields for one in seen] == [("hits", "name"), ()] or [
        one.fields for one in seen
    ] == [("name", "hits"), ()]
    missing = TableMerge({None: "app:newer"})
    assert missing(row(), row(name="x"), row(name="y")) == row(name="x")
    assert missing.conflicts[0].reason == "there is no resolver 'newer'"


def test_resolve_is_asked_behind_a_resolver_that_gave_up() -> None:
    """Both reasons are told if neither answers."""
    options: dict[str, Any] = {"resolvers": {"no": lambda clash: UNRESOLVED}}
    merge = TableMerge({None: "app:no"}, resolve=lambda one: one.theirs, **options)
    assert merge(row(), row(name="x"), row(name="y")) == row(name="y")
    merge = TableMerge({None: "app:gone"}, resolve=lambda one: 1 // 0, **options)
    merge(row(), row(name="x"), row(name="y"))
    assert merge.conflicts[0].reason == (
        "there is no resolver 'gone'; "
        "ZeroDivisionError: integer division or modulo by zero"
    )


def test_a_large_cell_that_is_equal_on_two_sides_is_not_read() -> None:
    """References are compared; a rewritten row asks for the length of its cell
    alone."""
    merge = TableMerge()
    note = "long\n" * 40_000
    base = row(note=note)
    both = merge.both(base, {**base, "name": "x"}, {**base, "hits": 1})
    (found,) = merge.merge.settle([both])
    assert merge.reads == 1
    assert merge.shown(both.key, found) == {**base, "name": "x", "hits": 1}
    both = merge.both(base, {**base, "note": note + "x"}, {**base, "hits": 1})
    assert merge.merge.settle([both])[0] is not None
    assert merge.reads == 2


def test_a_row_that_a_side_has_keeps_its_bytes() -> None:
    """The very object comes back, so nothing is written for it."""
    merge = TableMerge({"name": "theirs"})
    both = merge.both(row(), row(name="x"), row(name="y", note=LONG))
    (found,) = merge.merge.settle([both])
    assert found is both.theirs
    both = merge.both(row(note=LONG), row(name="x", note=None), row(note=None))
    assert merge.merge.settle([both]) == [both.ours]


def test_a_cell_counts_the_same_inline_and_out_of_line() -> None:
    """What stands beside a cell moves it out; that is no change of it."""
    merge = TableMerge()
    middle = "m" * 600
    base = row(name=middle)
    ours = row(name=middle, note="n" * 580)
    assert merge(base, ours, row(name="x")) == row(name="x", note="n" * 580)
    both = merge.both(base, ours, row(name=middle, hits=1))
    (found,) = merge.merge.settle([both])
    assert found == merge.stored({**ours, "hits": 1})
    assert not merge.conflicts


@settings(max_examples=40)
@given(typed_tables(), st.data())
def test_rows_of_any_schema_merge_as_their_cells_do(
    table: tuple[Schema, list[tuple[Any, ...]]], data: st.DataObject
) -> None:
    """Against the merge of each cell by itself; the result is as if written anew."""
    schema, rows = table
    policy = data.draw(st.sampled_from(["conflict", "max", "keep-both"]))
    merge = TableMerge({None: policy}, schema)
    if not rows:
        return
    cells = list(zip(*rows, strict=True))
    keys = len(schema.key)

    def version() -> dict[str, Any]:
        mixed = [
            column[0 if place < keys else data.draw(st.integers(0, len(rows) - 1))]
            for place, column in enumerate(cells)
        ]
        return dict(zip(schema.names, mixed, strict=True))

    case = [version() for _ in range(3)]
    long = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
    for one, is_long in zip(case, long, strict=True):
        one["text"] = one["text"] if not is_long else LONG
    both = merge.both(*case)
    (found,) = merge.merge.settle([both])
    wanted = dict(case[1])
    clashing = set()
    for name in schema.names[keys:]:
        merged = merge_value(policy, *[one[name] for one in case])
        if merged is UNRESOLVED:
            clashing.add(name)
        else:
            wanted[name] = merged
    assert found == merge.stored(wanted)
    assert set().union(*map(set, merge.fields)) == clashing


def test_a_batch_is_settled_in_order() -> None:
    """Rows inline and out of line, deleted and new, in one call."""
    merge = TableMerge()
    cases = [
        (row(), row(name="x"), row(hits=1)),
        (row(), ABSENT, row(hits=1)),
        (row(note=LONG), row(note=LONG, hits=1), row(note=LONGER)),
        (ABSENT, row(), row(name=None)),
    ]
    batch = [merge.both(*case) for case in cases]
    found = merge.merge.settle(batch)
    assert [merge.shown(batch[0].key, one) for one in found] == [
        row(name="x", hits=1),
        ABSENT,
        row(note=LONGER, hits=1),
        row(),
    ]
    assert merge.fields == [(), ("name",)]
