"""A leaf under edits against its records: bytes, weights, and where entries stand."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.tree.leaf_change import LeafShape, change_leaf
from prolly.tree.operations import weigh

keys = st.integers(0, 60).map(lambda number: b"key:%02d" % number) | st.binary(
    min_size=1, max_size=5
)
even_keys = st.integers(0, 60).map(lambda number: b"key:%02d" % number)
values = st.binary(max_size=6)
even_values = st.sampled_from((b"one", b"two"))
leaves = st.one_of(
    st.tuples(
        st.dictionaries(even_keys, even_values, min_size=1),
        st.dictionaries(even_keys, even_values | st.none(), max_size=6),
    ),
    st.tuples(
        st.dictionaries(keys, values, min_size=1),
        st.dictionaries(keys, values | st.none(), max_size=6),
    ),
)
Records = dict[bytes, bytes]


def held(records: Records) -> StoredLeaf:
    order = sorted(records)
    return StoredLeaf(encode_leaf(order, [records[key] for key in order]))


def sums_of(records: Records) -> dict[bytes, int]:
    order = sorted(records)
    weights = weigh(0, order, [records[key] for key in order])
    return dict(zip(order, accumulate(weights), strict=True))


@given(leaves)
def test_a_change_tells_what_a_rebuild_would(
    case: tuple[Records, dict[bytes, bytes | None]],
) -> None:
    """Bytes, count, last key, weight and new sums are those of the edited records."""
    before, edits = case
    merged = {**before, **edits}
    after = {key: value for key, value in merged.items() if value is not None}
    order = sorted(edits)
    leaf = held(before)
    change = change_leaf(leaf, (order, [edits[key] for key in order]))
    if after == before:
        assert not change.chunk
        return
    assert change.chunk == held(after).chunk
    assert change.records == len(after)
    assert change.last_key == max(after, default=b"")
    old, new = sums_of(before), sums_of(after)
    assert change.grown == max(new.values(), default=0) - max(old.values())
    come = sorted(after.keys() - before.keys())
    assert change.inserted == [(key, new[key]) for key in come]


@given(leaves)
def test_no_entry_moves_further_than_told(
    case: tuple[Records, dict[bytes, bytes | None]],
) -> None:
    """Each record that stays has moved by no more than ``lighter`` and ``heavier``."""
    before, edits = case
    merged = {**before, **edits}
    after = {key: value for key, value in merged.items() if value is not None}
    order = sorted(edits)
    change = change_leaf(held(before), (order, [edits[key] for key in order]))
    old, new = sums_of(before), sums_of(after)
    for key in before.keys() & after.keys():
        assert -change.lighter <= new[key] - old[key] <= change.heavier
    assert -change.lighter <= change.grown <= change.heavier


@given(leaves, st.integers(-5, 80), st.integers(0, 80))
def test_a_shape_tells_which_entries_stand_in_a_stretch(
    case: tuple[Records, dict[bytes, bytes | None]], low: int, size: int
) -> None:
    """Keys with low < sum <= high, whether lengths are even or not, old and as held."""
    before, edits = case
    order = sorted(edits)
    wanted = [key for key, at in sums_of(before).items() if low < at <= low + size]
    assert LeafShape(held(before)).keys_within(low, low + size) == wanted
    change = change_leaf(held(before), (order, [edits[key] for key in order]))
    assert change.before.keys_within(low, low + size) == wanted
