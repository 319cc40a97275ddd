"""Rows of one version of a table made rows of the merged schema, cell by cell.

What becomes of a cell that the merged column cannot hold is told in ``translation``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prolly.codec import cbor
from prolly.codec import key as key_codec
from prolly.errors import Error
from prolly.tables import Column, RecordCodec, Schema, Trees, converted, first_lossy
from prolly.tree import Batch, get

from .base_rows import BaseRows, Records
from .merged_keys import MergedKeys
from .turned_cell import best, tried
from .value_order import same

Cells = list[Any]


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
    # The keys under the merged schema, where they do not follow from the cells alone.
    spelt: list[bytes | None] | None = None


class RowTranslation:
    """One version's rows, batch by batch, under the merged schema.

    Without ``report`` it is the base, whose misfits are nobody's, and ``sides`` are
    ours and theirs. ``taken`` tells which keys have gone to rows before, and
    ``left_out`` is told which rows have no key any more, where keys change.
    """

    def __init__(
        self,
        trees: Trees,
        target: Schema,
        base: BaseRows,
        version: Records,
        report: Report | None,
        *,
        sides: Sequence[Records] = (),
    ) -> None:
        self.version = version
        self._trees = trees
        self._target = target
        self._base = base
        self._codec = RecordCodec(target)
        self._source = RecordCodec(version.schema)
        self._report = report
        self._before = {one.id: one for one in version.schema.columns}
        self._places = {one.id: at for at, one in enumerate(version.schema.columns)}
        self._in_base = base.columns
        self._key = {one.id for one in self._target.key_columns}
        self.refilled = frozenset(
            one.id for one in target.cell_columns if self._is_refilled(one)
        )
        self._restored = {
            one.id
            for one in self._target.columns
            if one.id not in self._before and one.id in self._in_base
        }
        kinds = [(one.id, one.type) for one in version.schema.key_columns]
        wanted = [(one.id, one.type) for one in self._target.key_columns]
        self.changes_keys = kinds != wanted
        self._merged_keys = MergedKeys(
            trees.reader, base.records, version, target, sides=sides
        )
        self.taken: Callable[[bytes], bool] = lambda key: False
        self.left_out: Callable[[bytes], None] = lambda key: None

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
        if not self._merged_keys.follow_cells:
            made.spelt = list(map(self._merged_keys.forward, keys))
            self._leave_out_unspelt(made, columns)
        rows = list(map(self._base_row, keys)) if self._restored else []
        for column in self._target.columns:
            if column.id in self._before:
                cells = columns[self._places[column.id]]
                if made.spelt is not None and column.id in self._key:
                    # Nothing is made of them: the keys are spelt already.
                    made.columns.append(list(cells))
                else:
                    now = self._converted(made, column, cells)
                    if column.id in self.refilled:
                        self._refill(made, column, cells, now)
                    made.columns.append(now)
            elif column.id in self._restored:
                made.columns.append([self._restore(column, row) for row in rows])
            else:
                made.columns.append(self._added(made, column))
        return self._encoded(made)

    def _is_refilled(self, column: Column) -> bool:
        """Tell whether a new column of this version comes out with another fill."""
        before = self._before.get(column.id)
        if before is None or column.id in self._in_base:
            return False
        return not same(best(before, column, before.fill), column.fill)

    def close(self) -> None:
        """Forget what was looked up in the base; twice is fine."""
        self._merged_keys.close()

    def _base_row(self, key: bytes) -> dict[int, Any] | None:
        """Return what the base has for a record of this version, or ``None``."""
        return self._base.row(self._merged_keys.base_key(key))

    def _restore(self, column: Column, row: dict[int, Any] | None) -> Any:
        if row is None:
            return column.fill
        return best(self._in_base[column.id], column, row[column.id])

    def _added(self, made: _Batch, column: Column) -> Cells:
        """Return the cells of a new column: its fill."""
        return [column.fill] * len(made.keys)

    def _refill(
        self, made: _Batch, column: Column, cells: Sequence[Any], now: Cells
    ) -> None:
        """Give rows of the base the fill of the merged column in place of the own one.

        Nobody wrote a cell there that is as the own fill; in a row that is new the side
        did, as it wrote all of it.
        """
        fill = self._before[column.id].fill
        for place, cell in enumerate(cells):
            if same(cell, fill) and self._base_row(made.keys[place]) is not None:
                now[place] = column.fill

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
        fault, now = tried(before, column, cell)
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
            if not same(best(known, before, stood), cell):
                self._tell(made, place, column, fault)
            return best(known, column, stood)
        if row is not None and same(before.fill, cell):
            # Nobody wrote a cell of a column that is new: it is the base's then, too.
            return column.fill
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

    def _leave_out_unspelt(
        self, made: _Batch, columns: Sequence[Sequence[Any]]
    ) -> None:
        """Leave out the rows whose key has no spelling under the merged schema."""
        assert made.spelt is not None
        for place, spelt in enumerate(made.spelt):
            if spelt is None:
                cells = {one: columns[at][place] for one, at in self._places.items()}
                self._leave_out(made, place, self._key_fault(cells))

    def _key_fault(self, cells: Mapping[int, Any]) -> str:
        """Return what is wrong with a key, given by the ids of its columns."""
        for column in self._target.key_columns:
            before = self._before[column.id]
            fault, _ = tried(before, column, cells[column.id])
            if fault:
                return f"column {column.name}: {fault}"
        return "its key does not fit the types of the key columns any more"

    def _is_of_base(self, key: bytes) -> bool:
        """Tell whether the base has this record, and a side left it as it was."""
        row = self._base_row(key)
        if row is None:
            return False
        stored = get(self._trees.reader, self.version.root, key)
        assert stored is not None
        read = self._trees.reader.get_chunk
        mine = self._source.decode_row(key, stored, read)
        known = self._in_base
        return all(
            same(
                best(known[number], one, row[number]) if number in known else one.fill,
                mine[one.name],
            )
            for number, one in self._before.items()
        )

    def _encoded(self, made: _Batch) -> Batch:
        keys, columns, spelt = made.keys, made.columns, made.spelt
        if made.gone:
            stay = [place for place in range(len(keys)) if place not in made.gone]
            keys = [keys[place] for place in stay]
            columns = [[column[place] for place in stay] for column in columns]
            spelt = None if spelt is None else [spelt[place] for place in stay]
            if not keys:
                return [], []
        values = self._codec.encode_rows(columns, self._trees.writer)
        if not self.changes_keys:
            return keys, values
        if spelt is not None:
            known = [one for one in spelt if one is not None]
            return self._rekeyed(keys, known, values)
        parts = zip(*self._codec.key_parts(columns), strict=True)
        return self._rekeyed(keys, list(map(_spelt, parts)), values)

    def _rekeyed(
        self, keys: list[bytes], spelt: Sequence[bytes | Error], values: list[bytes]
    ) -> Batch:
        """Return records under new keys; of two that get one key the first stays."""
        made: Batch = [], []
        here: set[bytes] = set()
        for key, new, value in zip(keys, spelt, values, strict=True):
            if isinstance(new, Error):
                self._drop_row(key, str(new))
                continue
            if new in here or self.taken(new):
                reason = "another row has its key after the change of type"
                self._drop_row(key, reason, has_place=True)
                continue
            here.add(new)
            made[0].append(new)
            made[1].append(value)
        return made

    def _drop_row(self, key: bytes, reason: str, *, has_place: bool = False) -> None:
        """Tell that a row is left out; not of one that its side left as it was.

        The base has no place for that one either, so it is not lost: a side whose keys
        fit has it under another one, or deleted it. Unless it ``has_place``.
        """
        self.left_out(key)
        if self._report is not None and (has_place or not self._is_of_base(key)):
            self._report(Misfit(key, (), reason))


def _spelt(parts: tuple[Any, ...]) -> bytes | Error:
    try:
        return key_codec.encode(parts)
    except Error as error:
        return error


def _layout(schema: Schema) -> list[tuple[Any, ...]]:
    return [(one.id, one.type, cbor.encode(one.fill)) for one in schema.cell_columns]
