"""Count what CSV cannot tell apart, so that nobody loses it unawares.

An empty cell is empty text in a text column and null in any other, and no key. So a
null in a text column, no bytes, and a key of empty text do not come back from CSV; they
do from every other format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prolly.tables import Schema


class CsvLosses:
    """How many cells or rows an export to CSV or TSV changes when it is read again.

    ``null_texts``: nulls that come back as empty text; ``empty_bytes``: no bytes that
    come back as null; ``empty_keys``: rows that are refused, having an empty key.
    """

    def __init__(self) -> None:
        self.null_texts = 0
        self.empty_bytes = 0
        self.empty_keys = 0

    def __bool__(self) -> bool:
        return bool(self.null_texts or self.empty_bytes or self.empty_keys)

    def add(self, other: CsvLosses) -> None:
        """Count what another export of other rows lost."""
        self.null_texts += other.null_texts
        self.empty_bytes += other.empty_bytes
        self.empty_keys += other.empty_keys

    def watch(
        self, schema: Schema, batches: Iterable[Sequence[Sequence[Any]]]
    ) -> Iterator[Sequence[Sequence[Any]]]:
        """Pass on batches of cells by column, in the order of the schema, and count."""
        place = {name: place for place, name in enumerate(schema.names)}
        cells = [one for one in schema.columns if one.name not in schema.key]
        texts = [place[one.name] for one in cells if one.type == "text"]
        blobs = [place[one.name] for one in cells if one.type == "bytes"]
        # A cell of any other type has at least one character.
        may_be_empty = {one.type for one in schema.key_columns} <= {"text", "bytes"}
        key = [place[name] for name in schema.key if may_be_empty and place]
        for columns in batches:
            self.null_texts += sum(columns[one].count(None) for one in texts)
            self.empty_bytes += sum(columns[one].count(b"") for one in blobs)
            if key and not all(columns[key[0]]):
                parts = zip(*[columns[one] for one in key], strict=True)
                self.empty_keys += sum(not any(part) for part in parts)
            yield columns
