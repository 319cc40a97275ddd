"""Rows: the cells of one record of a table, to bytes and back.

    plain    CBOR [ presence, cell, ... ]

``presence`` has one bit a column, least significant bit first; zero bytes at its end
are left out. A cell whose encoding equals that of its column's fill is not stored, an
explicit null is (unless null is the fill). Columns stand in the order that the caller
gives, which is the order of their slots. One row has one encoding. A cell may nest one
level less than a value. A row over 1,000 bytes is stored as ``outline_row`` has it.
Page: docs/spec/rows.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import cbor2
from blake3 import blake3

from prolly.errors import Corrupt, Error, Invalid, LimitExceeded

from . import cbor
from .byte_strings import EvenStrings, as_strings
from .column_places import array_at, string_at
from .kernel import kernel
from .reference import INLINE_BYTES_MAX
from .row_shape import shape_of

if TYPE_CHECKING:
    from .kernel import Kernel

# Room for every table that people keep, and a presence that is far from the limit of
# an inline row.
COLUMNS_MAX = 2048
COLUMN_ID_BYTES = 4

# Rows of one table show few different presences. An entry takes some 40 bytes a column,
# so even the widest tables fill no more than some 80 MB.
_POSITIONS_CACHED = 1024

# What cbor2 alone spells as ``cbor.encode`` does, but for surrogates and huge integers.
_PLAIN = frozenset({bool, int, float, str, bytes})

# What the kernel may raise for bytes of which the twin tells what is wrong.
_LEFT_TO_TWIN: tuple[type[Exception], ...] = (cbor2.CBORDecodeError, ValueError)


def encode(cells: Sequence[object], fills: Sequence[object]) -> bytes:
    """Return the plain row, of any length; cells and fills are in column order.

    Raises as ``cbor.encode``; the error's path begins with the column's position.
    """
    assert len(cells) == len(fills) <= COLUMNS_MAX
    if fills.count(None) == len(fills):
        present = tuple([cell is not None for cell in cells])
        row = [_presence_of(present), *compress(cells, present)]
    else:
        stored = stored_positions(cells, fills)
        row = [presence_of(stored), *[cells[position] for position in stored]]
    try:
        return cbor.encode(row)
    except (Invalid, LimitExceeded):
        _blame(cells)
        raise


def encode_columns(
    columns: Sequence[Sequence[object]], fills: Sequence[object]
) -> list[bytes]:
    """Return the plain rows of records given as columns; raises as ``encode``.

    Without nulls and fills, rows of plain cells take half the time of single calls. Not
    for no column.
    """
    if kernel is not None:
        try:
            return _encode_compiled(kernel, columns, fills)
        except (kernel.Unfit, Invalid, LimitExceeded, UnicodeEncodeError):
            pass
    rows = list(zip(*columns, strict=True))
    kinds: set[type] = set().union(*[map(type, column) for column in columns])
    if kinds <= _PLAIN and fills.count(None) == len(fills):
        head = presence_of(tuple(range(len(fills))))
        try:
            datas = [cbor2.dumps((head, *cells), canonical=True) for cells in rows]
        except UnicodeEncodeError:
            datas = []
        # A longer row may hold an integer past its limit, which ``encode`` finds.
        if datas and max(map(len, datas)) <= INLINE_BYTES_MAX:
            return datas
    return [encode(cells, fills) for cells in rows]


def _encode_compiled(
    kernel: Kernel, columns: Sequence[Sequence[object]], fills: Sequence[object]
) -> list[bytes]:
    taken = tuple([one if type(one) is list else tuple(one) for one in columns])
    return kernel.encode_rows(taken, tuple(map(cbor.encode, fills)), _encode_cell)


def _encode_cell(cell: object) -> bytes:
    """Return a cell as it stands in a row, where it may nest one level less."""
    return cbor.encode([cell])[1:]


def decode(data: bytes, fills: Sequence[object]) -> list[Any]:
    """Return the cells of a plain row that was checked when it came in.

    A cell that is not stored is its fill itself. Raises Corrupt ``row`` where the bytes
    cannot be read; :func:`check` refuses every other spelling too.
    """
    if kernel is not None:
        try:
            return kernel.decode_row(data, tuple(fills), cbor2.loads)
        except _LEFT_TO_TWIN:
            pass
    row = _loads(data)
    if type(row) is not list:
        raise bad_row("it is no array")
    return _spread(row, fills)


def decode_many(values: Sequence[bytes], fills: Sequence[object]) -> list[list[Any]]:
    """Return the cells of many plain rows; raises as ``decode``."""
    if not values or not fills:
        return [decode(value, fills) for value in values]
    return list(map(list, zip(*decode_columns(values, fills), strict=True)))


def decode_columns(
    values: Sequence[bytes], fills: Sequence[object]
) -> list[Sequence[Any]]:
    """Return the cells of some plain rows as columns; raises as ``decode``.

    One call of the CBOR reader for all of them. Rows that store the same columns need
    not even become lists: their cells are read as one array, whose every n-th item is
    of one column. Not for no row.
    """
    if kernel is not None and fills:
        try:
            rows = as_strings(values)
            return kernel.decode_rows(rows, tuple(fills), cbor2.loads)
        except _LEFT_TO_TWIN:
            pass
    if type(values) is EvenStrings:
        shaped = _shaped(values, fills)
        if shaped is not None:
            return shaped
    head = head_of(values[0])
    if type(values) is EvenStrings:
        rests = values.behind(len(head)) if values.begin_with(head) else None
        cells = None if rests is None else rests.joined()
        joined = values.joined() if cells is None else b""
    else:
        size = len(head)
        tails = [value[size:] for value in values if value[:size] == head]
        cells = b"".join(tails) if len(tails) == len(values) else None
        joined = b"".join(values) if cells is None else b""
    if cells is not None:
        return _alike(head, cells, len(values), fills)
    listed = _loads(cbor.array_header(len(values)) + joined)
    return list(zip(*[_spread(one, fills) for one in listed], strict=True))


def _alike(
    head: bytes, cells: bytes, count: int, fills: Sequence[object]
) -> list[Sequence[Any]]:
    """Return the columns of rows that begin alike, given the cells of all in a row."""
    stored = stored_by(head, len(fills))
    size = len(stored)
    every = _loads(cbor.array_header(count * size) + cells)
    found = [every[place::size] for place in range(size)]
    return _among_fills(stored, found, count, fills)


def _shaped(values: EvenStrings, fills: Sequence[object]) -> list[Sequence[Any]] | None:
    """Return the columns of rows that are alike in the places of all cells."""
    shape = shape_of(values)
    if shape is None:
        return None
    stored = stored_by(shape.head, len(fills))
    try:
        found = shape.columns(values)
    except UnicodeDecodeError as error:
        raise bad_row(str(error)) from error
    return _among_fills(stored, found, len(values), fills)


def _among_fills(
    stored: Sequence[int],
    found: list[Sequence[Any]],
    count: int,
    fills: Sequence[object],
) -> list[Sequence[Any]]:
    """Return all columns, given those that are stored."""
    if len(found) == len(fills):
        return found
    columns: list[Sequence[Any]] = [[fill] * count for fill in fills]
    for position, column in zip(stored, found, strict=True):
        columns[position] = column
    return columns


def head_of(value: bytes) -> bytes:
    """Return the head and the presence of a plain row. Raises Corrupt ``row``."""
    try:
        return value[: string_at(value, array_at(value, 0)[1])[1]]
    except IndexError:
        raise bad_row("it has no presence") from None


@lru_cache(maxsize=_POSITIONS_CACHED)
def stored_by(head: bytes, count: int) -> tuple[int, ...]:
    """Return the positions of the cells that rows with this head store.

    Raises Corrupt ``row`` where head and presence do not fit so many columns.
    """
    size, at = array_at(head, 0)
    start, end = string_at(head, at)
    positions = _positions_of(head[start:end], count)
    if len(positions) != size - 1:
        raise bad_row(f"{size - 1} cells for {len(positions)} bits")
    return positions


def _loads(data: bytes) -> Any:
    try:
        return cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise bad_row(str(error)) from error


def check(data: bytes, fills: Sequence[object]) -> list[Any]:
    """Return the cells of a plain row from outside.

    Raises Corrupt ``row`` or ``value-spelling`` for anything that ``encode`` does not
    write for these fills.
    """
    row = cbor.decode(data)
    if type(row) is not list:
        raise bad_row("it is no array")
    cells = _spread(row, fills)
    if encode(cells, fills) != data:
        raise bad_row("a cell that equals its fill is stored, or bits are left over")
    return cells


def column_id(name: str, type_name: str, taken: Iterable[int]) -> int:
    """Return the id of a new column: 32 bits of the hash of its name and type.

    Two replicas that add the same column agree without talking. While the id is among
    those taken, the next probe is tried.
    """
    used = set(taken)
    probe = 0
    while True:
        digest = blake3(cbor.encode([name, type_name, probe])).digest()
        number = int.from_bytes(digest[:COLUMN_ID_BYTES], "big")
        if number not in used:
            return number
        probe += 1


def stored_positions(
    cells: Sequence[object], fills: Sequence[object]
) -> tuple[int, ...]:
    """Return the positions of the cells that differ from their fill."""
    stored = []
    for position, (cell, fill) in enumerate(zip(cells, fills, strict=True)):
        if cell is fill:
            continue
        # Only null is spelt like null. Elsewhere the encodings decide, since 1 == 1.0
        # and (1,) != [1] in Python, and it is the other way round in the format.
        if fill is None or cbor.encode(cell) != cbor.encode(fill):
            stored.append(position)
    return tuple(stored)


@lru_cache(maxsize=_POSITIONS_CACHED)
def presence_of(positions: tuple[int, ...]) -> bytes:
    """Return the presence of a row that stores the cells at these positions."""
    number = sum(1 << position for position in positions)
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


@lru_cache(maxsize=_POSITIONS_CACHED)
def _presence_of(present: tuple[bool, ...]) -> bytes:
    return presence_of(tuple(compress(range(len(present)), present)))


def positions_of(presence: object, count: int) -> tuple[int, ...]:
    """Return the positions of the bits set; Corrupt if they are not canonical."""
    if type(presence) is not bytes:
        raise bad_row("its presence is not bytes")
    return _positions_of(presence, count)


@lru_cache(maxsize=_POSITIONS_CACHED)
def _positions_of(presence: bytes, count: int) -> tuple[int, ...]:
    number = int.from_bytes(presence, "little")
    if presence[-1:] == b"\0" or number >> count:
        raise bad_row(f"its presence does not fit {count} columns")
    return tuple(place for place in range(count) if number >> place & 1)


def _spread(row: Any, fills: Sequence[object]) -> list[Any]:
    """Return the cells of a decoded plain row, fills in the gaps."""
    if type(row) is not list or not row or type(row[0]) is not bytes:
        raise bad_row("it has no presence")
    stored, pick = _picker(row[0], len(fills))
    if stored != len(row) - 1:
        raise bad_row(f"{len(row) - 1} cells for {stored} bits")
    return list(pick([*row, *fills]))


@lru_cache(maxsize=_POSITIONS_CACHED)
def _picker(
    presence: bytes, count: int
) -> tuple[int, Callable[[list[Any]], Sequence[Any]]]:
    """Return the number of stored cells, and what picks the cells in column order.

    It picks from presence, stored cells and all fills in one list: a single C call,
    where a loop over the columns would take three times as long.
    """
    positions = _positions_of(presence, count)
    first_fill = 1 + len(positions)
    places = list(range(first_fill, first_fill + count))
    for place, position in enumerate(positions, 1):
        places[position] = place
    if count < 2:
        return len(positions), lambda parts: [parts[place] for place in places]
    return len(positions), itemgetter(*places)


def _blame(cells: Sequence[object]) -> None:
    """Raise the error of the first cell that has no encoding, with its position."""
    for position, cell in enumerate(cells):
        try:
            # In an array, as in the row, since that counts as one level of nesting.
            cbor.encode([cell])
        except (Invalid, LimitExceeded) as error:
            error.facts["path"] = error.facts.get("path", [0])[1:]
            raise _located(error, position) from None


def _located(error: Error, position: int) -> Error:
    facts = {**error.facts, "path": [position, *error.facts.get("path", [])]}
    return type(error)(error.message, code=error.code, hint=error.hint, **facts)


def bad_row(reason: str) -> Corrupt:
    return Corrupt(
        f"not a row of this table: {reason}",
        code="row",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
