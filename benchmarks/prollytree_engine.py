"""prollytree: a prolly tree in Rust whose history is a git repository."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from .engine import Engine, Lookup, NotOffered
from .records import Form, Key, Record

NAMESPACE = "records"
BLOB_KEY = b"blob"


class ProllytreeEngine(Engine):
    """One namespace of one store inside a git repository of its own."""

    name: ClassVar[str] = "prollytree"
    # Of its three stores the plain tree keeps no root between processes, and the
    # VersionedKvStore rewrites its staging area at each insert (0.9 ms at 8,000
    # records, growing), so the namespaced store is the one that can be loaded.
    use: ClassVar[str] = "NamespacedKvStore: insert, then commit; it does not sync"
    modules: ClassVar[tuple[str, ...]] = ("prollytree",)
    distributions: ClassVar[tuple[str, ...]] = ("prollytree",)
    forms: ClassVar[tuple[Form, ...]] = ("map",)
    ready: ClassVar[str] = "import prollytree"
    # A trace of system calls shows no fsync at commit.
    durable: ClassVar[bool] = False

    store: Any

    def _class(self) -> Any:
        return importlib.import_module("prollytree").NamespacedKvStore

    def create(self) -> None:
        data = self.directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        for words in (
            ["init", "-q"],
            ["config", "user.name", "benchmark"],
            ["config", "user.email", "benchmark@localhost"],
        ):
            subprocess.run(["git", "-C", str(self.directory), *words], check=True)
        self.store = self._class()(str(data))

    def open(self) -> None:
        self.store = self._class().open(str(self.directory / "data"))

    def close(self) -> None:
        self.store = None

    def records(self, records: Iterable[Record]) -> Iterator[Any]:
        return ((key.encode(), value) for key, value in records)

    def keys(self, keys: Iterable[Key]) -> list[Any]:
        return [str(key).encode() for key in keys]

    def load(self, records: Iterable[Any], *, ordered: bool) -> None:
        self._put(records)
        self.store.commit("write")

    def _put(self, records: Iterable[Any]) -> None:
        insert = self.store.ns_insert
        for key, value in records:
            insert(NAMESPACE, key, value)

    def lookup(self) -> Lookup:
        get = self.store.ns_get
        return lambda key: get(NAMESPACE, key)

    def write(
        self,
        *,
        updates: Sequence[Any] = (),
        inserts: Sequence[Any] = (),
        deletes: Sequence[Any] = (),
    ) -> str:
        self._put(updates)
        self._put(inserts)
        for key in deletes:
            self.store.ns_delete(NAMESPACE, key)
        return str(self.store.commit("write"))

    def write_blob(self, content: bytes) -> None:
        self._put([(BLOB_KEY, content)])
        self.store.commit("write")

    def read_blob(self) -> bytes:
        return bytes(self.store.ns_get(NAMESPACE, BLOB_KEY))

    def scan(self) -> int:
        raise NotOffered("lists keys, not values")

    def diff(self, old: str, new: str) -> int:
        raise NotOffered("no diff of a namespaced store")
