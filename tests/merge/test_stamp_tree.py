"""Merges in which the last writer wins: any order, any grouping, skewed clocks."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import key as key_codec
from prolly.codec.record_stamps import RecordStamps
from prolly.datasets import Manifest, records_of
from prolly.merge import Rules, merge_manifests, stamps_root
from prolly.repo import Workspace
from prolly.testing.stamped_world import BLOB, CELLS, MAP, TABLE, StampedWorld
from prolly.tree import NodeReader, Versions, get

KEYS = "xyz"
MANY = range(6_000)

# One write: what the clock shows, and what is written where.
Act = tuple[int, tuple[str, Any, Any]]


def acts() -> st.SearchStrategy[tuple[str, Any, Any]]:
    """Changes of one record; ``None`` deletes it. Values recur, so some come back."""
    values = st.integers(0, 2)
    texts = st.sampled_from(["", "p", "q"])
    cells = st.tuples(st.sampled_from(["a", "b"]), texts)
    return st.one_of(
        st.tuples(st.just(MAP), st.sampled_from(KEYS), st.none() | values),
        st.tuples(st.just(TABLE), st.integers(0, 1), st.none() | cells),
        st.tuples(st.just(CELLS), st.integers(0, 1), st.none() | texts),
        st.tuples(st.just(BLOB), st.just(0), st.sampled_from([b"first", b"p", b"q"])),
    )


def histories() -> st.SearchStrategy[list[list[Act]]]:
    """What three replicas do, by clocks that go anyhow."""
    replica = st.lists(st.tuples(st.integers(1, 9), acts()), max_size=4)
    return st.lists(replica, min_size=3, max_size=3)


def act_on(space: Workspace, act: tuple[str, Any, Any]) -> None:
    """Make one change."""
    name, key, value = act
    if name == MAP:
        if value is None:
            space.map(MAP).pop(key, None)
        else:
            space.map(MAP)[key] = value
    elif name == BLOB:
        space.blob(BLOB, "wb").write(value)
    else:
        table = space.table(name)
        if value is None:
            if key in table:
                table.delete(key)
            return
        column, cell = value if name == TABLE else ("a", value)
        empty = {"a": "", "b": ""} if name == TABLE else {"a": "", "n": 0}
        table.upsert({"id": key, **empty, **(table.get(key) or {}), column: cell})


def played(world: StampedWorld, base: bytes, steps: list[Act], replica: int) -> bytes:
    """Return the manifest after a replica's writes, each a commit of its own."""
    for now_ms, act in steps:
        base = world.write(
            base,
            lambda space, act=act: act_on(space, act),
            now_ms=now_ms,
            replica=replica,
        )
    return base


@settings(max_examples=60, deadline=None)
@given(histories())
def test_any_order_and_grouping_gives_the_same(histories: list[list[Act]]) -> None:
    """Records and stamps alike: the roots of the merged manifests are equal."""
    world = StampedWorld()
    base = world.first()
    sides = [
        played(world, base, steps, number)
        for number, steps in enumerate(histories, start=1)
    ]
    assert len(world.merged_anyhow(base, sides)) == 1


@settings(max_examples=60, deadline=None)
@given(histories())
def test_the_record_with_the_latest_stamp_stands(histories: list[list[Act]]) -> None:
    """Of a map and a blob, deletions and values that came back included."""
    world = StampedWorld()
    base = world.first()
    sides = [
        played(world, base, steps, number)
        for number, steps in enumerate(histories, start=1)
    ]
    root = world.merge_all(base, sides)
    for letter in KEYS:
        key = key_codec.encode((letter,))
        last = max(sides, key=lambda one: world.stamps(one, MAP, key).of(None))
        assert record(world, root, key) == record(world, last, key)
        assert world.stamps(root, MAP, key) == world.stamps(last, MAP, key)
    blob_key = key_codec.encode((None,))
    last = max(sides, key=lambda one: world.stamps(one, BLOB, blob_key).of(None))
    assert world.entry(root, BLOB).roots[0] == world.entry(last, BLOB).roots[0]


def record(world: StampedWorld, root: bytes, key: bytes) -> bytes | None:
    """Return what the map stores under a key."""
    return get(world.reader, world.entry(root, MAP).roots[0].address, key)


def merged_row(world: StampedWorld, name: str, *sides: bytes) -> dict[str, Any] | None:
    """Return row 0 of a table after a merge of sides made from ``first``."""
    base = world.first()
    root = world.merge_all(base, sides)
    found: dict[str, Any] | None
    found = records_of(world.reader, world.entry(root, name)).get(0)
    return found


def test_cells_are_won_one_by_one() -> None:
    """The later writer of each column; a counter beside them counts both."""
    world = StampedWorld()
    base = world.first()
    one = played(world, base, [(5, (TABLE, 0, ("a", "p"))), (1, (CELLS, 0, "p"))], 1)
    other = played(
        world,
        base,
        [(4, (TABLE, 0, ("a", "q"))), (6, (TABLE, 0, ("b", "q")))],
        2,
    )
    assert merged_row(world, TABLE, one, other) == {"id": 0, "a": "p", "b": "q"}
    assert merged_row(world, CELLS, one, other) == {"id": 0, "a": "p", "n": 0}


def test_a_deletion_wins_by_its_stamp() -> None:
    """An earlier write is gone; a later one brings the row back, without what had been
    written before the deletion."""
    world = StampedWorld()
    base = world.first()
    early = played(world, base, [(1, (TABLE, 0, ("a", "p")))], 1)
    gone = played(world, base, [(2, (TABLE, 0, None))], 2)
    late = played(world, base, [(3, (TABLE, 0, ("b", "q")))], 3)
    assert merged_row(world, TABLE, early, gone) is None
    assert merged_row(world, TABLE, gone, late) == {"id": 0, "a": "", "b": "q"}
    for order in permutations([early, gone, late]):
        assert merged_row(world, TABLE, *order) == {"id": 0, "a": "", "b": "q"}


def test_who_writes_back_what_stood_there_has_written() -> None:
    """Three-way comparison alone would take it for no change."""
    world = StampedWorld()
    base = world.first()
    back = played(world, base, [(1, (MAP, "x", 1)), (9, (MAP, "x", 0))], 1)
    other = played(world, base, [(5, (MAP, "x", 2))], 2)
    root = world.merge(Versions(base, back, other))
    key = key_codec.encode(("x",))
    assert record(world, root, key) == record(world, base, key)


def test_a_policy_that_goes_takes_the_stamps_along() -> None:
    """Set again, they begin with none; also where the other side keeps some."""
    world = StampedWorld()
    base = played(world, world.first(), [(1, (MAP, "x", 1))], 1)
    key = key_codec.encode(("x",))
    assert world.stamps(base, MAP, key) != RecordStamps()
    without = world.write(base, lambda space: space.set_policy(MAP, None))
    assert stamps_root(world.entry(without, MAP)) is None
    again = world.write(
        without, lambda space: space.set_policy(MAP, "last-writer-wins")
    )
    assert world.stamps(again, MAP, key) == RecordStamps()
    other = played(world, base, [(2, (MAP, "y", 1))], 2)
    merged = world.merge(Versions(base, other, without))
    assert stamps_root(world.entry(merged, MAP)) is None
    merged = world.merge(Versions(base, other, again))
    assert world.stamps(merged, MAP, key_codec.encode(("y",))) != RecordStamps()


def test_a_merge_costs_what_changed() -> None:
    """Of stamps and records that no side wrote, hardly a node is read."""
    world = StampedWorld()
    base = world.write(
        world.first(),
        lambda space: space.map(MAP).update((f"{one:06}", "v" * 40) for one in MANY),
    )
    sides = [
        world.write(
            base,
            lambda space, number=number: space.map(MAP).update({"000500": number}),
            now_ms=number,
            replica=number,
        )
        for number in (1, 2)
    ]
    read: list[bytes] = []

    def get_chunk(address: bytes) -> bytes | None:
        read.append(address)
        return writer.get(address)

    with world.store.writer() as writer:
        rules = Rules(on_conflict="keep-both")
        versions = Versions(base, *sides)
        merged = merge_manifests(NodeReader(get_chunk), writer, versions, rules)
        reader = NodeReader(writer.get)
        found = Manifest(reader, merged.root).require(MAP)
        assert records_of(reader, found)["000500"] == 2
    # Four paths of three levels for each of records and stamps, and three manifests.
    assert len(read) < 60, len(read)
