"""The disk that forgets: what it may lose, and what it may not."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from prolly.testing.disk_model import (
    ABSENT,
    EVERYTHING,
    NOTHING,
    ROOT,
    Choice,
    DirectorySynced,
    DiskModel,
    Event,
    Marked,
    Named,
    Resized,
    Synced,
    Tree,
    Written,
    at_random,
)

FILE, OTHER, BOX = 1, 2, 3
SECTOR = 512
DRAWS = 400

CHANGES = st.lists(
    st.one_of(
        st.builds(
            Written, st.just(FILE), st.integers(0, 2000), st.binary(max_size=1500)
        ),
        st.builds(Resized, st.just(FILE), st.integers(0, 2500)),
    ),
    max_size=6,
)
SEEDS = st.integers(0, 2**32)


def disk(*events: Event) -> DiskModel:
    model = DiskModel()
    for event in events:
        model.apply(event)
    return model


def named_file(*changes: Event) -> list[Event]:
    """Return events of a file whose name is on the disk."""
    return [Named(ROOT, "f", FILE), DirectorySynced(ROOT), *changes]


def carried_out(changes: list[Written | Resized]) -> bytes:
    """Return what the changes make of an empty file."""
    content = bytearray()
    for change in changes:
        if isinstance(change, Resized):
            content = content[: change.size].ljust(change.size, b"\0")
        else:
            end = change.offset + len(change.data)
            content = content.ljust(end if change.data else 0, b"\0")
            content[change.offset : end] = change.data
    return bytes(content)


def trees(model: DiskModel) -> list[Tree]:
    """Return what many power cuts leave."""
    source = random.Random(7)
    return [model.after_power_cut(at_random(source)) for _ in range(DRAWS)]


@given(CHANGES, CHANGES, SEEDS)
def test_what_was_synced_is_there(
    before: list[Written | Resized], after: list[Written | Resized], seed: int
) -> None:
    """After a sync every choice gives all of it; without choice nothing else is."""
    events = named_file(*before, Synced(FILE))
    whole = carried_out(before)
    choice = at_random(random.Random(seed))
    assert disk(*events).after_power_cut(choice) == {"f": whole}
    model = disk(*events, *after)
    assert model.after_power_cut(NOTHING) == {"f": whole}
    assert model.after_power_cut(EVERYTHING) == {"f": carried_out(before + after)}


@given(CHANGES, CHANGES, SEEDS)
def test_each_sector_is_as_it_once_was(
    before: list[Written | Resized], after: list[Written | Resized], seed: int
) -> None:
    """Size and sectors are each those of one instant since the sync."""
    source = random.Random(seed)
    choice = Choice(lambda steps: source.randint(0, steps), SECTOR)
    model = disk(*named_file(*before, Synced(FILE), *after))
    found = model.after_power_cut(choice)["f"]
    assert found is not None
    steps = [carried_out(before + after[:count]) for count in range(len(after) + 1)]
    assert len(found) in {len(one) for one in steps}
    for at in range(0, len(found), SECTOR):
        size = min(SECTOR, len(found) - at)
        once = {one[at : at + size].ljust(size, b"\0") for one in steps}
        assert found[at : at + size] in once


def test_a_write_may_be_torn_and_a_file_long_and_empty() -> None:
    """Of two sectors either may be lost alone, and a size may come without bytes."""
    model = disk(*named_file(Written(FILE, 0, b"a" * 2 * SECTOR)))
    found = {tree["f"] for tree in trees(model)}
    lost = bytes(SECTOR)
    assert {b"", lost * 2, b"a" * SECTOR + lost, lost + b"a" * SECTOR} <= found


def test_writes_may_reach_the_disk_in_any_order() -> None:
    """The second of two writes may be there without the first."""
    first, second = Written(FILE, 0, b"a" * SECTOR), Written(FILE, SECTOR, b"b")
    model = disk(*named_file(first, second))
    assert bytes(SECTOR) + b"b" in {tree["f"] for tree in trees(model)}


def test_the_sync_of_a_file_does_nothing_for_its_name() -> None:
    """A new file is there for sure once its directory was synced, too."""
    events: list[Event] = [Named(ROOT, "f", FILE), Written(FILE, 0, b"a"), Synced(FILE)]
    found = trees(disk(*events))
    assert {} in found
    assert {"f": b"a"} in found
    assert set(map(str, trees(disk(*events, DirectorySynced(ROOT))))) == {
        str({"f": b"a"})
    }


def test_what_is_in_a_directory_goes_with_it() -> None:
    """A directory whose name was not synced takes all that was synced along."""
    events: list[Event] = [
        Named(ROOT, "box", BOX, is_directory=True),
        Named(BOX, "f", FILE),
        DirectorySynced(BOX),
    ]
    assert disk(*events).after_power_cut(NOTHING) == {}
    model = disk(*events, DirectorySynced(ROOT))
    assert model.after_power_cut(NOTHING) == {"box": None, "box/f": b""}


def test_a_moved_file_keeps_a_name() -> None:
    """It has the old name, the new one, or both; not even an unlink takes both."""
    events = [
        Named(ROOT, "box", BOX, is_directory=True),
        *named_file(),
        Named(BOX, "g", FILE),
        Named(ROOT, "f", ABSENT, moved_to=(BOX, "g")),
    ]
    model = disk(*events)
    found = {tuple(sorted(tree)) for tree in trees(model)}
    assert found == {("box", "f"), ("box", "box/g"), ("box", "box/g", "f")}
    synced = disk(*events, DirectorySynced(BOX))
    assert {"box/g" in tree for tree in trees(synced)} == {True}


def test_a_name_that_was_taken_may_come_back() -> None:
    """So it is until the directory is synced; and one file may stand for another."""
    events = [
        *named_file(Written(OTHER, 0, b"other"), Synced(OTHER)),
        Named(ROOT, "f", ABSENT),
        Named(ROOT, "f", OTHER),
    ]
    found = [tree.get("f") for tree in trees(disk(*events))]
    assert set(found) == {b"", None, b"other"}
    model = disk(*events, Marked("nothing to the disk"), DirectorySynced(ROOT))
    assert {tree["f"] for tree in trees(model)} == {b"other"}
