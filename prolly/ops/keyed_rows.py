"""The rows of one plain file by key: sorted, packed into bytes, in bounded memory.

Each row becomes one byte string, and rows are equal where those are. In CSV and TSV
cells are text, as the file has it within its quotes, so ``1.0`` and ``1.00`` differ;
in JSON they are JSON values, in other formats values of the column's type.

A key column of CSV is whole numbers where every cell of it is spelt as one (``7``, not
``007``): then rows stand in the order of numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from prolly.codec import cbor, json_form
from prolly.codec import key as key_codec
from prolly.errors import Error, Invalid, LimitExceeded
from prolly.tables import COLUMN_TYPES, InferredColumn
from prolly.tree import EditBuffer

from .import_faults import Found, null_key
from .table_source import Batch, TableSource, iter_typed

# No cell of CSV holds it: reading refuses it.
_BETWEEN = "\0"


class NotNumbersError(Exception):
    """A key column that was taken for whole numbers holds something else."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class KeyedRows(ABC):
    """The rows of a file by encoded key. Close it when done.

    ``columns`` are the names of the cells of a row, in the order in which it is packed,
    ``types`` their types. ``fill`` and iterating raise as reading does, Invalid
    ``null-key`` and ``duplicate-key`` (``lines``), LimitExceeded ``key-too-long``; a
    key that stands far from its double is met only by iterating.
    """

    def __init__(
        self,
        source: TableSource,
        key: Sequence[str],
        columns: Sequence[str],
        types: Mapping[str, str],
    ) -> None:
        self.source = source
        self.key = tuple(key)
        self.columns = tuple(columns)
        self.types = dict(types)
        self._places = [self.columns.index(name) for name in key]
        self._buffer = EditBuffer(unique=True)

    @abstractmethod
    def unpack(self, packed: bytes) -> list[Any]:
        """Return the cells of a row."""

    @abstractmethod
    def _iter_rows(self) -> Iterator[Batch]:
        """Yield the rows, cells in the order of ``columns``."""

    @abstractmethod
    def _key_cells(self, batch: Batch) -> list[Sequence[Any]]:
        """Return the key columns of some rows, as values."""

    @abstractmethod
    def _packed(self, batch: Batch) -> list[bytes]:
        """Return the rows as bytes."""

    def fill(self) -> None:
        """Read all rows."""
        with self._placed():
            for batch in self._iter_rows():
                self._buffer.put_many(self._keys(batch), self._packed(batch))

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (encoded key, packed row) in the order of keys."""
        with self._placed():
            for keys, values in self._buffer.batches():
                yield from zip(keys, values, strict=True)

    def row(self, cells: Sequence[Any]) -> dict[str, Any]:
        """Return the cells of a row by name, in the order of the file's columns."""
        named = dict(zip(self.columns, cells, strict=True))
        return {name: named[name] for name in self.source.columns}

    def _keys(self, batch: Batch) -> list[bytes]:
        columns = self._key_cells(batch)
        if len(columns) == 1:
            return key_codec.encode_keys(columns[0])
        return key_codec.encode_keys(list(zip(*columns, strict=True)))

    @contextmanager
    def _placed(self) -> Iterator[None]:
        try:
            yield
        except Error as error:
            if error.code == "duplicate-key" and "encoded_key" in error.facts:
                raise self._doubled(error.facts["encoded_key"]) from None
            if error.code == "key-too-long":
                raise self._long_key(error) from None
            raise

    def _long_key(self, error: Error) -> Error:
        """Return the error with the line of the first key that is too long."""
        for batch in self._iter_rows():
            for line, row in zip(batch.lines, batch.rows, strict=True):
                try:
                    self._keys(Batch(batch.source, [line], [row]))
                except LimitExceeded as found:
                    place = f"{batch.source} {self.source.place_word} {line}"
                    facts = {**found.facts, "source": batch.source, "line": line}
                    told = f"{place}: {found.message}"
                    return LimitExceeded(
                        told, code=found.code, hint=found.hint, **facts
                    )
        return error

    def _doubled(self, encoded: bytes) -> Invalid:
        lines = [
            line
            for batch in self._iter_rows()
            for line, one in zip(batch.lines, self._keys(batch), strict=True)
            if one == encoded
        ]
        key = self._told_key(json_form.key_to_json(key_codec.decode_key(encoded)))
        name, word = self.source.files[0].name, self.source.place_word
        return doubled_key(name, key, lines, word)

    def _told_key(self, key: list[Any]) -> list[Any]:
        """Return a key as an error tells it."""
        return key

    def _null_key(self, batch: Batch, row: int, name: str) -> Invalid:
        word = self.source.place_word
        return null_key(Found(batch.source, batch.lines[row], (), word), name)

    def close(self) -> None:
        """Give up what was read; twice is fine."""
        self._buffer.close()


def doubled_key(
    name: str, key: Sequence[Any], lines: Sequence[int], word: str = "line"
) -> Invalid:
    """Return (not raise) the error for a key that stands on several lines."""
    shown = key[0] if len(key) == 1 else list(key)
    where = f"{', '.join(map(str, lines[:-1]))} and {lines[-1]}"
    return Invalid(
        f"{name}: the key {shown!r} stands {'on' if word == 'line' else 'in'} "
        f"{word}s {where}",
        code="duplicate-key",
        hint="Remove all but one of these rows, or name more key columns.",
        key=list(key),
        source=name,
        lines=list(lines),
    )


class TextRows(KeyedRows):
    """Rows of text cells. ``numbers`` are the key columns to take as whole numbers.

    Reading raises NotNumbersError where one of those holds something else.
    """

    def __init__(
        self,
        source: TableSource,
        key: Sequence[str],
        columns: Sequence[str],
        numbers: set[str],
    ) -> None:
        types = {name: "int" if name in numbers else "text" for name in columns}
        super().__init__(source, key, columns, types)
        self._numbers = numbers
        self._arrange = _arrangement(source.columns, columns)

    def unpack(self, packed: bytes) -> list[Any]:
        """Return the cells of a row; those of numbers in the key as numbers."""
        cells: list[Any] = packed.decode().split(_BETWEEN)
        for place, name in zip(self._places, self.key, strict=True):
            if name in self._numbers:
                cells[place] = int(cells[place])
        return cells

    def _told_key(self, key: list[Any]) -> list[Any]:
        """Return the cells of a key: they are text, whatever they are taken for."""
        return list(map(str, key))

    def _iter_rows(self) -> Iterator[Batch]:
        if self._arrange is None:
            return self.source.iter_batches()
        return map(self._arranged, self.source.iter_batches())

    def _arranged(self, batch: Batch) -> Batch:
        assert self._arrange is not None
        return Batch(batch.source, batch.lines, list(map(self._arrange, batch.rows)))

    def _key_cells(self, batch: Batch) -> list[Sequence[Any]]:
        columns: list[Sequence[Any]] = [
            list(map(itemgetter(place), batch.rows)) for place in self._places
        ]
        if all("" in cells for cells in columns):
            for row, parts in enumerate(zip(*columns, strict=True)):
                if not any(parts):
                    raise self._null_key(batch, row, self.key[0])
        return [
            self._as_numbers(name, cells) if name in self._numbers else cells
            for name, cells in zip(self.key, columns, strict=True)
        ]

    def _as_numbers(self, name: str, cells: Sequence[str]) -> Sequence[int]:
        if not COLUMN_TYPES["int"].exact_many(cells):
            raise NotNumbersError(name)
        return list(map(int, cells))

    def _packed(self, batch: Batch) -> list[bytes]:
        return [text.encode() for text in map(_BETWEEN.join, batch.rows)]


class TypedRows(KeyedRows):
    """Rows of values, in JSON of column type json but for the key."""

    def unpack(self, packed: bytes) -> list[Any]:
        """Return the cells of a row."""
        cells: list[Any] = cbor.decode(packed)
        return cells

    def _iter_rows(self) -> Iterator[Batch]:
        columns = [
            # An empty key is refused with the others of its batch, as in any format.
            InferredColumn(name, self.types[name], True)
            for name in self.columns
        ]
        return iter_typed(self.source, columns)

    def _key_cells(self, batch: Batch) -> list[Sequence[Any]]:
        columns = [[row[place] for row in batch.rows] for place in self._places]
        for name, cells in zip(self.key, columns, strict=True):
            if None in cells:
                raise self._null_key(batch, cells.index(None), name)
        return list(columns)

    def _packed(self, batch: Batch) -> list[bytes]:
        return list(map(cbor.encode, batch.rows))


def _arrangement(
    header: Sequence[str], columns: Sequence[str]
) -> Callable[[list[str]], list[str]] | None:
    """Return what puts the cells of a row into another order, if needed."""
    if tuple(header) == tuple(columns):
        return None
    places = [header.index(name) for name in columns]
    return lambda row: [row[place] for place in places]
