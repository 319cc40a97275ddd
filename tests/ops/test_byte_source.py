"""Bytes from outside: read twice, unpacked, and refused when they are no text."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from threading import Thread

import pytest

from prolly.errors import (
    Denied,
    Invalid,
    LimitExceeded,
    NotFound,
    Stale,
    StorageFailed,
)
from prolly.ops import byte_source, open_table
from prolly.ops.byte_source import ByteSource, storage_error


class OneWay(io.RawIOBase):
    """A stream that can be read once, in small pieces, and never sought."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:
        """Give seven bytes at most."""
        piece = self._data.read(min(7, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def read_twice(source: ByteSource) -> bytes:
    """Return what the source holds, after checking that it holds it twice."""
    with source.open() as first, source.open() as second:
        head = first.read(3)
        data = second.read()
        assert head + first.read() == data
    return data


def test_a_path_and_a_pipe_are_read_many_times(tmp_path: Path) -> None:
    """A file, a one-way stream and a FIFO give the same bytes each time."""
    data = b"a,b\n1,2\n" * 1000
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    with ByteSource(path) as source:
        assert read_twice(source) == data
        assert source.size == len(data)
    with ByteSource(OneWay(data), "pipe") as source:
        assert read_twice(source) == data
        assert source.name == "pipe"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = Thread(target=fifo.write_bytes, args=(data,))
    writer.start()
    with ByteSource(fifo) as source:
        assert read_twice(source) == data
    writer.join()


def test_gzip_is_told_by_its_first_bytes() -> None:
    """Compressed bytes are unpacked whatever they are called, members joined."""
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    with ByteSource(OneWay(packed)) as source:
        assert source.compression == "gzip"
        assert read_twice(source) == b"one\ntwo\n"
        assert source.size == len(packed)


def test_the_byte_order_mark_is_passed_over() -> None:
    """A UTF-8 mark at the very beginning is no part of the data."""
    with ByteSource(io.BytesIO(b"\xef\xbb\xbfa\xef\xbb\xbf")) as source:
        assert read_twice(source) == b"a\xef\xbb\xbf"


@pytest.mark.parametrize("cut", [1, 8, 200])
def test_a_truncated_gzip_is_refused(cut: int) -> None:
    """An archive that lacks its end raises bad-gzip, not a shorter table."""
    packed = gzip.compress(os.urandom(1000).hex().encode())
    with ByteSource(io.BytesIO(packed[:-cut])) as source:
        with pytest.raises(Invalid) as caught, source.open() as reader:
            reader.read()
        assert caught.value.code == "bad-gzip"


def test_a_damaged_gzip_is_refused() -> None:
    """A flipped bit fails the checksum and raises bad-gzip."""
    packed = bytearray(gzip.compress(b"abcdefghij" * 10))
    packed[-6] ^= 1
    with ByteSource(io.BytesIO(bytes(packed))) as source:
        with pytest.raises(Invalid) as caught, source.open() as reader:
            reader.read()
        assert caught.value.code == "bad-gzip"


def test_a_nul_is_refused_with_its_place() -> None:
    """The error for a NUL names its line and offset, in gzip too."""
    data = b"a\nb\nc\0d\n"
    for stored in (data, gzip.compress(data)):
        with ByteSource(io.BytesIO(stored)) as source:
            with pytest.raises(Invalid) as caught:
                source.open()
            assert caught.value.code == "nul-character"
            assert (caught.value.line, caught.value.offset) == (3, 5)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_refused_by_its_name(encoding: str) -> None:
    """A UTF-16 file is told from a binary one by its mark."""
    with ByteSource(io.BytesIO("\ufeffa,b".encode(encoding))) as source:
        with pytest.raises(Invalid) as caught:
            source.open()
        assert caught.value.code == "encoding"
        assert "utf-16" in caught.value.hint


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("data", "line", "offset"),
    [
        ("é\nb\n".encode() + b"caf\xe9\n", 3, 8),
        (b"\xff", 1, 0),
        ("é\n".encode() + "é".encode()[:1], 2, 3),
        (b"\xef\xbb\xbfa\xff", 1, 4),
    ],
)
def test_a_wrong_byte_is_located(
    monkeypatch: pytest.MonkeyPatch, size: int, data: bytes, line: int, offset: int
) -> None:
    """Line and offset are right however the bytes are cut into blocks."""
    monkeypatch.setattr(byte_source, "READ_BYTES", size)
    with ByteSource(io.BytesIO(data)) as source:
        error = source.encoding_error()
    assert error.code == "encoding"
    assert (error.line, error.offset) == (line, offset)


def test_a_line_may_be_as_long_as_the_limit() -> None:
    """A line of exactly the limit passes, one byte more raises line-too-long."""
    for end in (b"\n", b"\r"):
        fits = (b"x" * 100 + end) * 3
        with ByteSource(io.BytesIO(fits)) as source, source.open(100) as reader:
            assert reader.read() == fits
    with ByteSource(io.BytesIO(b"ok\n" + b"x" * 101)) as source:
        with pytest.raises(LimitExceeded) as caught, source.open(100) as reader:
            reader.read()
        assert caught.value.code == "line-too-long"
        assert caught.value.limit == 100


def test_long_lines_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for a line that comes in many blocks."""
    monkeypatch.setattr(byte_source, "READ_BYTES", 16)
    with ByteSource(io.BytesIO(b"y\n" + b"x" * 200)) as source:
        with pytest.raises(LimitExceeded), source.open(100) as reader:
            reader.read()
        with source.open(None) as reader:
            assert len(reader.read()) == 202


def test_the_position_grows_to_the_size() -> None:
    """Progress begins at nothing and ends at the size of what is stored."""
    packed = gzip.compress(os.urandom(100_000).hex().encode())
    with ByteSource(io.BytesIO(packed)) as source:
        assert source.position == 0
        with source.open(None) as reader:
            reader.read(10)
            assert 0 < source.position <= source.size
            reader.read()
        assert source.position == source.size


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    """A directory, a missing file and a file as a directory have codes of their own."""
    with pytest.raises(Invalid) as caught:
        ByteSource(tmp_path)
    assert caught.value.code == "not-a-file"
    (tmp_path / "file").touch()
    for name in ("absent", "file/below"):
        with pytest.raises(NotFound) as missing:
            ByteSource(tmp_path / name)
        assert missing.value.code == "no-file"


def test_a_closed_source_says_so() -> None:
    """Opening a closed copy raises closed; closing twice is fine."""
    source = ByteSource(io.BytesIO(b"a"))
    source.close()
    source.close()
    with pytest.raises(Invalid) as caught:
        source.open()
    assert caught.value.code == "closed"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("ENOSPC", StorageFailed, "disk-full"),
        ("EDQUOT", StorageFailed, "disk-full"),
        ("EFBIG", StorageFailed, "disk-full"),
        ("EIO", StorageFailed, "io-error"),
        ("EACCES", Denied, "file-denied"),
        ("EROFS", Denied, "file-denied"),
        ("ENOENT", NotFound, "no-file"),
        ("EISDIR", Invalid, "not-a-file"),
    ],
)
def test_errors_of_the_system_are_told_apart(
    number: str, kind: type[Exception], code: str
) -> None:
    """Each error number becomes the class that says what to do."""
    import errno

    error = storage_error(OSError(getattr(errno, number), "reason"), "name")
    assert type(error) is kind
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize("change", ["append", "replace", "remove"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, change: str
) -> None:
    """Between the first and the last byte the file must stay as it was."""
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\n1\n")
    with open_table(path) as source:
        source.infer()
        source.files[0].check_unchanged()
        if change == "append":
            with path.open("ab") as file:
                file.write(b"2\n")
        elif change == "replace":
            other = tmp_path / "y"
            other.write_bytes(b"a\n3\n")
            other.replace(path)
        else:
            path.unlink()
        with pytest.raises((Stale, NotFound)) as caught:
            list(source)
        wanted = "no-file" if change == "remove" else "file-changed"
        assert caught.value.code == wanted
