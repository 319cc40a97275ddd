"""Merges that nobody authored have one form, and nothing a person makes has it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Commit, address_of, decode_commit, encode_commit
from prolly.history import Commits
from prolly.merge import is_unattended, unattended_merge


def parents(times: list[int]) -> dict[bytes, bytes]:
    """Return chunks of commits without parents, by id."""
    chunks = [
        encode_commit(Commit((), bytes(32), "a", time, f"{number}"))
        for number, time in enumerate(times)
    ]
    return {address_of(chunk): chunk for chunk in chunks}


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=64),
    st.integers(0, 10**9),
)
def test_the_form_is_a_function_of_the_parents(times: list[int], seed: int) -> None:
    """In whatever order parents come: the same commit, as late as the latest one."""
    chunks = parents(times)
    shuffled = list(chunks)
    random.Random(seed).shuffle(shuffled)
    commits = Commits(chunks.get)
    merged = unattended_merge(commits, shuffled, bytes(32))
    assert merged == unattended_merge(commits, list(chunks), bytes(32))
    assert (merged.time_us, merged.generation, merged.author) == (max(times), 1, "")
    assert is_unattended(decode_commit(encode_commit(merged)))


@pytest.mark.parametrize(
    "different",
    [
        {"author": "Ann"},
        {"message": "Merge branch"},
        {"message": ""},
        {"metadata": {"tool": "x"}},
    ],
)
def test_whatever_a_person_says_makes_it_authored(different: dict[str, Any]) -> None:
    """An author, other words or metadata: the commit is somebody's."""
    chunks = parents([1, 2])
    merged = unattended_merge(Commits(chunks.get), list(chunks), bytes(32))
    assert is_unattended(merged)
    assert not is_unattended(merged._replace(**different))


def test_fewer_parents_or_another_order_are_not_its_form() -> None:
    """One parent, none, or unsorted ones: not made by the rule, so authored."""
    chunks = parents([1, 2])
    merged = unattended_merge(Commits(chunks.get), list(chunks), bytes(32))
    assert not is_unattended(merged._replace(parents=merged.parents[:1]))
    assert not is_unattended(merged._replace(parents=(), generation=0))
    assert not is_unattended(merged._replace(parents=merged.parents[::-1]))
