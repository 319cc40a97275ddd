"""Which columns a side wrote cells of since the base."""

from __future__ import annotations

from collections.abc import Iterable

from prolly.tables import RecordCodec, Trees
from prolly.tree import Difference, NodeReader, diff, get

from .base_rows import Records
from .key_spelling import KeySpelling
from .value_order import same


def touched_columns(
    trees: Trees, base: Records | None, side: Records, ids: frozenset[int]
) -> frozenset[int]:
    """Return those of the columns in which a side wrote a cell since the base.

    A new row writes what is not the column's default; a deleted one writes nothing.
    """
    reader = trees.reader
    if side.schema.is_unknown or (base is not None and base.schema.is_unknown):
        return frozenset()
    codecs = RecordCodec(side.schema), RecordCodec(base.schema) if base else None
    columns = {one.id: one for one in side.schema.columns if one.id in ids}
    names = {one.id: one.name for one in base.schema.columns} if base else {}
    found: set[int] = set()
    for key, old, new in _changes(trees.reader, base, side):
        if new is None:
            continue
        row = codecs[0].decode_row(key, new, reader.get_chunk)
        stood = {}
        if old is not None and codecs[1] is not None:
            stood = codecs[1].decode_row(key, old, reader.get_chunk)
        for number in [one for one in columns if one not in found]:
            cell, fill = row[columns[number].name], columns[number].fill
            was = stood.get(names.get(number, ""), fill)
            if not same(cell, was) and (stood or cell is not None):
                found.add(number)
        if len(found) == len(columns):
            break
    return frozenset(found)


def _changes(
    reader: NodeReader, base: Records | None, side: Records
) -> Iterable[Difference]:
    """Yield what differs, record by record, however the two versions spell keys."""
    if base is None:
        return diff(reader, None, side.root)
    spelling = KeySpelling(base.schema, side.schema)
    if not spelling.changes and base.schema.reads_alike(side.schema):
        return diff(reader, base.root, side.root)
    root = base.root

    def before(key: bytes) -> bytes | None:
        was = spelling.back(key)
        return None if was is None else get(reader, root, was)

    # Of another key, all of them are new; of other places for cells, any may differ.
    return (
        (key, before(key), new)
        for key, _, new in diff(reader, None, side.root)
        if new is not None
    )
