"""Files beside a store for what is not part of it yet, and is worth keeping.

A file has a name, and one owner at a time, who holds its lock. It grows at its end, and
what was written survives the process, though perhaps not a power cut. Of a store in a
directory they lie in ``tmp/kept/``; those of any other store are in memory, for as
long as the store is. This module must not know what is in them.
"""

from __future__ import annotations

import fcntl
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from .contract import Store
from .local_directory import TEMPORARY
from .local_store import LocalStore
from .storage_failures import from_os_error
from .wrapping_store import WrappingStore

KEPT = "kept"
# Whoever was interrupted goes on within days, or never.
KEPT_DAYS = 14
# What many who begin and do not end may leave behind; the oldest go first.
KEPT_FILES_MAX = 64

_NAME_MARKS = set("abcdefghijklmnopqrstuvwxyz0123456789")
_DAY_SECONDS = 24 * 60 * 60


class KeptFile(ABC):
    """Bytes under a name. Not thread-safe. Raises StorageFailed where a disk does."""

    size: int

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Write data behind all that is there."""

    @abstractmethod
    def read(self, offset: int, size: int) -> bytes:
        """Return bytes; fewer than asked where the file ends."""

    @abstractmethod
    def truncate(self, size: int) -> None:
        """Forget what lies behind a size."""

    @abstractmethod
    def close(self) -> None:
        """Give up the lock; the bytes stay. Any number of times."""

    @abstractmethod
    def remove(self) -> None:
        """Forget all bytes, and the name."""


class _DiskFile(KeptFile):
    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def append(self, data: bytes) -> None:
        view, at = memoryview(data), self.size
        try:
            while view:
                written = os.pwrite(self._descriptor, view, at)
                view, at = view[written:], at + written
        except OSError as error:
            raise from_os_error(error, "keeping what was received") from error
        self.size = at

    def read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise from_os_error(error, "reading what was received") from error

    def truncate(self, size: int) -> None:
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise from_os_error(error, "keeping what was received") from error
        self.size = min(self.size, size)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):
                self._path.unlink()
        self.close()


class _MemoryFile(KeptFile):
    def __init__(self, files: dict[str, _MemoryFile], name: str) -> None:
        self._files, self._name = files, name
        self._data = bytearray()
        self.size = 0
        self.is_open = True

    def append(self, data: bytes) -> None:
        self._data += data
        self.size = len(self._data)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self._data[offset : offset + size])

    def truncate(self, size: int) -> None:
        del self._data[size:]
        self.size = len(self._data)

    def close(self) -> None:
        self.is_open = False

    def remove(self) -> None:
        self._files.pop(self._name, None)
        self.close()


_in_memory: WeakKeyDictionary[Store, dict[str, _MemoryFile]] = WeakKeyDictionary()


class KeptFiles:
    """The kept files of one store, wrapped or not."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        while isinstance(store, WrappingStore):
            store = store.inner
        self._store = store
        self._now = now
        self._place: Path | None = None
        if isinstance(store, LocalStore):
            self._place = Path(store.path) / TEMPORARY / KEPT

    def open(self, name: str) -> KeptFile | None:
        """Return the file of a name, new or as it was left; ``None`` while it is taken.

        Files that nobody opened for ``KEPT_DAYS`` go, and the oldest of more than
        ``KEPT_FILES_MAX``.
        """
        assert set(name) <= _NAME_MARKS, "names are digits of a hash, and a suffix"
        if self._place is None:
            return self._open_in_memory(name)
        try:
            self._place.mkdir(exist_ok=True)
            self._tidy(self._place)
            return self._open_on_disk(self._place / name)
        except OSError as error:
            raise from_os_error(error, "keeping what is received") from error

    def _open_in_memory(self, name: str) -> KeptFile | None:
        files = _in_memory.setdefault(self._store, {})
        known = files.get(name)
        if known is None:
            while len(files) >= KEPT_FILES_MAX:
                del files[next(iter(files))]
            known = files[name] = _MemoryFile(files, name)
        elif known.is_open:
            return None
        known.is_open = True
        return known

    def _open_on_disk(self, path: Path) -> KeptFile | None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if not os.fstat(descriptor).st_nlink:
            # Its owner removed it between the two steps.
            os.close(descriptor)
            return self._open_on_disk(path)
        os.utime(descriptor)
        return _DiskFile(path, descriptor)

    def _tidy(self, place: Path) -> None:
        """Remove what nobody went on with, and nobody holds."""
        found = []
        for entry in os.scandir(place):
            with suppress(FileNotFoundError):
                found.append((entry.stat().st_mtime, entry.path))
        found.sort()
        oldest = self._now() - KEPT_DAYS * _DAY_SECONDS
        for number, (touched, path) in enumerate(found):
            if touched < oldest or number < len(found) - KEPT_FILES_MAX:
                _remove_unlocked(path)


def _remove_unlocked(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        finally:
            os.close(descriptor)
