"""A temporary file for what does not fit into memory: bytes in, the same bytes out.

The file has no name and goes with its last reference. It must not know what is in it.
"""

from __future__ import annotations

import os

from prolly.env import temporary_file
from prolly.errors import StorageFailed


class SpillFile:
    """Bytes that are appended, then read at any place. Not thread-safe.

    It lies in ``directory``, else where TMPDIR says. What the disk refuses, a full one
    too, is StorageFailed ``spill-failed``.
    """

    def __init__(self, directory: str | None = None) -> None:
        self.size = 0
        try:
            self._file = temporary_file(directory)
        except OSError as error:
            raise _failed(error) from error

    def append(self, data: bytes) -> int:
        """Write data behind all that is there; return where it begins.

        After an error nothing of it counts as written.
        """
        start = at = self.size
        # Straight to the descriptor: what a buffer holds back would fail later, in a
        # read or when the file is closed.
        descriptor = self._file.fileno()
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(descriptor, view, at)
                view = view[written:]
                at += written
        except OSError as error:
            raise _failed(error) from error
        self.size = at
        return start

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes that were appended."""
        assert 0 <= offset <= offset + size <= self.size
        try:
            data = os.pread(self._file.fileno(), size, offset)
        except OSError as error:
            raise _failed(error) from error
        if len(data) != size:
            raise _failed(OSError("the file is shorter than it was written"))
        return data

    def close(self) -> None:
        """Give the file back; twice is fine."""
        self._file.close()


def _failed(error: OSError) -> StorageFailed:
    return StorageFailed(
        f"cannot spill to a temporary file: {error}",
        code="spill-failed",
        hint="Free space in the temporary directory, or point TMPDIR elsewhere.",
        errno=error.errno,
    )
