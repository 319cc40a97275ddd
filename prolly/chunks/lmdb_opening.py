"""Opening an LMDB environment: for writing, else for reading, else without its locks.

The map is the largest that can be had. What the file claims is looked at before it is
mapped, and the pages that opening reads before LMDB reads them. ``lmdb_environment``
says what is kept while an environment is open.
"""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

import lmdb

from prolly.errors import Error

from .lmdb_truncation import LOOKS_MAX, require_whole
from .lmdb_walk import snapshot_damages
from .storage_failures import (
    READ_ONLY_ERRNOS,
    engine_mismatch,
    errno_of,
    from_lmdb_error,
    index_damaged,
    map_outgrown,
    no_store,
    read_outrun,
    unreadable,
)

# Address space, not disk. An index of 64 GiB names 400 million chunks, or 1.5 TB.
MAP_BYTES_DEFAULT = 64 * 1024**3

# Where address space is limited the map begins smaller, but never below this.
MAP_BYTES_MIN = 1024**2

# One slot of 64 bytes for each open read transaction of all processes. LMDB's default
# of 126 is reached by two servers of 64 threads.
READERS_MAX = 1024

# chunks, packs, refs, log, log by name, settings; two are left for what may come.
TABLES_MAX = 8

# Another process may grow the map again while this one adopts the last size.
ADOPTIONS_MAX = 100


DATA_FILE = "data.mdb"
LOCKS_FILE = "lock.mdb"

# What LMDB lists instead of its readers when it has no table of them.
NO_LOCKS = "(no reader locks)"

# How an environment may be opened, as (readonly, lock).
WAYS = ((False, True), (True, True), (True, False))


class EnvironmentOptions(NamedTuple):
    """How to open: size of the map, whether commits wait for the disk, or create.

    Without ``sync`` a power cut may lose commits and damage the file.
    """

    map_size: int = MAP_BYTES_DEFAULT
    sync: bool = True
    create: bool = False


class OpenedEnvironment(NamedTuple):
    """A handle, its tables, and what can be done with it.

    Without ``is_locked`` it reads without a slot in the table of readers: other
    processes may use pages again that a read looks at, so every read has to be checked.
    """

    handle: lmdb.Environment
    databases: dict[bytes, lmdb._Database]
    readonly: bool
    is_locked: bool


def open_environment(
    directory: str,
    tables: tuple[bytes, ...],
    options: EnvironmentOptions,
    first_read: tuple[bytes, ...] = (),
) -> OpenedEnvironment:
    """Open the environment in a directory.

    ``first_read`` are tables whose pages are looked at before they can be read, as
    those of the list of tables are. Where it may not be written it is opened for
    reading, and where not even its file of locks may be, without that.

    Raises NotFound ``no-store``, Corrupt ``index-truncated`` and ``index-damaged``,
    Denied ``unreadable``, ReadOnly where it is to be made and cannot be, Unsupported
    ``engine-version``, StorageFailed.
    """
    require_whole(os.path.join(directory, DATA_FILE), create=options.create)
    try:
        return _open_with_tables(directory, tables, options, first_read)
    except lmdb.NotFoundError as error:
        raise no_store(directory) from error
    except lmdb.VersionMismatchError as error:
        raise engine_mismatch(str(error)) from error
    except lmdb.Error as error:
        raise _failed_to_open(error) from error


def _failed_to_open(error: lmdb.Error) -> Error:
    return from_lmdb_error(error, "opening the index")


def _open_with_tables(
    directory: str,
    tables: tuple[bytes, ...],
    options: EnvironmentOptions,
    first_read: tuple[bytes, ...],
) -> OpenedEnvironment:
    for _ in range(ADOPTIONS_MAX):
        handle, readonly = _open_largest(directory, options)
        try:
            require_sound(handle, os.path.join(directory, DATA_FILE), first_read)
            databases = _open_tables(handle, tables, create=options.create)
            # On a read-only medium LMDB itself goes without locks, and says so here.
            is_locked = NO_LOCKS not in handle.readers()
            # Slots of readers that died would keep old pages for ever.
            handle.reader_check()
        except lmdb.MapResizedError:
            # Another process grew the map in between: opening again adopts it.
            handle.close()
            continue
        except (lmdb.Error, Error):
            handle.close()
            raise
        return OpenedEnvironment(handle, databases, readonly, is_locked)
    raise map_outgrown()


def require_sound(
    handle: lmdb.Environment, path: str, tables: tuple[bytes, ...]
) -> None:
    """Raise Corrupt ``index-damaged`` when LMDB cannot be trusted with these tables.

    Raises lmdb.Error, StorageFailed, and Stale ``read-outrun`` when others commit
    faster than their pages are looked at.
    """
    for _ in range(LOOKS_MAX):
        with handle.begin() as transaction:
            snapshot = transaction.id()
            try:
                damages = snapshot_damages(path, snapshot, tables)
            except OSError as error:
                raise unreadable(error, path) from error
        if damages == []:
            return
        # Without locks pages may be written over while they are looked at.
        if damages and handle.info()["last_txnid"] <= snapshot + 1:
            raise index_damaged(path, damages[0])
    raise read_outrun()


def _open_tables(
    handle: lmdb.Environment, tables: tuple[bytes, ...], *, create: bool
) -> dict[bytes, lmdb._Database]:
    if not create:
        return {name: handle.open_db(name, create=False) for name in tables}
    with handle.begin(write=True) as transaction:
        return {name: handle.open_db(name, txn=transaction) for name in tables}


def _open_largest(
    directory: str, options: EnvironmentOptions
) -> tuple[lmdb.Environment, bool]:
    """Open with the largest map that can be had; tell too whether only for reading."""
    map_size = options.map_size
    while True:
        try:
            return _open_allowed(directory, options, map_size)
        except lmdb.Error as error:
            if errno_of(error) != errno.ENOMEM or map_size // 2 < MAP_BYTES_MIN:
                raise
            map_size //= 2


def _open_allowed(
    directory: str, options: EnvironmentOptions, map_size: int
) -> tuple[lmdb.Environment, bool]:
    """Open for writing, else for reading, else for reading without locks."""
    for readonly, lock in WAYS:
        try:
            return _open(directory, options, map_size, readonly, lock), readonly
        except lmdb.Error as error:
            is_last = (readonly, lock) == WAYS[-1]
            if is_last or errno_of(error) not in READ_ONLY_ERRNOS or options.create:
                raise
    raise AssertionError("the last way returns or raises")


def _open(
    directory: str,
    options: EnvironmentOptions,
    map_size: int,
    readonly: bool,
    lock: bool,
) -> lmdb.Environment:
    return lmdb.open(
        # As the system has it: the name of a directory need not be UTF-8.
        os.fsencode(directory),
        map_size=map_size,
        readonly=readonly,
        lock=lock,
        create=options.create,
        sync=options.sync,
        metasync=options.sync,
        # A full disk kills a process that writes through the map.
        writemap=False,
        max_readers=READERS_MAX,
        max_dbs=TABLES_MAX,
    )
