"""File objects over blobs: what Python's own files do, and a few things more."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.errors import Invalid
from prolly.maps import BlobEdit, BlobFile, BlobReader, write_blob

FILLER = random.Random(13).randbytes(500_000)


def opened(value: bytes) -> BlobReader:
    """Return a reader of a value."""
    writer = MemoryStore().writer()
    return BlobReader.of(writer.get, write_blob(writer, value))


def edited(value: bytes = b"", mode: str = "r+b") -> BlobFile:
    """Return a file under edit."""
    writer = MemoryStore().writer()
    return BlobFile(BlobEdit(writer, write_blob(writer, value)), mode)


OPERATIONS = st.one_of(
    st.tuples(st.just("read"), st.integers(-1, 300_000)),
    st.tuples(st.just("seek"), st.integers(0, 600_000)),
    st.tuples(st.just("write"), st.integers(0, 100_000)),
    st.tuples(st.just("truncate"), st.integers(0, 600_000)),
)


@settings(max_examples=60)
@given(st.lists(OPERATIONS, max_size=15))
def test_it_does_what_a_bytesio_does(operations: list[tuple[str, int]]) -> None:
    """Read, seek, write and truncate agree with Python's file in memory."""
    ours, theirs = edited(FILLER), io.BytesIO(FILLER)
    for name, number in operations:
        if name == "write":
            assert ours.write(FILLER[:number]) == theirs.write(FILLER[:number])
        elif name == "truncate":
            # BytesIO does not grow, a file of the system does.
            size = min(number, len(theirs.getvalue()))
            assert ours.truncate(size) == theirs.truncate(size)
        else:
            assert getattr(ours, name)(number) == getattr(theirs, name)(number)
        assert ours.tell() == theirs.tell()
    ours.seek(0)
    assert ours.read() == theirs.getvalue()


def test_a_reader_reads_and_does_not_write() -> None:
    """Seek from all three sides, read into a buffer, no writing."""
    file = opened(FILLER)
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.size == len(FILLER)
    assert file.seek(-10, io.SEEK_END) == len(FILLER) - 10
    assert file.read(100) == FILLER[-10:]
    assert file.read() == b""
    file.seek(5)
    assert file.seek(5, io.SEEK_CUR) == 10
    buffer = bytearray(7)
    assert (file.readinto(buffer), bytes(buffer)) == (7, FILLER[10:17])
    assert (file.readinto1(buffer), bytes(buffer)) == (7, FILLER[17:24])
    assert file.read1(3) == FILLER[24:27]
    file.seek(len(FILLER) + 5)
    assert file.read(5) == b""
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"x")


def test_libraries_take_it_for_a_file() -> None:
    """Text lines come out of it, and a zip archive goes through it."""
    text = io.TextIOWrapper(opened("ä\nb\n".encode()), encoding="utf-8")
    assert list(text) == ["ä\n", "b\n"]
    file = edited()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("name", b"content")
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        assert archive.read("name") == b"content"


def test_insert_and_delete_move_what_follows() -> None:
    """An insertion shifts, a deletion closes the gap; behind the end it is a write."""
    file = edited(b"hello")
    file.seek(2)
    assert (file.insert(b"--"), file.tell()) == (2, 4)
    assert file.delete(2) == 2
    assert file.delete(99) == 1
    file.seek(7)
    assert file.insert(b"z") == 1
    file.seek(0)
    assert file.read() == b"he--o"[:4] + bytes(3) + b"z"


def test_modes_say_where_to_begin() -> None:
    """r+b at the beginning, wb empty, ab always at the end; others are refused."""
    assert edited(b"abc").read() == b"abc"
    assert edited(b"abc", "wb").size == 0
    file = edited(b"abc", "ab")
    file.seek(0)
    file.write(b"d")
    file.seek(0)
    assert file.read() == b"abcd"
    with pytest.raises(Invalid) as caught:
        edited(b"", "w")
    assert caught.value.code == "option"


def test_seeking_before_the_beginning_is_refused() -> None:
    """Invalid seek, which is a ValueError too; the position stays."""
    file = edited(b"abc")
    file.seek(1)
    for call in (
        lambda: file.seek(-1),
        lambda: file.seek(-9, io.SEEK_END),
        lambda: file.seek(0, 9),
        lambda: file.truncate(-1),
    ):
        with pytest.raises(Invalid) as caught:
            call()
        assert caught.value.code == "seek"
    assert file.tell() == 1


def test_a_closed_file_is_closed() -> None:
    """ValueError after close, as of any file; the content is not touched by it."""
    told: list[bool] = []
    edit = BlobEdit(MemoryStore().writer(), None)
    with BlobFile(edit, when_closed=lambda: told.append(True)) as file:
        file.write(b"x")
        file.flush()
    file.close()
    assert told == [True]
    assert edit.length == 1
    with pytest.raises(ValueError, match="closed"):
        file.read()
    edit.close()
    with pytest.raises(Invalid, match="ended"):
        BlobFile(edit).read()
