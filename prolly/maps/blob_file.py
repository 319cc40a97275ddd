"""Blobs as file objects: what ``snapshot.blob``, ``tx.blob`` and ``files.open`` give.

They are buffered binary files to Python (``io.BufferedIOBase``): ``read`` gives all
that was asked for, or up to the end, and ``write`` takes all. Only the pieces that a
read touches are read, and one is kept, so that small reads in a row are cheap.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from prolly.codec import Reference, shown
from prolly.errors import Invalid

from .blob_edit import BlobEdit
from .blob_tree import BlobTree, ReadChunk

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# The ways to open a blob or a file, as Python's `open` names them.
WRITE_MODES = ("r+b", "wb", "ab")


class _Source(Protocol):
    """What a file object reads from."""

    @property
    def length(self) -> int:
        """The number of bytes."""

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of [start, stop) in parts."""


class BlobReader(io.BufferedIOBase):
    """A blob as a seekable file for reading. Not thread-safe; a context manager.

    After ``close`` it raises ValueError, as any file does. Damage raises Corrupt.
    """

    def __init__(self, source: _Source) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    @classmethod
    def of(cls, read: ReadChunk, reference: Reference) -> BlobReader:
        """Open the blob of a reference; ``read`` gives a chunk, or None."""
        return cls(BlobTree(read, reference))

    @property
    def size(self) -> int:
        """The number of bytes."""
        self._require_usable()
        return self._source.length

    def _require_usable(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file.")

    def readable(self) -> bool:
        """Tell whether it can be read: yes."""
        return True

    def seekable(self) -> bool:
        """Tell whether one can seek: yes."""
        return True

    def tell(self) -> int:
        """Return the position, in bytes from the beginning."""
        self._require_usable()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a position, which may lie behind the end; return it.

        Invalid ``seek`` before the beginning.
        """
        self._require_usable()
        bases = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._source.length,
        }
        if whence not in bases or bases[whence] + offset < 0:
            raise Invalid(
                f"cannot seek by {shown(offset)} from {shown(whence)}",
                code="seek",
                hint="Seek to 0 or more, from the beginning, the position or the end.",
            )
        self._position = bases[whence] + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end; all that is left of -1."""
        return b"".join(self.iter_read(size))

    def read1(self, size: int = -1, /) -> bytes:
        """Return what one piece holds of up to ``size`` bytes."""
        part = next(self.iter_read(size), b"")
        return part

    def iter_read(self, size: int | None = -1) -> Iterator[bytes]:
        """Yield what ``read`` would return, in parts: in bounded memory."""
        self._require_usable()
        end = self._source.length
        if size is not None and size >= 0:
            end = min(end, self._position + size)
        for part in self._source.iter_range(min(self._position, end), end):
            self._position += len(part)
            yield part

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer, less only at the end; return how many bytes were read."""
        filled = 0
        with memoryview(buffer).cast("B") as view:
            for part in self.iter_read(len(view)):
                view[filled : filled + len(part)] = part
                filled += len(part)
        return filled

    def readinto1(self, buffer: WriteableBuffer, /) -> int:
        """Read into a buffer what one piece holds."""
        with memoryview(buffer).cast("B") as view:
            part = self.read1(len(view))
            view[: len(part)] = part
        return len(part)


class BlobFile(BlobReader):
    """A blob under edit as a file: read, write anywhere, append, insert, cut off.

    Its writes are seen at once by other file objects of the same transaction, and are
    part of the transaction whether or not the file is closed. After the transaction
    every use raises Invalid ``closed``.
    """

    def __init__(
        self,
        edit: BlobEdit,
        mode: str = "r+b",
        *,
        when_closed: Callable[[], None] | None = None,
    ) -> None:
        self.check_mode(mode)
        super().__init__(edit)
        self._edit = edit
        self._is_appending = mode == "ab"
        self._when_closed = when_closed
        if mode == "wb":
            edit.resize(0)
        if mode == "ab":
            self._position = edit.length

    @staticmethod
    def check_mode(mode: str) -> None:
        """Raise Invalid ``option`` for a mode that is none."""
        if mode not in WRITE_MODES:
            raise unknown_mode(mode, WRITE_MODES)

    def _require_usable(self) -> None:
        super()._require_usable()
        self._edit.require_open()

    def writable(self) -> bool:
        """Tell whether it can be written: yes."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write over what stands here and on behind the end; return how many bytes.

        Opened with ``ab``, at the end, wherever the position is. A gap behind the end
        is filled with zeros. LimitExceeded ``blob-too-long``.
        """
        self._require_usable()
        if self._is_appending:
            self._position = self._edit.length
        with memoryview(data).cast("B") as view:
            self._edit.write(self._position, view)
            self._position += len(view)
            return len(view)

    def insert(self, data: ReadableBuffer, /) -> int:
        """Write at the position, and move what stands there behind it.

        Costs what the data and its surroundings cost, however long the blob is.
        """
        self._require_usable()
        with memoryview(data).cast("B") as view:
            at = min(self._position, self._edit.length)
            if at < self._position:
                return self.write(view)
            self._edit.replace(at, at, view)
            self._position += len(view)
            return len(view)

    def delete(self, size: int) -> int:
        """Take up to ``size`` bytes out at the position; return how many."""
        self._require_usable()
        start = min(self._position, self._edit.length)
        stop = min(start + max(size, 0), self._edit.length)
        self._edit.replace(start, stop, b"")
        return stop - start

    def truncate(self, size: int | None = None, /) -> int:
        """Cut off, or fill up with zeros, to ``size`` bytes (the position); return it.

        Invalid ``seek`` for a negative size.
        """
        self._require_usable()
        size = self._position if size is None else size
        if size < 0:
            raise Invalid(
                f"a blob cannot have {shown(size)} bytes",
                code="seek",
                hint="Give a size of 0 or more.",
            )
        self._edit.resize(size)
        return size

    def flush(self) -> None:
        """Do nothing: a write counts at once."""

    def close(self) -> None:
        """End the use of this file object; twice is fine."""
        if not self.closed:
            super().close()
            if self._when_closed is not None:
                self._when_closed()


def unknown_mode(mode: str, modes: tuple[str, ...]) -> Invalid:
    """Return (not raise) the error for a mode that is none."""
    return Invalid(
        f"a blob cannot be opened with mode {shown(mode)}",
        code="option",
        hint=f"Choose one of: {', '.join(modes)}.",
    )
