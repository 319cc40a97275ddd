"""Serializable transactions: admitted only when they would read the same now."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import key as key_codec
from prolly.datasets import VersionRoots
from prolly.errors import Invalid, NotFound, Stale
from prolly.repo import (
    RANGES_APART,
    READ_KEYS_MAX,
    READ_RANGES_MAX,
    RecordedReads,
    Repository,
    Transaction,
)
from prolly.testing.repositories import memory_repository

Work = Callable[[Transaction], Any]


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository(MemoryStore())
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({number: number for number in range(0, 100, 10)})
        tx.table("t", key="id").load([{"id": one, "v": one} for one in range(5)])
        with tx.blob("b") as file:
            file.write(b"abc")
        tx.files("f").write("d/a.txt", b"a")
    return repo


def race(repo: Repository, ours: Work, theirs: Work) -> Stale | None:
    """Read in a serializable transaction, let another commit, write and commit."""
    tx = repo.transaction("main", message="ours", isolation="serializable")
    ours(tx)
    with repo.transaction("main", message="theirs") as other:
        theirs(other)
    tx.map("result")["done"] = True
    try:
        tx.commit()
    except Stale as error:
        assert error.code == "read-conflict"
        assert "done" not in dict(repo.at("main").datasets)
        return error
    return None


def put(key: int, value: int | None) -> Work:
    """Return work that writes one record of the map."""
    return lambda tx: tx.map("m").__setitem__(key, value)


def delete(key: int) -> Work:
    """Return work that deletes one record of the map."""
    return lambda tx: tx.map("m").pop(key)


READS: list[tuple[str, Work, Work, bool]] = [
    ("get, changed", lambda tx: tx.map("m")[10], put(10, 5), True),
    ("get, another", lambda tx: tx.map("m")[10], put(20, 5), False),
    ("get, absent", lambda tx: tx.map("m").get(15), put(15, 5), True),
    ("get, absent, now null", lambda tx: tx.map("m").get(15), put(15, None), True),
    ("in, deleted", lambda tx: 10 in tx.map("m"), delete(10), True),
    ("len, added", lambda tx: len(tx.map("m")), put(15, 5), True),
    (
        "range, inside",
        lambda tx: list(tx.map("m").items(start=20, stop=50)),
        put(25, 5),
        True,
    ),
    (
        "range, below",
        lambda tx: list(tx.map("m").items(start=20, stop=50)),
        put(15, 5),
        False,
    ),
    (
        "range, at its stop",
        lambda tx: list(tx.map("m").keys(stop=50)),
        put(50, 5),
        False,
    ),
    ("range, length", lambda tx: len(tx.map("m").keys(start=20)), put(25, 5), True),
    (
        "range, length below",
        lambda tx: len(tx.map("m").keys(start=20)),
        put(5, 5),
        False,
    ),
    (
        "range, empty",
        lambda tx: list(tx.map("m").keys(start=50, stop=20)),
        put(30, 5),
        False,
    ),
    ("rank, below", lambda tx: tx.map("m").rank(50), put(15, 5), True),
    ("rank, above", lambda tx: tx.map("m").rank(50), put(55, 5), False),
    ("nth, below", lambda tx: tx.map("m").nth(3), put(15, 5), True),
    ("nth, above", lambda tx: tx.map("m").nth(3), put(45, 5), False),
    ("nth from the end", lambda tx: tx.map("m").nth(-2), put(15, 5), False),
    ("nth from the end, above", lambda tx: tx.map("m").nth(-2), put(95, 5), True),
    ("first, before it", lambda tx: tx.map("m").first(), put(-5, 5), True),
    ("first, behind it", lambda tx: tx.map("m").first(), put(5, 5), False),
    ("last, before it", lambda tx: tx.map("m").last(), put(85, 5), False),
    ("iteration", lambda tx: next(iter(tx.map("m"))), put(85, 5), True),
    ("own keys", put(10, 10), put(10, 3), True),
    ("all replaced", lambda tx: tx.map("m").clear(), put(77, 3), True),
    ("row", lambda tx: tx.table("t")[1], lambda tx: tx.table("t").delete(1), True),
    (
        "row, another",
        lambda tx: tx.table("t")[1],
        lambda tx: tx.table("t").delete(2),
        False,
    ),
    (
        "predicate on the key",
        lambda tx: list(tx.table("t").rows(where="id < 2")),
        lambda tx: tx.table("t").delete(3),
        False,
    ),
    (
        "predicate, inside",
        lambda tx: list(tx.table("t").rows(where="id < 2")),
        lambda tx: tx.table("t").delete(1),
        True,
    ),
    (
        "predicate elsewhere",
        lambda tx: list(tx.table("t").rows(where="v > 9")),
        lambda tx: tx.table("t").upsert({"id": 9, "v": 10}),
        True,
    ),
    ("schema", lambda tx: tx.table("t").schema, lambda tx: tx.drop("t"), True),
    ("absence", lambda tx: tx.find("new"), lambda tx: tx.map("new"), True),
    ("existence", lambda tx: tx.find("m"), lambda tx: tx.drop("m"), True),
    ("listing", list, lambda tx: tx.map("new"), True),
    ("listing, records", list, put(10, 5), False),
    ("root", lambda tx: tx.find("m"), put(10, 5), True),
    (
        "blob",
        lambda tx: tx.blob("b").read(),
        lambda tx: tx.blob("b", "ab").write(b"x"),
        True,
    ),
    ("file", lambda tx: tx.files("f").read("d/a.txt"), put(10, 5), False),
    (
        "names of a directory",
        lambda tx: list(tx.files("f").names("d")),
        lambda tx: tx.files("f").write("d/b.txt", b""),
        True,
    ),
    (
        "names of another directory",
        lambda tx: list(tx.files("f").names("d")),
        lambda tx: tx.files("f").write("e/b.txt", b""),
        False,
    ),
    ("writes alone", put(15, 5), put(25, 5), False),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [one[1:] for one in READS],
    ids=[one[0] for one in READS],
)
def test_what_was_read_must_still_be_so(
    repo: Repository, ours: Work, theirs: Work, conflict: bool
) -> None:
    """Each kind of read is kept as exactly as the list says."""
    assert (race(repo, ours, theirs) is not None) == conflict


def test_the_error_names_dataset_and_key(repo: Repository) -> None:
    """Which record it was, in the message and as fields."""
    error = race(repo, lambda tx: list(tx.map("m").keys(start=20)), put(25, 5))
    assert error is not None
    assert (error.dataset, error.key) == ("m", 25)
    assert "25" in str(error)
    gone = race(repo, lambda tx: tx.table("t")[1], lambda tx: tx.drop("t"))
    assert gone is not None
    assert gone.dataset == "t"


def test_a_reader_alone_always_commits(repo: Repository) -> None:
    """Without a write of its own it saw one version, and that is enough."""
    tx = repo.transaction("main", isolation="serializable")
    assert tx.map("m")[10] == 10
    with repo.transaction("main") as other:
        other.map("m")[10] = 11
    tx.commit()
    assert repo.at("main").map("m")[10] == 11


def take_leave(repo: Repository, isolation: Any) -> list[bool]:
    """Two doctors on call each leave if the other stays; return who is on call."""
    with repo.transaction("main") as tx:
        tx.map("on call").update({"ann": True, "bob": True})

    def leave(tx: Transaction, name: str) -> None:
        doctors = tx.map("on call")
        if sum(doctors.values()) > 1:
            doctors[name] = False

    both = [repo.transaction("main", isolation=isolation) for _ in range(2)]
    for tx, name in zip(both, ("ann", "bob"), strict=True):
        leave(tx, name)
    both[0].commit()
    try:
        both[1].commit()
    except Stale:
        repo.run("main", lambda tx: leave(tx, "bob"), isolation=isolation)
    return list(repo.at("main").map("on call").values())


def test_write_skew_is_what_serializable_prevents(repo: Repository) -> None:
    """Under snapshot isolation nobody is left on call; serializable keeps one."""
    assert take_leave(repo, "snapshot") == [False, False]
    assert take_leave(repo, "serializable") == [False, True]


def test_run_repeats_what_lost(repo: Repository) -> None:
    """A function that lost a race runs again on the new state, with the isolation."""
    seen: list[int] = []

    def total(tx: Transaction) -> None:
        seen.append(sum(tx.map("m").values()))
        if len(seen) == 1:
            with repo.transaction("main") as other:
                other.map("m")[10] = 11
        tx.map("total")["m"] = seen[-1]

    repo.run("main", total, isolation="serializable")
    assert seen == [450, 451]
    assert repo.at("main").map("total")["m"] == 451


def test_an_unknown_isolation_is_refused(repo: Repository) -> None:
    """The hint lists what there is."""
    unknown: Any = "rebase"
    with pytest.raises(Invalid) as caught:
        repo.transaction("main", isolation=unknown)
    assert caught.value.code == "isolation"
    assert "serializable" in caught.value.hint


KEYS = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("sum"), KEYS, KEYS),
    st.tuples(st.just("len")),
    st.tuples(st.just("nth"), st.integers(-3, 3)),
    st.tuples(st.just("rank"), KEYS),
    st.tuples(st.just("put"), KEYS, st.integers(0, 2)),
    st.tuples(st.just("note"), KEYS),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("clear")),
)


class Program:
    """Steps over a sorted mapping, telling what they read; a write may depend on it."""

    def __init__(self, steps: list[tuple[Any, ...]]) -> None:
        self.steps = list(steps)
        self.seen: list[Any] = []

    def step(self, records: Any, index: int) -> None:
        """Do one step on a map, or on a dict that stands for one."""
        name, *words = self.steps[index]
        keys = sorted(records) if isinstance(records, dict) else []
        if name == "get":
            self.seen.append(records.get(words[0]))
        elif name == "sum":
            low, high = words
            if isinstance(records, dict):
                pairs = [(one, records[one]) for one in keys if low <= one < high]
            else:
                pairs = list(records.items(start=low, stop=high))
            self.seen.append(pairs)
        elif name == "len":
            self.seen.append(len(records))
        elif name == "nth":
            self._nth(records, words[0])
        elif name == "rank":
            below = [one for one in keys if one < words[0]]
            is_model = isinstance(records, dict)
            self.seen.append(len(below) if is_model else records.rank(words[0]))
        elif name == "put":
            records[words[0]] = words[1]
        elif name == "note":
            records[words[0]] = repr(self.seen[-1:])
        elif name == "delete":
            records.pop(words[0], None)
        else:
            records.clear()

    def _nth(self, records: Any, index: int) -> None:
        if not isinstance(records, dict):
            try:
                self.seen.append(records.nth(index))
            except NotFound:
                self.seen.append(None)
        elif -len(records) <= index < len(records):
            key = sorted(records)[index]
            self.seen.append((key, records[key]))
        else:
            self.seen.append(None)


@settings(max_examples=150)
@given(
    programs=st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=2, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_what_commits_is_as_if_one_followed_the_other(
    programs: list[list[tuple[Any, ...]]], seed: int
) -> None:
    """Any programs, interleaved: a replay in the order of commits reads the same."""
    repo = memory_repository()
    start = {0: 0, 2: 2, 4: 4}
    with repo.transaction("main") as tx:
        tx.map("m").update(start)
    chance = random.Random(seed)
    running = [
        (Program(steps), repo.transaction("main", isolation="serializable"))
        for steps in programs
    ]
    turns = [place for place, steps in enumerate(programs) for _ in (*steps, 0)]
    chance.shuffle(turns)
    done = [0] * len(programs)
    committed: list[Program] = []
    for place in turns:
        program, tx = running[place]
        if done[place] < len(program.steps):
            program.step(tx.map("m"), done[place])
            done[place] += 1
            continue
        try:
            if tx.commit() != tx.base:
                committed.append(program)
        except Stale:
            continue
    model: dict[int, Any] = dict(start)
    for program in committed:
        again = Program(program.steps)
        for index in range(len(program.steps)):
            again.step(model, index)
        assert again.seen == program.seen
    assert dict(repo.at("main").map("m").items()) == model


def keys_read(reads: RecordedReads, repo: Repository, changed: int) -> bool:
    """Tell whether a change of one key of ``m`` is a conflict for these reads."""
    old = repo.commit_of("main").root
    with repo.transaction("main") as tx:
        tx.map("m")[changed] = "changed"
    versions = VersionRoots(old), VersionRoots(repo.commit_of("main").root)
    try:
        reads.check(repo._storage.reader, *versions)
    except Stale:
        return True
    return False


def encoded(key: int) -> bytes:
    """Return the bytes of a key."""
    return key_codec.encode_key(key)


def identity(repo: Repository) -> bytes:
    """Return the id of the map ``m``."""
    return repo.at("main")._manifest.ids()["m"]


@pytest.mark.parametrize("count", [RANGES_APART, RANGES_APART + 1])
def test_many_ranges_are_as_exact_as_few(repo: Repository, count: int) -> None:
    """Up to a number they are compared one by one, past it in one sweep."""
    reads = RecordedReads()
    for number in range(count):
        start = 1000 + 10 * number
        reads.record(identity(repo), encoded(start), encoded(start + 5))
    assert not keys_read(reads, repo, 1007)
    assert not keys_read(reads, repo, 999)
    assert not keys_read(reads, repo, 1000 + 10 * count)
    assert keys_read(reads, repo, 1000 + 10 * (count - 1) + 4)


def test_past_the_limits_everything_counts_as_read(repo: Repository) -> None:
    """At the limit keys and ranges are exact; one more, and all of the dataset is."""
    for many, more in ((True, False), (False, False), (True, True), (False, True)):
        reads = RecordedReads()
        tree = reads.tree(
            identity(repo),
            repo._storage.reader,
            None,
            repo.at("main")._manifest.by_id[identity(repo)].parameters,
        )
        if many:
            keys = range(1000, 1000 + READ_KEYS_MAX + more)
            tree.put_many([encoded(one) for one in keys], [b"\x00"] * len(keys))
        else:
            for number in range(READ_RANGES_MAX + more):
                start = encoded(1000 + 2 * number)
                reads.record(identity(repo), start, start + b"\0")
        assert keys_read(reads, repo, 5 + many + 2 * more) == more
