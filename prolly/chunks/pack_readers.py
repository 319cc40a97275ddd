"""Reading chunks out of packs through a bounded number of open files.

A pack is immutable, so an open descriptor stays right even after its name was removed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from prolly.codec.pack import FOOTER_BYTES, decode_footer, decode_frame
from prolly.errors import Corrupt

from .local_directory import open_pack
from .storage_failures import from_os_error, unreadable

# A process may commonly have 1,024 files open; 128 packs of 64 MiB are 8 GiB at hand.
OPEN_PACKS_MAX = 128


class PackReaders:
    """The open packs of one store, by number. Thread-safe."""

    def __init__(self, find_path: Callable[[int], str | None]) -> None:
        self._find_path = find_path
        self._open: dict[int, _OpenPack] = {}

    def read(self, number: int, offset: int, length: int) -> bytes | None:
        """Return the chunk of a frame in a pack, or ``None`` when the pack is gone.

        Raises Corrupt ``pack-truncated``, ``pack-footer``, ``pack-frame``, and
        ``pack-missing`` where something else than a file has the pack's name.
        """
        pack = self._open.get(number)
        if pack is None:
            pack = self._load(number)
            if pack is None:
                return None
        try:
            frame = os.pread(pack.descriptor, length, offset)
        except OSError as error:
            raise from_os_error(error, f"reading {pack.path}") from error
        if len(frame) != length:
            raise _truncated(pack.path)
        try:
            return decode_frame(frame)
        except Corrupt as error:
            raise _of_pack(error, pack.path) from error

    def close(self) -> None:
        """Forget all open packs; each closes when the last read of it ended."""
        self._open = {}

    def _load(self, number: int) -> _OpenPack | None:
        path = self._find_path(number)
        if path is None:
            return None
        try:
            pack = self._open_pack(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(error, path) from error
        # A copy, so that no lock is needed: a thread that loads another pack at the
        # same time may undo this, and the pack is opened once more. The oldest goes
        # first: an exact order of use would cost every read.
        kept = list(self._open.items())[-(OPEN_PACKS_MAX - 1) :]
        self._open = {**dict(kept), number: pack}
        return pack

    def _open_pack(self, path: str) -> _OpenPack:
        try:
            return _OpenPack(path)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self.close()
            return _OpenPack(path)


class _OpenPack:
    """A descriptor that is closed when nobody refers to it any more."""

    __slots__ = ("descriptor", "path")

    def __init__(self, path: str) -> None:
        self.descriptor = -1
        self.path = path
        self.descriptor = open_pack(path)
        self._check()

    def _check(self) -> None:
        """Raise Corrupt when the file does not end as a pack of its length does."""
        size = os.fstat(self.descriptor).st_size
        if size < FOOTER_BYTES:
            raise _truncated(self.path)
        footer = os.pread(self.descriptor, FOOTER_BYTES, size - FOOTER_BYTES)
        try:
            told = decode_footer(footer).pack_bytes
        except Corrupt as error:
            raise _of_pack(error, self.path) from error
        if told != size:
            raise _truncated(self.path)

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


def _of_pack(error: Corrupt, path: str) -> Corrupt:
    """Return the error that names the pack."""
    return Corrupt(
        f"{path}: {error.message}",
        code=error.code,
        hint="Run `prolly fsck --full`; fetch what is lost from another replica.",
        **{**error.facts, "path": path},
    )


def _truncated(path: str) -> Corrupt:
    return Corrupt(
        f"{path} is shorter than it was written",
        code="pack-truncated",
        hint="Run `prolly fsck --full`; fetch what is lost from another replica.",
        path=path,
    )
