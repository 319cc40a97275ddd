"""What the suite asks of an engine: prolly itself, or a rival.

An engine stands for one directory and one form. Records and keys are turned into what
the engine takes before the clock starts, so a measurement holds the engine's own work.
Every write is one durable commit: it survives a loss of power when the call returns,
unless ``durable`` says otherwise.
"""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from .records import Form, Key, Record

Lookup = Callable[[Any], Any]


class NotOffered(Exception):
    """The engine has no such operation; the text says what it lacks."""


class Engine(ABC):
    """One engine over one directory, which it may fill as it likes."""

    name: ClassVar[str]
    # One sentence on why this is the engine's best documented use from Python.
    use: ClassVar[str]
    # The modules a program imports, and the distributions whose versions are reported.
    modules: ClassVar[tuple[str, ...]]
    distributions: ClassVar[tuple[str, ...]]
    forms: ClassVar[tuple[Form, ...]] = ("map", "table")
    durable: ClassVar[bool] = True
    # What a program writes before it can open a store.
    ready: ClassVar[str]

    def __init__(self, directory: Path, form: Form, *, counting: bool = False) -> None:
        # Now, so that the time to open does not hold the time to import.
        for module in self.modules:
            importlib.import_module(module)
        self.directory = directory
        self.form = form
        self.counting = counting

    def read_code(self, key: Key) -> str:
        """Return a program that opens the store and reads a record; empty if untold."""
        return ""

    @abstractmethod
    def create(self) -> None:
        """Make an empty store in the directory, and open it."""

    @abstractmethod
    def open(self) -> None:
        """Open the store that is there, so that the next call can read."""

    @abstractmethod
    def close(self) -> None:
        """Release everything; the engine may be opened again."""

    @abstractmethod
    def load(self, records: Iterable[Any], *, ordered: bool) -> None:
        """Fill the empty store in one durable commit."""

    @abstractmethod
    def lookup(self) -> Lookup:
        """Return the function from a key to what it holds, ``None`` when absent."""

    @abstractmethod
    def write(
        self,
        *,
        updates: Sequence[Any] = (),
        inserts: Sequence[Any] = (),
        deletes: Sequence[Any] = (),
    ) -> str:
        """Write records in one durable commit; return its revision, if any."""

    def records(self, records: Iterable[Record]) -> Iterator[Any]:
        """Yield the records as the engine takes them."""
        return iter(records)

    def keys(self, keys: Iterable[Key]) -> list[Any]:
        """Return the keys as the engine takes them."""
        return list(keys)

    def load_csv(self, path: Path) -> None:
        """Fill the empty store from a CSV file in one durable commit."""
        raise NotOffered("no tables")

    def scan(self) -> int:
        """Read every record, decoded, in order; return how many there were."""
        raise NotOffered("no scan of records")

    def scan_raw(self) -> int:
        """Read every record as stored bytes; what ``scan`` does where that is all."""
        return self.scan()

    def range(self, start: Any, stop: Any) -> int:
        """Read the records from ``start`` to before ``stop``; return their number."""
        raise NotOffered("no ranges")

    def prefix(self, prefix: Any) -> int:
        """Read the records whose text key begins with ``prefix``."""
        raise NotOffered("no prefixes")

    def diff(self, old: str, new: str) -> int:
        """Read what differs between two revisions, both values; return the number."""
        raise NotOffered("no versions")

    def branch(self, name: str) -> None:
        """Begin a branch at the head of main; writes go on to where they went."""
        raise NotOffered("no branches")

    def switch(self, name: str) -> None:
        """Let writes go to a branch."""
        raise NotOffered("no branches")

    def merge(self, name: str) -> str:
        """Merge a branch into main in one durable commit; return its revision."""
        raise NotOffered("no merges")

    def rewind(self, commits: int) -> None:
        """Let main stand where it stood so many commits ago, its newest dropped."""
        raise NotOffered("no versions")

    def compact(self) -> None:
        """Give back what nothing reaches, where that is a call of its own."""
        raise NotOffered("nothing to collect")

    def reachable_bytes(self) -> int:
        """Return the bytes of what versions reach, where the engine can tell."""
        raise NotOffered("does not tell what is reachable")

    def create_indexes(self) -> None:
        """Index ``group``, and ``name`` as unique, in one durable commit."""
        raise NotOffered("no indexes")

    def query_index(self, group: str, limit: int) -> int:
        """Read up to ``limit`` whole records of a group; return how many there were."""
        raise NotOffered("no indexes")

    def write_blob(self, content: bytes) -> None:
        """Store one large value in one durable commit."""
        raise NotOffered("no large values")

    def write_blob_file(self, path: Path) -> None:
        """Store the content of a file, holding as little of it as can be."""
        self.write_blob(path.read_bytes())

    def insert_into_blob(self, front: bytes, content: bytes) -> None:
        """Put bytes in front of the stored ``content``, in one durable commit."""
        self.write_blob(front + content)

    def read_blob(self) -> bytes:
        """Return the large value."""
        raise NotOffered("no large values")

    def counters(self) -> dict[str, int]:
        """Return what was read and written so far, in the engine's own units."""
        return {}

    def reset_counters(self) -> None:
        """Begin counting anew, where anything is counted."""
        return


def consume(records: Iterable[object]) -> int:
    """Read an iterable to its end at the speed of C; return its length."""
    counted = deque(enumerate(records, 1), maxlen=1)
    return counted[0][0] if counted else 0


def prefix_stop(prefix: str) -> str:
    """Return the least text above all that begins with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def allocated_bytes(directory: Path) -> int:
    """Return the bytes that the files below a directory take on disk."""
    # A file that is not written back yet has no blocks yet.
    return sum(os.stat(path).st_blocks * 512 for path in written_back(directory))


def written_back(directory: Path) -> list[Path]:
    """Wait until the files below a directory are on the disk; return them.

    Of these files alone: the rest of the machine may have much to write.
    """
    files = [path for path in directory.rglob("*") if path.is_file()]
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return files
