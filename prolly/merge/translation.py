"""The records of a table under another schema, and only rewritten where they must be.

The trees of base, ours and theirs are brought under the merged schema, and under one
set of tree parameters, before their records are compared. Then equal cells are equal
bytes.

What does not become a value of the merged column (a text as a number, a null where none
is allowed any more, a number that would lose digits) is a *misfit*:

    the side did not change the cell   it becomes what the base's became, or null: what
                                       the other side has stands
    the side changed it                the cell stands as the base has it, and a misfit
                                       is told: the caller makes it a conflict
    the row is new, and null not       the row is left out, and a misfit of the whole
    allowed                            row is told; so with a key that does not fit, or
                                       that another row has after the change

A column that a side dropped and that stays (``column_merge``) reads in that side's rows
as the base has it. Memory is bounded: rows are streamed, and sorted outside where keys
change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from prolly.codec import TreeParameters, cbor
from prolly.codec import key as key_codec
from prolly.errors import Error
from prolly.tables import Column, RecordCodec, Schema, Trees, converted, first_lossy
from prolly.tree import (
    Batch,
    EditBuffer,
    WorkingTree,
    build,
    diff,
    get,
    iter_batches,
)

# Records decoded in one go, as columns.
BATCH_RECORDS = 2048

Cells = list[Any]


class Records(NamedTuple):
    """The records of one version of a table: schema, root, how the tree is cut."""

    schema: Schema
    root: bytes
    parameters: TreeParameters


class Misfit(NamedTuple):
    """A cell that a side wrote and the merged column cannot hold; no field: the row.

    ``key`` is as the side spells it.
    """

    key: bytes
    fields: tuple[int, ...]
    reason: str


Report = Callable[[Misfit], None]


@dataclass
class _Batch:
    """Records of a batch: keys, columns of the merged schema, and who is left out."""

    keys: list[bytes]
    columns: list[Cells]
    gone: set[int] = field(default_factory=set)


class Translation:
    """The way of one table's versions under one schema and one set of parameters.

    ``trees.parameters`` are those of the result.
    """

    def __init__(self, trees: Trees, base: Records | None, target: Schema) -> None:
        self._trees = trees
        self._base = base
        self._target = target
        self._codec = RecordCodec(target)

    def base(self) -> bytes | None:
        """Return the base's records under the merged schema; None without a base."""
        if self._base is None:
            return None
        way = _Way(self, self._base, None)
        return self._rewritten(way) if way.rewrites else self._base.root

    def side(self, version: Records, report: Report) -> bytes:
        """Return a side's records under the merged schema; misfits are reported."""
        if version.schema.is_unknown or self._target.is_unknown:
            return build(self._trees.writer, [], self._trees.parameters)
        way = _Way(self, version, report)
        if way.rewrites:
            return self._rewritten(way)
        return self._mended(way) if way.narrows else version.root

    def _rewritten(self, way: _Way) -> bytes:
        """Rewrite all records."""
        reader, writer, parameters = self._trees
        batches = _gathered(iter_batches(reader, way.version.root))
        turned = map(way.turned, batches)
        if not way.changes_keys:
            return build(writer, turned, parameters)
        buffer = EditBuffer()
        way.taken = lambda key: buffer.find(key)[0]
        try:
            for keys, values in turned:
                buffer.put_many(keys, values)
            sorted_records = (
                (keys, [one for one in values if one is not None])
                for keys, values in buffer.batches()
            )
            return build(writer, sorted_records, parameters)
        finally:
            buffer.close()

    def _mended(self, way: _Way) -> bytes:
        """Mend the misfits among the records that a side changed; no other has any."""
        reader, writer, parameters = self._trees
        base = None if self._base is None else self._base.root
        differences = diff(reader, base, way.version.root)
        new = ((key, one) for key, _, one in differences if one is not None)
        edits = EditBuffer()
        tree = WorkingTree(reader, way.version.root, parameters, edits)
        try:
            while batch := list(islice(new, BATCH_RECORDS)):
                keys, values = map(list, zip(*batch, strict=True))
                turned = dict(zip(*way.turned((keys, values)), strict=True))
                for key, stored in batch:
                    if turned.get(key) != stored:
                        edits.put(key, turned.get(key))
            return tree.write(writer)
        finally:
            tree.close()

    def base_row(self, key: bytes) -> dict[int, Any] | None:
        """Return the cells of a record of the base by column id, under its schema."""
        if self._base is None:
            return None
        schema, root, _ = self._base
        reader = self._trees.reader
        stored = get(reader, root, key)
        if stored is None:
            return None
        row = RecordCodec(schema).decode_row(key, stored, reader.get_chunk)
        return {one.id: row[one.name] for one in schema.columns}

    @property
    def context(self) -> tuple[Trees, Schema, RecordCodec, Schema | None]:
        """What a way needs: trees, the schema to reach and its codec, the base's."""
        base = None if self._base is None else self._base.schema
        return self._trees, self._target, self._codec, base


class _Way:
    """One version's records, batch by batch, under the merged schema.

    Without ``report`` it is the base, whose misfits are nobody's.
    """

    def __init__(
        self, translation: Translation, version: Records, report: Report | None
    ) -> None:
        self.version = version
        self._translation = translation
        self._trees, self._target, self._codec, base = translation.context
        self._source = RecordCodec(version.schema)
        self._report = report
        self._before = {one.id: one for one in version.schema.columns}
        self._places = {one.id: at for at, one in enumerate(version.schema.columns)}
        self._in_base = {one.id: one for one in base.columns} if base else {}
        self._key = {one.id for one in self._target.key_columns}
        self._restored = {
            one.id
            for one in self._target.columns
            if one.id not in self._before and one.id in self._in_base
        }
        kinds = [(one.id, one.type) for one in version.schema.key_columns]
        wanted = [(one.id, one.type) for one in self._target.key_columns]
        self.changes_keys = kinds != wanted
        self.taken: Callable[[bytes], bool] = lambda key: False

    @property
    def rewrites(self) -> bool:
        """Tell whether stored records change, or only the way they are cut."""
        stood = _layout(self.version.schema)
        return (
            self.changes_keys
            or bool(self._restored)
            or _layout(self._target)[: len(stood)] != stood
            or self.version.parameters != self._trees.parameters
        )

    @property
    def narrows(self) -> bool:
        """Tell whether a column allows no null any more."""
        return any(
            not one.nullable
            and one.id in self._before
            and self._before[one.id].nullable
            for one in self._target.columns
        )

    def turned(self, batch: Batch) -> Batch:
        """Return a batch of records under the merged schema."""
        keys, values = batch
        if not keys:
            return batch
        read = self._trees.reader.get_chunk
        columns = self._source.decode_columns(keys, values, read)
        made = _Batch(keys, [])
        rows = {} if not self._restored else dict(enumerate(map(self._base_row, keys)))
        for column in self._target.columns:
            if column.id in self._before:
                cells = columns[self._places[column.id]]
                made.columns.append(self._converted(made, column, cells))
            elif column.id in self._restored:
                made.columns.append(
                    [self._restore(column, row) for row in rows.values()]
                )
            else:
                made.columns.append(self._added(made, column))
        return self._encoded(made)

    def _base_row(self, key: bytes) -> dict[int, Any] | None:
        return self._translation.base_row(key)

    def _restore(self, column: Column, row: dict[int, Any] | None) -> Any:
        if row is None:
            return column.fill
        return best(self._in_base[column.id], column, row[column.id])

    def _added(self, made: _Batch, column: Column) -> Cells:
        """Return the cells of a new column: its fill."""
        return [column.fill] * len(made.keys)

    def _converted(self, made: _Batch, column: Column, cells: Sequence[Any]) -> Cells:
        before = self._before[column.id]
        narrows = not column.nullable and before.nullable
        try:
            now = list(converted(before, column, cells))
            is_held = not (narrows and None in now)
            if is_held and first_lossy(before, column, cells, now) is None:
                return now
        except Error:
            # Some cell is a misfit: each is looked at alone.
            pass
        return [
            self._cell(made, (place, column), cell) for place, cell in enumerate(cells)
        ]

    def _cell(self, made: _Batch, at: tuple[int, Column], cell: Any) -> Any:
        """Return one cell of a column that holds a misfit somewhere."""
        place, column = at
        before = self._before[column.id]
        fault, now = _tried(before, column, cell)
        if not fault:
            return now
        if column.id in self._key:
            self._leave_out(made, place, f"column {column.name}: {fault}")
            return cell
        if self._report is None:
            return best(before, column, cell)
        row = self._base_row(made.keys[place])
        known = self._in_base.get(column.id)
        if row is not None and known is not None:
            stood = row[column.id]
            if known.type == before.type and _same(stood, cell):
                return best(before, column, cell)
            self._tell(made, place, column, fault)
            return best(known, column, stood)
        if column.has_default:
            self._tell(made, place, column, fault)
            return column.fill
        self._leave_out(made, place, f"column {column.name}: {fault}")
        return None

    def _tell(self, made: _Batch, place: int, column: Column, fault: str) -> None:
        if self._report is not None and place not in made.gone:
            reason = f"column {column.name}: {fault}"
            self._report(Misfit(made.keys[place], (column.id,), reason))

    def _leave_out(self, made: _Batch, place: int, reason: str) -> None:
        if place not in made.gone:
            made.gone.add(place)
            self._drop_row(made.keys[place], reason)

    def _is_of_base(self, key: bytes) -> bool:
        """Tell whether the base has this record, and a side left it as it was."""
        row = self._base_row(key)
        if row is None:
            return False
        stored = get(self._trees.reader, self.version.root, key)
        assert stored is not None
        read = self._trees.reader.get_chunk
        mine = self._source.decode_row(key, stored, read)
        names = {one.id: one.name for one in self.version.schema.columns}
        return all(
            number not in names or _same(cell, mine[names[number]])
            for number, cell in row.items()
        )

    def _encoded(self, made: _Batch) -> Batch:
        keys, columns = made.keys, made.columns
        if made.gone:
            stay = [place for place in range(len(keys)) if place not in made.gone]
            keys = [keys[place] for place in stay]
            columns = [[column[place] for place in stay] for column in columns]
            if not keys:
                return [], []
        values = self._codec.encode_rows(columns, self._trees.writer)
        if not self.changes_keys:
            return keys, values
        return self._rekeyed(keys, columns, values)

    def _rekeyed(
        self, keys: list[bytes], columns: list[Cells], values: list[bytes]
    ) -> Batch:
        """Return records under new keys; of two that get one key the first stays."""
        parts = list(zip(*self._codec.key_parts(columns), strict=True))
        made: Batch = [], []
        here: set[bytes] = set()
        for key, row, value in zip(keys, parts, values, strict=True):
            try:
                new = key_codec.encode(row)
            except Error as error:
                self._drop_row(key, str(error))
                continue
            if new in here or self.taken(new):
                self._drop_row(key, "another row has its key after the change of type")
                continue
            here.add(new)
            made[0].append(new)
            made[1].append(value)
        return made

    def _drop_row(self, key: bytes, reason: str) -> None:
        if self._report is not None and not self._is_of_base(key):
            self._report(Misfit(key, (), reason))


def _layout(schema: Schema) -> list[tuple[Any, ...]]:
    return [(one.id, one.type, cbor.encode(one.fill)) for one in schema.cell_columns]


def _gathered(batches: Iterable[Batch]) -> Iterator[Batch]:
    keys: list[bytes] = []
    values: list[bytes] = []
    for more_keys, more_values in batches:
        keys += more_keys
        values += more_values
        if len(keys) >= BATCH_RECORDS:
            yield keys, values
            keys, values = [], []
    if keys:
        yield keys, values


def _tried(before: Column, column: Column, cell: Any) -> tuple[str, Any]:
    """Return what is wrong with a cell in a column, else nothing, and its value."""
    try:
        [now] = converted(before, column, [cell])
    except Error as error:
        return error.message, None
    if now is None and not column.nullable:
        return "null is not allowed any more", None
    if first_lossy(before, column, [cell], [now]) is not None:
        return f"{cell!r} would become {now!r}", now
    return "", now


def best(before: Column, column: Column, cell: Any) -> Any:
    """Return a cell as a value of another column, whatever it loses; null if none."""
    try:
        return converted(before, column, [cell])[0]
    except Error:
        return None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and cbor.encode(one) == cbor.encode(other)


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
    start = base.root if base else None
    for key, old, new in diff(reader, start, side.root):
        if new is None:
            continue
        row = codecs[0].decode_row(key, new, reader.get_chunk)
        stood = {}
        if old is not None and codecs[1] is not None:
            stood = codecs[1].decode_row(key, old, reader.get_chunk)
        for number in [one for one in columns if one not in found]:
            cell, fill = row[columns[number].name], columns[number].fill
            was = stood.get(names.get(number, ""), fill)
            if not _same(cell, was) and (stood or cell is not None):
                found.add(number)
        if len(found) == len(columns):
            break
    return frozenset(found)
