"""Copying what can be read only once, a pipe or a device, to a temporary file.

Such an input may have no end. A short one is left to the reader of its format, which
says best what is wrong with it. A long one is refused as soon as no reader would take
it, text with a NUL or a line past the limit, and when it would fill the disk. What is
in a binary format, told by its first bytes, is bounded by the room alone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from prolly.errors import Error, Invalid, LimitExceeded
from prolly.maps import storage_error

from .compressed_stream import MAGIC_BYTES, compression_of_bytes

# A line is held in memory whole. Past this a "line" is no line of a table, but a file
# of another kind, or an attack.
LINE_BYTES_MAX = 128 * 1024 * 1024

# What tells one format from another stands within as many bytes.
HEAD_BYTES = 16

# Read in pieces that fit the processor's cache and make system calls rare.
READ_BYTES = 256 * 1024

# So much is copied whatever it is: any disk has room for it. Then it is asked for each
# as much again whether there is more room, which costs nothing beside the writing.
COPY_UNASKED_BYTES = 16 * 1024 * 1024

# One part in so many of the room that is free at the beginning is left to others.
COPY_LEFT_PARTS = 4

_UTF8_MARK = b"\xef\xbb\xbf"

# Parquet, Arrow as a file and as a stream, SQLite; and UTF-16, which its reader names.
_BINARY_HEADS = (
    b"PAR1",
    b"ARROW1",
    b"\xff\xff\xff\xff",
    b"SQLite format 3\0",
    b"\xff\xfe",
    b"\xfe\xff",
)


def copy_input(stream: BinaryIO, name: str) -> BinaryIO:
    """Return a nameless temporary file with what a stream gives. Close it when done.

    Raises Invalid ``nul-character``, LimitExceeded ``line-too-long`` and
    ``input-too-long``, StorageFailed ``disk-full`` and others.
    """
    copy: BinaryIO = tempfile.TemporaryFile(prefix="prolly-")
    try:
        room = _Room(copy, name)
        blocks = _blocks(stream)
        head = next(blocks, b"")
        text = _TextCheck(name, head) if _is_text(head) else None
        for block in chain([head], blocks):
            copy.write(block)
            if text is not None:
                text.take(block)
            room.take(len(block))
        copy.flush()
    except OSError as error:
        copy.close()
        raise storage_error(error, name) from error
    except BaseException:
        copy.close()
        raise
    return copy


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream in blocks, the first long enough to tell the format."""
    head = b""
    while len(head) < HEAD_BYTES and (block := stream.read(READ_BYTES)):
        head += block
    yield head
    while block := stream.read(READ_BYTES):
        yield block


def _is_text(head: bytes) -> bool:
    if compression_of_bytes(head[:MAGIC_BYTES]) or head.startswith(_BINARY_HEADS):
        return False
    # An old stream of Arrow begins with a size of four bytes, which is small.
    return head[2:4] != bytes(2) or not any(head[:2])


class _TextCheck:
    """Refuses long text that no reader would take, without reading on."""

    def __init__(self, name: str, head: bytes) -> None:
        self._name = name
        self._error: Error | None = None
        self._offset = 0
        self._line = 1
        self._line_bytes = 0
        # An array of JSON may stand on one line, whatever its size.
        begin = head.removeprefix(_UTF8_MARK).lstrip()[:1]
        self._has_lines = begin not in (b"", b"[")

    def take(self, block: bytes) -> None:
        """Look at the next block; raise what was found once the text is long."""
        if self._error is None:
            self._look(block)
        self._offset += len(block)
        if self._error is not None and self._offset > COPY_UNASKED_BYTES:
            raise self._error

    def _look(self, block: bytes) -> None:
        nul = block.find(0)
        if nul >= 0:
            line = self._line + block.count(b"\n", 0, nul)
            self._error = nul_found(self._name, line, self._offset + nul)
        self._line += block.count(b"\n")
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        before = self._line_bytes if last < 0 else 0
        self._line_bytes = before + len(block) - last - 1
        if self._has_lines and self._line_bytes > LINE_BYTES_MAX:
            self._error = line_too_long(self._name, self._line, LINE_BYTES_MAX)


class _Room:
    """Counts what is copied, and asks now and then whether there is room for more."""

    def __init__(self, copy: BinaryIO, name: str) -> None:
        self._descriptor = copy.fileno()
        self._name = name
        self._copied = 0
        self._asked = 0
        self._left_bytes = _free_bytes(self._descriptor) // COPY_LEFT_PARTS

    def take(self, count: int) -> None:
        """Count what was written. Raises OSError."""
        self._copied += count
        if self._copied - self._asked < COPY_UNASKED_BYTES:
            return
        self._asked = self._copied
        if _free_bytes(self._descriptor) < self._left_bytes:
            raise self._too_long()

    def _too_long(self) -> Error:
        return LimitExceeded(
            f"{self._name} is longer than the temporary directory has room for: "
            f"{self._copied:,} bytes so far",
            code="input-too-long",
            hint="Save it to a file and name that, or set TMPDIR to a larger disk.",
            source=self._name,
            actual=self._copied,
        )


def _free_bytes(descriptor: int) -> int:
    disk = os.fstatvfs(descriptor)
    return disk.f_bavail * disk.f_frsize


def nul_found(name: str, line: int, offset: int) -> Invalid:
    """Return what to raise for a NUL in text."""
    return Invalid(
        f"{name} line {line}: a NUL at byte {offset}",
        code="nul-character",
        hint="Text holds no NUL: the file is binary, damaged or UTF-16.",
        source=name,
        line=line,
        offset=offset,
    )


def line_too_long(name: str, line: int, limit: int) -> LimitExceeded:
    """Return what to raise for a line past the limit."""
    return LimitExceeded(
        f"{name} line {line}: over {limit:,} bytes",
        code="line-too-long",
        hint="The file has no line ends, or is of another format.",
        source=name,
        line=line,
        limit=limit,
    )
