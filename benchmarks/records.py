"""The record that every engine stores, made from a seed: incompressible, 117 bytes.

As a map: a text key of 17 characters to 100 bytes. As a table: id (8 bytes), name (16),
group (8), value (8) and note (77). Record number i has the key 2 x i, so that the odd
numbers between are keys that are absent. A record is a function of seed, number and
version alone, whatever the order in which it is asked for.
"""

from __future__ import annotations

import csv
import random
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import shake_128
from pathlib import Path
from typing import Any, Literal

Form = Literal["map", "table"]
Key = str | int
Record = tuple[Any, ...]

COLUMNS = ("id", "name", "group", "value", "note")
COLUMN_TYPES = ("int", "text", "text", "float", "bytes")
PAYLOAD_BYTES = 117
VALUE_BYTES = 100
NOTE_BYTES = 77
GROUPS = 1000
# A prefix that leaves three digits open holds 500 records, as every second is a key.
PREFIX_DIGITS_OPEN = 3
# Odd and far from any power of two: neighbours in rank become strangers in key order.
SCATTER = 2_654_435_761
# The version of a record that stands between others, far from those of updates.
NEW_VERSION = 1_000_000


def group_name(group: int) -> str:
    """Return the text of one of the groups."""
    return f"group{group:03d}"


@dataclass(frozen=True)
class Records:
    """``count`` records of one form, made from ``seed``."""

    seed: int
    count: int
    form: Form

    def key(self, number: int) -> Key:
        """Return the key of record ``number``."""
        return 2 * number if self.form == "table" else f"key:{2 * number:013d}"

    def absent_key(self, number: int) -> Key:
        """Return the key after that of record ``number``, which no record has."""
        doubled = 2 * number + 1
        return doubled if self.form == "table" else f"key:{doubled:013d}"

    def record(self, number: int, version: int = 0) -> Record:
        """Return one record, the same for the same arguments."""
        return self._record(self.key(number), number, version)

    def new_record(self, number: int) -> Record:
        """Return a record under the absent key after that of record ``number``."""
        return self._record(self.absent_key(number), number, NEW_VERSION)

    def _record(self, key: Key, number: int, version: int) -> Record:
        source = shake_128(b"%d %d %d" % (self.seed, number, version))
        if self.form == "map":
            return key, source.digest(VALUE_BYTES)
        noise = source.digest(NOTE_BYTES + 24)
        group = int.from_bytes(noise[8:16], "big") % GROUPS
        value = int.from_bytes(noise[16:23], "big") / 2**56
        return (
            key,
            noise[:8].hex(),
            group_name(group),
            value,
            noise[24 : 24 + NOTE_BYTES],
        )

    def records(self, numbers: Iterable[int], version: int = 0) -> Iterator[Record]:
        """Yield the records of these numbers."""
        return (self.record(number, version) for number in numbers)

    def generator(self, purpose: str) -> random.Random:
        """Return a source of choices for one purpose, the same each time."""
        return random.Random(f"{self.seed} {purpose}")

    def shuffled(self) -> array[int]:
        """Return all numbers in random order, four bytes each."""
        numbers = array("I", range(self.count))
        self.generator("order").shuffle(numbers)
        return numbers

    def uniform(self, size: int, purpose: str) -> list[int]:
        """Return ``size`` numbers, each as likely as any other; they may repeat."""
        return self.generator(purpose).choices(range(self.count), k=size)

    def scattered(self, size: int, purpose: str) -> list[int]:
        """Return ``size`` different numbers (all when there are fewer), ascending."""
        size = min(size, self.count)
        return sorted(self.generator(purpose).sample(range(self.count), size))

    def clustered(self, size: int, purpose: str) -> list[int]:
        """Return ``size`` numbers in a row (all when there are fewer)."""
        size = min(size, self.count)
        start = self.generator(purpose).randrange(self.count - size + 1)
        return list(range(start, start + size))

    def zipf(self, size: int, purpose: str) -> list[int]:
        """Return numbers of which rank r is chosen about as often as 1/r."""
        source = self.generator(purpose)
        ranks = (int(self.count ** source.random()) for _ in range(size))
        return [rank * SCATTER % self.count for rank in ranks]

    def prefix(self, number: int) -> str:
        """Return a prefix of the text key that some 500 records share."""
        key = self.key(number)
        assert isinstance(key, str)
        return key[:-PREFIX_DIGITS_OPEN]

    def write_csv(self, path: Path) -> None:
        """Write the table as CSV in random order, the note in hexadecimal digits."""
        assert self.form == "table"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for record in self.records(self.shuffled()):
                writer.writerow((*record[:4], record[4].hex()))
