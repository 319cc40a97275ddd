"""A value of somebody's own for a conflict, written into the working state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prolly.codec import Descriptor
from prolly.codec import key as key_codec
from prolly.errors import Invalid
from prolly.maps import ABSENT
from prolly.merge import StoredConflict
from prolly.tables import Schema

from .cells_now import Row, cells_now, columns_now, key_parts
from .conflict_view import ConflictView
from .workspace import Workspace
from .write_taken import require_entry


def write_value(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, value: Any
) -> None:
    """Write a value of the user's own for a record in conflict."""
    entry = require_entry(workspace, view, stored.dataset)
    if entry.kind == "map":
        mapping = workspace.map(entry.name)
        key = mapping.decode_keys([stored.key])[0]
        if value is not ABSENT:
            mapping[key] = value
        elif key in mapping:
            del mapping[key]
    elif entry.kind == "table":
        table = workspace.table(entry.name)
        wanted = value is not ABSENT
        spelt = view.key_under(stored, table.schema, wanted=wanted)
        key = None if spelt is None else table.decode_keys([spelt])[0]
        if not wanted:
            if spelt is not None and key in table:
                table.delete(key)
            return
        if not isinstance(value, Mapping):
            raise Invalid(
                f"{type(value).__name__} is no row of {entry.name!r}",
                code="value-type",
                hint="Give a row, column by column; what is left out stays.",
                dataset=entry.name,
            )
        parts = dict(zip(table.schema.key, key_parts(key, table.schema), strict=True))
        known = table.get(key)
        if known is None:
            known = _row_of_sides(view, stored, table.schema)
        table[key] = {**known, **parts, **value}
    elif entry.kind == "files":
        _write_file(workspace, entry, key_codec.decode_key(stored.key), value)
    elif value is ABSENT:
        workspace.drop(entry.name)
    else:
        with workspace.blob(entry.name, "wb") as blob:
            blob.write(_content(entry, value))


def _row_of_sides(view: ConflictView, stored: StoredConflict, schema: Schema) -> Row:
    """Return a record that does not stand as theirs has it, or else ours or the base.

    Empty where no side has it.
    """
    for side in ("theirs", "ours", "base"):
        there, row = view.schema(side, stored.dataset), view.value(side, stored)
        if there is not None and row is not ABSENT:
            return cells_now(columns_now(there, schema), row)
    return {}


def _write_file(workspace: Workspace, entry: Descriptor, path: str, value: Any) -> None:
    files = workspace.files(entry.name)
    if value is not ABSENT:
        files.write(path, _content(entry, value))
    elif path in files:
        del files[path]


def _content(entry: Descriptor, value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Invalid(
            f"{entry.name!r} holds bytes, and {type(value).__name__} is no content",
            code="value-type",
            hint="Give bytes, or write what is to stand and settle it as it stands "
            "(`prolly resolve --keep`).",
            dataset=entry.name,
        )
    return bytes(value)
