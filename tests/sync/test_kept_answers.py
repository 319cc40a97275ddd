"""Answers of before: given again, to the same question of the same push alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prolly
from prolly.chunks import KeptFiles, MemoryStore
from prolly.errors import Corrupt, RemoteFailed
from prolly.sync import push
from prolly.sync.kept_answers import KEPT_ADDRESSES_MIN, KeptAnswers
from prolly.sync.pushing import Push
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_lines import line_to

SUBJECT = b"a push"


def addresses(first: int, count: int = KEPT_ADDRESSES_MIN) -> list[bytes]:
    """Return some addresses, others for another first one."""
    return [number.to_bytes(32, "big") for number in range(first, first + count)]


class Asked:
    """Answers that every third is lacking, and counts the questions."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, some: Sequence[bytes]) -> list[bool]:
        """Answer one question."""
        self.times += 1
        return [int.from_bytes(one, "big") % 3 == 0 for one in some]


def test_an_answer_is_given_again_to_who_begins_anew() -> None:
    """Without asking, and only to the same question."""
    store, asked = MemoryStore(), Asked()
    first = KeptAnswers(store, SUBJECT, asked)
    found = [first(addresses(0)), first(addresses(1000))]
    assert not first.is_used
    first.close()
    again = KeptAnswers(store, SUBJECT, asked)
    assert [again(addresses(0)), again(addresses(1000))] == found
    assert asked.times == 2 and again.is_used
    again(addresses(1))
    again(addresses(0, KEPT_ADDRESSES_MIN + 1))
    assert asked.times == 4
    again.close()
    other = KeptAnswers(store, b"another push", asked)
    other(addresses(0))
    assert asked.times == 5
    other.close()


def test_what_was_removed_is_asked_again() -> None:
    """By the one who removed it, too."""
    store, asked = MemoryStore(), Asked()
    answers = KeptAnswers(store, SUBJECT, asked)
    for times in (1, 2):
        answers(addresses(0))
        assert asked.times == times
        answers.remove()
    answers.remove()
    assert KeptAnswers(store, SUBJECT, asked)(addresses(0))
    assert asked.times == 3


def test_few_addresses_leave_nothing_behind(tmp_path: Path) -> None:
    """A small push makes no file."""
    with prolly.init(tmp_path / "a") as repo:
        answers = KeptAnswers(repo.store, SUBJECT, Asked())
        answers(addresses(0, KEPT_ADDRESSES_MIN - 1))
        assert not list((tmp_path / "a").rglob("kept/*"))
        answers(addresses(0))
        assert list((tmp_path / "a").rglob("kept/*"))
        answers.remove()
        assert not list((tmp_path / "a").rglob("kept/*"))


def test_who_comes_second_asks_for_itself() -> None:
    """While the first has the answers open."""
    store, asked = MemoryStore(), Asked()
    first, second = (KeptAnswers(store, SUBJECT, asked) for _ in range(2))
    assert first(addresses(0)) == second(addresses(0)) == second(addresses(0))
    assert asked.times == 2
    second.close()
    first.close()


@given(st.integers(0, 400), st.none() | st.integers(1, 255))
def test_damaged_answers_are_asked_again(at: int, flip: int | None) -> None:
    """Cut short or changed anywhere, as a power cut may leave them."""
    store, asked = MemoryStore(), Asked()
    questions = [addresses(0), addresses(1000)]
    first = KeptAnswers(store, SUBJECT, asked)
    due = list(map(first, questions))
    name = first._name
    first.close()
    file = KeptFiles(store).open(name)
    assert file is not None
    data = bytearray(file.read(0, file.size))
    at = min(at, len(data) - 1)
    if flip is None:
        del data[at:]
    else:
        data[at] ^= flip
    file.truncate(0)
    file.append(bytes(data))
    file.close()
    again = KeptAnswers(store, SUBJECT, asked)
    assert list(map(again, questions)) == due
    assert asked.times > 2
    again.close()
    last = KeptAnswers(store, SUBJECT, asked)
    before = asked.times
    assert list(map(last, questions)) == due
    assert asked.times == before
    last.close()


def broken_at(monkeypatch: pytest.MonkeyPatch, error: Exception) -> Callable[[], None]:
    """Let the body of a push fail, until what is returned is called."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Push, "_upload", fail)
    return monkeypatch.undo


def questions_of(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of addresses of each question."""
    asked: list[int] = []
    ask = Push._ask_absent

    def counted(self: Push, some: Sequence[bytes]) -> list[bool]:
        asked.append(len(some))
        return ask(self, some)

    monkeypatch.setattr(Push, "_ask_absent", counted)
    return asked


def test_a_push_that_broke_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does it again does not ask about the leaves; after success all is gone."""
    ours, theirs = memory_repository(), memory_repository()
    new = {number: bytes(500) + b"%d" % number for number in range(6000)}
    write_on(ours, "main", lambda tx: tx.map("m").update(new))
    mend = broken_at(monkeypatch, RemoteFailed("cut", code="line-broken", hint="x."))
    with pytest.raises(RemoteFailed):
        push(ours, remote=line_to(theirs))
    mend()
    asked = questions_of(monkeypatch)
    push(ours, remote=line_to(theirs))
    assert asked and max(asked) < KEPT_ADDRESSES_MIN
    assert theirs.resolve("main") == ours.resolve("main")


def test_old_answers_are_not_relied_upon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the other side lost what it had it is asked anew, and gets it."""
    ours, theirs = memory_repository(), memory_repository()
    new = {number: bytes(500) + b"%d" % number for number in range(6000)}
    write_on(ours, "main", lambda tx: tx.map("m").update(new))
    mend = broken_at(monkeypatch, RemoteFailed("cut", code="line-broken", hint="x."))
    monkeypatch.setattr(
        Push,
        "_ask_absent",
        lambda self, some: [len(some) < KEPT_ADDRESSES_MIN] * len(some),
    )
    with pytest.raises(RemoteFailed):
        push(ours, remote=line_to(theirs))
    mend()
    asked = questions_of(monkeypatch)
    push(ours, remote=line_to(theirs))
    assert max(asked) >= KEPT_ADDRESSES_MIN
    assert theirs.resolve("main") == ours.resolve("main")


def test_a_refused_push_forgets_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is not worth going on with."""
    ours, theirs = memory_repository(), memory_repository()
    new = {number: bytes(500) + b"%d" % number for number in range(6000)}
    write_on(ours, "main", lambda tx: tx.map("m").update(new))
    mend = broken_at(monkeypatch, Corrupt("wrong"))
    with pytest.raises(Corrupt):
        push(ours, remote=line_to(theirs))
    mend()
    asked = questions_of(monkeypatch)
    push(ours, remote=line_to(theirs))
    assert max(asked) >= KEPT_ADDRESSES_MIN
