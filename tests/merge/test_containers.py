"""Lists as sets, and maps by path."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.merge.containers import PathClash, merge_maps, merge_sets
from prolly.merge.value_order import order_key
from prolly.testing.strategies import values

elements = st.one_of(
    st.integers(0, 4), st.sampled_from([None, True, 1.0, "a", [1], {"a": 1}]), values(2)
)
lists = st.lists(elements, max_size=6)


def members(items: list[Any]) -> set[bytes]:
    """Return a list as a set of encodings."""
    return set(map(cbor.encode, items))


@given(lists, lists, lists)
def test_a_set_keeps_what_nobody_took_out(
    base: list[Any], ours: list[Any], theirs: list[Any]
) -> None:
    """Each element by itself: added by a side is in, taken out by a side is out."""
    merged = merge_sets(base, ours, theirs)
    old, mine, other = map(members, (base, ours, theirs))
    assert members(merged) == (mine & other) | (mine - old) | (other - old)
    assert len(members(merged)) == len(merged)
    assert merged == sorted(merged, key=order_key)


def test_elements_are_told_apart_by_type() -> None:
    """1, 1.0 and true are three elements."""
    assert merge_sets([], [1, True], [1.0, 1]) == [1, 1.0, True]


entries = st.dictionaries(
    st.sampled_from("abc"),
    st.one_of(
        st.sampled_from([None, 0, 1, [1], [2]]),
        st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=2),
    ),
    max_size=3,
)


@given(entries, entries)
def test_one_side_of_a_map_is_taken(base: Any, side: Any) -> None:
    """A map that only one side changed comes out as that side has it."""
    assert merge_maps(base, side, base) == side
    assert merge_maps(base, base, side) == side
    assert merge_maps(base, side, side) == side


@given(entries, entries, entries)
def test_maps_merge_alike_with_sides_swapped(base: Any, ours: Any, theirs: Any) -> None:
    """The result and the place of a clash know no side."""
    assert merge_maps(base, ours, theirs) == merge_maps(base, theirs, ours)


def test_maps_merge_by_path() -> None:
    """Changes under different keys, at any depth, are all made."""
    base = {"a": {"x": 1, "y": 1, "z": 1}, "b": 1, "c": 1}
    ours = {"a": {"x": 2, "y": 1, "z": 1}, "b": 1}
    theirs = {"a": {"x": 1, "z": 1, "n": {"d": 1}}, "b": 2, "c": 1}
    merged = {"a": {"x": 2, "z": 1, "n": {"d": 1}}, "b": 2}
    assert merge_maps(base, ours, theirs) == merged


def test_maps_that_both_began_are_merged() -> None:
    """A map under a key that was absent or null counts as empty before."""
    for base in ({}, {"a": None}):
        assert merge_maps(base, {"a": {"x": 1}}, {"a": {"y": 2}}) == {
            "a": {"x": 1, "y": 2}
        }


def test_a_clash_is_told_by_its_path() -> None:
    """Lists are not looked into, and a removal against a change is a clash."""
    one = merge_maps({"a": {"l": [1]}}, {"a": {"l": [1, 2]}}, {"a": {"l": [1, 3]}})
    assert one == PathClash(("a", "l"))
    assert merge_maps({"a": 1}, {}, {"a": 2}) == PathClash(("a",))
    assert merge_maps({"a": {}}, {"a": {"b": 1}}, {"a": 1}) == PathClash(("a",))
