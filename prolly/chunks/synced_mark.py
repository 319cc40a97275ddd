"""How far a journal is known to be on the disk, for the processes of a store.

    mark   generation u64 | place u64        (little-endian)

It is written behind the wait for the disk, and never waited for itself: it only spares
others that wait. What it says was true once, and what is on the disk stays there, so
neither a crash nor a power cut makes it say too much; another content, or no file, says
nothing. It must not know what a journal holds.
"""

from __future__ import annotations

import os
from contextlib import suppress
from struct import Struct

_MARK = Struct("<QQ")


class SyncedMark:
    """The mark in one file. Where it cannot be read or written, all goes without it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def says(self, generation: int, place: int) -> bool:
        """Tell whether the journal was synced up to just this place."""
        with suppress(OSError):
            found = os.pread(self._open(os.O_RDWR), _MARK.size, 0)
            return found == _MARK.pack(generation, place)
        return False

    def set(self, generation: int, place: int) -> None:
        """Tell others that it was. The caller keeps the journal locked."""
        with suppress(OSError):
            mark = _MARK.pack(generation, place)
            os.pwrite(self._open(os.O_RDWR | os.O_CREAT), mark, 0)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self, flags: int) -> int:
        if self._descriptor < 0:
            flags |= os.O_CLOEXEC | os.O_NONBLOCK
            try:
                self._descriptor = os.open(self._path, flags, 0o644)
            except OSError:
                # It may still be read where it may not be written.
                flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
                self._descriptor = os.open(self._path, flags)
        return self._descriptor
