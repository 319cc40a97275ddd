"""Sets of addresses: a Python set in less memory."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from prolly.tree import AddressSet

# Few first bytes and few others, so that buckets fill and suffixes overlap.
ADDRESSES = st.builds(
    lambda head, tail: bytes(head) + bytes(tail),
    st.lists(st.integers(0, 1), min_size=2, max_size=2),
    st.lists(st.sampled_from((0, 1)), min_size=30, max_size=30),
)


@given(st.lists(ADDRESSES), st.lists(ADDRESSES))
def test_it_is_a_set(added: list[bytes], asked: list[bytes]) -> None:
    """It holds what was added, each once, and nothing else."""
    model = set(added)
    found = AddressSet(added)
    assert len(found) == len(model)
    assert sorted(found) == sorted(model)
    assert [one in found for one in asked] == [one in model for one in asked]


def test_a_match_across_two_entries_is_none() -> None:
    """What stands at the end of one entry and the begin of the next is not there."""
    found = AddressSet([b"ab" + b"x" * 30, b"ab" + b"x" * 29 + b"y"])
    assert b"ab" + b"x" * 28 + b"yx" not in found
    found.add(b"ab" + b"\0" * 15 + b"\1" * 15)
    found.add(b"ab" + b"\0" * 15 + b"\1" * 14 + b"\2")
    assert b"ab" + b"\1" * 15 + b"\0" * 15 not in found


def test_many_addresses() -> None:
    """A hundred thousand random addresses are told from as many others."""
    source = random.Random(1)
    there = [source.randbytes(32) for _ in range(100_000)]
    found = AddressSet(there)
    assert len(found) == len(there)
    assert all(one in found for one in there)
    assert not any(source.randbytes(32) in found for _ in range(10_000))
