"""One LMDB environment of this process, shared by all stores that stand on it.

What LMDB asks of its user is kept here and nowhere else:

- An environment is opened once in a process (``environment_registry``).
- It is never open across a fork: parent and child each open their own afterwards.
- Its map may be replaced only while no transaction of this process is open: every read
  holds the gate of its thread, and whoever replaces the map holds all gates.
- Read transactions last for one call. They pin no pages, and each sees the newest
  commit of any thread or process.
- Where the file of locks may not be written, no writer knows of a reader. What a read
  gives then is thrown away, and read again, if two commits came meanwhile: only from
  the third on does LMDB write over a page that the snapshot has.
- The file is as long as its last commit says, before it is mapped and before each
  write: a page that was cut off ends the process that reads it.
- The file that is open still has its name before each write: a commit to one that was
  removed would be lost.

It must not know what the tables hold.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import lmdb

from prolly.errors import Error, ReadOnly, StorageFailed

from .file_lock import file_lock
from .lmdb_opening import (
    ADOPTIONS_MAX,
    DATA_FILE,
    EnvironmentOptions,
    open_environment,
)
from .lmdb_truncation import LOOKS_MAX, FileIdentity, identity_of, require_whole
from .lmdb_walk import snapshot_damages
from .storage_failures import (
    BROKEN_ENVIRONMENT,
    from_lmdb_error,
    index_replaced,
    map_outgrown,
    read_outrun,
    store_closed,
    unreadable,
)

T = TypeVar("T")

# A process has 47 bits of address space, and other stores and the program live there.
MAP_BYTES_MAX = 2**44

# Doubled this often, the smallest map is past the largest; more is a fault of ours.
GROWTHS_MAX = 24


# What the file begins with: a page for each of the last two commits.
META_PAGES = 2


class SharedEnvironment:
    """An open environment and its named tables. Thread-safe.

    ``read`` and ``write`` hand a transaction to a function. It may be called again when
    the map was replaced, and must not call ``get``, ``read`` or ``write`` itself.
    """

    def __init__(
        self,
        directory: str,
        tables: tuple[bytes, ...],
        options: EnvironmentOptions,
        first_read: tuple[bytes, ...] = (),
    ) -> None:
        self.directory = directory
        self.data_path = os.path.join(directory, DATA_FILE)
        self.options = options
        self.users = 0
        self.readonly = False
        self.is_locked = True
        self.databases: dict[bytes, lmdb._Database] = {}
        self._tables = tables
        self._first_read = first_read
        self._map_size = options.map_size
        self._forget_handle()
        self._open(None)
        self.identity = self._find_identity()

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """Return the newest committed value, or ``None``. This is the hot path."""
        try:
            with self._local.gate:
                # The transaction ends with this expression. Of the 1.2 us that a call
                # takes, LMDB has 0.8.
                return self._begin_get(self.databases[table]).get(key)
        except (AttributeError, lmdb.Error):
            # This thread has no gate yet; or there is no handle, after a fork or a
            # failure; or it has no locks; or another process grew the map. The general
            # way knows them all.
            return self.read(lambda found: found.get(key, None, self.databases[table]))

    def read(self, function: Callable[[lmdb.Transaction[bytes]], T]) -> T:
        """Return what the function makes of the newest snapshot.

        Raises Stale ``read-outrun`` where there are no locks, and others commit faster
        than this reads; else StorageFailed.
        """
        failure: Callable[[], Error] = map_outgrown
        for _ in range(ADOPTIONS_MAX):
            if self._handle is None:
                with self._writing:
                    self._require_handle()
            try:
                with self._gate(), self._begin() as transaction:
                    return self._read_checked(transaction, function)
            except _NoHandleError:
                continue
            except _OutrunError:
                failure = read_outrun
            except lmdb.MapResizedError:
                with self._writing:
                    self._set_map_size(0)
            except lmdb.ReadersFullError as error:
                if not self._free_dead_readers():
                    raise self._failed(error, "reading the index") from error
            except lmdb.Error as error:
                with self._writing:
                    raise self._failed(error, "reading the index") from error
        raise failure()

    def _read_checked(
        self,
        transaction: lmdb.Transaction[bytes],
        function: Callable[[lmdb.Transaction[bytes]], T],
    ) -> T:
        """Call the function; without locks believe it only if no page was taken away.

        A page of snapshot t is freed by commit t + 1 at the earliest, and LMDB, which
        sees no reader, uses it again in t + 3. So while t + 2 is not there, nobody has
        begun to write over it; neither has gc, which punches holes by a like rule.
        """
        if self.is_locked:
            return function(transaction)
        try:
            result = function(transaction)
        except Exception as error:
            if self._is_outrun(transaction):
                raise _OutrunError("read while it was written over") from error
            raise
        if self._is_outrun(transaction):
            raise _OutrunError("read while it was written over")
        return result

    def _is_outrun(self, transaction: lmdb.Transaction[bytes]) -> bool:
        handle = self._handle
        assert handle is not None, "its reader holds a gate"
        newest: int = handle.info()["last_txnid"]
        return newest > transaction.id() + 1

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
            self._require_whole()
            try:
                try:
                    return self._attempt(function)
                except lmdb.MapFullError:
                    return self._write_in_grown_map(function)
            except lmdb.Error as error:
                raise self._failed(error, "writing the index") from error

    def _require_whole(self) -> None:
        """Raise as ``require_whole`` does; nearly always a look at the length is all.

        LMDB knows the last page from its map, which is there as far as the file is.
        """
        handle = self._handle
        assert handle is not None, "it was required"
        with suppress(OSError):
            status = os.stat(self.data_path)
            if (
                (status.st_dev, status.st_ino) == self.identity
                and status.st_size >= META_PAGES * self._page_bytes
                and status.st_size
                >= (handle.info()["last_pgno"] + 1) * self._page_bytes
            ):
                return
        require_whole(self.data_path, is_open=self.identity)

    def damages(self) -> list[str]:
        """Return what is wrong with the pages of the file, whatever table has them.

        While it looks, no page that it may come to is used again. Raises as ``read``.
        """

        def look(transaction: lmdb.Transaction[bytes]) -> list[str] | None:
            try:
                return snapshot_damages(self.data_path, transaction.id())
            except OSError as error:
                raise unreadable(error, self.data_path) from error

        for _ in range(LOOKS_MAX):
            found = self.read(look)
            if found is not None:
                return found
        raise read_outrun()

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
        self._begin_get: Callable[..., lmdb.Transaction[bytes]] = _begin_nothing
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
        self._begin = self._begin_get = _begin_nothing
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
        self._page_bytes: int = handle.stat()["psize"]
        self._handle = handle
        self._begin = handle.begin
        self._begin_get = handle.begin if self.is_locked else _begin_nothing

    def _require_handle(self) -> None:
        """Open again after a fork or a failure. The caller holds ``_writing``.

        Raises Invalid ``closed`` when nobody uses the environment any more.
        """
        if self._handle is None:
            if not self.users:
                raise store_closed()
            self._open(self.identity)

    def _open(self, known: FileIdentity | None) -> None:
        """Open the file; after the first time it must be the one that is known."""
        options = self.options._replace(map_size=self._map_size)
        if known is not None:
            require_whole(self.data_path, is_open=known)
        opened = open_environment(
            self.directory, self._tables, options, self._first_read
        )
        self.databases = opened.databases
        self.readonly = opened.readonly
        self.is_locked = opened.is_locked
        self._use_handle(opened.handle)

    def _find_identity(self) -> FileIdentity:
        try:
            return identity_of(self.data_path)
        except OSError as error:
            self.close()
            raise index_replaced(self.data_path) from error

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
        raise map_outgrown()

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


class _OutrunError(lmdb.Error):
    """Other processes committed so much that what was read cannot be believed."""


def _begin_nothing(*_arguments: object, **_options: object) -> lmdb.Transaction[bytes]:
    """Stand for ``begin`` while there is no handle."""
    raise _NoHandleError("the environment is not open")
