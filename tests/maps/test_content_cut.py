"""Cuts by content: the plain twin equals the compiled one, byte for byte."""

from __future__ import annotations

import builtins
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyfastcdc import FastCDC

from prolly.maps.content_cut import (
    PIECE_BYTES_MAX,
    PIECE_BYTES_MIN,
    cuts,
    gear_table,
    plain_cuts,
)

# Lengths about every bound of the algorithm, odd and even.
LENGTHS = [
    size + step
    for size in (0, 2, 16384, 65536, 262144, 262144 + 16384)
    for step in (-2, -1, 0, 1, 2)
    if size + step >= 0
]


def made(seed: int, size: int, alphabet: int) -> bytes:
    """Return bytes of a seed; a small alphabet makes long stretches without a cut."""
    source = random.Random(seed)
    if alphabet == 256:
        return source.randbytes(size)
    return bytes(source.choices(range(alphabet), k=size))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32),
    st.one_of(st.sampled_from(LENGTHS), st.integers(0, 600_000)),
    st.sampled_from([1, 2, 256]),
)
def test_the_twin_makes_identical_cuts(seed: int, size: int, alphabet: int) -> None:
    """Any bytes of any length are cut alike with and without the extra."""
    data = made(seed, size, alphabet)
    assert list(plain_cuts(data)) == list(cuts(data))


@pytest.mark.parametrize("size", LENGTHS)
def test_the_twin_agrees_about_every_bound(size: int) -> None:
    """Random and constant bytes whose length lies at a bound of the algorithm."""
    for data in (made(1, size, 256), bytes(size)):
        assert list(plain_cuts(data)) == list(cuts(data))


def test_cuts_are_those_of_the_library_as_it_is_published() -> None:
    """The parameters are average 64 KiB, a quarter and four times of it, level 1."""
    data = made(2, 1_000_003, 256)
    published = FastCDC(64 * 1024).cut_buf(data)
    assert [start for start, _ in cuts(data)] == [piece.offset for piece in published]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 900_000))
def test_pieces_cover_the_value_within_bounds(seed: int, size: int) -> None:
    """Pieces follow one another from 0 to the end; only the last may be short."""
    spans = list(cuts(made(seed, size, 256)))
    assert [start for start, _ in spans[:1]] == [0][: len(spans)]
    assert [end for _, end in spans[-1:]] == [size][: len(spans)]
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    lengths = [end - start for start, end in spans]
    assert all(length >= PIECE_BYTES_MIN for length in lengths[:-1])
    assert all(0 < length <= PIECE_BYTES_MAX for length in lengths)


def test_an_insertion_moves_only_the_cuts_about_it() -> None:
    """Behind the piece that changed, most pieces are the same bytes as before."""
    data = made(3, 3_000_000, 256)
    edited = data[:1_000_000] + b"inserted" + data[1_000_000:]
    before = {data[start:end] for start, end in cuts(data)}
    after = {edited[start:end] for start, end in cuts(edited)}
    assert len(after - before) <= 3


def test_without_the_extra_the_twin_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that fails changes the speed, never the cuts."""
    data = made(4, 300_000, 256)
    expected = list(cuts(data))
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **options: Any) -> Any:
        if name == "pyfastcdc":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert list(cuts(data)) == expected


def test_the_gear_table_begins_as_published() -> None:
    """The first and last numbers of the table of the C reference."""
    table = gear_table()
    assert table[0] == 0x3B5D3C7D207E37DC
    assert table[255] == 0xAABD2B2A451504E1
    assert len(set(table)) == 256
