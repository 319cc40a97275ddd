"""What differs between two plain files, by key, as between two versions of a table.

A file without a byte is a table that is not there. Rows are compared in the columns
that both files have; columns that one of them lacks, that stand in another order or
are of another type are told once, as the event of the whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any

from prolly.codec import cbor
from prolly.codec import key as key_codec
from prolly.maps import ABSENT
from prolly.repo import Change, Comparison, DatasetChanges
from prolly.tables import Schema, column_type

from .byte_source import Place
from .file_pair import read_pair
from .keyed_rows import KeyedRows
from .opened_file import open_file
from .table_source import TableSource

Bounds = tuple[bytes | None, bytes | None]


class FileComparison(Comparison, AbstractContextManager["FileComparison"]):
    """Two plain files, compared as two versions of one dataset, called ``name``.

    Close it when done. Iterating raises Invalid ``duplicate-key`` for keys that are
    far from their doubles, StorageFailed ``spill-failed``.
    """

    def __init__(self, name: str, old: KeyedRows | None, new: KeyedRows | None) -> None:
        self.name = name
        self._old = old
        self._new = new
        self._shared = 0
        self._is_alike = True
        if old is not None and new is not None:
            self._shared = len([one for one in new.columns if one in old.columns])
            self._is_alike = old.columns == new.columns and old.types == new.types
        self._closing = ExitStack()

    def changes(
        self, dataset: str | None = None, bounds: Bounds = (None, None)
    ) -> Iterator[Change]:
        """Yield the rows that differ, in the order of keys."""
        for encoded, before, after in self._unlike(dataset, bounds):
            old: Any = ABSENT
            new: Any = ABSENT
            fields: tuple[str, ...] = ()
            if before is not None and self._old is not None:
                old = self._old.row(self._old.unpack(before))
            if after is not None and self._new is not None:
                new = self._new.row(self._new.unpack(after))
            if before is not None and after is not None:
                fields = tuple(self._changed(old, new))
            key = key_codec.decode_key(encoded)
            yield Change(self.name, key, old, new, fields)

    def counts(
        self, dataset: str | None = None, bounds: Bounds = (None, None)
    ) -> dict[str, DatasetChanges]:
        """Count the rows that differ; empty where nothing does."""
        added = removed = modified = 0
        for _, before, after in self._unlike(dataset, bounds):
            added += before is None
            removed += after is None
            modified += before is not None and after is not None
        event = self.events(dataset).get(self.name, "")
        if not (added or removed or modified or event):
            return {}
        return {self.name: DatasetChanges(added, removed, modified, event)}

    def events(self, dataset: str | None = None) -> dict[str, str]:
        """Return what happened to the whole: created, dropped, or its columns."""
        if dataset not in (None, self.name):
            return {}
        if self._old is None or self._new is None:
            if self._old is self._new:
                return {}
            return {self.name: "created" if self._old is None else "dropped"}
        told = ", ".join(_column_events(self._old, self._new))
        return {self.name: told} if told else {}

    def schemas(self, dataset: str) -> tuple[Schema | None, Schema | None]:
        """Return the columns of both files; None for what is not there."""
        if dataset != self.name:
            return None, None
        return _schema(self._old), _schema(self._new)

    def _unlike(
        self, dataset: str | None, bounds: Bounds
    ) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
        if dataset not in (None, self.name):
            return
        start, stop = bounds
        for key, before, after in _pairs(iter(self._old or ()), iter(self._new or ())):
            if start is not None and key < start:
                continue
            if stop is not None and key >= stop:
                return
            if before is None or after is None or not self._same(before, after):
                yield key, before, after

    def _same(self, before: bytes, after: bytes) -> bool:
        """Tell whether two rows that are packed differently are equal all the same."""
        if self._is_alike:
            return False
        assert self._old is not None and self._new is not None
        old, new = self._old.unpack(before), self._new.unpack(after)
        return not any(
            self._differ(name, one, other)
            for name, one, other in zip(
                self._new.columns[: self._shared], old, new, strict=False
            )
        )

    def _changed(self, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
        for name in new:
            if name in old and self._differ(name, old[name], new[name]):
                yield name

    def _differ(self, name: str, old: Any, new: Any) -> bool:
        assert self._old is not None and self._new is not None
        kinds = self._old.types[name], self._new.types[name]
        if kinds[0] == kinds[1]:
            if type(old) is str and type(new) is str:
                return old != new
            return cbor.encode(old) != cbor.encode(new)
        if old is None or new is None:
            return old is not new
        one, other = map(column_type, kinds)
        return one.format_text(old) != other.format_text(new)

    def close(self) -> None:
        """Let go of the files; twice is fine."""
        for rows in (self._old, self._new):
            if rows is not None:
                rows.close()
                rows.source.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _pairs(
    old: Iterator[tuple[bytes, bytes]], new: Iterator[tuple[bytes, bytes]]
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Yield the keys of two sorted sides whose packed rows are not the same."""
    left, right = next(old, None), next(new, None)
    while left is not None and right is not None:
        if left == right:
            left, right = next(old, None), next(new, None)
        elif left[0] == right[0]:
            yield left[0], left[1], right[1]
            left, right = next(old, None), next(new, None)
        elif left[0] < right[0]:
            yield left[0], left[1], None
            left = next(old, None)
        else:
            yield right[0], None, right[1]
            right = next(new, None)
    while left is not None:
        yield left[0], left[1], None
        left = next(old, None)
    while right is not None:
        yield right[0], None, right[1]
        right = next(new, None)


def _column_events(old: KeyedRows, new: KeyedRows) -> Iterator[str]:
    before, after = old.source.columns, new.source.columns
    for name in after:
        if name not in before:
            yield f"column {name} added"
    for name in before:
        if name not in after:
            yield f"column {name} removed"
    stood = [name for name in before if name in after]
    if new.source.has_header and stood != [name for name in after if name in before]:
        yield "columns in another order"
    for name in stood:
        if old.types[name] != new.types[name]:
            yield f"column {name} {old.types[name]} -> {new.types[name]}"


def _schema(rows: KeyedRows | None) -> Schema | None:
    if rows is None:
        return None
    columns = [(name, rows.types[name]) for name in rows.source.columns]
    return Schema.create(columns, rows.key)


def compare_files(
    old: Place,
    new: Place,
    *,
    key: str | Sequence[str],
    format_name: str | None = None,
    name: str = "",
) -> FileComparison:
    """Compare two plain files of one format row by row. Close the answer when done.

    ``key`` names the key columns; ``format_name`` is one of ``FORMATS`` or
    ``sqlite:TABLE``, by default what the names say, where a table of a database may
    stand behind a colon (``shop.db:prices``). Both are read at once, packed, and past
    some 60 MB sorted on the disk. ``name`` is what the dataset is called, by default
    the name of the new file.

    Raises Invalid ``missing-key`` for no key or one that a file has no column for,
    ``mixed-formats``, ``null-key``, ``duplicate-key`` (``lines``), ``key-type``, and
    what ``open_table`` and reading raise; LimitExceeded ``key-too-long``.
    """
    names = (key,) if isinstance(key, str) else tuple(key)
    with ExitStack() as opened:
        sides: list[TableSource | None] = []
        for place in (old, new):
            source = open_file(place, format_name)
            if source is not None:
                opened.enter_context(source)
            sides.append(source)
        rows = read_pair(sides[0], sides[1], names, opened)
        found = FileComparison(name or _name(new), *rows)
        opened.pop_all()
        return found


def _name(place: Place) -> str:
    if isinstance(place, (str, os.PathLike)):
        return os.fspath(place)
    return str(getattr(place, "name", "") or "the input")
