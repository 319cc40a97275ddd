"""Import plain files into a table of a workspace.

The first import decides the schema: inferred, all text, or one that is given. Later
ones use the stored schema again, so a column never changes its type by accident. With
``widen`` a column that does not fit becomes the narrowest type that holds both what is
stored and what comes in, and the stored rows are rewritten.

The table that comes out is a function of the records alone: the order of the rows of
the input, of its files and of its columns does not matter. Only where the input leaves
out a key that the table makes itself does every row get a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prolly.errors import AlreadyExists, Invalid, LimitExceeded
from prolly.repo import Workspace
from prolly.tables import (
    Column,
    ColumnBatches,
    InferredColumn,
    LoadMode,
    MutableTable,
    Schema,
    automatic_column,
)

from .byte_source import Place
from .csv_source import delimiter_hint
from .import_faults import Found, located, null_key
from .plain_files import open_table
from .table_source import Batch, TableSource, iter_typed
from .widening import widened_schema

Types = Literal["infer", "text"] | Schema
Report = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import read, and the schema that the table has now.

    ``widened`` names the columns whose type or nullability had to change.
    """

    rows: int
    schema: Schema
    widened: tuple[str, ...] = ()


def import_table(
    workspace: Workspace,
    dataset: str,
    source: TableSource | Place | Sequence[Place],
    *,
    key: str | Sequence[str] = (),
    types: Types = "infer",
    mode: LoadMode = "replace",
    widen: bool = False,
    progress: Report | None = None,
) -> ImportResult:
    """Load files into a table, made on first use; the caller stores the workspace.

    ``mode``: ``replace`` (afterwards the table equals the input), ``update`` (upsert),
    ``append`` (AlreadyExists ``key-exists`` for a key that is there). ``progress`` is
    called with bytes read and bytes in all.

    Raises Invalid, with ``source`` and ``line`` where there is one: ``missing-key``
    (first import), ``columns-differ``, ``schema-mismatch``, ``schema-violation``,
    ``null-key``, ``duplicate-key`` (``lines``), and what reading raises; LimitExceeded
    ``key-too-long``. The workspace may be half changed then: discard it.
    """
    if not isinstance(source, TableSource):
        with open_table(source) as opened:
            return import_table(
                workspace,
                dataset,
                opened,
                key=key,
                types=types,
                mode=mode,
                widen=widen,
                progress=progress,
            )
    names = (key,) if isinstance(key, str) else tuple(key)
    if workspace.find(dataset) is None:
        names = names or (source.key if types == "infer" else ())
        schema = _first_schema(source, names, types)
        table = workspace.table(dataset, schema=schema)
        return ImportResult(_load(table, source, "append", progress), schema)
    table = workspace.table(dataset, names or None)
    if table.schema.is_unknown:
        schema = _first_schema(source, table.schema.key, types)
        table.alter().become(schema)
        return ImportResult(_load(table, source, "append", progress), schema)
    _check_types(dataset, table.schema, types)
    widened: tuple[str, ...] = ()
    if widen:
        schema, widened = widened_schema(table, source)
        if widened:
            if mode == "replace":
                table.clear()
            # What a column held comes back as it was written: see `widened_schema`.
            alteration = table.alter(force=True)
            alteration.become(schema, empty_text=source.text_cells)
    _check_columns(source, table.schema)
    return ImportResult(_load(table, source, mode, progress), table.schema, widened)


def _first_schema(source: TableSource, key: tuple[str, ...], types: Types) -> Schema:
    if isinstance(types, Schema):
        if key and key != types.key:
            raise _mismatch(f"the schema's key is {', '.join(types.key)}")
        _check_columns(source, types)
        return types
    if not key:
        raise Invalid(
            "the table is new, and no key is named",
            code="missing-key",
            hint=_delimiter_hint(source)
            or (
                f"Name the key column, e.g. --key {source.columns[0]}."
                if source.columns
                else "Name the key column: --key COLUMN."
            ),
            columns=list(source.columns),
        )
    for name in key:
        if name not in source.columns:
            raise Invalid(
                f"{source.files[0].name} has no column {name!r} to be the key",
                code="missing-key",
                hint=_delimiter_hint(source)
                or f"Its columns are {', '.join(source.columns)}.",
                column=name,
            )
    if types == "text":
        return Schema.create([(name, "text") for name in source.columns], key)
    return source.first_schema(key)


def _delimiter_hint(source: TableSource) -> str:
    return delimiter_hint(source.columns) if source.text_cells else ""


def _check_types(dataset: str, stored: Schema, types: Types) -> None:
    """Refuse types that are not those of the table: they would be ignored."""
    if types == "infer":
        return
    given = dict.fromkeys(stored.names, "text")
    if isinstance(types, Schema):
        given = {column.name: column.type for column in types.columns}
    if given != {column.name: column.type for column in stored.columns}:
        raise _mismatch(f"table {dataset!r} has a schema with other types already")


def _mismatch(problem: str) -> Invalid:
    return Invalid(
        problem,
        code="schema-mismatch",
        hint="Leave key and types out: the stored schema is used again.",
    )


def _check_columns(source: TableSource, schema: Schema) -> None:
    """Raise Invalid ``columns-differ`` unless the source has the table's columns.

    In JSON, which has no header, a column that may be null may be left out; a key that
    the table makes itself, in any format.
    """
    given = source.columns
    due = _columns_due(source, schema)
    more = [name for name in given if name not in schema.names]
    missing = [
        column.name
        for column in due
        if column.name not in given
        and (source.has_header or not column.has_default or column.name in schema.key)
    ]
    if not more and not missing:
        return
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"new: {', '.join(more)}"] if more else []
    raise Invalid(
        f"{source.files[0].name}: its columns are not the table's ({'; '.join(parts)})",
        code="columns-differ",
        hint=_delimiter_hint(source)
        or ("Correct the header." if missing else "`--widen` adds new columns."),
        source=source.files[0].name,
        missing=missing,
        new=more,
    )


def _columns_due(source: TableSource, schema: Schema) -> list[Column]:
    """Return the table's columns, without a key that it is to make itself.

    That is one that no row of the input has, beside columns that some have.
    """
    made = automatic_column(schema)
    due = [one for one in schema.columns if one.name != made]
    return due if due and made not in source.columns else list(schema.columns)


def _load(
    table: MutableTable, source: TableSource, mode: LoadMode, progress: Report | None
) -> int:
    schema = table.schema
    columns = [
        InferredColumn(one.name, one.type, one.nullable or one.name in schema.key)
        for one in _columns_due(source, schema)
    ]
    names = [one.name for one in columns]
    key = [name for name in schema.key if name in names]
    batches = _batches(source, columns, key, progress)
    try:
        return table.load(ColumnBatches(names, batches), mode=mode)
    except (Invalid, AlreadyExists, LimitExceeded) as error:
        raise located(error, source, schema) from error


def _batches(
    source: TableSource,
    columns: Sequence[InferredColumn],
    key: Sequence[str],
    progress: Report | None,
) -> Iterator[list[Sequence[Any]]]:
    """Yield typed batches as columns; an empty cell in a CSV key is no key."""
    names = [one.name for one in columns]
    places = [names.index(name) for name in key] if source.text_cells else []
    for batch in iter_typed(source, columns):
        typed: list[Sequence[Any]] = list(zip(*batch.rows, strict=True))
        if places and all("" in typed[place] for place in places):
            _refuse_empty_keys(batch, places, key)
        yield typed
        if progress is not None:
            progress(source.position, source.size)


def _refuse_empty_keys(batch: Batch, places: list[int], key: Sequence[str]) -> None:
    for line, row in zip(batch.lines, batch.rows, strict=True):
        if not any(row[place] for place in places):
            raise null_key(Found(batch.source, line, ()), key[0])
