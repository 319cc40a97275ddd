"""prolly under measurement, through its public interface."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import prolly

# Loaded here, since the package loads its parts when they are first named: the time to
# open a store does not hold the time to import, which has a workload of its own.
from prolly import Repository, Snapshot, Transaction

from .engine import Engine, Lookup, consume
from .records import COLUMN_TYPES, COLUMNS, Key

DATASET = "records"
BLOB = "blob"
MAIN = "main"


def _kernel_text() -> str:
    """Tell whether the compiled kernel is at work, which a revision of old has not."""
    is_there = find_spec("prolly.codec._kernel") is not None
    is_used = is_there and os.environ.get("PROLLY_KERNEL") != "off"
    return f"{'with' if is_used else 'without'} the compiled kernel"


class ProllyEngine(Engine):
    """One dataset of one repository; every write is a transaction, thus a commit."""

    name: ClassVar[str] = "prolly"
    use: ClassVar[str] = (
        f"transactions and snapshots of the public interface; {_kernel_text()}"
    )
    modules: ClassVar[tuple[str, ...]] = ("prolly",)
    distributions: ClassVar[tuple[str, ...]] = ("blake3", "cbor2", "lmdb", "xxhash")
    # The package loads its parts as they are named first.
    ready: ClassVar[str] = "import prolly; prolly.open"

    repository: Repository
    _snapshot: Snapshot | None = None
    _branch: str = MAIN

    def read_code(self, key: Key) -> str:
        opened = f"import prolly; prolly.open({str(self.directory)!r})"
        return f"{opened}.at({MAIN!r}).map({DATASET!r})[{key!r}]"

    def create(self) -> None:
        prolly.init(self.directory).close()
        self.open()

    def open(self) -> None:
        if self.counting:
            self.repository = prolly.open(self.directory, count=True)
        else:
            self.repository = prolly.open(self.directory)

    def close(self) -> None:
        self._snapshot = None
        self.repository.close()

    def _begin(self) -> Transaction:
        self._snapshot = None
        return self.repository.transaction(
            self._branch, message="write", author="benchmark"
        )

    def _dataset(self) -> Any:
        return self._main().dataset(DATASET)

    def _main(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = self.repository.at(MAIN)
        return self._snapshot

    def load(self, records: Iterable[Any], *, ordered: bool) -> None:
        with self._begin() as tx:
            if self.form == "map":
                tx.map(DATASET).update(records)
            else:
                table = tx.table(DATASET, schema=self._schema())
                table.load((COLUMNS, records))

    def _schema(self) -> prolly.Schema:
        columns = zip(COLUMNS, COLUMN_TYPES, strict=True)
        return prolly.Schema.create([(*one, False) for one in columns], "id")

    def load_csv(self, path: Path) -> None:
        from prolly.ops import import_table

        area = self.repository.working_area(MAIN)
        with area.edit("import") as workspace:
            import_table(workspace, DATASET, path, key="id")
        area.commit("import", author="benchmark")

    def lookup(self) -> Lookup:
        get: Lookup = self._dataset().get
        return get

    def write(
        self,
        *,
        updates: Sequence[Any] = (),
        inserts: Sequence[Any] = (),
        deletes: Sequence[Any] = (),
    ) -> str:
        with self._begin() as tx:
            if self.form == "map":
                records = tx.map(DATASET)
                records.update([*updates, *inserts])
                for key in deletes:
                    del records[key]
            else:
                table = tx.table(DATASET)
                if updates:
                    table.load((COLUMNS, updates), mode="update")
                if inserts:
                    table.load((COLUMNS, inserts), mode="append")
                for key in deletes:
                    table.delete(key)
        return str(tx.commit_id)

    def scan(self) -> int:
        dataset = self._dataset()
        if self.form == "map":
            return consume(dataset.items())
        return consume(dataset.rows())

    def scan_raw(self) -> int:
        return sum(len(keys) for keys, _ in self._dataset().raw_batches())

    def range(self, start: Any, stop: Any) -> int:
        return consume(self._dataset().items(start=start, stop=stop))

    def prefix(self, prefix: Any) -> int:
        return consume(self._dataset().items(prefix=prefix))

    def diff(self, old: str, new: str) -> int:
        return consume(self.repository.diff(old, new, dataset=DATASET))

    def branch(self, name: str) -> None:
        self.repository.create_branch(name, MAIN)

    def switch(self, name: str) -> None:
        self._branch = name

    def merge(self, name: str) -> str:
        merged = self.repository.merge(name, into=MAIN)
        assert merged.status == "merged", "no record was changed on both branches"
        return str(merged.commit_id)

    def rewind(self, commits: int) -> None:
        self._snapshot = None
        self.repository.branches[MAIN] = self.repository.resolve(f"{MAIN}~{commits}")

    def compact(self) -> None:
        self.repository.gc(grace=timedelta())

    def reachable_bytes(self) -> int:
        return self.repository.stats().reachable_bytes

    def create_indexes(self) -> None:
        with self._begin() as tx:
            changes = tx.table(DATASET).alter()
            changes.add_index("by_group", ("group",))
            changes.add_index("by_name", ("name",), unique=True)

    def query_index(self, group: str, limit: int) -> int:
        rows = self._main().table(DATASET).index("by_group").rows(group)
        return consume(islice(rows, limit))

    def write_blob(self, content: bytes) -> None:
        with self._begin() as tx:
            tx.blob(BLOB, "wb").write(content)

    def write_blob_file(self, path: Path) -> None:
        with self._begin() as tx:
            tx.files(BLOB).add_file(path, "blob")

    def insert_into_blob(self, front: bytes, content: bytes) -> None:
        with self._begin() as tx:
            tx.blob(BLOB).insert(front)

    def read_blob(self) -> bytes:
        with self._main().blob(BLOB) as blob:
            return blob.read()

    def counters(self) -> dict[str, int]:
        # A revision of old, in a comparison, may count nothing.
        costs = getattr(self.repository, "costs", None) if self.counting else None
        names = () if costs is None else type(costs).__annotations__
        return {name: getattr(costs, name) for name in names}

    def reset_counters(self) -> None:
        costs = getattr(self.repository, "costs", None) if self.counting else None
        if costs is not None:
            costs.reset()
