"""The bytes of an input: a file, a pipe or a stream, maybe packed, read many times.

Inference reads an input once and loading reads it again, so what cannot be read twice
is first copied to a nameless temporary file (``input_copy``). Nothing is held in
memory. Compression is told by its first bytes, whatever the name says.

Bytes come from outside: a truncated or damaged archive, a bomb, a NUL, a UTF-16 file
and a line without end are refused here, before anything is parsed; so is a file that
another program changes between the first and the last byte that is read.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from prolly.errors import Invalid, Stale
from prolly.maps import storage_error

from .compressed_stream import (
    MAGIC_BYTES,
    Inflated,
    check_inflation,
    compression_of_bytes,
    damaged,
    inflate,
)
from .input_copy import (
    HEAD_BYTES,
    LINE_BYTES_MAX,
    READ_BYTES,
    copy_input,
    line_too_long,
    nul_found,
)

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"


Place = str | os.PathLike[str] | BinaryIO


class ByteSource(AbstractContextManager["ByteSource"]):
    """An input of bytes that opens any number of times. Close it when done.

    ``name`` is for messages; ``size`` is the bytes of the input, compressed if it is;
    ``position`` tells how many of them the last reader has taken. ``compression`` is
    empty for what is not compressed.
    """

    def __init__(self, place: Place, name: str = "") -> None:
        self._spool: BinaryIO | None = None
        self._path = Path()
        self._reading: Any = None
        if isinstance(place, (str, os.PathLike)):
            self.name = name or os.fspath(place)
            self._path = Path(place)
            self._open_path()
        else:
            self.name = name or str(getattr(place, "name", "") or "the input")
            self._spool = copy_input(place, self.name)
        raw = self._raw()
        with raw:
            self.size = raw.seek(0, os.SEEK_END)
            raw.seek(0)
            self.head = raw.read(HEAD_BYTES)
        self.compression = compression_of_bytes(self.head[:MAGIC_BYTES])
        self._state = self._file_state()

    def _open_path(self) -> None:
        """Check that the path can be read; copy it if it can be read only once."""
        try:
            mode = self._path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise Invalid(
                    f"{self.name} is a directory",
                    code="not-a-file",
                    hint="Name a file, or - for standard input.",
                    path=self.name,
                )
            with open(self._path, "rb") as file:
                if not stat.S_ISREG(mode):
                    self._spool = copy_input(file, self.name)
        except OSError as error:
            raise storage_error(error, self.name) from error

    def _raw(self) -> Any:
        if self._spool is not None:
            return _SpoolReader(self._spool)
        try:
            return open(self._path, "rb", buffering=0)
        except OSError as error:
            raise storage_error(error, self.name) from error

    @property
    def path(self) -> Path | None:
        """The file that is read; ``None`` for what was copied."""
        return self._path if self._spool is None else None

    def _file_state(self) -> tuple[int, ...]:
        """Return what changes when another program writes or replaces the file."""
        if self._spool is not None:
            return ()
        try:
            found = self._path.stat()
        except OSError as error:
            raise storage_error(error, self.name) from error
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def check_unchanged(self) -> None:
        """Raise Stale ``file-changed`` when the file is not what it was at the start.

        What was read before may then not fit what is read now.
        """
        if self._file_state() != self._state:
            raise Stale(
                f"{self.name} changed while it was read",
                code="file-changed",
                hint="Try again when the other program has finished writing it.",
                source=self.name,
            )

    def open_raw(self) -> Any:
        """Open the bytes as they are stored, for reading and seeking."""
        self._reading = self._raw()
        return self._reading

    @property
    def position(self) -> int:
        """Bytes of the input that the newest reader has taken; 0 before the first."""
        if self._reading is None:
            return 0
        return self.size if self._reading.closed else int(self._reading.tell())

    def open(self, line_bytes_max: int | None = LINE_BYTES_MAX) -> io.BufferedReader:
        """Open at the beginning, decompressed, after a UTF-8 byte order mark."""
        reader = self._open_guarded(line_bytes_max)
        try:
            if reader.peek(3)[:3] == UTF8_MARK:
                reader.read(3)
        except BaseException:
            reader.close()
            raise
        return reader

    @property
    def has_mark(self) -> bool:
        """Tell whether it begins with a UTF-8 byte order mark, decompressed."""
        with self._open_guarded(None) as reader:
            return bool(reader.peek(3)[:3] == UTF8_MARK)

    def _open_guarded(self, line_bytes_max: int | None) -> io.BufferedReader:
        raw = self._raw()
        self._reading = raw
        inflated = inflate(raw, self.compression)
        guard = _GuardedReader(self, inflated, raw, line_bytes_max)
        return io.BufferedReader(guard, READ_BYTES)

    def open_text(
        self, line_bytes_max: int | None = LINE_BYTES_MAX
    ) -> io.TextIOWrapper:
        """Open as UTF-8 text with its line ends untouched.

        A wrong byte raises UnicodeDecodeError; turn it into an error with
        :meth:`encoding_error`.
        """
        return io.TextIOWrapper(self.open(line_bytes_max), "utf-8", newline="")

    def encoding_error(self) -> Invalid:
        """Return the error that names the line and offset of the first wrong byte."""
        offset, line = 0, 1
        with self._open_guarded(None) as reader:
            pending = b""
            while block := reader.read(READ_BYTES):
                block = pending + block
                try:
                    block.decode()
                except UnicodeDecodeError as error:
                    tail = len(block) - error.start
                    if not (tail < 4 and "unexpected end" in error.reason):
                        line += block.count(b"\n", 0, error.start)
                        return self._encoding_error(line, offset + error.start)
                    pending = block[error.start :]
                    block = block[: error.start]
                else:
                    pending = b""
                offset += len(block)
                line += block.count(b"\n")
        return self._encoding_error(line, offset)

    def _encoding_error(self, line: int, offset: int) -> Invalid:
        return Invalid(
            f"{self.name} line {line}: not UTF-8 at byte {offset}",
            code="encoding",
            hint="Convert it first, e.g. iconv -f latin1 -t utf-8.",
            source=self.name,
            line=line,
            offset=offset,
        )

    def line_at(self, offset: int) -> int:
        """Return the line, from 1, that the decompressed byte ``offset`` stands in."""
        line, left = 1, offset
        raw = self._raw()
        with raw, inflate(raw, self.compression).reader as reader:
            while left > 0 and (block := reader.read(min(left, READ_BYTES))):
                line += block.count(b"\n")
                left -= len(block)
        return line

    def close(self) -> None:
        """Give up the temporary copy, if there is one. Twice is fine."""
        if self._spool is not None:
            self._spool.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _SpoolReader(io.RawIOBase):
    """Reads a shared temporary file from its own position."""

    def __init__(self, spool: BinaryIO) -> None:
        if spool.closed:
            raise Invalid("the input was closed", code="closed", hint="Open it again.")
        self._descriptor = spool.fileno()
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = os.fstat(self._descriptor).st_size
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: size}
        self._position = origin[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count


class _GuardedReader(io.RawIOBase):
    """Passes decompressed bytes on and refuses what no text table holds."""

    def __init__(
        self,
        source: ByteSource,
        inflated: Inflated,
        raw: Any,
        line_bytes_max: int | None,
    ) -> None:
        self._source = source
        self._inner, self._damage = inflated
        self._raw = raw
        self._line_bytes_max = line_bytes_max
        self._position = 0
        self._line_bytes = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._raw.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        try:
            count = int(self._inner.readinto(buffer))
        except self._damage as error:
            compression = self._source.compression
            raise damaged(self._source.name, compression, error) from error
        except OSError as error:
            raise storage_error(error, self._source.name) from error
        self._check(bytes(buffer[:count]))
        self._position += count
        if self._inner is not self._raw:
            check_inflation(self._source.name, self._position, self._raw.tell())
        return count

    def _check(self, block: bytes) -> None:
        if not self._position and block[:2] in _UTF16_MARKS:
            raise Invalid(
                f"{self._source.name} is UTF-16, not UTF-8",
                code="encoding",
                hint="Convert it first, e.g. iconv -f utf-16 -t utf-8.",
                source=self._source.name,
                line=1,
                offset=0,
            )
        nul = block.find(0)
        if nul >= 0:
            self._refuse_nul(self._position + nul)
        if self._line_bytes_max is not None:
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            before = self._line_bytes if last < 0 else 0
            self._line_bytes = before + len(block) - last - 1
            if self._line_bytes > self._line_bytes_max:
                self._refuse_line(self._line_bytes_max)

    def _refuse_nul(self, offset: int) -> None:
        line = self._source.line_at(offset)
        raise nul_found(self._source.name, line, offset)

    def _refuse_line(self, limit: int) -> None:
        line = self._source.line_at(self._position)
        raise line_too_long(self._source.name, line, limit)
