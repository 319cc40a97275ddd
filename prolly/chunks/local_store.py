"""The embedded default: a store in one directory, LMDB for names, packs for bulk.

Commits are durable unless the store was opened with durability ``scratch``, which may
lose the last commits, and damage the index, in a power cut (never in a crash of the
process). Any number of threads and processes may read and write at once. Files and
rules: ``docs/spec/local-store.md``; reasons: ``docs/design/0003-local-store.md``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from prolly.codec.store_entry import (
    INLINE,
    decode_counter,
    decode_location,
    encode_counter,
)
from prolly.errors import AlreadyExists, Corrupt, Invalid, Unsupported

from .contract import ChunkWriter, RefLogEntry, RefMove, RefNote, Store
from .costs import Costs
from .environment_registry import acquire_environment, release_environment
from .lmdb_opening import MAP_BYTES_DEFAULT, EnvironmentOptions
from .local_directory import StoreDirectory
from .local_index import LocalIndex
from .local_journal import LocalJournal
from .local_tables import CHUNKS, FORMAT, REFS, SEQUENCE, SETTINGS, TABLES
from .pack_readers import PackReaders
from .ref_rules import (
    check_moves,
    decode_name,
    encode_name,
    encode_setting_name,
)
from .storage_failures import (
    from_os_error,
    no_store,
    opened_read_only,
    store_closed,
)

if TYPE_CHECKING:
    from .local_maintenance import LocalMaintenance

# The version of the files of a store: the first that is frozen. A build opens no other.
FORMAT_VERSION = 1
_NEWER = "Upgrade prolly."
_OLDER = "Export its datasets with the prolly that made it, and import them here."

# A pack may be rewritten between looking up a chunk and opening the file. Each such
# race needs a whole sweep in between, so three in a row are a pack that is lost.
READ_ATTEMPTS_MAX = 3

Durability = Literal["full", "scratch"]


class LocalStore(Store):
    """A store in a directory. Make one with :meth:`create` or :meth:`open`."""

    def __init__(
        self,
        directory: StoreDirectory,
        options: EnvironmentOptions,
        *,
        writable: bool,
    ) -> None:
        self._directory = directory
        self._durable = options.sync
        self._environment = acquire_environment(
            directory.path, TABLES, options, first_read=(SETTINGS, REFS)
        )
        journal = LocalJournal(directory, durable=options.sync)
        self._index = LocalIndex(self._environment, journal, directory.costs)
        self._packs = PackReaders(self._pack_path)
        self._writable = writable
        self._closed = False
        # The hot path of ``get``, bound once; ``close`` puts a refusal in its place.
        self._entry: Callable[[bytes], bytes | None] = self._index.chunk_entry

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "full",
        map_size: int = MAP_BYTES_DEFAULT,
    ) -> LocalStore:
        """Make an empty store in a directory, which may be there but not be a store.

        Raises AlreadyExists ``store-exists``, ReadOnly, StorageFailed. A creation that
        a crash cut short may be done again, and one that fails leaves nothing.
        """
        directory = StoreDirectory(path)
        options = EnvironmentOptions(map_size, _waits(durability), create=True)
        directory.create()
        try:
            try:
                return cls._make(directory, options)
            except Corrupt:
                if not directory.empty_unfinished():
                    raise
                return cls._make(directory, options)
        except BaseException:
            directory.withdraw()
            raise

    @staticmethod
    def is_unfinished(path: str | os.PathLike[str]) -> bool:
        """Tell whether a directory has what a crash left of a creation, and no commit.

        Of a creation under way too. :meth:`create` makes the store, or raises
        AlreadyExists ``store-exists`` where only the first commit is missing. Raises
        OSError.
        """
        return StoreDirectory(path).is_unfinished()

    @classmethod
    def _make(
        cls, directory: StoreDirectory, options: EnvironmentOptions
    ) -> LocalStore:
        store = cls(directory, options, writable=True)
        try:
            # The format makes it a store: by then all of it has to be there.
            directory.make_durable()
            store._begin_format()
        except OSError as error:
            store.close()
            raise from_os_error(error, "making the store") from error
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        writable: bool = True,
        durability: Durability = "full",
        map_size: int = MAP_BYTES_DEFAULT,
    ) -> LocalStore:
        """Open the store in a directory, and remove what crashed writers left.

        Not ``writable``, a store can be read of which no file may be written. Then no
        writer knows of its readers, as it else does by LMDB's table of them. A read
        that others' commits overtook is done again, and is Stale ``read-outrun`` when
        that goes on, so names and chunks are right or an error; but while two commits
        pass within one look-up, which takes some microseconds, LMDB may follow bytes
        that are no page any more, and in the worst case end the process. Of a store
        that nobody writes, as on a read-only medium, every read is safe.

        Raises NotFound ``no-store``, Unsupported ``format-version``, Corrupt
        ``index-truncated`` and ``index-damaged``, Denied ``unreadable``, ReadOnly when
        it is to be written and cannot be, StorageFailed.
        """
        directory = StoreDirectory(path)
        directory.require()
        if writable and not directory.is_writable():
            raise opened_read_only(directory.path)
        options = EnvironmentOptions(map_size, _waits(durability))
        store = cls(directory, options, writable=writable)
        try:
            store._check_format()
            if writable and store._environment.readonly:
                raise opened_read_only(directory.path)
        except BaseException:
            store.close()
            raise
        if writable:
            directory.remove_leftovers()
        return store

    @property
    def path(self) -> str:
        """The directory of the store."""
        return self._directory.path

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._writable

    @property
    def costs(self) -> Costs:
        """What this object has cost so far. Of its own it counts ``fsyncs`` alone."""
        return self._directory.costs

    def get(self, address: bytes) -> bytes | None:
        return self._get_entry(address, self._entry(address))

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        self._require_open()
        entries = self._index.chunk_entries(addresses)
        return list(map(self._get_entry, addresses, map(entries.get, addresses)))

    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        self._require_open()
        entries = self._index.chunk_entries(addresses)
        return [address in entries for address in addresses]

    def iter_addresses(self, prefix: bytes = b"") -> Iterator[bytes]:
        self._require_open()
        return self._index.iter_keys(CHUNKS, prefix)

    def writer(self) -> ChunkWriter:
        self._require_writable()
        # Whoever only reads has no use for it, and starting is felt.
        from .local_writer import LocalWriter

        return LocalWriter(
            self._directory,
            self._index,
            (self.get, self.get_many),
            durable=self._durable,
        )

    def long_inline_bytes(self) -> int:
        """Return about the bytes of the chunks in the index, at no cost."""
        self._require_open()
        return self._environment.table_size(CHUNKS)[1]

    def maintenance(self) -> LocalMaintenance:
        """Return what jobs over the whole store need: scan, sweep, repack, check.

        What changes the store is ReadOnly on one that was opened so.
        """
        # Loaded by whoever collects or checks, and not by every start of a program.
        from .local_maintenance import LocalMaintenance

        self._require_open()
        return LocalMaintenance(
            self._directory,
            self._index,
            self._packs,
            durable=self._durable,
            writable=self._writable,
        )

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._entry = _refuse_closed
            self._packs.close()
            self._index.close()
            release_environment(self._environment)

    def read_ref(self, name: str) -> bytes | None:
        self._require_open()
        return self._index.read_ref(encode_name(name))

    def iter_refs(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        self._require_open()
        items = self._index.iter_items(REFS, prefix.encode(errors="surrogatepass"))
        return ((decode_name(name), address) for name, address in items)

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        self._require_writable()
        check_moves(moves)
        from .local_index_step import IndexBatch

        return self._index.commit(IndexBatch(moves=moves, note=note or RefNote()))

    def iter_log(self, name: str | None = None) -> Iterator[RefLogEntry]:
        self._require_open()
        return self._index.iter_log(None if name is None else encode_name(name))

    def sequence(self) -> int:
        self._require_open()
        return self._index.counter(SEQUENCE)

    def read_setting(self, name: str) -> bytes | None:
        self._require_open()
        return self._environment.get(SETTINGS, encode_name(name))

    def write_setting(self, name: str, value: bytes | None) -> None:
        self._require_writable()
        self._index.write_setting(encode_setting_name(name), value)

    def _get_entry(self, address: bytes, entry: bytes | None) -> bytes | None:
        if entry is None:
            return None
        if entry[0] == INLINE:
            return entry[1:]
        chunk = self._packs.read(*decode_location(entry))
        return self._get_moved(address, entry) if chunk is None else chunk

    def _get_moved(self, address: bytes, entry: bytes) -> bytes | None:
        """Look again for a chunk whose pack is gone: gc may have rewritten it."""
        for _ in range(READ_ATTEMPTS_MAX):
            newest = self._entry(address)
            if newest is None or newest[0] == INLINE:
                return None if newest is None else newest[1:]
            chunk = self._packs.read(*decode_location(newest))
            if chunk is not None:
                return chunk
            entry = newest
        path = self._pack_path(decode_location(entry)[0])
        raise Corrupt(
            f"chunk {address.hex()} is in a pack that is not there",
            code="pack-missing",
            hint="Restore the file from a backup, or fetch from another replica.",
            address=address,
            path=path,
        )

    def _pack_path(self, number: int) -> str | None:
        name = self._index.pack_name(number)
        return None if name is None else self._directory.pack_path(name)

    def _begin_format(self) -> None:
        if self._environment.get(SETTINGS, FORMAT) is not None:
            raise AlreadyExists(
                f"there is a store in {self.path} already",
                code="store-exists",
                hint="Open it, or choose another directory.",
                path=self.path,
            )
        self._index.write_setting(FORMAT, encode_counter(FORMAT_VERSION))

    def _check_format(self) -> None:
        value = self._environment.get(SETTINGS, FORMAT)
        if value is None:
            raise no_store(self.path)
        version = decode_counter(value)
        if version != FORMAT_VERSION:
            raise Unsupported(
                f"the store in {self.path} has format {version},"
                f" this build knows {FORMAT_VERSION}",
                code="format-version",
                hint=_NEWER if version > FORMAT_VERSION else _OLDER,
                expected=FORMAT_VERSION,
                actual=version,
            )

    def _require_open(self) -> None:
        if self._closed:
            _refuse_closed(b"")

    def _require_writable(self) -> None:
        self._require_open()
        if not self._writable:
            raise opened_read_only(self.path)


def _refuse_closed(_address: bytes) -> bytes | None:
    raise store_closed()


def _waits(durability: str) -> bool:
    """Tell whether commits wait for the disk. Raises Invalid for another word."""
    if durability not in ("full", "scratch"):
        raise Invalid(
            f"durability is 'full' or 'scratch', not {durability!r}",
            code="durability",
            hint="'full' survives a power cut, 'scratch' may not.",
        )
    return durability == "full"
