"""Scratch chunks: read back from memory or disk, and never committed."""

from __future__ import annotations

import errno
import os

import pytest

from prolly.chunks import ScratchWriter
from prolly.codec import address_of
from prolly.errors import Invalid, StorageFailed

CHUNKS = [b"%03d" % number * 30 for number in range(60)]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a writer spill past a kilobyte."""
    monkeypatch.setattr("prolly.chunks.scratch_writer.MEMORY_BYTES_MAX", 1000)


def spilled_bytes(writer: ScratchWriter) -> int:
    """Return how long the temporary file of a writer is."""
    return 0 if writer._file is None else writer._file.size


def test_chunks_are_read_back_and_others_from_behind() -> None:
    """Spilled or not, each chunk is found; what was not put is asked for behind."""
    writer = ScratchWriter(lambda address: b"behind " + address)
    addresses = [writer.put(chunk) for chunk in CHUNKS]
    assert addresses == list(map(address_of, CHUNKS))
    assert [writer.get(address) for address in addresses] == CHUNKS
    assert writer.get(b"x") == b"behind x"
    writer.abort()
    assert writer.get(addresses[0]) == b"behind " + addresses[0]


def test_a_chunk_put_again_takes_no_room() -> None:
    """Neither memory nor file grow by what is there already."""
    writer = ScratchWriter(lambda _: None)
    for _ in range(50):
        writer.put(CHUNKS[0])
    assert spilled_bytes(writer) == 0
    for _ in range(3):
        for chunk in CHUNKS:
            writer.put(chunk)
    assert 0 < spilled_bytes(writer) <= sum(map(len, CHUNKS))
    writer.abort()


def test_a_full_temporary_directory_is_storage_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error says where room is wanted, and what was put is still there."""

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = ScratchWriter(lambda _: None)
    kept = [writer.put(chunk) for chunk in CHUNKS[:30]]
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageFailed) as caught:
        for chunk in CHUNKS[30:]:
            writer.put(chunk)
    assert caught.value.code == "spill-failed"
    assert [writer.get(address) for address in kept] == CHUNKS[:30]
    writer.abort()


def test_scratch_chunks_cannot_be_committed() -> None:
    """Invalid scratch."""
    with pytest.raises(Invalid) as caught:
        ScratchWriter(lambda _: None).commit()
    assert caught.value.code == "scratch"
