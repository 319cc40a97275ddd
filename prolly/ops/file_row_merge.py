"""One row of three plain files merged, cell by cell, into lines of text.

A row that nobody else changed is ours' text as it stands. Else each cell has the text
of the side it comes from, quoted as ours quotes. Where cells clash the row becomes a
block of lines, see ``conflict_lines``: each row in it is the merged one with the cells
of one side, so whichever is kept, what merged by itself is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from prolly.maps import ABSENT
from prolly.merge import UNRESOLVED

from .cell_merge import CellMerge, Cells, same
from .conflict_lines import BASE, END, NO_ROW, OURS, THEIRS
from .file_columns import MergedColumns
from .line_file import Key, LineFile


class ThreeFiles(NamedTuple):
    """The three files; ``base`` is None where there is none."""

    base: LineFile | None
    ours: LineFile
    theirs: LineFile


class FileConflict(NamedTuple):
    """A row that did not merge. ``fields`` clash; none where one side deleted it.

    The sides are rows, values by column, or ``ABSENT``.
    """

    key: Key
    fields: tuple[str, ...]
    base: Any
    ours: Any
    theirs: Any
    reason: str


class MergedRow(NamedTuple):
    """The lines that a row became, without line ends: none, one, or a marked block.

    ``change`` tells against ours: added, removed, modified, or nothing.
    """

    lines: Sequence[str]
    change: str = ""
    conflict: FileConflict | None = None


class _Row(NamedTuple):
    """One side's row: its file, its text, its cells and their texts."""

    file: LineFile
    body: str
    cells: Mapping[str, Any]
    texts: Mapping[str, str]


_GONE = MergedRow((), "removed")
_NOTHING = MergedRow(())


class RowMerge:
    """The merge of the rows of three files, by key."""

    def __init__(
        self, sides: ThreeFiles, columns: MergedColumns, cells: CellMerge
    ) -> None:
        self._sides = sides
        self._columns = columns
        self._cells = cells
        base, ours, theirs = sides
        self._is_same_header = columns.names == ours.columns
        self._may_compare_texts = (
            self._is_same_header
            and ours.is_alike(theirs)
            and (base is None or ours.is_alike(base))
        )
        self._adds_up = base is not None and cells.has_counter

    def merge(self, key: Key) -> MergedRow:
        """Return what becomes of the row of a key that ours or theirs has."""
        base, ours, theirs = self._sides
        at = None if base is None else base.places.get(key)
        mine, other = ours.places.get(key), theirs.places.get(key)
        if mine is None or other is None:
            return self._one_sided(key, at, mine, other)
        if self._may_compare_texts:
            body, another = ours.bodies[mine], theirs.bodies[other]
            before = None if at is None or base is None else base.bodies[at]
            if another == before or (body == another and not self._adds_up):
                return MergedRow((body,))
        return self._cell_by_cell(key, at, mine, other)

    def _one_sided(
        self, key: Key, at: int | None, mine: int | None, other: int | None
    ) -> MergedRow:
        """Merge a row that ours, theirs or both lack."""
        is_ours = mine is not None
        file = self._sides.ours if is_ours else self._sides.theirs
        place = mine if is_ours else other
        if place is None:
            return _NOTHING
        row = _row(file, place)
        kept = MergedRow((self._written(row),), "" if is_ours else "added")
        if is_ours and kept.lines[0] != row.body:
            kept = kept._replace(change="modified")
        if at is None or self._sides.base is None:
            return kept
        before = _row(self._sides.base, at)
        gone = _GONE if is_ours else _NOTHING
        if _is_unchanged(before, row):
            return gone
        policy = self._cells.default
        if policy in ("ours", "theirs"):
            return kept if is_ours == (policy == "ours") else gone
        reason = "theirs deleted it, and ours changed it"
        if not is_ours:
            reason = "ours deleted it, and theirs changed it"
        rows = [before, row if is_ours else None, None if is_ours else row]
        shown = [ABSENT if one is None else dict(one.cells) for one in rows]
        conflict = FileConflict(key, (), shown[0], shown[1], shown[2], reason)
        texts = [None if one is None else self._written(one) for one in rows]
        return self._block(conflict, texts)

    def _cell_by_cell(
        self, key: Key, at: int | None, mine: int, other: int
    ) -> MergedRow:
        file, ours, theirs = self._sides
        base = None if file is None or at is None else _row(file, at)
        sides = base, _row(ours, mine), _row(theirs, other)
        texts: dict[str, str] = {}
        clashes: list[str] = []
        for name in self._names(sides):
            cells = self._three(name, sides)
            merged = self._cells.merge(name, cells)
            if merged is UNRESOLVED:
                clashes.append(name)
                merged = cells.ours
            text = self._text(name, merged, sides)
            if text is not None:
                texts[name] = text
        body = sides[1].body
        if not self._is_same_header or texts != sides[1].texts:
            body = ours.compose(texts, self._columns.names, body)
        if not clashes:
            return MergedRow((body,), "" if body == sides[1].body else "modified")
        return self._clash(key, clashes, texts, sides)

    def _names(self, sides: tuple[_Row | None, _Row, _Row]) -> Sequence[str]:
        """Return the names of the cells that the merged row may have."""
        if self._columns.names:
            return self._columns.names
        base, ours, theirs = sides
        before = () if base is None else base.cells
        return list(dict.fromkeys([*ours.cells, *theirs.cells, *before]))

    def _three(self, name: str, sides: tuple[_Row | None, _Row, _Row]) -> Cells:
        """Return three versions of a cell; a column that a side lacks is no change."""
        cells = Cells(
            *[ABSENT if one is None else one.cells.get(name, ABSENT) for one in sides]
        )
        if not self._columns.names:
            return cells
        removed = self._columns.kept.get(name)
        if removed is not None:
            written = cells.theirs if removed == "ours" else cells.ours
            before = "" if cells.base is ABSENT else cells.base
            if same(written, before):
                return Cells(written, written, written)
            if removed == "ours":
                return Cells(before, "", written)
            return Cells(before, written, "")
        # One side added the column.
        if cells.ours is ABSENT:
            return cells._replace(ours=cells.base)
        if cells.theirs is ABSENT:
            return cells._replace(theirs=cells.base)
        return cells

    def _text(
        self, name: str, value: Any, sides: tuple[_Row | None, _Row, _Row]
    ) -> str | None:
        """Return a cell's text: of the side that has just this value, if one has."""
        if value is ABSENT:
            return None
        base, ours, theirs = sides
        for row in (ours, theirs, base):
            if row is not None and same(row.cells.get(name, ABSENT), value):
                return self._sides.ours.adopted(row.texts[name], row.file)
        return self._sides.ours.spell(value, name)

    def _written(self, row: _Row) -> str:
        """Return the text of a side's row under the merged columns, as ours writes."""
        ours = self._sides.ours
        if row.file is ours:
            if self._is_same_header:
                return row.body
            return ours.compose(row.texts, self._columns.names, row.body)
        texts = {name: ours.adopted(text, row.file) for name, text in row.texts.items()}
        return ours.compose(texts, self._columns.names, row.body)

    def _clash(
        self,
        key: Key,
        clashes: Sequence[str],
        texts: Mapping[str, str],
        sides: tuple[_Row | None, _Row, _Row],
    ) -> MergedRow:
        shown = [ABSENT if one is None else dict(one.cells) for one in sides]
        gone = [name for name in clashes if name in self._columns.kept]
        reason = "both changed it" if sides[0] is not None else "both added it"
        if gone:
            side = self._columns.kept[gone[0]]
            reason = f"{side} removed the column {gone[0]}, and the other wrote in it"
        conflict = FileConflict(
            key, tuple(clashes), shown[0], shown[1], shown[2], reason
        )
        lines: list[str | None] = []
        for row in sides:
            if row is None:
                lines.append(None)
                continue
            versions = {
                name: text for name, text in texts.items() if name not in clashes
            }
            for name in clashes:
                value = row.cells.get(name, ABSENT)
                text = self._text(name, value, sides)
                if text is not None:
                    versions[name] = text
            like = sides[1].body
            made = self._sides.ours.compose(versions, self._columns.names, like)
            lines.append(made)
        return self._block(conflict, lines)

    def _block(self, conflict: FileConflict, texts: Sequence[str | None]) -> MergedRow:
        """Return the lines of a conflict; ``texts`` are of base, ours and theirs."""
        ours, columns = self._sides.ours, self._columns.names
        base_text, our_text, their_text = texts
        lines: list[str] = []
        for marker, text in ((OURS, our_text), (BASE, base_text), (THEIRS, their_text)):
            label = marker + NO_ROW if text is None else marker
            lines.append(ours.marker(label, columns, conflict.fields))
            if text is not None:
                lines.append(text)
        lines.append(ours.marker(END, columns, ()))
        return MergedRow(lines, "", conflict)


def _row(file: LineFile, place: int) -> _Row:
    return _Row(file, file.bodies[place], file.cells(place), file.spelt(place))


def _is_unchanged(before: _Row, after: _Row) -> bool:
    """Tell whether a side wrote nothing into a row; to drop a column is no writing."""
    has_header = before.file.has_header
    for name in after.cells if has_header else {*before.cells, *after.cells}:
        old = before.cells.get(name, "" if has_header else ABSENT)
        if not same(old, after.cells.get(name, ABSENT)):
            return False
    return True
