"""Import plain files into a map of a workspace: the reverse of its export.

A file has the columns ``key`` and ``value``. Both are JSON, in CSV as text: a key is an
array of its parts, and what JSON lacks has an escape (``{"$bytes": ...}``), so what was
exported comes back as the same map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prolly.codec import json_form
from prolly.codec import key as key_codec
from prolly.errors import AlreadyExists, Error, Invalid
from prolly.maps import MutableOrderedMap
from prolly.repo import Workspace
from prolly.tables import InferredColumn, LoadMode
from prolly.tree import EditBuffer

from .byte_source import Place
from .plain_files import open_table
from .table_source import Batch, TableSource, iter_typed

Report = Callable[[int, int], object]

_COLUMNS = [InferredColumn(name, "json", True) for name in ("key", "value")]


def import_map(
    workspace: Workspace,
    dataset: str,
    source: TableSource | Place,
    *,
    mode: LoadMode = "replace",
    progress: Report | None = None,
) -> int:
    """Load files into a map, made on first use; return how many records were read.

    ``mode`` and ``progress`` as of ``import_table``. Raises Invalid ``wrong-kind``,
    ``columns-differ``, ``duplicate-key`` (``lines``), ``json-form`` and what a key or
    a value is refused for, with ``source`` and ``line``; AlreadyExists ``key-exists``;
    and what reading raises. The workspace may be half changed then: discard it.
    """
    if not isinstance(source, TableSource):
        with open_table(source) as opened:
            return import_map(workspace, dataset, opened, mode=mode, progress=progress)
    records = workspace.map(dataset)
    _check_columns(source)
    if mode == "append":
        _refuse_present(records, source)
    _refuse_repeated(source)
    if mode == "replace":
        records.clear()
    read = 0
    for batch in iter_typed(source, _COLUMNS):
        keys = [key for key, _ in _encoded(batch, source)]
        pairs = list(zip(keys, [value for _, value in batch.rows], strict=True))
        try:
            records.update(pairs)
        except Error:
            _blame(records, batch, pairs, source)
        read += len(pairs)
        if progress is not None:
            progress(source.position, source.size)
    return read


def _check_columns(source: TableSource) -> None:
    given = set(source.columns)
    if given and given != {"key", "value"}:
        raise Invalid(
            f"{source.files[0].name}: a map has the columns key and value, not "
            f"{', '.join(source.columns)}",
            code="columns-differ",
            hint="Import a table under another name, or correct the header.",
            source=source.files[0].name,
            missing=sorted({"key", "value"} - given),
            new=sorted(given - {"key", "value"}),
        )


def _encoded(batch: Batch, source: TableSource) -> Iterator[tuple[Any, bytes]]:
    """Yield the keys of a batch, as a user gives them and as bytes."""
    for line, (cell, _) in zip(batch.lines, batch.rows, strict=True):
        try:
            key = json_form.key_from_json(cell)
            yield key, key_codec.encode_key(key)
        except Error as error:
            raise _placed(error, batch, line, source) from error


def _refuse_present(records: MutableOrderedMap, source: TableSource) -> None:
    for batch in iter_typed(source, _COLUMNS):
        for line, (key, _) in zip(batch.lines, _encoded(batch, source), strict=True):
            if key in records:
                raise _placed(
                    AlreadyExists(
                        f"there is a record under the key {key!r} already",
                        code="key-exists",
                        hint="Use --update to replace it.",
                        key=key,
                    ),
                    batch,
                    line,
                    source,
                )


def _refuse_repeated(source: TableSource) -> None:
    """Raise Invalid ``duplicate-key`` for a key that stands on several lines."""
    # A buffer of keys alone finds them in bounded memory, whatever their number.
    buffer = EditBuffer(unique=True)
    try:
        for batch in iter_typed(source, _COLUMNS):
            keys = [encoded for _, encoded in _encoded(batch, source)]
            buffer.put_many(keys, [b""] * len(keys))
        for _ in buffer.batches():
            pass
    except Invalid as error:
        if error.code != "duplicate-key" or "encoded_key" not in error.facts:
            raise
        raise _repeated(error.facts["encoded_key"], source) from error
    finally:
        buffer.close()


def _repeated(wanted: bytes, source: TableSource) -> Invalid:
    places = [
        (batch.source, line)
        for batch in iter_typed(source, _COLUMNS)
        for line, (_, one) in zip(batch.lines, _encoded(batch, source), strict=True)
        if one == wanted
    ]
    word = source.place_word
    shown = json_form.key_to_json(key_codec.decode_key(wanted))
    where = " and ".join(f"{name} {word} {line}" for name, line in places)
    return Invalid(
        f"the key {shown!r} stands twice: {where}",
        code="duplicate-key",
        hint="Remove all but one of these records.",
        key=shown,
        source=places[0][0],
        lines=[line for _, line in places],
    )


def _blame(
    records: MutableOrderedMap,
    batch: Batch,
    pairs: list[tuple[Any, Any]],
    source: TableSource,
) -> None:
    """Raise for the first record that a map refuses, now that one is known to."""
    for line, pair in zip(batch.lines, pairs, strict=True):
        try:
            records.update([pair])
        except Error as error:
            raise _placed(error, batch, line, source) from error


def _placed(error: Error, batch: Batch, line: int, source: TableSource) -> Error:
    """Return the same error, with its place in the input in front."""
    return type(error)(
        f"{batch.source} {source.place_word} {line}: {error.message}",
        code=error.code,
        hint=error.hint,
        **{**error.facts, "source": batch.source, "line": line},
    )
