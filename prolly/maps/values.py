"""Values of a map, as a leaf stores them: inline, or out of line as a blob.

    inline        canonical CBOR of the value                     up to 1,000 bytes
    out of line   one reference to a blob of these very bytes     beyond

Which of the two is a function of the value alone. Inline values were checked with
their node when it came in, so they are decoded without a second check; a blob's content
is read here for the first time as a value, and is checked. Page: docs/spec/values.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import cbor2

from prolly.codec import (
    INLINE_BYTES_MAX,
    Referring,
    cbor,
    decode_referring,
    encode_referring,
)
from prolly.codec.byte_strings import EvenStrings
from prolly.errors import Corrupt

if TYPE_CHECKING:
    from prolly.chunks import ChunkWriter

ReadChunk = Callable[[bytes], bytes | None]

# For values of exactly these types cbor2 alone writes what ``cbor.encode`` does, but
# for unpaired surrogates, which it refuses, and integers that are over the limit, which
# are longer than any inline value.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_NULL = cbor.encode(None)
# What stands before a byte string that fits inline.
_HEADER_BYTES_MAX = len(cbor.byte_string_header(INLINE_BYTES_MAX))


def encode_value(value: object, writer: ChunkWriter) -> bytes:
    """Return what a leaf stores for a value; ``Referring`` when it is out of line.

    A long value's blob goes into ``writer``. Raises as ``cbor.encode``: Invalid
    ``value-type``, LimitExceeded ``value-too-deep``, ``integer-too-long``,
    ``decimal-too-long``.
    """
    data = cbor.encode(value)
    return data if len(data) <= INLINE_BYTES_MAX else _refer(data, writer)


def encode_values(values: Sequence[object], writer: ChunkWriter) -> list[bytes]:
    """Return what leaves store for many values, in order; raises as encode_value."""
    kinds = set(map(type, values))
    if kinds == {bytes}:
        datas = cbor.encode_byte_strings(cast("Sequence[bytes]", values))
    elif kinds <= _PLAIN:
        try:
            datas = [cbor2.dumps(value, canonical=True) for value in values]
        except UnicodeEncodeError:
            datas = list(map(cbor.encode, values))
    else:
        datas = list(map(cbor.encode, values))
    if max(map(len, datas), default=0) <= INLINE_BYTES_MAX:
        return datas
    return [
        data if len(data) <= INLINE_BYTES_MAX else encode_value(value, writer)
        for data, value in zip(datas, values, strict=True)
    ]


def decode_value(stored: bytes, read: ReadChunk) -> Any:
    """Return the value that a leaf's entry stands for.

    ``read`` gives the bytes of a chunk, or None. Raises Corrupt when the bytes are no
    value, or the blob is missing or broken.
    """
    if type(stored) is Referring:
        return _follow(stored, read)
    try:
        return cbor.decode_unchecked(stored)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise _no_value(str(error)) from error


def decode_values(stored: Sequence[bytes], read: ReadChunk) -> list[Any]:
    """Return the values of many entries, in order; raises as decode_value.

    One call of the CBOR reader for all inline ones: a quarter of the time.
    """
    if type(stored) is EvenStrings:
        strings = _byte_strings_in(stored)
        if strings is not None:
            return list(strings)
        return _decode_joined(len(stored), stored.joined())
    if Referring not in set(map(type, stored)):
        return _decode_joined(len(stored), b"".join(stored))
    inline = [_NULL if type(one) is Referring else one for one in stored]
    values = _decode_joined(len(inline), b"".join(inline))
    for index, one in enumerate(stored):
        if type(one) is Referring:
            values[index] = _follow(one, read)
    return values


def _byte_strings_in(stored: EvenStrings) -> EvenStrings | None:
    """Return the values when all are byte strings: they stand there as they are."""
    for size in range(stored.size - 1, max(stored.size - _HEADER_BYTES_MAX, 0) - 1, -1):
        head = cbor.byte_string_header(size)
        if len(head) + size == stored.size:
            return stored.behind(len(head)) if stored.begin_with(head) else None
    return None


def _decode_joined(count: int, joined: bytes) -> list[Any]:
    try:
        values: list[Any] = cbor.decode_unchecked(cbor.array_header(count) + joined)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise _no_value(str(error)) from error
    return values


def _refer(data: bytes, writer: ChunkWriter) -> Referring:
    from .blob import write_blob

    return encode_referring([write_blob(writer, data)])


def _follow(stored: Referring, read: ReadChunk) -> Any:
    references, payload = decode_referring(stored)
    if len(references) != 1 or payload:
        raise _no_value("a value out of line is one reference and nothing else")
    from .blob import read_blob

    data = read_blob(read, references[0])
    if len(data) <= INLINE_BYTES_MAX:
        raise _no_value("a value that fits inline is out of line")
    return cbor.decode(data)


def _no_value(reason: str) -> Corrupt:
    return Corrupt(
        f"not a value of a map: {reason}",
        code="map-value",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
