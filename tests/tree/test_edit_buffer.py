"""Buffered edits: the last one wins, in memory or spilled, sorted at the end."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import Referring
from prolly.errors import Invalid
from prolly.tree import EditBuffer
from prolly.tree.edit_buffer import RUNS_MAX

keys = st.integers(0, 400).map(b"%03d".__mod__)
steps = st.lists(
    st.tuples(st.sampled_from(["put", "many", "delete"]), st.lists(keys, min_size=1)),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(steps, st.sampled_from([500, 5000, 10**9]), st.sampled_from([2, 3, 64]))
def test_buffer_equals_a_dictionary(
    drawn: list[tuple[str, list[bytes]]], bytes_max: int, runs_max: int
) -> None:
    """Whatever spills and is merged, find and batches tell what a dictionary tells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prolly.tree.edit_buffer.RUNS_MAX", runs_max)
        check_equals_a_dictionary(drawn, EditBuffer(bytes_max))


def check_equals_a_dictionary(
    drawn: list[tuple[str, list[bytes]]], buffer: EditBuffer
) -> None:
    """Do the steps to a buffer and to a dictionary, and compare."""
    model: dict[bytes, bytes | None] = {}
    for number, (kind, some) in enumerate(drawn):
        value = b"%d" % number
        if kind == "put":
            buffer.put(some[0], value)
            model[some[0]] = value
        elif kind == "many":
            buffer.put_many(some, [value] * len(some))
            model.update(dict.fromkeys(some, value))
        else:
            buffer.delete_many(some)
            model.update(dict.fromkeys(some))
    merged = [pair for batch in buffer.batches() for pair in zip(*batch, strict=True)]
    assert merged == sorted(model.items())
    for key in [b"%03d" % number for number in range(0, 401, 7)]:
        assert buffer.find(key) == (key in model, model.get(key))
    buffer.close()


def test_values_that_refer_survive_a_spill() -> None:
    """A Referring value comes back from disk as one, a plain one as plain bytes."""
    buffer = EditBuffer(1)
    buffer.put(b"a", Referring(b"x" * 40))
    buffer.put(b"b", b"y")
    assert buffer.runs_spilled == 2
    merged = {k: v for batch in buffer.batches() for k, v in zip(*batch, strict=True)}
    assert {key: type(value) for key, value in merged.items()} == {
        b"a": Referring,
        b"b": bytes,
    }
    assert type(buffer.find(b"a")[1]) is Referring
    buffer.close()


def open_files() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


def test_runs_are_merged_before_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand spills keep few files open, and lose nothing and no order."""
    monkeypatch.setattr("prolly.tree.edit_buffer.RUNS_MAX", 4)
    before = open_files()
    buffer = EditBuffer(1)
    model: dict[bytes, bytes | None] = {}
    source = random.Random(4)
    for number in range(1000):
        key = b"%04d" % source.randrange(700)
        value = None if number % 7 == 0 else b"%d" % number
        buffer.put(key, value)
        model[key] = value
        # A count of up to a thousand has five digits to the base of four.
        assert buffer.runs_spilled <= 3 * 5
        assert open_files() <= before + 3 * 5
    merged = [pair for batch in buffer.batches() for pair in zip(*batch, strict=True)]
    assert merged == sorted(model.items())
    buffer.close()
    assert open_files() == before


@pytest.mark.parametrize("runs", [RUNS_MAX - 1, RUNS_MAX])
def test_so_many_runs_become_one(runs: int) -> None:
    """One less than the bound are kept apart; at the bound there is one run."""
    buffer = EditBuffer(1)
    for number in range(runs):
        buffer.put(b"%04d" % (number % 10), b"%d" % number)
    assert buffer.runs_spilled == (1 if runs == RUNS_MAX else runs)
    assert buffer.find(b"0003") == (True, b"%d" % ((runs - 4) // 10 * 10 + 3))
    buffer.close()


def test_a_unique_buffer_refuses_a_repeat_of_any_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Single puts and deletions are held to it too, at once or when runs merge."""
    repeats: list[Callable[[EditBuffer], None]] = [
        lambda buffer: buffer.put(b"a", b"2"),
        lambda buffer: buffer.put_many([b"a"], [b"2"]),
        lambda buffer: buffer.delete_many([b"a"]),
    ]
    for repeat in repeats:
        buffer = EditBuffer(unique=True)
        buffer.put(b"a", b"1")
        buffer.put(b"b", b"1")
        with pytest.raises(Invalid) as caught:
            repeat(buffer)
        assert (caught.value.code, caught.value.encoded_key) == ("duplicate-key", b"a")
    monkeypatch.setattr("prolly.tree.edit_buffer.RUNS_MAX", 2)
    buffer = EditBuffer(1, unique=True)
    buffer.put(b"a", b"1")
    with pytest.raises(Invalid) as caught:
        buffer.put(b"a", b"2")
    assert (caught.value.code, caught.value.encoded_key) == ("duplicate-key", b"a")
    buffer.close()


@pytest.mark.parametrize("bytes_max", [2000, 10**9])
@pytest.mark.parametrize("apart", [0, 1, 30])
def test_a_unique_buffer_names_the_key_seen_twice(bytes_max: int, apart: int) -> None:
    """In one batch, in two, or in two spilled runs, the repeat is found."""
    fresh = [b"%04d" % number for number in range(50)]
    random.Random(0).shuffle(fresh)
    order = [*fresh[:5], *fresh[5 : 5 + apart], fresh[3], *fresh[5 + apart :]]
    buffer = EditBuffer(bytes_max, unique=True)
    with pytest.raises(Invalid) as caught:
        for low in range(0, len(order), 4):
            some = order[low : low + 4]
            buffer.put_many(some, [b"v" * 90] * len(some))
        list(buffer.batches())
    assert caught.value.code == "duplicate-key"
    assert caught.value.encoded_key == fresh[3]
    buffer.close()
