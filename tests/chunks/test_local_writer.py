"""Writers of a local store: crashes, races and full disks leave nothing half done."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from prolly.chunks import COVERAGE_REF, ChunkWriter, LocalStore, RefMove
from prolly.chunks.local_writer import INLINE_BYTES_MAX, PUT_COUNT_MAX, LocalWriter
from prolly.chunks.pack_builder import PackBuilder
from prolly.codec import encode_blob_node
from prolly.errors import Invalid, LimitExceeded, Stale, StorageFailed

Forget = Callable[[LocalStore, list[bytes]], int]
RunChild = Callable[..., int]
StartChildren = Callable[..., subprocess.Popen[bytes]]

BULK = [bytes([number]) * 8192 for number in range(2 * INLINE_BYTES_MAX // 8192)]

BULK_COUNT = "200"
INLINE_COUNT = "10"


def names_in(store: LocalStore, part: str) -> list[str]:
    """Return the names of the files in a directory of the store."""
    return sorted(os.listdir(os.path.join(store.path, part)))


def begin(store: LocalStore, chunks: list[bytes]) -> tuple[ChunkWriter, list[bytes]]:
    """Return a writer that holds the chunks, and their addresses."""
    writer = store.writer()
    return writer, writer.put_many(chunks)


@pytest.mark.parametrize("size", [BULK_COUNT, INLINE_COUNT])
@pytest.mark.parametrize(
    "point",
    [
        "before-fdatasync",
        "after-fdatasync",
        "before-rename",
        "after-rename",
        "after-fsync",
        "before-pwrite",
        "after-pwrite",
        "after-_append",
        "after-_apply",
        "after-commit",
    ],
)
def test_kill_in_mid_commit(
    tmp_path: Path, run_child: RunChild, point: str, size: str
) -> None:
    """A process killed at any point leaves the old state whole, or the new one."""
    store = LocalStore.create(tmp_path)
    with store.writer() as writer:
        first = writer.put(b"first")
        writer.commit([RefMove("main", None, first)])
    assert run_child("kill", tmp_path, point, size) == -9
    store.close()

    store = LocalStore.open(tmp_path)
    addresses = list(store.iter_addresses())
    # The record of the journal is there once all of it was written, unless the machine
    # fails before it is on the disk.
    is_there = point in ("after-pwrite", "after-_append", "after-commit") or (
        size == INLINE_COUNT and point not in ("before-pwrite", "after-_apply")
    )
    assert store.read_ref("main") in ((first,) if not is_there else addresses)
    assert len(addresses) == 1 + int(size) * is_there
    assert all(store.get_many(addresses))
    assert names_in(store, "tmp") == []
    assert len(names_in(store, "packs")) <= 1
    with store.writer() as writer:
        last = writer.put_many(BULK)[-1]
        writer.commit([RefMove("main", store.read_ref("main"), last)])
    assert store.sequence() == 2 + is_there
    store.close()


def test_two_processes_race_for_one_ref(
    tmp_path: Path, start_children: StartChildren
) -> None:
    """Two processes that move one ref in turn lose no move."""
    LocalStore.create(tmp_path).close()
    children = [start_children("race", tmp_path, "40", tag) for tag in ("a", "b")]
    assert [child.wait() for child in children] == [0, 0]
    store = LocalStore.open(tmp_path)
    log = list(store.iter_log("main"))
    assert len(log) == store.sequence() == 80
    assert [entry.old for entry in log[:-1]] == [entry.new for entry in log[1:]]
    assert all(store.get_many([entry.new for entry in log if entry.new]))
    store.close()


def test_full_disk(tmp_path: Path, run_child: RunChild) -> None:
    """Where no file may grow, bulk and inline commits fail as disk-full, cleanly."""
    LocalStore.create(tmp_path).close()
    assert run_child("full", tmp_path, "100000") == 0


def test_rejected_bulk_leaves_no_file(store: LocalStore) -> None:
    """A Stale commit publishes no pack; its temporary file goes with the writer."""
    writer, addresses = begin(store, BULK)
    assert len(names_in(store, "tmp")) == 1
    with pytest.raises(Stale):
        writer.commit([RefMove("main", addresses[0], addresses[1])])
    assert names_in(store, "packs") == []
    writer.abort()
    assert names_in(store, "tmp") == names_in(store, "packs") == []


def test_abort_and_neglect_leave_no_file(store: LocalStore) -> None:
    """Neither an aborted writer nor a forgotten one leaves a temporary file."""
    begin(store, BULK)[0].abort()
    assert names_in(store, "tmp") == []
    begin(store, BULK)
    assert names_in(store, "tmp") == []


def test_failure_after_publishing_takes_the_pack_back(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the commit fails behind the rename, the pack is removed again."""
    writer, addresses = begin(store, BULK)

    def fail(_directory: object) -> None:
        assert len(names_in(store, "packs")) == 1
        raise StorageFailed("on cue", code="io-error")

    monkeypatch.setattr("prolly.chunks.local_writer.sync_names", fail)
    with pytest.raises(StorageFailed):
        writer.commit()
    assert names_in(store, "tmp") == names_in(store, "packs") == []
    assert not any(store.contains_many(addresses))


@pytest.mark.parametrize("others_pack", [False, True])
def test_race_lost_after_publishing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, others_pack: bool
) -> None:
    """A batch whose packs were published when it lost its race can still be kept.

    So it is when the map grows in mid-commit: the step runs again, and finds the ref
    moved, or even an equal pack of somebody else.
    """
    writer, addresses = begin(store, BULK)
    assert isinstance(writer, LocalWriter)
    publish = writer._publish

    def lose_the_race(packs: Sequence[PackBuilder]) -> None:
        publish(packs)
        monkeypatch.undo()
        raise Stale("on cue", code="ref-moved")

    monkeypatch.setattr(writer, "_publish", lose_the_race)
    with pytest.raises(Stale):
        writer.commit([RefMove("main", None, addresses[0])])
    assert names_in(store, "packs") == []
    if others_pack:
        begin(store, BULK)[0].commit()
    writer.commit([RefMove("main", None, addresses[0])])
    assert len(names_in(store, "packs")) == 1
    assert names_in(store, "tmp") == []
    assert store.get_many(addresses) == BULK


def test_failing_disk_closes_the_writer(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails aborts the batch; what is committed stays."""

    def fail(_descriptor: int, _data: bytes) -> int:
        raise OSError(5, "Input/output error")

    writer = store.writer()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(StorageFailed) as caught:
            writer.put_many(BULK)
    assert caught.value.code == "io-error"
    with pytest.raises(Invalid):
        writer.commit()
    assert names_in(store, "tmp") == []


def test_equal_packs_of_two_writers(store: LocalStore) -> None:
    """Two batches of the same chunks make one pack; failing, the second keeps it."""
    first, addresses = begin(store, BULK)
    second, _ = begin(store, BULK)
    third, _ = begin(store, BULK)
    first.commit()
    second.commit()
    with pytest.raises(Stale):
        third.commit([RefMove("main", addresses[0], addresses[1])])
    third.abort()
    assert len(names_in(store, "packs")) == 1
    assert names_in(store, "tmp") == []
    assert store.get_many(addresses) == BULK


def test_pack_of_a_crash_is_taken_over(store: LocalStore) -> None:
    """A pack that a crash left unnamed is replaced by its equal."""
    writer, addresses = begin(store, BULK)
    writer.commit()
    (name,) = names_in(store, "packs")
    data = Path(store.path, "packs", name).read_bytes()
    other = LocalStore.create(Path(store.path).parent / "other")
    Path(other.path, "packs", name).write_bytes(data)
    writer, _ = begin(other, BULK)
    writer.commit()
    assert names_in(other, "packs") == [name]
    assert other.get_many(addresses) == BULK
    other.close()


def test_sweep_of_what_a_batch_counts_on(store: LocalStore, forget: Forget) -> None:
    """A batch that re-used a swept chunk is Stale gc-epoch, and a new one works."""
    chunks = BULK
    with store.writer() as writer:
        (counted_on,) = writer.put_many([b"old"])
        writer.commit()
    writer, addresses = begin(store, [b"old", *chunks])
    assert forget(store, [counted_on]) == 1
    with pytest.raises(Stale) as caught:
        writer.commit([RefMove("main", None, addresses[-1])])
    assert caught.value.code == "gc-epoch"
    assert caught.value.address == counted_on
    assert not any(store.contains_many(addresses))
    assert names_in(store, "packs") == []
    writer, addresses = begin(store, [b"old", *chunks])
    writer.commit()
    assert all(store.contains_many(addresses))


def test_sweep_of_what_a_small_batch_has(store: LocalStore, forget: Forget) -> None:
    """A small batch looks nothing up: it brings again what was swept meanwhile."""
    with store.writer() as writer:
        (swept,) = writer.put_many([b"old"])
        writer.commit()
    writer, addresses = begin(store, [b"old", b"small"])
    assert forget(store, [swept]) == 1
    writer.commit([RefMove("main", None, addresses[-1])])
    assert store.get_many(addresses) == [b"old", b"small"]


def test_sweep_of_something_else(store: LocalStore, forget: Forget) -> None:
    """A sweep that took nothing of what a batch counts on lets it pass."""
    with store.writer() as writer:
        kept, swept = writer.put_many([b"kept", b"swept"])
        writer.commit()
    writer, addresses = begin(store, [b"kept", b"new"])
    assert forget(store, [swept, b"\0" * 32]) == 1
    writer.commit()
    assert store.contains_many([kept, swept]) == [True, False]
    assert all(store.contains_many(addresses))


def test_packs_are_rolled(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch larger than a pack makes several, and is read from all of them."""
    monkeypatch.setattr("prolly.chunks.local_writer.PACK_BYTES_TARGET", 300_000)
    chunks = [number.to_bytes(4, "big") * 2048 for number in range(200)]
    writer, addresses = begin(store, chunks)
    assert [writer.get(address) for address in addresses] == chunks
    assert writer.put(chunks[0]) == addresses[0]
    writer.commit()
    assert len(names_in(store, "packs")) > 2
    assert store.get_many(addresses) == chunks


def test_bad_chunk_leaves_the_batch_usable(store: LocalStore) -> None:
    """A chunk that is refused does not end the batch."""
    writer, addresses = begin(store, [b"good"])
    too_large = bytes(4 * 1024 * 1024 + 1)
    with pytest.raises(LimitExceeded):
        writer.put_many([b"x"] * PUT_COUNT_MAX + [too_large])
    writer.commit()
    assert store.get_many(addresses) == [b"good"]


def linking(absent: bytes) -> bytes:
    """Return a node that links to a chunk."""
    return encode_blob_node(1, [absent], [1])


@pytest.mark.parametrize("is_partial", [False, True])
def test_absent_links_after_a_sweep(
    store: LocalStore, forget: Forget, is_partial: bool
) -> None:
    """What never was here is missed in a whole replica, and not in a partial one."""
    with store.writer() as writer:
        swept, coverage = writer.put_many([b"\3swept", b"\3coverage"])
        writer.commit()
    if is_partial:
        store.move_refs([RefMove(COVERAGE_REF, None, coverage)])
    writer = store.writer()
    new = writer.put(linking(b"\1" * 32))
    forget(store, [swept])
    if is_partial:
        writer.commit([RefMove("main", None, new)])
        return
    with pytest.raises(Stale) as caught:
        writer.commit([RefMove("main", None, new)])
    assert caught.value.code == "gc-epoch"


def test_what_a_batch_was_founded_on_stays(store: LocalStore, forget: Forget) -> None:
    """In a partial replica a batch ends with the version that it began on."""
    with store.writer() as writer:
        base, now, coverage = writer.put_many([b"\3base", b"\3now", b"\3coverage"])
        moves = [RefMove("main", None, now), RefMove(COVERAGE_REF, None, coverage)]
        writer.commit(moves)
    for gone, code in ((b"\0" * 32, ""), (base, "gc-epoch")):
        writer = store.writer()
        new = writer.put(linking(gone))
        with pytest.raises(Stale) as lost:
            writer.commit([RefMove("main", base, new)])
        assert lost.value.code == "ref-moved"
        forget(store, [gone])
        if code:
            with pytest.raises(Stale) as caught:
                writer.commit([RefMove("main", now, new)])
            assert caught.value.code == code
        else:
            writer.commit([RefMove("main", now, new)])
            store.move_refs([RefMove("main", new, now)])
