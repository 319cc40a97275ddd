"""Which Arrow type carries each column of a table, so that nothing is lost.

    bool      bool                  bytes     large_binary
    int       int64                 date      date32
    float     double                datetime  timestamp[us, UTC]
    decimal   decimal128(38, S)     uuid      arrow.uuid
    text      large_string          json      large_string, JSON

Three of these do not hold every value: int64 no number past 64 bits, a timestamp no
offset but that of UTC, decimal128 no column whose values have different numbers of
digits behind the point (1.1 and 1.10 are two values). Such a column becomes
large_string, each value in its one spelling. Text that stands for another type is
marked: ``prolly.type`` in the metadata of the field names the type, and reading obeys.

To know, the columns in question are read once before: the layout is a function of the
records alone, and the first batch can be written when the reading begins again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from .arrow_library import SCHEMA_METADATA, TYPE_METADATA, require_pyarrow
from .column_types import ColumnType
from .schema import Schema
from .type_registry import column_type

INT64_END = 1 << 63
# What decimal128 holds, and Parquet with it.
DECIMAL_DIGITS_MAX = 38

# A record batch, and so a row group of Parquet: long enough for columns to pay, and
# ended early where records are long, so that memory stays bounded.
ARROW_ROWS = 65_536
ARROW_BYTES = 16 * 1024 * 1024

Batches = Iterable[Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Carrier:
    """How one column goes into Arrow: its field, and values to a form that fits."""

    field: Any
    prepare: Callable[[Sequence[Any]], Sequence[Any]]


class _Fit:
    """Whether the natural Arrow type holds every value of one column, so far."""

    def __init__(self) -> None:
        self.fits = True

    def add(self, values: Sequence[Any]) -> None:
        """Look at a batch."""
        present = [one for one in values if one is not None]
        if present and self.fits:
            self.fits = self._holds(present)

    def _holds(self, present: list[Any]) -> bool:
        raise NotImplementedError


class _IntFit(_Fit):
    def _holds(self, present: list[Any]) -> bool:
        return bool(min(present) >= -INT64_END and max(present) < INT64_END)


class _DatetimeFit(_Fit):
    def _holds(self, present: list[datetime]) -> bool:
        return {one.tzinfo for one in present} == {UTC}


class _DecimalFit(_Fit):
    scale: int | None = None

    def _holds(self, present: list[Decimal]) -> bool:
        parts = [one.as_tuple() for one in present]
        scales = {-int(exponent) for _, _, exponent in parts}
        if self.scale is not None:
            scales.add(self.scale)
        self.scale = min(scales)
        digits = max(len(digits) for _, digits, _ in parts)
        fits = self.scale >= 0 and max(digits, self.scale) <= DECIMAL_DIGITS_MAX
        return len(scales) == 1 and fits


_FITS: dict[str, type[_Fit]] = {
    "int": _IntFit,
    "datetime": _DatetimeFit,
    "decimal": _DecimalFit,
}


class ArrowLayout:
    """The Arrow schema of some columns of a table, and their conversion."""

    def __init__(self, carriers: Sequence[Carrier], metadata: dict[bytes, bytes]):
        self._carriers = tuple(carriers)
        fields = [one.field for one in carriers]
        self.schema = require_pyarrow().schema(fields, metadata=metadata or None)

    @classmethod
    def decide(
        cls,
        columns: Sequence[tuple[str, ColumnType]],
        read: Callable[[Sequence[int]], Batches],
        schema: Schema | None = None,
    ) -> ArrowLayout:
        """Return the layout that holds all values.

        ``read(places)`` gives the batches of some of the columns; it is called at most
        once, and not read further than needed. A ``schema`` says which may be null, and
        goes into the metadata when the columns are all of its columns.
        """
        require_pyarrow()
        fits = {
            place: _FITS[kind.name]()
            for place, (_, kind) in enumerate(columns)
            if kind.name in _FITS
        }
        if fits:
            for batch in read(list(fits)):
                for fit, values in zip(fits.values(), batch, strict=True):
                    fit.add(values)
                if not any(fit.fits for fit in fits.values()):
                    break
        carriers = [
            _carrier(name, kind, fits.get(place), schema)
            for place, (name, kind) in enumerate(columns)
        ]
        return cls(carriers, _metadata([name for name, _ in columns], schema))

    def batch(self, columns: Sequence[Sequence[Any]]) -> Any:
        """Return a RecordBatch of columns of equal length, in the layout's order."""
        pyarrow = require_pyarrow()
        arrays = [
            pyarrow.array(one.prepare(values), type=one.field.type, size=len(values))
            for one, values in zip(self._carriers, columns, strict=True)
        ]
        return pyarrow.record_batch(arrays, schema=self.schema)

    def batches(self, columns: Batches) -> Iterator[Any]:
        """Yield the records of batches of columns, joined to larger RecordBatches."""
        held: list[Any] = []
        rows = size = 0
        for batch in map(self.batch, columns):
            held.append(batch)
            rows += batch.num_rows
            size += batch.nbytes
            if rows >= ARROW_ROWS or size >= ARROW_BYTES:
                yield _joined(held)
                held, rows, size = [], 0, 0
        if held:
            yield _joined(held)


def _joined(batches: list[Any]) -> Any:
    table = require_pyarrow().Table.from_batches(batches)
    [joined] = table.combine_chunks().to_batches()
    return joined


def _carrier(
    name: str, kind: ColumnType, fit: _Fit | None, schema: Schema | None
) -> Carrier:
    pyarrow = require_pyarrow()
    nullable = True if schema is None else schema.column(name).nullable
    natural = _natural_type(kind, fit)
    if natural is not None:
        return Carrier(pyarrow.field(name, natural, nullable), _as_it_is)
    marked = {TYPE_METADATA: kind.name.encode()}
    field = pyarrow.field(name, pyarrow.large_string(), nullable, marked)
    form = kind.format_text

    def spell(values: Sequence[Any]) -> list[Any]:
        return [None if one is None else form(one) for one in values]

    return Carrier(field, spell)


def _as_it_is(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _natural_type(kind: ColumnType, fit: _Fit | None) -> Any:
    """Return the type of a column whose values fit; ``None``: they become text."""
    pyarrow = require_pyarrow()
    if kind.name == "json" or (fit is not None and not fit.fits):
        return None
    if isinstance(fit, _DecimalFit):
        # Without a value there is no scale to be had.
        if fit.scale is None:
            return None
        return pyarrow.decimal128(DECIMAL_DIGITS_MAX, fit.scale)
    return {
        "bool": pyarrow.bool_(),
        "int": pyarrow.int64(),
        "float": pyarrow.float64(),
        # The large forms: a cell may be long, and a batch of them past 2 GiB.
        "text": pyarrow.large_string(),
        "bytes": pyarrow.large_binary(),
        "date": pyarrow.date32(),
        "datetime": pyarrow.timestamp("us", "UTC"),
        "uuid": pyarrow.uuid(),
    }[kind.name]


def _metadata(names: Sequence[str], schema: Schema | None) -> dict[bytes, bytes]:
    if schema is None or schema.is_unknown or tuple(names) != schema.names:
        return {}
    # Constraints stay behind: they may speak of tables that are not in the file.
    form = schema.to_json()
    told = {"columns": form["columns"], "key": form["key"]}
    return {SCHEMA_METADATA: json.dumps(told, ensure_ascii=False).encode()}


def typed_columns(schema: Schema, names: Sequence[str]) -> list[tuple[str, ColumnType]]:
    """Return the named columns with their types; Invalid ``unknown-column``."""
    return [(name, column_type(schema.column(name).type)) for name in names]
