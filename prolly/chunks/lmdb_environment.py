"""One LMDB environment of this process, shared by all stores that stand on it.

What LMDB asks of its user is kept here and nowhere else:

- An environment is opened once in a process (``environment_registry``).
- It is never open across a fork: parent and child each open their own afterwards.
- Its map may be replaced only while no transaction of this process is open: every read
  holds the gate of its thread, and whoever replaces the map holds all gates.
- Read transactions last for one call. They pin no pages, and each sees the newest
  commit of any thread or process.

It must not know what the tables hold.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import lmdb

from prolly.errors import (
    Error,
    Invalid,
    NotFound,
    ReadOnly,
    StorageFailed,
    Unsupported,
)

from .storage_failures import (
    BROKEN_ENVIRONMENT,
    READ_ONLY_ERRNOS,
    errno_of,
    from_lmdb_error,
    from_os_error,
)

T = TypeVar("T")

# Address space, not disk. An index of 64 GiB names 400 million chunks, or 1.5 TB.
MAP_BYTES_DEFAULT = 64 * 1024**3

# Where address space is limited the map begins smaller, but never below this.
MAP_BYTES_MIN = 1024**2

# A process has 47 bits of address space, and other stores and the program live there.
MAP_BYTES_MAX = 2**44

# One slot of 64 bytes for each open read transaction of all processes. LMDB's default
# of 126 is reached by two servers of 64 threads.
READERS_MAX = 1024

# chunks, packs, refs, log, log by name, settings; two are left for what may come.
TABLES_MAX = 8

# Doubled this often, the smallest map is past the largest; more is a fault of ours.
GROWTHS_MAX = 24

# Another process may grow the map again while this one adopts the last size.
ADOPTIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class EnvironmentOptions:
    """How to open: size of the map, whether commits wait for the disk, or create.

    Without ``sync`` a power cut may lose commits and damage the file.
    """

    map_size: int = MAP_BYTES_DEFAULT
    sync: bool = True
    create: bool = False


class SharedEnvironment:
    """An open environment and its named tables. Thread-safe.

    ``read`` and ``write`` hand a transaction to a function. It may be called again when
    the map was replaced, and must not call ``get``, ``read`` or ``write`` itself.
    """

    def __init__(
        self, directory: str, tables: tuple[bytes, ...], options: EnvironmentOptions
    ) -> None:
        self.directory = directory
        self.data_path = os.path.join(directory, "data.mdb")
        self.options = options
        self.users = 0
        self.readonly = False
        self.databases: dict[bytes, lmdb._Database] = {}
        self._tables = tables
        self._map_size = options.map_size
        self._forget_handle()
        self._open()

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """Return the newest committed value, or ``None``. This is the hot path."""
        try:
            with self._local.gate:
                # The transaction ends with this expression. Of the 1.2 us that a call
                # takes, LMDB has 0.8.
                return self._begin(self.databases[table]).get(key)
        except (AttributeError, lmdb.Error):
            # This thread has no gate yet; or there is no handle, after a fork or a
            # failure; or another process grew the map. The general way knows them all.
            return self.read(lambda found: found.get(key, None, self.databases[table]))

    def read(self, function: Callable[[lmdb.Transaction[bytes]], T]) -> T:
        """Return what the function makes of the newest snapshot."""
        for _ in range(ADOPTIONS_MAX):
            if self._handle is None:
                with self._writing:
                    self._require_handle()
            try:
                with self._gate(), self._begin() as transaction:
                    return function(transaction)
            except _NoHandleError:
                continue
            except lmdb.MapResizedError:
                with self._writing:
                    self._set_map_size(0)
            except lmdb.ReadersFullError as error:
                if not self._free_dead_readers():
                    raise self._failed(error, "reading the index") from error
            except lmdb.Error as error:
                with self._writing:
                    raise self._failed(error, "reading the index") from error
        raise _growing()

    def write(self, function: Callable[[lmdb.Transaction[bytes]], T]) -> T:
        """Return what the function returns, once its changes are durable.

        An error of the function, or of the commit, leaves everything as it was.
        """
        if self.readonly:
            raise ReadOnly(
                f"{self.directory} cannot be written",
                code="read-only",
                hint="Check the permissions of the directory and how it is mounted.",
            )
        with self._writing:
            self._require_handle()
            try:
                try:
                    return self._attempt(function)
                except lmdb.MapFullError:
                    return self._write_in_grown_map(function)
            except lmdb.Error as error:
                raise self._failed(error, "writing the index") from error

    def table_size(self, table: bytes) -> tuple[int, int]:
        """Return a table's entries, and the bytes of pages of long values: no scan."""

        def look(transaction: lmdb.Transaction[bytes]) -> tuple[int, int]:
            found = transaction.stat(self.databases[table])
            return found["entries"], found["overflow_pages"] * found["psize"]

        return self.read(look)

    def release_free_pages(self) -> int:
        """Give free pages back to the file system; return the bytes released.

        Without ``sync`` nothing is known to be on the disk, so nothing is released.
        """
        # Only gc needs it, and loading the C library's functions is felt at the start.
        from .local_free_pages import release_free_pages

        if not self.options.sync:
            return 0
        return self.write(
            lambda _writing: release_free_pages(self.data_path, self._oldest_reader())
        )

    def _oldest_reader(self) -> int | None:
        """Return the oldest transaction that any process reads; None without one."""
        handle = self._handle
        assert handle is not None, "only inside a write"
        ages = [line.split()[-1] for line in handle.readers().splitlines() if line]
        return min((int(age) for age in ages if age.isdigit()), default=None)

    def close(self) -> None:
        """Close the environment once every read and write of other threads ended."""
        with self._writing, self._alone() as handle:
            if handle is not None:
                handle.close()

    def close_for_fork(self) -> None:
        """Close the handle, and keep everybody out until one of the next two calls."""
        self._writing.acquire()
        with self._alone() as handle:
            if handle is not None:
                handle.close()

    def resume_in_parent(self) -> None:
        """Let the next use open a handle."""
        self._writing.release()

    def resume_in_child(self) -> None:
        """Let the next use open a handle; threads that held a lock are gone."""
        self._forget_handle()

    def _forget_handle(self) -> None:
        """Begin with no handle and with locks that nobody holds."""
        self._handle: lmdb.Environment | None = None
        self._begin: Callable[..., lmdb.Transaction[bytes]] = _begin_nothing
        self._writing = threading.Lock()
        self._gates: weakref.WeakSet[threading.Lock] = weakref.WeakSet()
        self._gates_lock = threading.Lock()
        self._local = threading.local()

    def _gate(self) -> threading.Lock:
        """Return the lock that this thread holds while it reads."""
        try:
            gate: threading.Lock = self._local.gate
        except AttributeError:
            gate = threading.Lock()
            with self._gates_lock:
                self._gates.add(gate)
            self._local.gate = gate
        return gate

    @contextmanager
    def _alone(self) -> Iterator[lmdb.Environment | None]:
        """Take the handle away, and keep every read of this process out.

        The caller holds ``_writing`` and gives the handle back, if it is still good.
        Readers that come meanwhile find no handle and wait for ``_writing``; were they
        to wait for their own gates only, busy ones would never leave them free.
        """
        handle = self._handle
        self._handle = None
        self._begin = _begin_nothing
        with self._gates_lock:
            gates = list(self._gates)
            for gate in gates:
                gate.acquire()
            try:
                yield handle
            finally:
                for gate in gates:
                    gate.release()

    def _use_handle(self, handle: lmdb.Environment) -> None:
        """Let reads and writes go through this handle from now on."""
        self._map_size = handle.info()["map_size"]
        self._handle = handle
        self._begin = handle.begin

    def _require_handle(self) -> None:
        """Open again after a fork or a failure. The caller holds ``_writing``.

        Raises Invalid ``closed`` when nobody uses the environment any more.
        """
        if self._handle is None:
            if not self.users:
                raise _closed()
            self._open()

    def _open(self) -> None:
        try:
            handle = self._open_with_tables()
        except lmdb.NotFoundError as error:
            raise no_store(self.directory) from error
        except lmdb.VersionMismatchError as error:
            raise engine_mismatch(str(error)) from error
        except lmdb.Error as error:
            raise from_lmdb_error(error, "opening the index") from error
        handle.reader_check()
        self._use_handle(handle)

    def _open_with_tables(self) -> lmdb.Environment:
        for _ in range(ADOPTIONS_MAX):
            try:
                handle = self._open_handle()
                self.databases = self._open_tables(handle)
            except lmdb.MapResizedError:
                # Another process grew the map in between: opening again adopts it.
                continue
            return handle
        raise _growing()

    def _open_handle(self) -> lmdb.Environment:
        """Open for writing, else for reading, with the largest map that can be had."""
        map_size = self._map_size
        while True:
            try:
                handle = self._open_sized(map_size)
            except lmdb.Error as error:
                if errno_of(error) != errno.ENOMEM or map_size // 2 < MAP_BYTES_MIN:
                    raise
                map_size //= 2
            else:
                return handle

    def _open_sized(self, map_size: int) -> lmdb.Environment:
        try:
            handle = self._open_mode(map_size, readonly=False)
        except lmdb.Error as error:
            if errno_of(error) not in READ_ONLY_ERRNOS or self.options.create:
                raise
            handle = self._open_mode(map_size, readonly=True)
            self.readonly = True
        else:
            self.readonly = False
        return handle

    def _open_mode(self, map_size: int, *, readonly: bool) -> lmdb.Environment:
        return lmdb.open(
            self.directory,
            map_size=map_size,
            readonly=readonly,
            create=self.options.create,
            sync=self.options.sync,
            metasync=self.options.sync,
            # A full disk kills a process that writes through the map.
            writemap=False,
            max_readers=READERS_MAX,
            max_dbs=TABLES_MAX,
        )

    def _open_tables(self, handle: lmdb.Environment) -> dict[bytes, lmdb._Database]:
        try:
            if not self.options.create:
                return {
                    name: handle.open_db(name, create=False) for name in self._tables
                }
            with handle.begin(write=True) as transaction:
                return {
                    name: handle.open_db(name, txn=transaction) for name in self._tables
                }
        except lmdb.Error:
            handle.close()
            raise

    def _attempt(self, function: Callable[[lmdb.Transaction[bytes]], T]) -> T:
        for _ in range(ADOPTIONS_MAX):
            try:
                transaction = self._begin(write=True)
            except lmdb.MapResizedError:
                self._set_map_size(0)
                self._require_handle()
                continue
            try:
                result = function(transaction)
            except BaseException:
                self._abort(transaction)
                raise
            transaction.commit()
            return result
        raise _growing()

    def _abort(self, transaction: lmdb.Transaction[bytes]) -> None:
        """Undo a write. The binding waits until no read of this process is under way,
        and busy readers would let it wait for ever, so they are kept out.
        """
        with self._alone() as handle:
            transaction.abort()
            if handle is not None:
                self._use_handle(handle)

    def _write_in_grown_map(
        self, function: Callable[[lmdb.Transaction[bytes]], T]
    ) -> T:
        """Write again in a larger map, while no other process grows its own.

        Processes that resize at once are the one known way to damage the file, so the
        lock is held until the commit has made the new size known to all.
        """
        with file_lock(os.path.join(self.directory, "map.lock")):
            for _ in range(GROWTHS_MAX):
                self._set_map_size(min(self._map_size * 2, MAP_BYTES_MAX))
                if self._handle is None:
                    break
                try:
                    return self._attempt(function)
                except lmdb.MapFullError:
                    continue
        raise StorageFailed(
            f"the map of the index cannot grow past {self._map_size} bytes",
            code="map-full",
            hint="Allow this process more address space (ulimit -v).",
        )

    def _set_map_size(self, size: int) -> None:
        """Replace the map; 0 adopts the size that another process committed.

        The caller holds ``_writing``. Without address space for it the environment is
        closed; the next use opens it with what can be had.
        """
        with self._alone() as handle:
            if handle is None:
                return
            try:
                handle.set_mapsize(size)
            except lmdb.Error:
                handle.close()
            else:
                self._use_handle(handle)

    def _free_dead_readers(self) -> int:
        with self._gate():
            return 0 if self._handle is None else self._handle.reader_check()

    def _failed(self, error: lmdb.Error, doing: str) -> Error:
        """Return what to raise, after closing an environment that is of no use now.

        The caller holds ``_writing`` unless the error is a harmless one.
        """
        if isinstance(error, BROKEN_ENVIRONMENT):
            with self._alone() as handle:
                if handle is not None:
                    handle.close()
        return from_lmdb_error(error, doing, self.data_path)


class _NoHandleError(lmdb.Error):
    """There is no handle at this moment: wait for whoever took it, or open one."""


def _begin_nothing(*_arguments: object, **_options: object) -> lmdb.Transaction[bytes]:
    """Stand for ``begin`` while there is no handle."""
    raise _NoHandleError("the environment is not open")


def _growing() -> StorageFailed:
    return StorageFailed(
        "the index grows faster than this process can follow",
        code="map-resized",
        hint="Try again.",
    )


def _closed() -> Invalid:
    return Invalid("the store is closed", code="closed", hint="Open it again.")


@contextmanager
def file_lock(path: str, *, shared: bool = False) -> Iterator[None]:
    """Hold an advisory lock on a file, which is made when it is not there."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise from_os_error(error, f"locking {os.path.basename(path)}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def no_store(directory: str) -> NotFound:
    """Return what to raise for a directory that holds no store."""
    return NotFound(
        f"there is no store in {directory}",
        code="no-store",
        hint="Make one with `prolly init`.",
        path=directory,
    )


def engine_mismatch(found: str) -> Unsupported:
    """Return what to raise for another engine than the one of the format."""
    return Unsupported(
        f"the index of a store is a file of LMDB 0.9: {found}",
        code="engine-version",
        hint="Install lmdb 3 with its default engine.",
    )
