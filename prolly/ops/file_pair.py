"""Two plain files read by key, so that they can be compared row by row.

Both have the columns first that they share, and key columns of one type: then equal
rows are mostly equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from prolly.errors import Invalid

from .keyed_rows import KeyedRows, NotNumbersError, TextRows, TypedRows
from .opened_file import require_key
from .table_source import TableSource

# What a string of JSON may be taken for.
_STRINGS = {"text", "date", "datetime", "uuid"}


def read_pair(
    old: TableSource | None,
    new: TableSource | None,
    key: tuple[str, ...],
    opened: ExitStack,
) -> list[KeyedRows | None]:
    """Return both files read by key; None for one that is not there.

    They are closed with ``opened``. Raises as ``compare_files``.
    """
    sources = [one for one in (old, new) if one is not None]
    _check(sources, key)
    shared = [
        name
        for name in (sources[-1].columns if sources else ())
        if all(name in one.columns for one in sources)
    ]
    numbers = set(key) if all(one.text_cells for one in sources) else set()
    while True:
        rows: list[KeyedRows | None] = []
        try:
            for source in (old, new):
                if source is None:
                    rows.append(None)
                    continue
                made = _rows(source, sources, (key, shared), numbers)
                opened.callback(made.close)
                made.fill()
                rows.append(made)
        except NotNumbersError as error:
            numbers = numbers - {error.name}
        else:
            return rows


def _check(sources: Sequence[TableSource], key: tuple[str, ...]) -> None:
    forms = {"csv" if one.text_cells else one.format_name for one in sources}
    forms = {"json" if one == "jsonl" else one for one in forms}
    if len(forms) > 1:
        raise Invalid(
            "files of several formats are not compared: "
            + ", ".join(one.format_name for one in sources),
            code="mixed-formats",
            hint="Convert one of them first, e.g. by an import and an export.",
        )
    for source in sources:
        require_key(source, key)


def _rows(
    source: TableSource,
    sources: Sequence[TableSource],
    columns: tuple[Sequence[str], Sequence[str]],
    numbers: set[str],
) -> KeyedRows:
    """Return the rows of a file, not read yet. ``columns``: of the key, and shared."""
    key, shared = columns
    names = [*shared, *[name for name in source.columns if name not in shared]]
    if source.text_cells:
        return TextRows(source, key, names, numbers)
    return TypedRows(source, key, names, _types(source, sources, key))


def _types(
    source: TableSource, sources: Sequence[TableSource], key: Sequence[str]
) -> dict[str, str]:
    """Return the types of columns; all files have the same for the key."""
    listed = [{one.name: one.type_name for one in each.infer()} for each in sources]
    types = dict(listed[sources.index(source)])
    for name in key:
        kinds = [each[name] for each in listed]
        if len(set(kinds)) > 1:
            # Dates in one file and other words in the other are text in both.
            types[name] = "text" if _STRINGS.issuperset(kinds) else "json"
        if types[name] == "json":
            raise _no_key_type(name, sources, kinds)
    if source.format_name in ("json", "jsonl"):
        return {name: kind if name in key else "json" for name, kind in types.items()}
    return types


def _no_key_type(
    name: str, sources: Sequence[TableSource], kinds: Sequence[str]
) -> Invalid:
    """Return the error for a key column that is of no type for a key in all files."""
    told = " and ".join(
        f"{'of several types' if kind == 'json' else kind} in {source.files[0].name}"
        for kind, source in zip(kinds, sources, strict=True)
    )
    return Invalid(
        f"the key column {name!r} is {told}",
        code="key-type",
        hint="A key is text or whole numbers in both files.",
        column=name,
    )
