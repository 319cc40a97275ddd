"""Records and other content as files that all measurements of a run share.

Making a record costs more than most engines need to store it. Each form, size and order
is made once, written as batches that ``marshal`` reads at several million records a
second, and read by every process that loads it.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from .records import Record, Records

BATCH_RECORDS = 10_000
# Past this number the files would take gigabytes, and are read twice in a run at most.
STORED_RECORDS_MAX = 1_000_000
# The prefix of the one file that holds bytes of no record.
BLOB_CHUNK = 1 << 20


class RecordFiles:
    """The files for one size, form and seed, below a shared directory."""

    def __init__(self, records: Records, shared: Path) -> None:
        self._records = records
        self._shared = shared

    def in_order(self) -> Iterator[Record]:
        """Yield all records in key order."""
        return self._read("sorted", range(self._records.count))

    def in_random_order(self) -> Iterator[Record]:
        """Yield all records in the random order of the seed."""
        return self._read("random", self._records.shuffled())

    def _read(self, order: str, numbers: Iterable[int]) -> Iterator[Record]:
        records = self._records
        if records.count > STORED_RECORDS_MAX:
            yield from records.records(numbers)
            return
        name = f"records-{records.form}-{records.count}-{records.seed}-{order}"
        path = self._shared / name
        if not path.exists():
            _write_batches(path, records.records(numbers))
        with path.open("rb") as file:
            for _ in range(0, records.count, BATCH_RECORDS):
                yield from marshal.load(file)

    def csv(self) -> Path:
        """Return the table as CSV in random order, the note in hexadecimal digits."""
        path = self._shared / f"records-{self._records.count}.csv"
        if not path.exists():
            draft = path.with_suffix(".draft")
            self._records.write_csv(draft)
            draft.rename(path)
        return path

    def blob(self, size: int) -> Path:
        """Return a file of ``size`` random bytes."""
        path = self._shared / f"blob-{size}-{self._records.seed}"
        if not path.exists():
            draft = path.with_suffix(".draft")
            source = self._records.generator("blob")
            with draft.open("wb") as file:
                for done in range(0, size, BLOB_CHUNK):
                    file.write(source.randbytes(min(BLOB_CHUNK, size - done)))
            draft.rename(path)
        return path


def _write_batches(path: Path, records: Iterator[Record]) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        while batch := list(islice(records, BATCH_RECORDS)):
            marshal.dump(batch, file)
    draft.rename(path)
