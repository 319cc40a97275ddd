"""Stamps: when a record and its cells were last written, as the sidecar tree has it.

    stamp     milliseconds u48 | counter u16 | replica, 8 bytes      big-endian
    record    CBOR byte string of: stamp, then (column id u32, stamp) ...

The first stamp is that of the record as a whole: when it was added or deleted, zero
where nobody noted that. A column stands there only with a later stamp than that, in the
order of ids. Page: docs/spec/policies.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prolly.errors import Corrupt

STAMP_BYTES = 16
REPLICA_BYTES = 8
# Earlier than any other: nobody noted when.
NO_STAMP = bytes(STAMP_BYTES)

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
    """The stamps of one record; ``columns`` are later than that of ``record``."""

    record: bytes = NO_STAMP
    columns: Mapping[int, bytes] = field(default_factory=dict)

    def of(self, column: int | None) -> bytes:
        """Return the stamp of a column's cell; of None, the latest of all."""
        if column is None:
            return max(self.record, *self.columns.values(), self.record)
        return self.columns.get(column, self.record)


UNSTAMPED = RecordStamps()


def joined_stamps(one: RecordStamps, other: RecordStamps) -> RecordStamps:
    """Return the later stamp of each cell: in any order and grouping the same."""
    record = max(one.record, other.record)
    columns = {
        column: max(one.of(column), other.of(column))
        for column in {*one.columns, *other.columns}
    }
    later = {column: stamp for column, stamp in columns.items() if stamp > record}
    return RecordStamps(record, later)


def encode_stamps(stamps: RecordStamps) -> bytes:
    """Return the content of the byte string; ``columns`` must be later."""
    parts = [stamps.record]
    for column in sorted(stamps.columns):
        assert stamps.columns[column] > stamps.record
        parts += column.to_bytes(_COLUMN_BYTES), stamps.columns[column]
    return b"".join(parts)


def decode_stamps(data: object) -> RecordStamps:
    """Return what a content spells; Corrupt ``stamps`` for any other spelling."""
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
