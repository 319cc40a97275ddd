"""The journal of a local store: what waits in it is there like everything else."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from prolly.chunks import LocalStore, RefMove, RefNote, local_journal
from prolly.chunks.local_directory import StoreDirectory
from prolly.chunks.local_journal import JOURNAL_BYTES_MAX, LocalJournal
from prolly.chunks.local_tables import JOURNAL
from prolly.codec import address_of
from prolly.codec.journal_record import JOURNAL_HEAD_BYTES
from prolly.errors import Corrupt, StorageFailed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    made = LocalStore.create(tmp_path)
    yield made
    made.close()


def commit(store: LocalStore, text: str, ref: str = "main") -> bytes:
    """Commit one small chunk and move a ref to it; return its address."""
    with store.writer() as writer:
        address = writer.put(text.encode())
        writer.commit([RefMove(ref, store.read_ref(ref), address)], RefNote("me", text))
    return address


def journal_of(store: LocalStore) -> Path:
    return Path(store.path, "journal")


def waiting(store: LocalStore) -> int:
    """Return how many commits wait, as a journal read anew tells."""
    generation = store._index.counter(JOURNAL)
    journal = LocalJournal(StoreDirectory(store.path), durable=False)
    log = journal.waiting(generation).log
    journal.close()
    return len(log)


def state(store: LocalStore) -> tuple[object, ...]:
    """Return all that a store tells of itself."""
    addresses = list(store.iter_addresses())
    return (
        addresses,
        store.get_many(addresses),
        store.contains_many([*addresses, bytes(32)]),
        list(store.iter_refs()),
        list(store.iter_refs("b")),
        list(store.iter_log()),
        list(store.iter_log("main")),
        store.sequence(),
        store.read_ref("main"),
    )


def test_small_commits_wait_in_the_journal(store: LocalStore) -> None:
    """A small commit is appended and leaves the file of the index as it was."""
    index = Path(store.path, "data.mdb").read_bytes()
    address = commit(store, "one")
    assert waiting(store) == 1
    assert Path(store.path, "data.mdb").read_bytes() == index
    assert store.get(address) == b"one"
    assert store.read_ref("main") == address


def test_taking_in_changes_nothing_that_is_told(store: LocalStore) -> None:
    """Everything asked of a store is the same before and after, and when reopened."""
    for number in range(5):
        commit(store, f"main {number}")
        commit(store, f"b {number}", "b")
    with store.writer() as writer:
        big = writer.put_many(bytes([n]) * 4096 for n in range(100))
        writer.commit([RefMove("bulk", None, big[0])])
    store.move_refs([RefMove("b", store.read_ref("b"), None)])
    assert waiting(store) == 12
    before = state(store)
    other = LocalStore.open(store.path, writable=False)
    assert state(other) == before
    other.close()
    store._index.change(lambda step: None)
    assert waiting(store) == 0
    assert state(store) == before
    store.close()
    again = LocalStore.open(store.path)
    assert state(again) == before
    again.close()


def test_a_full_journal_goes_into_the_index(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without room the same commits give the same store; none is lost."""
    monkeypatch.setattr(local_journal, "JOURNAL_BYTES_MAX", 8000)
    other = LocalStore.create(Path(store.path, "other"))
    generations = set()
    for number in range(40):
        commit(store, f"{number}" * 50)
        generations.add(store._index.counter(JOURNAL))
        assert store.sequence() == number + 1
    monkeypatch.setattr(local_journal, "JOURNAL_BYTES_MAX", 0)
    for number in range(40):
        commit(other, f"{number}" * 50)
    assert waiting(other) == 0
    assert len(generations) >= 3
    assert state(store) == state(other)
    other.close()


def test_two_stores_see_each_other(store: LocalStore) -> None:
    """Two that are open on one directory see each commit at once, whoever took in."""
    other = LocalStore.open(store.path)
    source = random.Random(3)
    for number in range(60):
        one = source.choice((store, other))
        address = commit(one, f"{number}", source.choice(("main", "b")))
        if source.random() < 0.2:
            source.choice((store, other))._index.change(lambda step: None)
        for two in (store, other):
            assert two.get(address) == str(number).encode()
            assert two.sequence() == number + 1
    assert state(store) == state(other)
    other.close()


@pytest.mark.parametrize("kept", [0, 1, JOURNAL_HEAD_BYTES, 100, -1])
def test_a_record_cut_short_is_no_commit(store: LocalStore, kept: int) -> None:
    """What a crash left of a write is written over; all before it stays."""
    first = commit(store, "first")
    size = journal_of(store).stat().st_size
    commit(store, "second")
    data = journal_of(store).read_bytes()
    store.close()
    journal_of(store).write_bytes(data[: size + kept if kept >= 0 else kept])
    again = LocalStore.open(store.path)
    assert again.read_ref("main") == first
    third = commit(again, "third")
    assert (again.read_ref("main"), again.sequence()) == (third, 2)
    again.close()


def test_a_record_damaged_in_the_middle_is_corrupt(store: LocalStore) -> None:
    """Where a whole record follows, damage is no crash: nothing is read past it."""
    commit(store, "first")
    commit(store, "second")
    data = bytearray(journal_of(store).read_bytes())
    for at in (2, 60):
        damaged = bytearray(data)
        damaged[at] ^= 1
        store.close()
        journal_of(store).write_bytes(damaged)
        again = LocalStore.open(store.path)
        with pytest.raises(Corrupt) as caught:
            again.read_ref("main")
        assert caught.value.code == "journal-damaged"
        assert caught.value.path == str(journal_of(store))
        (fault,) = again.maintenance().index_faults()
        assert fault.code == "journal-damaged"
        with pytest.raises(Corrupt):
            again.move_refs([RefMove("b", None, address_of(b"first"))])
        again.close()
    journal_of(store).write_bytes(data)
    again = LocalStore.open(store.path)
    assert again.read_ref("main") == address_of(b"second")
    again.close()


def test_what_an_older_generation_left_is_not_read(store: LocalStore) -> None:
    """After taking in, the bytes of before stand behind the new ones, and are old."""
    for number in range(5):
        commit(store, f"long {number}" * 30)
    store._index.change(lambda step: None)
    size = journal_of(store).stat().st_size
    last = commit(store, "x")
    assert journal_of(store).stat().st_size == size
    again = LocalStore.open(store.path)
    assert (again.read_ref("main"), again.sequence()) == (last, 6)
    again.close()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_failing_disk_leaves_the_journal_as_it_was(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A commit that fails is not there, for nobody, and the next one works."""
    first = commit(store, "first")

    def fail(*_arguments: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StorageFailed):
            commit(store, "second")
    other = LocalStore.open(store.path, writable=False)
    assert store.read_ref("main") == other.read_ref("main") == first
    assert not any(store.contains_many([address_of(b"second")]))
    third = commit(store, "third")
    assert other.read_ref("main") == third
    other.close()


def test_a_journal_that_was_removed_takes_no_commit(store: LocalStore) -> None:
    """What is written to a file without a name would be lost: it is refused."""
    commit(store, "first")
    journal_of(store).unlink()
    with pytest.raises(StorageFailed) as caught:
        commit(store, "second")
    assert caught.value.code == "index-replaced"


def test_a_store_without_a_journal_makes_one(store: LocalStore) -> None:
    """A store that was made before there were journals works, and gets its own."""
    journal_of(store).unlink()
    assert store.read_ref("main") is None
    address = commit(store, "first")
    assert waiting(store) == 1
    assert store.get(address) == b"first"


def test_space_of_the_journal_comes_back(store: LocalStore) -> None:
    """Care takes it in and empties the file; what waited is in the index."""
    address = commit(store, "x" * 100_000)
    before = state(store)
    assert store.maintenance().release_free_pages() >= 100_000
    assert journal_of(store).stat().st_size == 0
    assert state(store) == before
    assert commit(store, "next") != address
    assert waiting(store) == 1


def test_a_child_of_a_fork_reads_and_appends(store: LocalStore) -> None:
    """Parent and child of a fork go on with one journal, each by its own file."""
    commit(store, "parent")
    child = os.fork()
    if child == 0:
        try:
            commit(store, "child")
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.read_ref("main") == address_of(b"child")
    commit(store, "parent again")
    assert store.sequence() == 3


def test_threads_commit_and_read_at_once(store: LocalStore) -> None:
    """Commits of some threads are seen by others while the journal is taken in."""
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(30):
                address = commit(store, f"{name} {number}", name)
                assert store.read_ref(name) == address
                assert store.get(address) is not None
                assert dict(store.iter_refs())[name] == address
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store._index.change(lambda step: None)
    for thread in threads:
        thread.join()
    assert not failures
    assert store.sequence() == 90


def test_the_journal_has_a_bound(store: LocalStore) -> None:
    """However many small commits there are, the file stays within its bound."""
    for number in range(30):
        commit(store, f"{number:05d}" * 20_000)
    assert journal_of(store).stat().st_size <= JOURNAL_BYTES_MAX
    assert store.sequence() == 30
