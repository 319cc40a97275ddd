"""Stamps: when a record and its cells were last written, as the sidecar tree has it.

    stamp     milliseconds u48 | counter u16 | replica, 8 bytes      big-endian
    stamps    CBOR byte string of: stamp, then (column id u32, stamp) ...
    tag       element of a set, 16 bytes of its hash | stamp
    tags      CBOR byte string of: tag ...                           ascending
    record    stamps, or if there are tags
              CBOR [ stamps, [column id or null, tags], ... ]

The first stamp is that of the record as a whole: when it was added or deleted, zero
where nobody noted that. A column stands there only with a later stamp than that, in the
order of ids. Beside tags, stamps may be empty; null stands for a record that is one
value, and goes first. Page: docs/spec/policies.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from prolly.errors import Corrupt

STAMP_BYTES = 16
REPLICA_BYTES = 8
# Earlier than any other: nobody noted when.
NO_STAMP = bytes(STAMP_BYTES)
# Long enough that nobody finds two elements of one name.
ELEMENT_BYTES = 16
TAG_BYTES = ELEMENT_BYTES + STAMP_BYTES

# Tells when an element was put into a set, and by whom: its name, then a stamp.
Tag = bytes
TagSet = frozenset[Tag]

_COLUMN_BYTES = 4
_ENTRY_BYTES = _COLUMN_BYTES + STAMP_BYTES
_MS_BYTES, _COUNTER_BYTES = 6, 2
_TIME_BYTES = _MS_BYTES + _COUNTER_BYTES
_TIME_MAX = (1 << 8 * _TIME_BYTES) - 1


def stamp_at(ms: int, replica: bytes) -> bytes:
    """Return the first stamp of a millisecond since 1970; outside 48 bits the nearest.

    ``replica`` has eight bytes.
    """
    assert len(replica) == REPLICA_BYTES
    ms = min(max(ms, 0), (1 << 8 * _MS_BYTES) - 1)
    return ms.to_bytes(_MS_BYTES) + bytes(_COUNTER_BYTES) + replica


def stamp_ms(stamp: bytes) -> int:
    """Return the milliseconds of a stamp."""
    return int.from_bytes(stamp[:_MS_BYTES])


def later_stamp(stamp: bytes, known: bytes) -> bytes:
    """Return ``stamp`` if it is later than ``known``, else the next of its replica.

    There is none behind the last millisecond: then it is ``known`` itself.
    """
    if stamp > known:
        return stamp
    time = int.from_bytes(known[:_TIME_BYTES]) + 1
    if time > _TIME_MAX:
        return known
    return time.to_bytes(_TIME_BYTES) + stamp[_TIME_BYTES:]


@dataclass(frozen=True, slots=True)
class RecordStamps:
    """The stamps of one record; ``columns`` are later than that of ``record``.

    ``tags`` are those of sets, by column; under None of a record that is one value.
    """

    record: bytes = NO_STAMP
    columns: Mapping[int, bytes] = field(default_factory=dict)
    tags: Mapping[int | None, TagSet] = field(default_factory=dict)

    def of(self, column: int | None) -> bytes:
        """Return the stamp of a column's cell; of None, the latest of all."""
        if column is None:
            return max(self.record, *self.columns.values(), self.record)
        return self.columns.get(column, self.record)


UNSTAMPED = RecordStamps()


def joined_stamps(one: RecordStamps, other: RecordStamps) -> RecordStamps:
    """Return the later stamp of each cell, and all tags.

    In any order and grouping it is the same.
    """
    record = max(one.record, other.record)
    columns = {
        column: max(one.of(column), other.of(column))
        for column in {*one.columns, *other.columns}
    }
    later = {column: stamp for column, stamp in columns.items() if stamp > record}
    tags = {
        column: one.tags.get(column, frozenset()) | other.tags.get(column, frozenset())
        for column in {*one.tags, *other.tags}
    }
    return RecordStamps(record, later, tags)


def encode_stamps(stamps: RecordStamps) -> Any:
    """Return the value that is stored; ``columns`` must be later."""
    if not stamps.tags:
        return _spelt_stamps(stamps)
    has_stamps = stamps.record != NO_STAMP or stamps.columns
    value: list[Any] = [_spelt_stamps(stamps) if has_stamps else b""]
    for column in sorted(stamps.tags, key=_place):
        value.append([column, b"".join(sorted(stamps.tags[column]))])
    return value


def _place(column: int | None) -> int:
    """Return what columns are sorted by: null goes first."""
    return -1 if column is None else column


def _spelt_stamps(stamps: RecordStamps) -> bytes:
    parts = [stamps.record]
    for column in sorted(stamps.columns):
        assert stamps.columns[column] > stamps.record
        parts += column.to_bytes(_COLUMN_BYTES), stamps.columns[column]
    return b"".join(parts)


def decode_stamps(value: object) -> RecordStamps:
    """Return what a stored value spells; Corrupt ``stamps`` for any other spelling."""
    if type(value) is not list:
        return _read_stamps(value)
    if len(value) < 2:
        raise _bad_stamps("there are no tags in it")
    read = RecordStamps() if value[0] == b"" else _read_stamps(value[0])
    return RecordStamps(read.record, read.columns, dict(_read_tags(value[1:])))


def _read_tags(pairs: list[Any]) -> Iterator[tuple[int | None, TagSet]]:
    before = -2
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2:
            raise _bad_stamps("tags without their column")
        column, data = pair
        is_id = type(column) is int and 0 <= column < 1 << 8 * _COLUMN_BYTES
        if not (is_id or column is None) or _place(column) <= before:
            raise _bad_stamps("its tags are not in the order of columns")
        if type(data) is not bytes or len(data) % TAG_BYTES:
            raise _bad_stamps("no string of tags")
        tags = [data[at : at + TAG_BYTES] for at in range(0, len(data), TAG_BYTES)]
        if any(one >= following for one, following in pairwise(tags)):
            raise _bad_stamps("its tags do not ascend")
        yield column, frozenset(tags)
        before = _place(column)


def _read_stamps(data: object) -> RecordStamps:
    if type(data) is not bytes or len(data) % _ENTRY_BYTES != STAMP_BYTES:
        raise _bad_stamps("it is no string of stamps")
    record = data[:STAMP_BYTES]
    columns: dict[int, bytes] = {}
    before = -1
    for start in range(STAMP_BYTES, len(data), _ENTRY_BYTES):
        column = int.from_bytes(data[start : start + _COLUMN_BYTES])
        stamp = data[start + _COLUMN_BYTES : start + _ENTRY_BYTES]
        if column <= before or stamp <= record:
            raise _bad_stamps("columns are not in order, or not later")
        columns[column] = stamp
        before = column
    if record == NO_STAMP and not columns:
        raise _bad_stamps("there is no stamp in it")
    return RecordStamps(record, columns)


def _bad_stamps(reason: str) -> Corrupt:
    return Corrupt(
        f"not the stamps of a record: {reason}",
        code="stamps",
        hint="The bytes are damaged, or a newer version wrote them.",
    )
