"""Keys that both sides turn into other types, by force or not: no row gets lost."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prolly import ABSENT, Transaction
from prolly.errors import Error, Unsupported
from prolly.repo import Conflict
from prolly.tables import MutableTable, Schema, column_type
from prolly.testing.repositories import diverged

NUMBERS = ("int", "float", "decimal")
# Keys of the base; some lose their spelling, some of their digits, one by one type.
SPELT = {
    "int": ("1", "2", str(2**53 + 1)),
    "float": ("1.0", "2.5", "-0.0", "1e+17"),
    "decimal": ("1", "2.0", "2.50", str(2**53 + 1)),
    "bool": ("false", "true"),
    "date": ("2024-02-29", "1999-12-31"),
}
TEXTS = ("1", "2", "007", "3.0", "2.50", "true", "2024-02-29", str(2**53 + 1))

# What is done, to which row, and by how much.
Step = tuple[str, int, int]


class Case(NamedTuple):
    """A base, what type each side gives the key, and what it does before and after."""

    base: str
    keys: tuple[str, ...]
    ours: tuple[str, tuple[Step, ...]]
    theirs: tuple[str, tuple[Step, ...]]

    @property
    def swapped(self) -> Case:
        """The case with its sides swapped."""
        return self._replace(ours=self.theirs, theirs=self.ours)


class Side:
    """What one side does: rows by place are edited, deleted or added; then retyped."""

    def __init__(self, case: Case, work: tuple[str, tuple[Step, ...]]) -> None:
        self._case = case
        self._kind, self._steps = work

    def __call__(self, tx: Transaction) -> None:
        table = tx.table("t")
        for step in self._steps:
            with suppress(Error):
                self._take(table, *step)
        if self._kind != self._case.base:
            with suppress(Error):
                table.alter(force=True).widen_column("id", self._kind)

    def _take(self, table: MutableTable, what: str, place: int, by: int) -> None:
        if what == "add":
            key = column_type(self._case.base).parse_text(str(20 + place))
            tag = f"new {20 + place} {self._kind}"
            table.insert({"id": key, "tag": tag, "w": by, "v": 0})
            return
        keys = [one for one in table if table[one]["tag"].isdigit()]
        tag = str(place % len(self._case.keys))
        key = next((one for one in keys if table[one]["tag"] == tag), None)
        if key is None:
            return
        if what == "delete":
            table.delete(key)
        else:
            table.upsert({**table[key], what: table[key][what] + by})


def base_of(case: Case) -> Any:
    """Return what writes the base."""
    columns = [("id", case.base), ("tag", "text"), ("w", "int"), ("v", "int")]
    parse = column_type(case.base).parse_text
    rows = [
        {"id": parse(key), "tag": str(at), "w": 10 * at, "v": 0}
        for at, key in enumerate(case.keys)
    ]
    schema = Schema.create(columns, "id")
    return lambda tx: tx.table("t", schema=schema).load(rows)


class Merged:
    """A case, merged; rows are told apart by their tags."""

    def __init__(self, case: Case) -> None:
        ours, theirs = Side(case, case.ours), Side(case, case.theirs)
        self.repo = diverged(base_of(case), ours, theirs)
        start = self.repo.merge_base("main", "feature")
        versions = [self.repo.at(one) for one in (start, "main", "feature")]
        self.base, self.ours, self.theirs = [by_tag(one.table("t")) for one in versions]
        self.result = self.repo.merge("feature")
        tables = [self.repo.at_working("main").table("t"), versions[1].table("t")]
        self.rows = by_tag(tables[0])
        kinds = {one.schema.key_columns[0].type for one in tables}
        self.is_of_ours_type = len(kinds) == 1
        self.conflicts: list[Conflict] = []
        if self.result.commit_id is None:
            self.conflicts = list(self.result.conflicts.of())

    @property
    def told(self) -> dict[str, set[str]]:
        """How each row in conflict may be settled without a word more: by its tag."""
        return {
            row["tag"]: {
                side for side in ("ours", "theirs") if getattr(one, side) is not ABSENT
            }
            for one in self.conflicts
            if one.kind != "schema"
            for row in (one.base, one.ours, one.theirs)
            if row is not ABSENT
        }


def by_tag(table: Any) -> dict[str, dict[str, Any]]:
    """Return the rows of a table by their tags; each stands once."""
    rows = [dict(row) for row in table.values()]
    assert len({row["tag"] for row in rows}) == len(rows)
    return {row["tag"]: row for row in rows}


def work(row: dict[str, Any] | None) -> Any:
    """Return what stands in a row but its key."""
    return None if row is None else {**row, "id": None}


def check(case: Case) -> None:
    """Merge a case and settle it in all ways."""
    merged = Merged(case)
    base, ours, theirs = merged.base, merged.ours, merged.theirs
    for tag in {*ours, *theirs}:
        was, mine, other = [work(one.get(tag)) for one in (base, ours, theirs)]
        if was == mine == other:
            # Nobody touched it: it stands as ours has it, and is no conflict.
            assert work(merged.rows.get(tag)) == mine, tag
            if merged.is_of_ours_type:
                assert merged.rows[tag] == ours[tag], tag
            assert tag not in merged.told, tag
        elif tag not in merged.rows and tag not in merged.told:
            assert tag in base and (mine is None or other is None), tag
            assert was in (mine, other), tag
    for take in ("ours", "theirs", "base", "keep"):
        check_settled(case, take)
    # A new row may fit the type of the one side alone, so only known ones are the same.
    clear, mirrored = [
        {tag: work(one.rows.get(tag)) for tag in base if tag not in one.told}
        for one in (merged, Merged(case.swapped))
    ]
    assert clear == mirrored


def check_settled(case: Case, take: Any) -> None:
    """Settle each conflict of a case one way; who deleted nothing loses no row."""
    merged = Merged(case)
    if merged.result.commit_id is not None:
        return
    conflicts = merged.repo.conflicts("main")
    for one in merged.conflicts:
        if one.kind == "schema":
            conflicts.settle_schema("t", one.key, "keep")
            continue
        try:
            conflicts.settle("t", one.key, take)
        except Unsupported as error:
            assert error.code == "settle-by-hand" and error.hint
            conflicts.keep("t", one.key)
    merged.result.commit()
    rows = by_tag(merged.repo.at("main").table("t"))
    for tag in merged.base.keys() & merged.ours.keys() & merged.theirs.keys():
        assert tag in rows, tag


def steps() -> st.SearchStrategy[tuple[Step, ...]]:
    """What a side does to rows, by their places."""
    kinds = st.sampled_from(["w", "v", "delete", "add"])
    step = st.tuples(kinds, st.integers(0, 3), st.integers(1, 2))
    return st.lists(step, max_size=3).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a base and what both sides do; each type has keys that it holds."""
    base = draw(st.sampled_from(["text", "text", *NUMBERS]))
    kinds = st.sampled_from([base, base, "text", *NUMBERS, "bool", "date"])
    ours, theirs = draw(kinds), draw(kinds)
    spelt = TEXTS if base == "text" else SPELT[base]
    keys = draw(st.lists(st.sampled_from(spelt), min_size=1, max_size=4, unique=True))
    return Case(base, tuple(keys), (ours, draw(steps())), (theirs, draw(steps())))


FORCED = ("1", "007", str(2**53 + 1))
EDIT = (("w", 0, 1), ("w", 1, 1), ("w", 2, 1))
GONE = (("delete", 0, 1), ("delete", 1, 1), ("delete", 2, 1))


@settings(max_examples=25)
@given(cases())
@example(Case("text", FORCED, ("int", ()), ("float", ())))
@example(Case("text", FORCED, ("float", EDIT), ("int", ())))
@example(Case("text", FORCED, ("decimal", GONE), ("float", ())))
@example(Case("decimal", ("2.50",), ("decimal", EDIT), ("float", (*EDIT, *EDIT))))
@example(Case("decimal", ("2.50", "7"), ("float", ()), ("text", EDIT)))
@example(Case("int", ("1", str(2**53 + 1)), ("float", EDIT), ("text", EDIT + EDIT)))
def test_rows_outlive_any_change_of_their_keys(case: Case) -> None:
    """Nobody's row goes, whatever types the sides give the key of the table."""
    check(case)


@pytest.mark.long
@given(cases())
def test_rows_outlive_many_changes_of_their_keys(case: Case) -> None:
    """The same over more tables."""
    check(case)


@pytest.mark.parametrize("kinds", list(permutations(NUMBERS, 2)))
def test_rows_that_nobody_touched_are_no_conflict(kinds: tuple[str, str]) -> None:
    """Both sides force a number of another type: the rows stand as ours has them."""
    merged = Merged(Case("text", FORCED, (kinds[0], ()), (kinds[1], ())))
    assert [one.kind for one in merged.conflicts] == ["schema"]
    assert merged.rows == merged.ours and len(merged.rows) == len(FORCED)
