"""prolly under measurement, through its public interface."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import prolly
from prolly.chunks import CountingStore, LocalStore
from prolly.ops import import_table
from prolly.repo import Repository, Snapshot, Transaction

from .engine import Engine, Lookup, consume
from .records import COLUMN_TYPES, COLUMNS

DATASET = "records"
MAIN = "main"


class ProllyEngine(Engine):
    """One dataset of one repository; every write is a transaction, thus a commit."""

    name: ClassVar[str] = "prolly"
    use: ClassVar[str] = "transactions and snapshots of the public interface"
    modules: ClassVar[tuple[str, ...]] = ("prolly",)
    distributions: ClassVar[tuple[str, ...]] = ("blake3", "cbor2", "lmdb", "xxhash")

    repository: Repository
    _snapshot: Snapshot | None = None
    _branch: str = MAIN

    def create(self) -> None:
        prolly.init(self.directory).close()
        self.open()

    def open(self) -> None:
        if not self.counting:
            self.repository = prolly.open(self.directory)
            return
        self._counted = CountingStore(LocalStore.open(self.directory / ".prolly"))
        self.repository = Repository(self._counted, self.directory)

    def close(self) -> None:
        self._snapshot = None
        self.repository.close()

    def _begin(self) -> Transaction:
        self._snapshot = None
        return self.repository.transaction(
            self._branch, message="write", author="benchmark"
        )

    def _dataset(self) -> Any:
        if self._snapshot is None:
            self._snapshot = self.repository.at("main")
        return self._snapshot.dataset(DATASET)

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
        area = self.repository.working_area("main")
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
        appends: Sequence[Any] = (),
        deletes: Sequence[Any] = (),
    ) -> str:
        with self._begin() as tx:
            if self.form == "map":
                records = tx.map(DATASET)
                records.update([*updates, *appends])
                for key in deletes:
                    del records[key]
            else:
                table = tx.table(DATASET)
                if updates:
                    table.load((COLUMNS, updates), mode="update")
                if appends:
                    table.load((COLUMNS, appends), mode="append")
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

    def counters(self) -> dict[str, int]:
        return asdict(self._counted.counts) if self.counting else {}

    def reset_counters(self) -> None:
        if self.counting:
            self._counted.counts.reset()
