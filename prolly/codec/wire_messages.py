"""Messages between replicas: requests, replies, errors, and batches of chunks.

    REQUEST, REPLY, TREE   canonical CBOR: a map with text keys
    ERROR                  the same, with "class", "code", "message", "hint", "facts"
    CHUNKS, COMMITS        count u32 | count x length u32 | the chunks back to back

Decoders raise Corrupt and nothing else; ``decode_wire_error`` returns an error of a
class that is known here, with texts of bounded length. Page: ``docs/spec/sync.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from struct import Struct
from struct import error as StructError
from typing import Any

from prolly import errors
from prolly.errors import Error, RemoteFailed

from . import cbor
from .address import ADDRESS_BYTES
from .cbor_items import count_items
from .pack import CHUNK_BYTES_MAX
from .wire import (
    WIRE_FRAME_BYTES_TARGET,
    FrameType,
    WireFrame,
    bad_wire,
    encode_wire_frame,
)

# A message of refs has 8,192 and some. An item takes up to a hundred bytes of memory,
# and deflated a thousandth of one on the line.
MESSAGE_ITEMS_MAX = 32_768
# A sentence and what it names; a longer one is cut.
ERROR_TEXT_CHARS_MAX = 1000
# What people act on: a key, a ref, two addresses.
ERROR_FACTS_MAX = 16

_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_U32 = Struct("<I")
_CLASSES = {name: getattr(errors, name) for name in errors.__all__ if name != "Error"}


def encode_message(kind: FrameType, fields: Mapping[str, Any]) -> bytes:
    """Return the frame of a map of plain values."""
    return encode_wire_frame(kind, cbor.encode(dict(fields)))


def decode_message(frame: WireFrame, kind: FrameType) -> Message:
    """Return the fields of a frame that must be of a kind; else Corrupt."""
    if frame.kind != kind:
        found = FrameType(frame.kind).name
        raise bad_wire(f"{found} where {kind.name} is due")
    fields = decode_payload(frame.payload)
    if type(fields) is not dict:
        raise bad_wire("it is no map")
    return Message(fields)


def decode_payload(payload: bytes) -> Any:
    """Return the value of a payload. Corrupt for more than ``MESSAGE_ITEMS_MAX``."""
    # An item has a byte at least.
    is_long = len(payload) > MESSAGE_ITEMS_MAX
    if is_long and count_items([payload], MESSAGE_ITEMS_MAX) > MESSAGE_ITEMS_MAX:
        raise bad_wire(f"it has more than {MESSAGE_ITEMS_MAX} items")
    return cbor.decode(payload)


class Message:
    """The fields of a request or a reply, taken by name and type.

    What is absent is its default where there is one. Raises Corrupt ``wire-frame`` for
    a field of another type or past its limit.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.fields.get(name)
        if type(value) is not str:
            raise bad_wire(f"{name!r} is no text")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """Return an integer that is not negative."""
        value = self.fields.get(name, default)
        if type(value) is not int or value < 0:
            raise bad_wire(f"{name!r} is no number")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false, false when it is absent."""
        value = self.fields.get(name, False)
        if type(value) is not bool:
            raise bad_wire(f"{name!r} is neither true nor false")
        return value

    def data(self, name: str, size: int | None = None) -> bytes:
        """Return a byte string, of a size where that is given."""
        value = self.fields.get(name, b"")
        if type(value) is not bytes or size not in (None, len(value)):
            raise bad_wire(f"{name!r} is no byte string that fits")
        return value

    def addresses(self, name: str, count_max: int) -> list[bytes]:
        """Return addresses that stand back to back; none when it is absent."""
        raw = self.data(name)
        if len(raw) % ADDRESS_BYTES or len(raw) > count_max * ADDRESS_BYTES:
            raise bad_wire(f"{name!r} is no string of up to {count_max} addresses")
        return split_addresses(raw)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a map with text keys; an empty one when it is absent."""
        value = self.fields.get(name, {})
        if type(value) is not dict:
            raise bad_wire(f"{name!r} is no map")
        return value


def split_addresses(raw: bytes) -> list[bytes]:
    """Return the addresses of a string of them."""
    return [raw[at : at + ADDRESS_BYTES] for at in range(0, len(raw), ADDRESS_BYTES)]


def encode_bits(flags: Sequence[bool]) -> bytes:
    """Return flags as bits, least significant first."""
    number = sum(1 << place for place, flag in enumerate(flags) if flag)
    return number.to_bytes((len(flags) + 7) // 8, "little")


def decode_bits(data: bytes, count: int) -> list[bool]:
    """Return so many flags. Corrupt ``wire-frame`` for another number of bits."""
    number = int.from_bytes(data, "little")
    if len(data) != (count + 7) // 8 or number >> count:
        raise bad_wire(f"{len(data)} bytes of bits for {count}")
    text = f"{number:0{count}b}"[::-1] if count else ""
    return [mark == "1" for mark in text]


def encode_chunk_frames(kind: FrameType, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield frames of chunks, in order, some hundred kilobytes each."""
    batch: list[bytes] = []
    size = 0
    for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size >= WIRE_FRAME_BYTES_TARGET:
            yield _chunk_frame(kind, batch)
            batch, size = [], 0
    if batch:
        yield _chunk_frame(kind, batch)


def _chunk_frame(kind: FrameType, chunks: Sequence[bytes]) -> bytes:
    count = len(chunks)
    lengths = Struct(f"<{count + 1}I").pack(count, *map(len, chunks))
    return encode_wire_frame(kind, b"".join([lengths, *chunks]))


def decode_chunks(payload: bytes) -> list[bytes]:
    """Return the chunks of a frame. Corrupt ``wire-frame`` if they do not fill it."""
    try:
        (count,) = _U32.unpack_from(payload)
        if not 0 < count <= len(payload) // 4:
            raise bad_wire(f"{count} chunks in {len(payload)} bytes")
        lengths = Struct(f"<{count}I").unpack_from(payload, 4)
    except StructError:
        raise bad_wire("a batch of chunks is cut short") from None
    start = 4 + 4 * count
    if min(lengths) < 1 or max(lengths) > CHUNK_BYTES_MAX:
        raise bad_wire("a chunk has no bytes, or too many")
    if start + sum(lengths) != len(payload):
        raise bad_wire("chunks do not fill their frame")
    ends = accumulate(lengths, initial=start)
    return [payload[low:high] for low, high in pairwise(ends)]


def encode_wire_error(error: Error) -> bytes:
    """Return the frame that tells the other side of an error."""
    name = type(error).__name__
    fields = {
        "class": name if name in _CLASSES else RemoteFailed.__name__,
        "code": error.code,
        "message": _clipped(error.message),
        "hint": _clipped(error.hint),
        "facts": _plain_facts(error.facts),
    }
    return encode_message(FrameType.ERROR, fields)


def decode_wire_error(payload: bytes) -> Error:
    """Return the error that a frame tells of; Corrupt for bytes that are none."""
    fields = decode_payload(payload)
    if type(fields) is not dict:
        raise bad_wire("an error is no map")
    message = Message(fields)
    code, facts = message.text("code"), message.mapping("facts")
    kind = _CLASSES.get(message.text("class"))
    if kind is None or not _CODE.fullmatch(code):
        kind, code = RemoteFailed, "remote-error"
    hint = _clipped(message.text("hint"))
    text = _clipped(message.text("message"))
    told: Error = kind(text, code=code, hint=hint, **_plain_facts(facts))
    return told


def _clipped(text: str) -> str:
    """Return a text without what a terminal would act on, and not too long."""
    cut = text[:ERROR_TEXT_CHARS_MAX]
    return cut if cut.isprintable() else "".join(map(_shown, cut))


def _shown(mark: str) -> str:
    return mark if mark.isprintable() else "?"


def _plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that travel: short texts, numbers and bytes."""
    plain: dict[str, Any] = {}
    for name, value in facts.items():
        if type(name) is not str or not name.isidentifier() or name in _OWN_FACTS:
            continue
        if type(value) is str:
            plain[name] = _clipped(value)
        elif isinstance(value, bytes) and len(value) <= ERROR_TEXT_CHARS_MAX:
            plain[name] = bytes(value)
        elif value is None or (type(value) in (bool, int) and abs(value) < 1 << 63):
            plain[name] = value
        if len(plain) == ERROR_FACTS_MAX:
            break
    return plain


# Fields that every error has, and the first argument of what makes one.
_OWN_FACTS = {"self", "message", "code", "hint", "facts", "args"}
