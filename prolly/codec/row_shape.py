"""Rows that are alike byte for byte: where cells begin, said once for all of them.

Rows of one length most often hold cells of one kind and length each: codes, hashes,
measures, whole numbers of like size. Then the heads of their cells stand at one place
in each row, which a strided look a byte proves, and one call takes the cells of a
column out of all rows. A shape is found in the first row, with every head in its one
spelling; rows that have no shape are read by ``row`` as any others.

Cells are texts, bytes, floats, whole numbers of one width and sign, or one byte long
(small whole numbers, bools, nulls and what is empty).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import eq, invert
from struct import Struct
from typing import Any, NamedTuple

from .byte_strings import EvenStrings
from .column_places import array_at, string_at

# The kinds of cells, and how ``struct`` names numbers of the widths that CBOR has.
_TEXT, _BYTES, _FLOAT, _WHOLE, _NEGATIVE, _SMALL = range(6)
_FLOATS = {0xF9: "e", 0xFA: "f", 0xFB: "d"}
_WHOLES = {0x18: "B", 0x19: "H", 0x1A: "I", 0x1B: "Q"}
_NEGATIVES = {mark + 0x20: form for mark, form in _WHOLES.items()}
# The least number that has to be written with so many bytes.
_LEAST = {"B": 24, "H": 1 << 8, "I": 1 << 16, "Q": 1 << 32}

# What one byte spells.
_SMALL_WHOLES = bytes((*range(0x18), *range(0x20, 0x38)))
_SMALL_VALUES: dict[int, Any] = {
    **{byte: byte if byte < 0x20 else 0x1F - byte for byte in _SMALL_WHOLES},
    0x40: b"",
    0x60: "",
    0xF4: False,
    0xF5: True,
    0xF6: None,
}
_SMALL_KINDS: tuple[tuple[type, bytes], ...] = (
    (int, _SMALL_WHOLES),
    (bool, b"\xf4\xf5"),
    (str, b"\x60"),
    (bytes, b"\x40"),
)

_SEPARATOR = b"\0"
# Shapes last seen, by length of the row: those of the tables that are read at the time.
_SHAPES_KEPT = 256
# As ``byte_strings`` has them: some 32 bytes a cell of a leaf.
_FORMS_KEPT = 256


class _Cell(NamedTuple):
    """A cell: its kind, how ``struct`` takes it out, and where it begins in a row."""

    kind: int
    form: str
    at: int


class RowShape(NamedTuple):
    """Where the heads and cells of rows stand, from the first byte of each on."""

    # The head of the row with its presence.
    head: bytes
    # Each byte that is the same in all rows, with its place.
    fixed: tuple[tuple[int, int], ...]
    # Of cells of one byte.
    loose: tuple[_Cell, ...]
    cells: tuple[_Cell, ...]
    # How ``struct`` takes out all cells of a row; and just those that need a look.
    form: str
    looked_form: str
    looked: tuple[_Cell, ...]

    def fits(self, values: EvenStrings) -> bool:
        """Tell whether all values, of the length of the first one, have this shape."""
        chunk, start, end, stride = values.strides()
        count = len(values)
        for at, byte in self.fixed:
            if chunk[start + at : end : stride].count(byte) != count:
                return False
        return not any(
            chunk[start + cell.at : end : stride].translate(None, _SMALL_BYTES)
            for cell in self.loose
        )

    def columns(self, values: EvenStrings) -> list[Sequence[Any]]:
        """Return the cells of values that have this shape, a column each.

        Raises UnicodeDecodeError.
        """
        cells = _taken(self.form, values)
        size = len(self.cells)
        return [
            _decoded(cell.kind, cells[place::size])
            for place, cell in enumerate(self.cells)
        ]

    def kinds(self, values: EvenStrings) -> list[type] | None:
        """Return the type of each column of rows from outside that have this shape.

        ``None`` unless it is certain that each cell is in its one spelling, and none is
        null. That bits of the presence stand for all cells is not looked at.
        """
        if not self._are_shortest(values):
            return None
        chunk, start, end, stride = values.strides()
        found: list[type] = []
        for cell in self.cells:
            kind = _PYTHON_KINDS.get(cell.kind)
            if kind is None:
                kind = _kind_of_small(chunk[start + cell.at : end : stride])
            if kind is None:
                return None
            found.append(kind)
        return found

    def _are_shortest(self, values: EvenStrings) -> bool:
        """Tell whether texts are UTF-8, and no number has a shorter spelling."""
        if not self.looked:
            return True
        cells = _taken(self.looked_form, values)
        size = len(self.looked)
        texts: list[Sequence[bytes]] = []
        for place, cell in enumerate(self.looked):
            column = cells[place::size]
            if cell.kind == _TEXT:
                texts.append(column)
            elif cell.kind == _FLOAT:
                if not _are_doubles(column):
                    return False
            elif min(column) < _LEAST[cell.form]:
                return False
        try:
            # No byte of a longer character is a zero: none runs over into the next.
            _SEPARATOR.join(chain.from_iterable(texts)).decode()
        except UnicodeDecodeError:
            return False
        return True


_SMALL_BYTES = bytes(_SMALL_VALUES)
_PYTHON_KINDS = {_TEXT: str, _BYTES: bytes, _FLOAT: float, _WHOLE: int, _NEGATIVE: int}
_seen: dict[int, RowShape] = {}


def shape_of(values: EvenStrings) -> RowShape | None:
    """Return the shape that all values have; ``None`` where they have none in common.

    Not for no value. What the presence says is not looked at.
    """
    shape = _seen.get(values.size)
    if shape is not None and shape.fits(values):
        return shape
    shape = _read(values[0])
    if shape is None or not shape.fits(values):
        return None
    if len(_seen) >= _SHAPES_KEPT:
        _seen.clear()
    _seen[values.size] = shape
    return shape


def _read(row: bytes) -> RowShape | None:
    """Return the shape of one row, if its heads are in their one spelling."""
    try:
        count, at = array_at(row, 0)
        at = string_at(row, at)[1]
        head, cells = row[:at], []
        while at < len(row):
            cell, at = _cell_at(row, at)
            cells.append(cell)
    except (IndexError, KeyError):
        return None
    if at != len(row) or len(cells) != count - 1 or not cells:
        return None
    heads = bytearray(b"\1" * len(row))
    for cell in cells:
        width = Struct(f">{cell.form}").size
        heads[cell.at : cell.at + width] = bytes(width)
    looked = tuple(one for one in cells if one.kind not in (_BYTES, _SMALL))
    return RowShape(
        head,
        tuple((place, row[place]) for place, fixed in enumerate(heads) if fixed),
        tuple(one for one in cells if one.kind == _SMALL),
        tuple(cells),
        _form(cells, len(row)),
        _form(looked, len(row)),
        looked,
    )


def _cell_at(row: bytes, at: int) -> tuple[_Cell, int]:
    """Return the cell whose head stands at ``at``, and where the next one does.

    Raises KeyError or IndexError for one of another kind, or in another spelling.
    """
    mark = row[at]
    if mark in _SMALL_VALUES:
        return _Cell(_SMALL, "B", at), at + 1
    for kind, forms in ((_FLOAT, _FLOATS), (_WHOLE, _WHOLES), (_NEGATIVE, _NEGATIVES)):
        if mark in forms:
            form = forms[mark]
            return _Cell(kind, form, at + 1), at + 1 + Struct(f">{form}").size
    kind = _TEXT if mark >= 0x60 else _BYTES
    base = mark & 0xE0
    if base not in (0x40, 0x60):
        raise KeyError(mark)
    # A text has the head of the byte string of its length, but for one bit.
    start, end = string_at(bytes((mark & ~0x20,)) + row[at + 1 : at + 3], 0)
    size, start = end - start, at + start
    if size < (0, 0, 24, 256)[start - at]:
        raise KeyError(size)
    return _Cell(kind, f"{size}s", start), start + size


def _form(cells: Sequence[_Cell], size: int) -> str:
    """Return how ``struct`` takes some cells out of a row of so many bytes."""
    parts, done = [], 0
    for cell in cells:
        parts.append(f"{cell.at - done}x{cell.form}")
        done = cell.at + Struct(f">{cell.form}").size
    return "".join([*parts, f"{size - done}x"])


@lru_cache(maxsize=_FORMS_KEPT)
def _repeated(form: str, skipped: int, count: int) -> Struct:
    return Struct(">" + f"{skipped}x{form}" * count)


def _taken(form: str, values: EvenStrings) -> tuple[Any, ...]:
    """Return what a form takes out of each of the values, all in a row."""
    chunk, start, _, stride = values.strides()
    skipped = stride - values.size
    return _repeated(form, skipped, len(values)).unpack_from(chunk, start - skipped)


def _decoded(kind: int, cells: Sequence[Any]) -> Sequence[Any]:
    if kind == _TEXT:
        texts = _SEPARATOR.join(cells).decode().split("\0")
        if len(texts) == len(cells):
            return texts
        return [cell.decode() for cell in cells]
    if kind == _NEGATIVE:
        return list(map(invert, cells))
    if kind == _SMALL:
        return list(map(_SMALL_VALUES.__getitem__, cells))
    return cells


def _kind_of_small(column: bytes) -> type | None:
    """Return the type of all values that are spelt by these bytes, one a byte."""
    for kind, some in _SMALL_KINDS:
        if not column.translate(None, some):
            return kind
    return None


def _are_doubles(floats: Sequence[float]) -> bool:
    """Tell whether it is certain that each needs the eight bytes of a double."""
    total = sum(floats)
    # A sum is NaN if one of them is; infinity is equal to that of four bytes.
    if total != total:
        return False
    return True not in map(eq, floats, array("f", floats))
