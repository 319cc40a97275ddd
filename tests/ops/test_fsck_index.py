"""The check of a store's files: a damaged index, names, and what is no pack."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

import prolly
from prolly.chunks import LocalStore
from prolly.errors import Corrupt
from prolly.ops import Fault, check_repository, collect_garbage, store_statistics
from prolly.ops.garbage import local_store_of

PAGE = 4096


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with a pack, some inline commits and a second branch."""
    with prolly.init(tmp_path / "r") as repo:
        with repo.transaction("main", message="bulk") as tx:
            tx.map("m").update((f"k{n:05d}", os.urandom(90)) for n in range(4000))
        for number in range(15):
            with repo.transaction("main", message="small") as tx:
                tx.map("m")["x"] = number
        repo.create_branch("feature")
        repo.switch("feature")
        # What waits in the journal goes into the index.
        local_store_of(repo.store)._index.change(lambda step: None)
    return tmp_path / "r"


def faults(place: Path, *, full: bool = False) -> list[Fault]:
    """Return the faults that a check of a newly opened repository finds."""
    with prolly.open(place) as repo:
        return list(check_repository(repo.store, full=full))


def put(place: Path, table: bytes, old: bytes, new: bytes) -> None:
    """Move a row of the index to another key, or another value under its key."""
    store = LocalStore.open(place / ".prolly")
    environment = store._environment
    database = environment.databases[table]

    def change(changing: lmdb.Transaction[bytes]) -> None:
        value = changing.get(old, None, database)
        changing.delete(old, db=database)
        assert value is not None
        changing.put(new, value, db=database)

    environment.write(change)
    store.close()


def zeroed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the file with one page of nothing, for each page but the meta pages."""
    for at in range(2 * PAGE, len(data), PAGE):
        yield at // PAGE, data[:at] + bytes(PAGE) + data[at + PAGE :]


def test_a_page_of_nothing_is_a_fault(place: Path) -> None:
    """Whichever page is lost, the check lives; a page in use is named."""
    path = place / ".prolly" / "data.mdb"
    content = path.read_bytes()
    named = 0
    for number, data in zeroed(content):
        path.write_bytes(data)
        try:
            found = faults(place)
        except Corrupt as error:
            assert error.code == "index-damaged" and f"page {number}" in error.message
            named += 1
            continue
        for fault in found:
            if fault.code == "index-damaged":
                named += f"page {number} " in fault.detail
                assert fault.path == str(path) and fault.hint
    assert named >= 8


def test_a_name_that_is_no_text_is_a_fault(place: Path) -> None:
    """A damaged name of a ref is listed, the others are checked; reading is Corrupt."""
    put(place, b"refs", b"branches/feature", b"branches/f\xe4ature")
    (fault,) = faults(place)
    assert fault.code == "store-entry" and fault.hint and "ature" in fault.detail
    with prolly.open(place) as repo, pytest.raises(Corrupt) as caught:
        list(repo.branches)
    assert caught.value.code == "store-entry"


def test_a_name_that_may_not_be_is_a_fault(place: Path) -> None:
    """A control character in the name of a ref is found too."""
    put(place, b"refs", b"branches/feature", b"branches/f\x01ature")
    assert [fault.code for fault in faults(place)] == ["store-entry"]


def test_a_current_branch_that_is_no_text_is_a_fault(place: Path) -> None:
    """The check names it, and lives."""
    with prolly.open(place) as repo:
        repo.store.write_setting("head", b"\xff")
    (fault,) = faults(place)
    assert fault.code == "store-entry" and "prolly switch" in fault.hint


@pytest.mark.parametrize("full", [False, True])
def test_a_pipe_in_place_of_a_pack_is_a_fault(place: Path, full: bool) -> None:
    """Nobody waits for a pipe that has a pack's name: it is pack-missing."""
    (pack,) = (place / ".prolly" / "packs").iterdir()
    pack.unlink()
    os.mkfifo(pack)
    found = faults(place, full=full)
    assert {fault.code for fault in found} == {"pack-missing"}
    assert str(pack) in {fault.path for fault in found}
    with prolly.open(place) as repo:
        uses: list[Callable[[], object]] = [
            lambda: repo.at("main").map("m")["k00001"],
            lambda: store_statistics(repo, "HEAD"),
            lambda: collect_garbage(repo.store, grace_us=0),
        ]
        for use in uses:
            with pytest.raises(Corrupt) as caught:
                use()
            assert caught.value.code == "pack-missing" and caught.value.hint


def test_no_files_left_to_open_has_its_own_advice(place: Path) -> None:
    """At the limit of open files a fault says too-many-files, and how to allow more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with prolly.open(place) as repo:
        check = check_repository(repo.store)
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        held = [os.open("/", os.O_RDONLY) for _ in range(highest)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(held) + 1, hard))
        found: list[Fault] = []
        try:
            found += check
        except prolly.Error as error:
            found.append(Fault(error.code, error.message, hint=error.hint))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for descriptor in held:
                os.close(descriptor)
    assert "too-many-files" in {fault.code for fault in found}
    assert all(fault.hint for fault in found)
