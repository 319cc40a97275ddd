"""Read Arrow data as batches of columns: of a Table, a reader, a DataFrame, a file.

Whatever hands out Arrow data through the PyCapsule interface is read as a stream, some
thousand rows at a time. What Arrow holds and no column type does is refused with the
row and the column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prolly.errors import Error, Invalid

from .arrow_library import SCHEMA_METADATA, require_pyarrow
from .arrow_types import Reading, describe, reading_of
from .column import Column
from .column_types import ColumnType
from .inference import InferredColumn
from .schema import Schema, missing_column
from .type_registry import column_type

# pandas names an index so that has no name itself: a row number is no data.
_NAMELESS_INDEX = re.compile(r"__index_level_[0-9]+__")

# The types that an export may have to write as text.
_SPELT_IN_TEXT = frozenset({"int", "decimal", "datetime", "uuid", "json"})

Refuse = Callable[[Invalid, int], Invalid]


class ArrowColumns:
    """The columns of an Arrow schema, as columns of a table.

    Raises Invalid ``arrow-type`` for a type that no column holds, ``duplicate-column``.
    """

    def __init__(self, schema: Any) -> None:
        self._places = [
            place
            for place, name in enumerate(schema.names)
            if not _is_nameless_index(schema, name)
        ]
        fields = [schema.field(place) for place in self._places]
        self.names = tuple(field.name for field in fields)
        self._nullable = [bool(field.nullable) for field in fields]
        for place, name in enumerate(self.names):
            if name in self.names[:place]:
                raise Invalid(
                    f"two columns are named {name!r}",
                    code="duplicate-column",
                    hint="Give every column its own name.",
                    column=name,
                )
        self._readings: list[Reading] = list(map(reading_of, fields))
        self._metadata: dict[bytes, bytes] = schema.metadata or {}

    def inferred(self) -> list[InferredColumn]:
        """Return the columns with their types.

        Raises Invalid ``naive-timestamp`` for a timestamp without a zone.
        """
        for name, reading in zip(self.names, self._readings, strict=True):
            if reading.is_naive:
                raise Invalid(
                    f"column {name!r}: its timestamps have no time zone",
                    code="naive-timestamp",
                    hint="Give them one where they come from (tz_localize), or a "
                    "schema that says text.",
                    column=name,
                )
        return [
            InferredColumn(name, reading.type_name, nullable)
            for name, reading, nullable in zip(
                self.names, self._readings, self._nullable, strict=True
            )
        ]

    def type_of(self, name: str) -> str | None:
        """Return the type of a column; ``None`` where there is none of the name."""
        types = zip(self.names, self._readings, strict=True)
        return next((one.type_name for other, one in types if other == name), None)

    def schema(self, key: tuple[str, ...]) -> Schema:
        """Return the schema of a new table of this key: as exported, else inferred.

        Raises Invalid ``missing-column``, and as :meth:`inferred` and ``Schema``.
        """
        stored = self.stored_schema()
        if stored is not None and stored.key == key:
            return stored
        for name in key:
            if name not in self.names:
                raise missing_column(name)
        return Schema.create(self.inferred(), key)

    def stored_schema(self) -> Schema | None:
        """Return the schema that an export left, if it is one for these columns."""
        told = self._metadata.get(SCHEMA_METADATA)
        if told is None:
            return None
        import json

        try:
            schema = Schema.from_json(json.loads(told))
        except (Error, ValueError, RecursionError):
            # Somebody else's word on the data, and not needed to read it.
            return None
        return schema if set(schema.names) == set(self.names) else None

    def columns(self, batch: Any, before: int) -> list[Sequence[Any]]:
        """Return the values of a RecordBatch; ``before`` rows came before it.

        Raises Invalid ``arrow-value`` (fields ``row`` from 1, ``column``).
        """
        found = []
        for name, place, reading in zip(
            self.names, self._places, self._readings, strict=True
        ):
            array = batch.column(place)
            try:
                found.append(reading.read(array))
            except _refusals():
                raise _first_refused(name, array, reading, before) from None
        return found


def _is_nameless_index(schema: Any, name: str) -> bool:
    if not schema.metadata or b"pandas" not in schema.metadata:
        return False
    return _NAMELESS_INDEX.fullmatch(name) is not None


def _refusals() -> tuple[type[Exception], ...]:
    """Return what pyarrow and Python raise for a value that they cannot give."""
    failures = require_pyarrow().ArrowException
    return failures, ValueError, OverflowError, KeyError, TypeError, Error


def _first_refused(name: str, array: Any, reading: Reading, before: int) -> Invalid:
    refusals = _refusals()
    for index in range(len(array)):
        try:
            reading.read(array.slice(index, 1))
        except refusals as error:
            number = before + index + 1
            return Invalid(
                f"row {number}, column {name!r}: {describe(error)}",
                code="arrow-value",
                hint="A table keeps whole microseconds of the years 1 to 9999, and "
                "text in UTF-8.",
                row=number,
                column=name,
            )
    raise AssertionError("an array was refused, and each of its values is fine")


def adapted(kind: ColumnType, values: Sequence[Any], *, is_text: bool) -> Sequence[Any]:
    """Return values that Arrow gave as a column of type ``kind`` holds them.

    Text spells what Arrow lacks, as an export spells it and may have lost its mark on
    the way through another program: JSON too, where ``is_text`` says that the column is
    text in Arrow. 16 bytes are a uuid. Raises as the type for anything else that does
    not fit, such as the text "7" in a float column, or "007" in one of whole numbers.
    """
    if kind.name == "text" or (kind.name == "json" and not is_text):
        return kind.check_many(values)
    kinds = set(map(type, values))
    if str in kinds and kind.name in _SPELT_IN_TEXT:
        values = [_parsed(kind, one) if type(one) is str else one for one in values]
    if kind.name == "uuid" and bytes in kinds:
        values = _uuids(values)
    return kind.check_many(values)


def _parsed(kind: ColumnType, text: str) -> Any:
    value = kind.parse_text(text)
    if kind.name != "json" and kind.format_text(value) != text:
        # Text that only could be meant so is refused, as everywhere.
        return kind.check(text)
    return value


def _uuids(values: Sequence[Any]) -> list[Any]:
    from uuid import UUID

    return [
        UUID(bytes=one) if type(one) is bytes and len(one) == 16 else one
        for one in values
    ]


def arrow_reader(source: Any) -> Any:
    """Return a RecordBatchReader over a Table, a DataFrame, a reader, a batch.

    Raises Invalid ``arrow-data`` for what does not become Arrow, such as a DataFrame
    with a column of mixed objects.
    """
    pyarrow = require_pyarrow()
    try:
        if isinstance(source, pyarrow.RecordBatchReader):
            return source
        if hasattr(source, "__arrow_c_stream__"):
            return pyarrow.RecordBatchReader.from_stream(source)
        batch = pyarrow.record_batch(source)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise Invalid(
            f"it does not become Arrow data: {describe(error)}",
            code="arrow-data",
            hint="Give every column one type.",
        ) from error
    return pyarrow.RecordBatchReader.from_batches(batch.schema, [batch])


def arrow_slices(batches: Any, size: int) -> Iterator[Any]:
    """Yield the rows of batches in batches of at most ``size`` rows, none empty."""
    for batch in batches:
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size)


class ArrowRows:
    """Arrow data as the input of a table, read once."""

    def __init__(self, source: Any, size: int) -> None:
        self._reader = arrow_reader(source)
        self._size = size
        self._columns = ArrowColumns(self._reader.schema)
        self.names = self._columns.names

    def schema(self, key: Sequence[str]) -> Schema:
        """Return the schema that fits; as :meth:`ArrowColumns.schema`."""
        return self._columns.schema(tuple(key))

    def fit(self, column: Column, values: Sequence[Any]) -> Sequence[Any]:
        """Return values as a column of the table holds them; as :func:`adapted`."""
        is_text = self._columns.type_of(column.name) == "text"
        return adapted(column_type(column.type), values, is_text=is_text)

    def batches(self) -> Iterator[list[Sequence[Any]]]:
        """Yield batches of columns; Invalid as :meth:`ArrowColumns.columns`."""
        before = 0
        for batch in arrow_slices(self._reader, self._size):
            yield self._columns.columns(batch, before)
            before += batch.num_rows
