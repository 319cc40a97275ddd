"""What the index of a local store holds, as bytes.

    chunk entry   00 | the chunk itself                       (inline)
                  01 | pack number u32 | offset u32 | length u32   (in a pack)
    log entry     CBOR array [name, old, new, who, why, time in us]; old and new are
                  32 bytes, or null for the absent ref
    log key       sequence u64 | position u16, both big-endian, so that byte order is
                  order of time; ``position`` counts the moves of one commit
    log of a ref  name | 00 | log key, with an empty value
    counter       u64, little-endian

The integers of a chunk entry are little-endian. ``offset`` and ``length`` are those of
the pack's own index (``docs/spec/packs.md``). Page: ``docs/spec/local-store.md``.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES
from .cbor import decode, encode

INLINE = 0
PACKED = 1
INLINE_MARK = bytes([INLINE])

# The commit that moves the most refs is a fetch from a remote with as many branches.
LOG_MOVES_MAX = 2**16 - 1

_PACKED_ENTRY = Struct("<BIII")
_LOG_KEY = Struct(">QH")
_COUNTER = Struct("<Q")

LOG_KEY_BYTES = _LOG_KEY.size


class LogMove(NamedTuple):
    """The facts of one move, as a log entry keeps them."""

    name: str
    old: bytes | None
    new: bytes | None
    who: str
    why: str
    time_us: int


def encode_location(pack: int, offset: int, length: int) -> bytes:
    """Return the entry of a chunk in a pack."""
    return _PACKED_ENTRY.pack(PACKED, pack, offset, length)


def decode_location(entry: bytes) -> tuple[int, int, int]:
    """Return pack number, offset and length of a packed chunk: a hot path."""
    try:
        mark, pack, offset, length = _PACKED_ENTRY.unpack(entry)
    except StructError:
        raise _bad_entry(f"a chunk entry of {len(entry)} bytes") from None
    if mark != PACKED:
        raise _bad_entry(f"a chunk entry of kind {mark}")
    return pack, offset, length


def encode_log_key(sequence: int, position: int) -> bytes:
    """Return the key of the ``position``-th move of a commit."""
    return _LOG_KEY.pack(sequence, position)


def decode_log_key(key: bytes) -> tuple[int, int]:
    """Return the sequence number and position that a log key spells."""
    try:
        sequence, position = _LOG_KEY.unpack(key)
    except StructError:
        raise _bad_entry(f"a log key of {len(key)} bytes") from None
    return sequence, position


def encode_log_move(move: LogMove) -> bytes:
    """Return the value of a log entry."""
    return encode(list(move))


def decode_log_move(entry: bytes) -> LogMove:
    """Return the move that a log entry tells of."""
    parts = decode(entry)
    if not isinstance(parts, list) or len(parts) != len(LogMove._fields):
        raise _bad_entry("a log entry without its six parts")
    name, old, new, who, why, time_us = parts
    texts = isinstance(name, str) and isinstance(who, str) and isinstance(why, str)
    if not texts or not isinstance(time_us, int) or isinstance(time_us, bool):
        raise _bad_entry("a log entry with parts of another type")
    for address in (old, new):
        if address is not None and not _is_address(address):
            raise _bad_entry("a log entry with a broken address")
    return LogMove(name, old, new, who, why, time_us)


def _is_address(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == ADDRESS_BYTES


def encode_counter(value: int) -> bytes:
    """Return a counter's bytes."""
    return _COUNTER.pack(value)


def decode_counter(value: bytes) -> int:
    """Return the number that a counter's bytes spell."""
    try:
        return int(_COUNTER.unpack(value)[0])
    except StructError:
        raise _bad_entry(f"a counter of {len(value)} bytes") from None


def _bad_entry(what: str) -> Corrupt:
    return Corrupt(
        f"the index of the store holds {what}",
        code="store-entry",
        hint="Run `prolly fsck` to see what can be rebuilt.",
    )
