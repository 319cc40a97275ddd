"""Copying a pipe or a device: short ones whole, endless ones not for long."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from prolly.errors import Error, Invalid, LimitExceeded
from prolly.ops import input_copy
from prolly.ops.byte_source import ByteSource
from prolly.ops.input_copy import COPY_UNASKED_BYTES, READ_BYTES, copy_input


class Endless(io.RawIOBase):
    """A stream that begins with some bytes and then repeats others for ever."""

    def __init__(self, begin: bytes, rest: bytes) -> None:
        self._block = begin
        self._rest = rest * (READ_BYTES // len(rest))
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        """Return a block, always."""
        block, self._block = self._block or self._rest, b""
        self.given += len(block)
        # A test that goes on reading is to fail, not to fill a disk.
        assert self.given < 100 * COPY_UNASKED_BYTES
        return block


def refused(stream: Any) -> Error:
    """Return the error that ends the copying."""
    with pytest.raises(Error) as caught:
        copy_input(stream, "the pipe")
    assert caught.value.hint and caught.value.source == "the pipe"
    return caught.value


def test_what_is_short_is_copied_whole() -> None:
    """Up to the bound anything passes: the reader of its format says what is wrong."""
    for data in (b"", b"a", b"\0" * 1000, b"a,b\n1,\0\n" * 10, b"x" * 100_000):
        with copy_input(io.BytesIO(data), "x") as copy:
            copy.seek(0)
            assert copy.read() == data


def test_a_device_of_nuls_is_refused_soon() -> None:
    """Invalid nul-character, with its place, when the bound is passed."""
    stream = Endless(b"", b"\0")
    error = refused(stream)
    assert isinstance(error, Invalid) and error.code == "nul-character"
    assert (error.line, error.offset) == (1, 0)
    assert stream.given <= COPY_UNASKED_BYTES + READ_BYTES
    stream = Endless(b"id,name\n1,Ada\n2,", b"\0")
    assert (refused(stream).line, refused(Endless(b"a" * 20, b"\0")).offset) == (3, 20)


def test_the_device_itself_is_refused() -> None:
    """A path that leads to a device without end ends at once."""
    with pytest.raises(Invalid) as caught:
        ByteSource("/dev/zero")
    assert caught.value.code == "nul-character"


def test_noise_is_refused_soon() -> None:
    """A NUL anywhere is enough, also within the bytes that tell the format."""
    noise = bytes(range(1, 256)) + b"\0"
    for begin in (noise, b"id\0" + noise, b"\0\0\1" + noise):
        stream = Endless(begin, noise)
        assert refused(stream).code == "nul-character"
        assert stream.given <= COPY_UNASKED_BYTES + 2 * READ_BYTES


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """LimitExceeded line-too-long past the limit of a line, but not in a JSON array."""
    monkeypatch.setattr(input_copy, "LINE_BYTES_MAX", 2 * READ_BYTES)
    monkeypatch.setattr(input_copy, "COPY_UNASKED_BYTES", 3 * READ_BYTES)
    error = refused(Endless(b"id,name\n", b"x"))
    assert isinstance(error, LimitExceeded) and error.code == "line-too-long"
    assert error.line == 2
    array = b" [" + b"1," * (3 * READ_BYTES)
    with copy_input(io.BytesIO(array), "x") as copy:
        assert copy.tell() == len(array)


BEGINNINGS = [b"id\n", b"[1,", b"PAR1", b"\x1f\x8b", b"\xff\xfe", b"\xd0\x01\0\0"]


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_the_disk_is_not_filled(monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    """LimitExceeded input-too-long leaves a quarter of what was free to others."""
    free = 8 * COPY_UNASKED_BYTES

    class Disk:
        f_frsize = 1

        def __init__(self, used: int) -> None:
            self.f_bavail = free - used

    begun: list[int] = []

    def fstatvfs(_descriptor: int) -> Disk:
        begun.append(stream.given)
        return Disk(stream.given)

    monkeypatch.setattr(os, "fstatvfs", fstatvfs)
    stream = Endless(begin, b"1\n")
    error = refused(stream)
    assert error.code == "input-too-long" and error.actual == stream.given
    assert abs(stream.given - free * 3 // 4) <= COPY_UNASKED_BYTES + READ_BYTES
    assert len(begun) < 10


def test_a_long_pipe_that_fits_is_copied() -> None:
    """Past the bound, text in lines is copied to its end."""
    data = b"1,Ada\n" * (COPY_UNASKED_BYTES // 5)
    with copy_input(io.BytesIO(data), "x") as copy:
        assert copy.tell() == len(data) > COPY_UNASKED_BYTES
