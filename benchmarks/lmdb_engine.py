"""Raw LMDB: what is left when nothing is versioned, hashed or typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, ClassVar

import lmdb

from .engine import Engine, Lookup, consume, prefix_stop
from .records import Form, Key, Record

# Address space, not disk: more than any size that the suite runs at.
MAP_BYTES = 1 << 38
BLOB_KEY = b"blob"


class LmdbEngine(Engine):
    """One environment, keys and values as bytes."""

    name: ClassVar[str] = "lmdb"
    # py-lmdb's documents: putmulti runs the loop in C, append suits sorted input, and
    # one read transaction serves many reads. The defaults sync every commit.
    use: ClassVar[str] = "putmulti (append when sorted), one read transaction"
    modules: ClassVar[tuple[str, ...]] = ("lmdb",)
    distributions: ClassVar[tuple[str, ...]] = ("lmdb",)
    forms: ClassVar[tuple[Form, ...]] = ("map",)
    ready: ClassVar[str] = "import lmdb"

    environment: Any
    _reading: Any = None

    def create(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.open()

    def open(self) -> None:
        self.environment = lmdb.open(str(self.directory), map_size=MAP_BYTES)

    def close(self) -> None:
        self._end_reading()
        self.environment.close()

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.abort()
            self._reading = None

    def _read(self) -> Any:
        if self._reading is None:
            self._reading = self.environment.begin()
        return self._reading

    def records(self, records: Iterable[Record]) -> Iterator[Any]:
        return ((key.encode(), value) for key, value in records)

    def keys(self, keys: Iterable[Key]) -> list[Any]:
        return [str(key).encode() for key in keys]

    def load(self, records: Iterable[Any], *, ordered: bool) -> None:
        with self.environment.begin(write=True) as txn:
            txn.cursor().putmulti(records, append=ordered)

    def lookup(self) -> Lookup:
        get: Lookup = self._read().get
        return get

    def write(
        self,
        *,
        updates: Sequence[Any] = (),
        inserts: Sequence[Any] = (),
        deletes: Sequence[Any] = (),
    ) -> str:
        self._end_reading()
        with self.environment.begin(write=True) as txn:
            cursor = txn.cursor()
            if updates or inserts:
                cursor.putmulti([*updates, *inserts])
            for key in deletes:
                txn.delete(key)
        return ""

    def scan(self) -> int:
        return consume(self._read().cursor())

    def range(self, start: Any, stop: Any) -> int:
        cursor = self._read().cursor()
        if not cursor.set_range(start):
            return 0

        def is_below(record: tuple[bytes, bytes]) -> bool:
            return bool(record[0] < stop)

        below = takewhile(is_below, cursor.iternext())
        return consume(below)

    def prefix(self, prefix: Any) -> int:
        return self.range(prefix, prefix_stop(prefix.decode()).encode())

    def write_blob(self, content: bytes) -> None:
        self._end_reading()
        with self.environment.begin(write=True) as txn:
            txn.put(BLOB_KEY, content)

    def read_blob(self) -> bytes:
        found = self._read().get(BLOB_KEY)
        return bytes(found)
