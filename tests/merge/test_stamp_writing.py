"""What a write stamps, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import key as key_codec
from prolly.codec.record_stamps import RecordStamps, stamp_ms
from prolly.merge import stamps_root
from prolly.repo import Workspace
from prolly.tables import Schema
from prolly.testing.stamped_world import CELLS, MAP, TABLE, StampedWorld
from prolly.tree import count

X = key_codec.encode(("x",))
FIRST = key_codec.encode((0,))


@pytest.fixture
def world() -> StampedWorld:
    return StampedWorld()


def put(key: str, value: Any) -> Any:
    """Return an edit that writes one value of the map."""

    def edit(space: Workspace) -> None:
        space.map(MAP)[key] = value

    return edit


def set_row(name: str, **cells: Any) -> Any:
    """Return an edit that writes cells of row 0."""

    def edit(space: Workspace) -> None:
        table = space.table(name)
        table.upsert({**table[0], **cells})

    return edit


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=8))
def test_stamps_ascend_whatever_clocks_show(writes: list[tuple[int, int]]) -> None:
    """A new value is stamped later than what it replaced; an equal one is no write."""
    world = StampedWorld()
    root, value, before = world.first(), 0, RecordStamps()
    for now_ms, new in writes:
        written = world.write(root, put("x", new), now_ms=now_ms, replica=now_ms)
        stamps = world.stamps(written, MAP, X)
        if new == value:
            assert written == root
        else:
            assert stamps.of(None) > before.of(None)
            assert stamp_ms(stamps.of(None)) >= now_ms
        root, value, before = written, new, stamps


def test_one_write_gives_one_stamp(world: StampedWorld) -> None:
    """All that it changed has the same, deleted records too; all else has none."""

    def edit(space: Workspace) -> None:
        del space.map(MAP)["x"]
        space.map(MAP)["new"] = 1

    root = world.write(world.first(), edit, now_ms=7)
    assert stamp_ms(world.stamps(root, MAP, X).record) == 7
    new = world.stamps(root, MAP, key_codec.encode(("new",)))
    assert new == world.stamps(root, MAP, X)
    assert world.stamps(root, MAP, key_codec.encode(("y",))) == RecordStamps()


def test_cells_are_stamped_where_the_policy_is(world: StampedWorld) -> None:
    """Changed cells of a table, or of one column of it; added rows as a whole."""
    ids = {
        name: {one.name: one.id for one in schema.columns}
        for name in (TABLE, CELLS)
        for schema in [Schema.from_value(world.entry(world.first(), name).schema)]
    }
    root = world.write(world.first(), set_row(TABLE, b="new"), now_ms=1)
    assert set(world.stamps(root, TABLE, FIRST).columns) == {ids[TABLE]["b"]}
    root = world.write(root, set_row(CELLS, a="new", n=1), now_ms=2)
    assert set(world.stamps(root, CELLS, FIRST).columns) == {ids[CELLS]["a"]}
    again = world.write(root, set_row(CELLS, n=2), now_ms=3)
    assert world.entry(again, CELLS).stamps == world.entry(root, CELLS).stamps

    def replaced(space: Workspace) -> None:
        space.table(TABLE).delete(0)
        space.table(TABLE).upsert({"id": 9, "a": "", "b": ""})

    root = world.write(again, replaced, now_ms=4)
    for number in (0, 9):
        stamps = world.stamps(root, TABLE, key_codec.encode((number,)))
        assert stamp_ms(stamps.record) == 4 and not stamps.columns


def test_a_schema_change_stamps_no_row(world: StampedWorld) -> None:
    """Rows that are only rewritten were not written; what is, in one go, is stamped."""

    def alter(space: Workspace) -> None:
        space.table(TABLE).alter(force=True).drop_column("a").add_column(
            "c", "int", fill=3
        )

    root = world.write(world.first(), alter, now_ms=1)
    entry = world.entry(root, TABLE)
    assert entry.stamps is not None
    assert count(world.reader, entry.stamps.address) == 0

    def both(space: Workspace) -> None:
        alter(space)
        table = space.table(TABLE)
        table.upsert({**table[1], "c": 4})

    root = world.write(world.first(), both, now_ms=1)
    entry = world.entry(root, TABLE)
    assert entry.stamps is not None
    assert count(world.reader, entry.stamps.address) == 1
    column = Schema.from_value(entry.schema).column("c")
    stamps = world.stamps(root, TABLE, key_codec.encode((1,)))
    assert set(stamps.columns) == {column.id}


def test_rows_out_of_line_are_stamped_by_cell(world: StampedWorld) -> None:
    """A long cell that stays counts as unchanged where it stands in another place."""
    long = "x" * 990
    root = world.write(world.first(), set_row(TABLE, a=long), now_ms=1)
    before = world.stamps(root, TABLE, FIRST)
    root = world.write(root, set_row(TABLE, b=long), now_ms=2)
    after = world.stamps(root, TABLE, FIRST)
    assert len(before.columns) == 1 and len(after.columns) == 2
    assert before.columns.items() <= after.columns.items()


def test_many_columns_have_stamps_of_their_own(world: StampedWorld) -> None:
    """More than one leaf entry holds: they go out of line, and read back."""
    names = [f"c{number}" for number in range(80)]
    schema = Schema.create([("id", "int"), *[(name, "int") for name in names]], "id")

    def begin(space: Workspace) -> None:
        space.table("wide", schema=schema).upsert({"id": 0, **dict.fromkeys(names, 0)})
        space.set_policy("wide", "last-writer-wins")

    root = world.write(world.empty, begin, now_ms=1)
    for number, name in enumerate(names):
        root = world.write(root, set_row("wide", **{name: 1}), now_ms=2 + number)
    assert len(world.stamps(root, "wide", FIRST).columns) == len(names)


def test_a_dataset_without_the_policy_has_no_stamps(world: StampedWorld) -> None:
    """Its description has the roots that it always had."""
    root = world.write(world.first(), lambda space: space.map("plain").update(a=1))
    entry = world.entry(root, "plain")
    assert stamps_root(entry) is None and len(entry.roots) == 1
