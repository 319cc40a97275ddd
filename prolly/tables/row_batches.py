"""Rows from outside, in any of four forms, as checked columns in schema order.

A caller gives rows as mappings; as ``(names, iterable of lists)``; where columns are at
hand, as :class:`ColumnBatches`; or as anything that hands out Arrow data. All become
batches of whole columns, so that types are checked by a few calls a batch. An error
names the row (counted from 1), the column and the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from prolly.chunks import ChunkWriter
from prolly.codec.kernel import kernel
from prolly.errors import Error, Invalid, LimitExceeded
from prolly.maps import ABSENT

from .arrow_library import OffersArrow, offers_arrow
from .column import Column
from .record_codec import RecordCodec, null_key, violation
from .row_inference import RowInference, not_a_row
from .schema import Schema, missing_column, unknown_column
from .type_registry import column_type

if TYPE_CHECKING:
    from .arrow_reading import ArrowRows

# Rows encoded in one go: enough to make calls a batch small beside the work a row, few
# enough that a batch of long rows stays in memory.
LOAD_ROWS = 2048

Columns = list[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class ColumnBatches:
    """Input of a table as batches of whole columns.

    Each batch has one sequence for each of ``names``, all of equal length. With
    ``gaps``, ``ABSENT`` may stand for a cell that its row leaves out.
    """

    names: Sequence[str]
    batches: Iterable[Sequence[Sequence[Any]]]
    gaps: bool = False


Rows = Iterable[Mapping[str, Any]] | tuple[Sequence[str], Iterable[Sequence[Any]]]
Source = Rows | ColumnBatches | OffersArrow
# How values become those of a column, or raise what does not fit.
Fit = Callable[[Column, Sequence[Any]], Sequence[Any]]
# How a batch with ABSENT in it, the number of rows before it and their fit, becomes one
# without.
FillGaps = Callable[[Columns, int, Fit], Columns]


class RowSource:
    """Input of any form as an iterator of raw batches, whose first one can be seen.

    A batch is a list of mappings, or columns in the order of ``names``.
    """

    def __init__(self, source: Source) -> None:
        self.names: tuple[str, ...] | None = None
        self.has_gaps = isinstance(source, ColumnBatches) and source.gaps
        self._listed = source if isinstance(source, list) else None
        self._fit: Fit = _checked
        self._arrow: ArrowRows | None = None
        if offers_arrow(source):
            # The library behind it takes long to import.
            from .arrow_reading import ArrowRows

            self._arrow = ArrowRows(source, LOAD_ROWS)
            self._fit = self._arrow.fit
            self.names = self._arrow.names
            self._batches: Iterator[Any] = self._arrow.batches()
        elif isinstance(source, ColumnBatches):
            self.names = tuple(source.names)
            self._batches = map(list, source.batches)
        elif _is_table_of_lists(source):
            pair: Any = source
            names, rows = pair
            self.names = tuple(names)
            transpose = partial(_transpose, len(self.names))
            self._batches = map(transpose, _slices(rows))
        else:
            listed: Any = source
            self._batches = _slices(listed)
        self._first: list[Any] = []

    def fill(self, name: str, make: Callable[[], Any]) -> None:
        """Give each row that leaves a column out a value of its own in it.

        ``make`` gives values as the column holds them. Not after rows were read.
        """
        if self.names is None:
            self._batches = (
                [
                    {name: make(), **one}
                    if isinstance(one, Mapping) and name not in one
                    else one
                    for one in rows
                ]
                for rows in self._batches
            )
        elif name not in self.names:
            self.names = (*self.names, name)
            self._batches = (
                [*columns, [make() for _ in columns[0]] if columns else []]
                for columns in self._batches
            )
            fit = self._fit
            self._fit = lambda column, values: (
                values if column.name == name else fit(column, values)
            )

    def infer(self, key: Sequence[str]) -> Schema:
        """Return the schema that fits a list of rows, or the first batch of others.

        All columns but the key are nullable, since more rows may follow. Unknown for no
        row at all. Arrow data says its types itself. Raises Invalid ``missing-column``
        for a key column that is not there, ``naive-timestamp``, and as ``Schema``.
        """
        if self._arrow is not None:
            return self._arrow.schema(key)
        inference = RowInference()
        self._first = [] if self._listed else list(islice(self._batches, 1))
        if self._listed:
            inference.add_rows(self._listed)
        for batch in self._first:
            if self.names is None:
                inference.add_rows(batch)
            else:
                inference.add_columns(self.names, batch)
        columns = [(one.name, one.type_name, True) for one in inference.result()]
        if not columns and not self._listed and not self._first:
            return Schema.unknown(key)
        for name in key:
            if name not in [column[0] for column in columns]:
                raise missing_column(name)
        return Schema.create(columns, key)

    def checked(
        self, schema: Schema, fill_gaps: FillGaps | None = None
    ) -> Iterator[tuple[int, Columns]]:
        """Yield (rows before, columns in schema order), checked and normalised.

        What rows leave out is given to ``fill_gaps``, else it takes its default. Raises
        Invalid ``unknown-column``, ``missing-column``, ``null-key``,
        ``schema-violation``, ``not-a-row`` or ``row-width``, or LimitExceeded.
        """
        if schema.is_unknown:
            return
        arrange = self._arrangement(schema, fill_gaps is not None)
        before = 0
        for batches in (self._first, self._batches):
            for batch in batches:
                columns = arrange(batch, before)
                size = len(columns[0])
                if size and fill_gaps is not None:
                    columns = fill_gaps(columns, before, self._fit)
                if size:
                    yield before, check_columns(schema, columns, before, self._fit)
                before += size

    def _arrangement(
        self, schema: Schema, with_gaps: bool
    ) -> Callable[[Any, int], Columns]:
        if self.names is None:
            return lambda rows, before: columns_of_rows(
                schema, rows, before, with_gaps=with_gaps
            )
        places = {name: place for place, name in enumerate(self.names)}
        _check_names(schema, self.names, with_gaps=with_gaps)

        def arrange(batch: Columns, before: int) -> Columns:
            size = len(batch[0])
            if set(map(len, batch)) != {size}:
                raise _ragged()
            return [
                batch[places[one.name]]
                if one.name in places
                else [ABSENT if with_gaps else one.fill] * size
                for one in schema.columns
            ]

        return arrange


def _transpose(width: int, rows: list[Sequence[Any]]) -> Columns:
    if kernel is not None:
        try:
            return kernel.columns_of(rows, width)
        except kernel.Unfit:
            pass
    try:
        fits = set(map(len, rows)) == {width}
    except TypeError:
        fits = False
    if not fits:
        raise _ragged()
    return list(zip(*rows, strict=True))


def _is_table_of_lists(source: Any) -> bool:
    """Tell (names, iterable of lists) from rows, which may stand in a tuple."""
    if not isinstance(source, tuple) or len(source) != 2:
        return False
    return not isinstance(source[0], Mapping)


def _slices(rows: Any) -> Iterator[list[Any]]:
    if not isinstance(rows, Iterable):
        is_lazy = hasattr(rows, "collect")
        raise Invalid(
            f"{type(rows).__name__} is no rows",
            code="not-a-row",
            hint="Give what its `collect()` returns."
            if is_lazy
            else "Give dictionaries, (names, rows of lists), or a DataFrame.",
        )
    iterator = iter(rows)
    return iter(lambda: list(islice(iterator, LOAD_ROWS)), [])


def _check_names(schema: Schema, names: Sequence[str], *, with_gaps: bool) -> None:
    for index, name in enumerate(names):
        schema.column(name)
        if name in names[:index]:
            raise Invalid(
                f"column {name!r} is given twice",
                code="duplicate-column",
                hint="Rename or remove one of the two.",
                column=name,
            )
    for column in schema.columns:
        may_lack = column.has_default or (with_gaps and column.name not in schema.key)
        if column.name not in names and not may_lack:
            raise missing_column(column.name)


def columns_of_rows(
    schema: Schema,
    rows: Sequence[Mapping[str, Any]],
    before: int | None,
    *,
    with_gaps: bool = False,
) -> Columns:
    """Return rows as columns in schema order; not checked.

    What a row leaves out has its default, or with ``with_gaps`` is ABSENT. ``before``
    is the number of rows before these; ``None`` where rows have no number.
    """
    names = schema.names
    try:
        columns: Columns = [[one[name] for one in rows] for name in names]
        if sum(map(len, rows)) == len(rows) * len(names):
            return columns
    except (KeyError, TypeError, IndexError):
        pass
    filled = _filled(schema, rows, before, with_gaps=with_gaps)
    return [[*column] for column in zip(*filled, strict=True)]


def _filled(
    schema: Schema,
    rows: Sequence[Mapping[str, Any]],
    before: int | None,
    *,
    with_gaps: bool,
) -> Iterator[list[Any]]:
    known = set(schema.names)
    for index, one in enumerate(rows):
        if not isinstance(one, Mapping):
            raise located(not_a_row(one), before, index)
        for name in one:
            if name not in known:
                raise located(unknown_column(name, schema), before, index)
        cells = []
        for column in schema.columns:
            if column.name in one:
                cells.append(one[column.name])
            elif with_gaps and column.name not in schema.key:
                cells.append(ABSENT)
            elif column.has_default:
                cells.append(column.fill)
            else:
                raise located(missing_column(column.name), before, index)
        yield cells


def _checked(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    return column_type(column.type).check_many(values)


def check_columns(
    schema: Schema, columns: Columns, before: int | None, fit: Fit = _checked
) -> Columns:
    """Return the columns with every value as its type holds it.

    Raises as :meth:`RowSource.checked`.
    """
    checked: Columns = [
        check_column(schema, column, values, before, fit)
        for column, values in zip(schema.columns, columns, strict=True)
    ]
    found = schema.row_checks.first_violation(checked) if schema.checks else None
    if found is not None:
        place, fault = found
        raise located(fault, before, place)
    return checked


def check_column(
    schema: Schema,
    column: Column,
    values: Sequence[Any],
    before: int | None,
    fit: Fit = _checked,
) -> Sequence[Any]:
    """Return one column with every value as its type holds it; as ``check_columns``."""
    if fit is _checked and column_type(column.type).are_plain(values):
        return values
    try:
        values = fit(column, values)
    except Error as error:
        _find_violation(column, values, before, (error, fit))
    if not column.nullable and None in values:
        raise located(_null_fault(schema, column), before, list(values).index(None))
    return values


def _find_violation(
    column: Column,
    values: Sequence[Any],
    before: int | None,
    refusal: tuple[Error, Fit],
) -> NoReturn:
    """Raise for the first value that does not fit, now that one is known to."""
    error, fit = refusal
    for index, value in enumerate(values):
        try:
            if value is not None:
                fit(column, [value])
        except Error as culprit:
            fault = violation(column, value, culprit)
            raise located(fault, before, index) from culprit
    raise error


def _null_fault(schema: Schema, column: Column) -> Error:
    if column.name in schema.key:
        return null_key(column)
    return Invalid(
        f"column {column.name!r} is null and not nullable",
        code="schema-violation",
        hint="Give a value, or make the column nullable.",
        column=column.name,
        value=None,
        expected=column.type,
    )


def encode_records(
    codec: RecordCodec, columns: Columns, writer: ChunkWriter, before: int | None
) -> tuple[list[bytes], list[bytes]]:
    """Return (keys, stored values) of checked columns; long cells go into ``writer``.

    Raises LimitExceeded ``key-too-long`` and what else a key or a json cell may do
    wrong, with row and column.
    """
    try:
        return codec.encode_keys(columns), codec.encode_rows(columns, writer)
    except Error as error:
        if not isinstance(error, (Invalid, LimitExceeded)):
            raise
        _find_misfit(codec, columns, before)
        raise


def _find_misfit(codec: RecordCodec, columns: Columns, before: int | None) -> None:
    """Raise for the first record that cannot be encoded, now that one is known to."""
    for index in range(len(columns[0])):
        single: Columns = [column[index : index + 1] for column in columns]
        try:
            codec.encode_keys(single)
        except (Invalid, LimitExceeded) as error:
            parts = tuple(one[0] for one in codec.key_parts(single))
            error.facts["key"] = parts if len(parts) > 1 else parts[0]
            raise located(error, before, index) from error
        try:
            codec.check_cells(single)
        except (Invalid, LimitExceeded) as error:
            place, *_ = error.facts["path"]
            column = codec.schema.cell_columns[place]
            value = single[codec.schema.names.index(column.name)][0]
            fault = violation(column, value, error)
            raise located(fault, before, index) from error


def located(error: Error, before: int | None, index: int) -> Error:
    """Return (not raise) the same error with the row that it is about, from 1."""
    if before is None:
        return error
    number = before + index + 1
    return type(error)(
        f"row {number}: {error.message}",
        code=error.code,
        hint=error.hint,
        **{**error.facts, "row": number},
    )


def _ragged() -> Invalid:
    return Invalid(
        "a row has not one cell for each of the named columns",
        code="row-width",
        hint="Give rows as lists of equal length, in the order of the names.",
    )
