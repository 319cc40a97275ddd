"""Differences between trees: complete, ordered, lazy, bounded, and cheap (P2)."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.testing.tree_model import (
    KEY_SHAPES,
    Records,
    TreeModel,
    apply_to_model,
    make_edits,
    make_records,
)
from prolly.tree import Difference, diff


def expected(old: Records, new: Records) -> list[Difference]:
    """The differences of two dictionaries, in key order."""
    return [
        (key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def two_versions(seed: int, keys: str) -> tuple[TreeModel, Records, Records]:
    """Two sets of records that share most, some or none of their records."""
    source = random.Random(seed)
    old = make_records(source, keys, "small", source.choice((0, 1, 50, 2500)))
    new = dict(old)
    for _ in range(source.choice((0, 1, 3))):
        new = apply_to_model(new, make_edits(source, new, keys, "small"))
    if source.random() < 0.1:
        new = make_records(source, keys, "small", 500)
    return TreeModel(), old, new


@pytest.mark.parametrize("keys", KEY_SHAPES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_diff_equals_that_of_dictionaries(keys: str, seed: int) -> None:
    """The diff of two trees is the diff of their records, in key order."""
    model, old, new = two_versions(seed, keys)
    found = list(diff(model.reader, model.rebuild(old), model.rebuild(new)))
    assert found == expected(old, new)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=4), st.binary(max_size=4))
def test_bounds_cut_the_diff(seed: int, start: bytes, stop: bytes) -> None:
    """With bounds, the diff holds the differences of keys in [start, stop)."""
    model, old, new = two_versions(seed, "random")
    roots = model.rebuild(old), model.rebuild(new)
    found = list(diff(model.reader, *roots, start=start, stop=stop))
    assert found == [d for d in expected(old, new) if start <= d[0] < stop]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 50))
def test_a_diff_resumes_behind_a_key(seed: int, taken: int) -> None:
    """Stopping anywhere and starting behind the last key loses and repeats nothing."""
    model, old, new = two_versions(seed, "clustered")
    roots = model.rebuild(old), model.rebuild(new)
    first = list(islice(diff(model.reader, *roots), taken))
    start = first[-1][0] + b"\0" if first else None
    rest = list(diff(model.reader, *roots, start=start))
    assert first + rest == expected(old, new)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_diff_then_apply_gives_the_target(seed: int) -> None:
    """The differences, applied as edits to the old tree, give the new root."""
    model, old, new = two_versions(seed, "random")
    roots = model.rebuild(old), model.rebuild(new)
    edits = {key: value for key, _, value in diff(model.reader, *roots)}
    assert model.apply(roots[0], edits) == roots[1]


def test_an_absent_tree_is_an_empty_one() -> None:
    """Against no tree at all, every record is added, or removed."""
    model = TreeModel()
    records = make_records(random.Random(5), "random", "small", 900)
    root = model.rebuild(records)
    assert list(diff(model.reader, None, root)) == expected({}, records)
    assert list(diff(model.reader, root, None)) == expected(records, {})
    assert list(diff(model.reader, None, None)) == []


def test_a_bounded_diff_reads_nothing_behind_its_end() -> None:
    """Where nothing differs before ``stop``, no node behind it is read."""
    model = TreeModel()
    records = {b"%08d" % number: b"v" * 90 for number in range(60_000)}
    changed = {
        **records,
        **{b"%08d" % number: b"w" * 90 for number in range(30_000, 60_000)},
    }
    roots = model.rebuild(records), model.rebuild(changed)
    reader = model.fresh_reader()
    assert list(diff(reader, *roots, stop=b"00000100")) == []
    assert model.reads <= 8


THOUSANDS = {b"%08d" % number: b"v" * 90 for number in range(30_000)}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 30_000), st.integers(0, 30_000))
def test_updates_in_place_are_found_within_bounds(
    seed: int, start: int, stop: int
) -> None:
    """Trees of the same keys, all over or for most of them, differ as their records."""
    source = random.Random(seed)
    model = TreeModel()
    first = source.randrange(29_000)
    new = dict(THOUSANDS)
    for number in [first, first + 1, *source.sample(range(30_000), 40)]:
        new[b"%08d" % number] = source.randbytes(source.choice((90, 90, 90, 91)))
    if source.random() < 0.5:
        del new[b"%08d" % source.randrange(30_000)]
    bounds = b"%08d" % start, b"%08d" % stop
    old_root = model.rebuild(THOUSANDS)
    edits: dict[bytes, bytes | None] = {
        key: new.get(key) for key in THOUSANDS if new.get(key) != THOUSANDS[key]
    }
    roots = old_root, model.apply(old_root, edits)
    differing = expected(THOUSANDS, new)
    assert list(diff(model.reader, *roots)) == differing
    found = list(diff(model.reader, *roots, start=bounds[0], stop=bounds[1]))
    assert found == [one for one in differing if bounds[0] <= one[0] < bounds[1]]


def test_the_first_difference_costs_one_path() -> None:
    """Whoever wants one of many differences reads the two paths to it, no more."""
    model = TreeModel()
    new = dict.fromkeys(THOUSANDS, b"w" * 90)
    roots = model.rebuild(THOUSANDS), model.rebuild(new)
    depth = model.reader.read(roots[0]).level + 1
    reader = model.fresh_reader()
    assert next(diff(reader, *roots))[0] == min(THOUSANDS)
    assert model.reads == 2 * depth
