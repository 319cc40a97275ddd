"""Revision expressions: what people type, and what it stands for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import CountingStore
from prolly.chunks.wrapping_store import WrappingStore
from prolly.errors import Error, Invalid, NotFound
from prolly.history import Commits, Revisions
from prolly.repo import Repository
from prolly.testing.repositories import memory_repository


@pytest.fixture(scope="module")
def repo() -> Repository:
    """main: first <- a <- b <- c; side at a; tag v1 at b."""
    repo = memory_repository()
    for name in "abc":
        with repo.transaction("main", message=name) as tx:
            tx.map("m")[name] = 1
    repo.create_branch("side", "main~2")
    repo.tags.create("v1", repo.resolve("main~1"))
    return repo


def message(repo: Repository, revision: str) -> str:
    return repo.commit_of(revision).message


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        ("main", "c"),
        ("HEAD", "c"),
        ("@", "c"),
        ("branches/main", "c"),
        ("main~", "b"),
        ("main~0", "c"),
        ("main~2", "a"),
        ("main^", "b"),
        ("main^0", "c"),
        ("main^^~1", ""),
        ("v1", "b"),
        ("tags/v1~1", "a"),
        ("side", "a"),
        ("main@{0}", "c"),
        ("main@{1}", "b"),
        ("@{2}", "a"),
        ("main@{1}~1", "a"),
        ("main@{2030-01-01}", "c"),
        ("main@{2026-01-01T00:00:01Z}", "a"),
    ],
)
def test_expressions(repo: Repository, revision: str, expected: str) -> None:
    """Each form resolves to the commit that its description says."""
    assert message(repo, revision) == expected


def test_ids_and_their_prefixes(repo: Repository) -> None:
    """A whole id, and 6 or more of its digits, even an odd number, resolve."""
    commit_id = repo.resolve("main~1")
    for digits in (6, 7, 12, 63, 64):
        assert repo.resolve(str(commit_id)[:digits]) == commit_id
    with pytest.raises(NotFound):
        repo.resolve(str(commit_id)[:5])


@pytest.mark.parametrize(
    "revision",
    [
        "nope",
        "main~9",
        "main^2",
        "main@{9}",
        "main@{2001-01-01}",
        "abcdef123",
        "f" * 70,
    ],
)
def test_what_is_not_there_is_not_found(repo: Repository, revision: str) -> None:
    """An unknown name, parent, move, time or id raises NotFound with a hint."""
    with pytest.raises(NotFound) as caught:
        repo.resolve(revision)
    assert caught.value.code == "no-such-revision"
    assert caught.value.hint


def test_moves_that_were_not_are_told_in_words(repo: Repository) -> None:
    """A tag that stands where it was made has no earlier place."""
    repo.tags["fresh"] = repo.resolve("main")
    with pytest.raises(NotFound) as caught:
        repo.resolve("fresh@{1}")
    assert "the tag fresh has never moved since it was made" in caught.value.message
    del repo.tags["fresh"]
    with pytest.raises(NotFound, match=r"the branch main has moved \d+ times? since"):
        repo.resolve("main@{99}")


@pytest.mark.parametrize(
    "revision",
    [
        "main~x",
        "main@{yesterday}",
        "main~1@{1}",
        "main^-1",
        "x" * 2000,
        "main~9999999999",
    ],
)
def test_bad_syntax_is_invalid(repo: Repository, revision: str) -> None:
    """What is no expression raises Invalid, and says what is wrong."""
    with pytest.raises(Invalid) as caught:
        repo.resolve(revision)
    assert caught.value.code == "revision-syntax"


def test_a_name_of_two_kinds_is_ambiguous(repo: Repository) -> None:
    """A branch and a tag of one name must be told apart by their full names."""
    repo.tags["side"] = repo.resolve("main")
    with pytest.raises(Invalid) as caught:
        repo.resolve("side")
    assert caught.value.code == "ambiguous-revision"
    assert caught.value.candidates == ["branches/side", "tags/side"]
    assert message(repo, "tags/side") == "c"
    del repo.tags["side"]


@given(st.text(alphabet="main~^@{}0123456789abcf/-.: ", max_size=24))
def test_any_text_resolves_or_raises_an_error_of_ours(text: str) -> None:
    """No text makes the parser fail in another way."""
    repo = memory_repository()
    try:
        assert len(repo.resolve(text)) == 32
    except Error as error:
        assert error.code in ("no-such-revision", "revision-syntax", "ref-name")


class NoSearch(WrappingStore):
    """A store in which nobody may look through the addresses."""

    def iter_addresses(self, prefix: bytes = b"") -> Iterator[bytes]:
        raise AssertionError("all addresses were asked for")


def test_a_whole_id_is_looked_up_and_not_searched_for() -> None:
    """All 64 digits of an id read one chunk, of an absent one none; 63 are a search."""
    repo = memory_repository()
    commit_id = repo.resolve("main")
    with repo.store.writer() as writer:
        other = writer.put(b"\x03no commit")
        writer.commit()
    counted = CountingStore(NoSearch(repo.store))
    revisions = Revisions(counted, Commits(counted.get))
    assert revisions.resolve(commit_id.hex(), "main") == commit_id
    assert counted.costs.gets == 1
    for absent in (other.hex(), "ab" * 32):
        with pytest.raises(NotFound):
            revisions.resolve(absent, "main")
    assert counted.costs.gets == 2
    with pytest.raises(AssertionError):
        revisions.resolve(commit_id.hex()[:63], "main")
