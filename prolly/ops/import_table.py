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
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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
from .import_faults import located
from .plain_files import open_table
from .table_source import TableSource
from .typed_columns import ALL_TEXT, iter_columns
from .widening import widened_schema

if TYPE_CHECKING:
    from concurrent.futures import Executor

Types = Literal["infer", "text"] | Schema
Missing = Literal["keep", "default", "error"]
Report = Callable[[int, int], object]


class _How(NamedTuple):
    """How rows are taken into a table; fields as of ``import_table``."""

    mode: LoadMode
    types: Types
    widen: bool
    missing: Missing | None
    empty_as_null: tuple[str, ...]
    progress: Report | None

    @property
    def keeps(self) -> bool:
        """Tell whether cells of columns that the input lacks are kept."""
        by_mode = self.missing is None and self.mode == "update"
        return self.missing == "keep" or by_mode


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
    missing: Missing | None = None,
    empty_as_null: Sequence[str] = (),
    progress: Report | None = None,
    jobs: int | Executor = 1,
) -> ImportResult:
    """Load files into a table, made on first use; the caller stores the workspace.

    ``mode``: ``replace`` (afterwards the table equals the input), ``update`` (insert
    and overwrite), ``append`` (AlreadyExists ``key-exists`` for a key that is there).
    ``missing`` says what becomes of columns of the table that the input lacks: rows
    that are there ``keep`` their cells (the default of ``update``), all take their
    ``default``, or that is an ``error`` (the default of the other modes; without a
    header, only for columns that have no default). New rows take defaults always.
    ``empty_as_null`` names columns of text, or ``*`` for all, whose empty cells in CSV
    are null. ``progress`` is called with bytes read and bytes in all. ``jobs``: so many
    processes, or those of an executor, read a CSV file of some size and encode its
    rows; the table is the same, and so are the errors.

    Raises Invalid, with ``source`` and ``line`` where there is one: ``missing-key``
    (first import), ``columns-differ``, ``schema-mismatch``, ``schema-violation``,
    ``null-key``, ``duplicate-key`` (``lines``), ``missing-column`` for a new row, and
    what reading raises; LimitExceeded ``key-too-long``; StorageFailed ``worker-lost``;
    Invalid ``jobs``. The workspace may be half changed then: discard it. What storing
    it raises, ``located`` can place.
    """
    how = _How(mode, types, widen, missing, tuple(empty_as_null), progress)
    names = (key,) if isinstance(key, str) else tuple(key)
    if not isinstance(source, TableSource):
        with open_table(source) as opened, opened.sharing(jobs):
            return _import(workspace, dataset, opened, names, how)
    with source.sharing(jobs):
        return _import(workspace, dataset, source, names, how)


def _import(
    workspace: Workspace,
    dataset: str,
    source: TableSource,
    names: tuple[str, ...],
    how: _How,
) -> ImportResult:
    types, missing = how.types, how.missing
    if workspace.find(dataset) is None:
        names = names or (source.key if types == "infer" else ())
        schema = _first_schema(source, names, types, missing)
        table = workspace.table(dataset, schema=schema)
        return ImportResult(_load(table, source, how._replace(mode="append")), schema)
    table = workspace.table(dataset, names or None)
    if table.schema.is_unknown:
        schema = _first_schema(source, table.schema.key, types, missing)
        table.alter().become(schema)
        return ImportResult(_load(table, source, how._replace(mode="append")), schema)
    _check_types(dataset, table.schema, types)
    widened: tuple[str, ...] = ()
    if how.widen:
        schema, widened = widened_schema(table, source)
        if widened:
            if how.mode == "replace" and not how.keeps:
                table.clear()
            # What a column held comes back as it was written: see `widened_schema`.
            alteration = table.alter(force=True)
            empty_text = source.text_cells and ALL_TEXT not in how.empty_as_null
            alteration.become(schema, empty_text=empty_text)
    _check_columns(source, table.schema, missing, keeps=how.keeps)
    return ImportResult(_load(table, source, how), table.schema, widened)


def _first_schema(
    source: TableSource, key: tuple[str, ...], types: Types, missing: Missing | None
) -> Schema:
    if isinstance(types, Schema):
        if key and key != types.key:
            raise _mismatch(f"the schema's key is {', '.join(types.key)}")
        # There is nothing yet to be kept.
        _check_columns(source, types, "default" if missing == "keep" else missing)
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


def _check_columns(
    source: TableSource,
    schema: Schema,
    missing: Missing | None = None,
    *,
    keeps: bool = False,
) -> None:
    """Raise Invalid ``columns-differ`` unless the source has the table's columns.

    In JSON, which has no header, a column that may be null may be left out, unless
    ``missing`` is an error; a key that the table makes itself, in any format. Where
    cells are kept only the key is needed, and defaults need a default.
    """
    given = source.columns
    more = [name for name in given if name not in schema.names]
    by_default = missing == "default" or (missing is None and not source.has_header)
    lacking = [one for one in _columns_due(source, schema) if one.name not in given]
    absent = [
        one.name
        for one in lacking
        if one.name in schema.key or not (keeps or (by_default and one.has_default))
    ]
    if not more and not absent:
        return
    parts = [f"missing: {', '.join(absent)}"] if absent else []
    parts += [f"new: {', '.join(more)}"] if more else []
    hint = "`--widen` adds new columns."
    if absent:
        hint = _missing_hint([schema.column(name) for name in absent], schema)
    raise Invalid(
        f"{source.files[0].name}: its columns are not the table's ({'; '.join(parts)})",
        code="columns-differ",
        hint=_delimiter_hint(source) or hint,
        source=source.files[0].name,
        missing=absent,
        new=more,
    )


def _missing_hint(absent: Sequence[Column], schema: Schema) -> str:
    """Return the advice for columns that an input lacks."""
    if any(one.name in schema.key for one in absent):
        return "Correct the header: every row needs its whole key."
    if all(one.has_default for one in absent):
        return (
            "Correct the header, or say what becomes of the missing columns: "
            "`--missing keep` or `--missing default`."
        )
    return "Correct the header, or keep the cells that are there: `--missing keep`."


def _columns_due(source: TableSource, schema: Schema) -> list[Column]:
    """Return the table's columns, without a key that it is to make itself.

    That is one that no row of the input has, beside columns that some have.
    """
    made = automatic_column(schema)
    due = [one for one in schema.columns if one.name != made]
    return due if due and made not in source.columns else list(schema.columns)


def _load(table: MutableTable, source: TableSource, how: _How) -> int:
    schema = table.schema
    columns = [
        InferredColumn(one.name, one.type, one.nullable or one.name in schema.key)
        for one in _columns_due(source, schema)
        if one.name in source.columns
    ]
    try:
        if source.workers is not None and _is_apart(source, schema, how):
            from .csv_apart import load_apart

            options = how.mode, how.empty_as_null
            read = load_apart(table, source, columns, *options, progress=how.progress)
            if read is not None:
                return read
        names = [one.name for one in columns]
        batches = _batches(source, columns, schema, how)
        return table.load(
            ColumnBatches(names, batches, gaps=not source.has_header),
            mode=how.mode,
            missing="keep" if how.keeps else "default",
        )
    except (Invalid, AlreadyExists, LimitExceeded) as error:
        raise located(error, source, schema) from error


def _is_apart(source: TableSource, schema: Schema, how: _How) -> bool:
    """Tell whether what a row becomes depends on nothing but the row."""
    made = automatic_column(schema)
    if made is not None and made not in source.columns:
        return False
    return not how.keeps or set(schema.names) <= set(source.columns)


def _batches(
    source: TableSource,
    columns: Sequence[InferredColumn],
    schema: Schema,
    how: _How,
) -> Iterator[list[Sequence[Any]]]:
    """Yield typed batches as columns, and tell of the progress."""
    for typed in iter_columns(source, columns, schema.key, how.empty_as_null):
        yield typed
        if how.progress is not None:
            how.progress(source.position, source.size)
