"""Buffered edits: the last one wins, in memory or spilled, sorted at the end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import Referring
from prolly.errors import Invalid
from prolly.tree import EditBuffer

keys = st.integers(0, 400).map(b"%03d".__mod__)
steps = st.lists(
    st.tuples(st.sampled_from(["put", "many", "delete"]), st.lists(keys, min_size=1)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from([500, 5000, 10**9]))
def test_buffer_equals_a_dictionary(
    drawn: list[tuple[str, list[bytes]]], bytes_max: int
) -> None:
    """Whatever spills, find and batches tell what a dictionary tells."""
    buffer = EditBuffer(bytes_max)
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
