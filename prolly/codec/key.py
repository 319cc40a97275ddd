"""Keys: tuples whose byte order is their value order (the FoundationDB tuple layer).

    00 null (inside a nested tuple 00 ff)         01 bytes  00 -> 00 ff, ends with 00
    02 text, UTF-8, 00 -> 00 ff, ends with 00     05 nested tuple, ends with 00
    0b negative, 9 to 255 bytes    0c..13 negative, 8..1 bytes    14 zero
    15..1c positive, 1..8 bytes    1d positive, 9 to 255 bytes
    21 float64, order-preserving    26 false    27 true    30 uuid
    40 date    41 datetime    42 decimal          (user types; see ``key_scalar``)

A *user key* is a scalar or a tuple of two or more parts; a scalar is stored as a
one-part tuple. 1, 1.0 and True are three keys; so are -0.0 and 0.0, in that order.
``decode`` refuses every spelling that ``encode`` does not write.
Page: docs/spec/keys.md.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any, cast

from prolly.errors import Corrupt, Invalid, LimitExceeded

from .byte_strings import EvenStrings, as_strings
from .kernel import kernel

# A node holds at least two entries, and a key stands in every level above its leaf:
# longer keys would push the smallest node, and so all of them, up.
KEY_BYTES_MAX = 1024
# A nested tuple has no use beyond a few levels; the limit keeps recursion shallow on
# hostile bytes, which could else spell 1,024 levels.
KEY_DEPTH_MAX = 16

_NULL, _BYTES, _TEXT, _NESTED = 0x00, 0x01, 0x02, 0x05
_ZERO = 0x14
_LONG_NEGATIVE, _LONG_POSITIVE = 0x0B, 0x1D
_FALSE, _TRUE = 0x26, 0x27
_INT_BYTES_MAX = 255

_HEADS = [bytes([code]) for code in range(256)]


def encode(parts: tuple[Any, ...]) -> bytes:
    """Return the bytes of a tuple of any number of parts; the empty tuple is empty.

    Raises Invalid ``key-type``, ``key-nan`` or ``key-range`` for a part that has no
    place in the order, LimitExceeded ``key-too-long`` or ``key-too-deep``.
    """
    if kernel is not None:
        try:
            data = b"".join(kernel.encode_keys(parts))
        except (kernel.Unfit, UnicodeEncodeError):
            pass
        else:
            if len(data) <= KEY_BYTES_MAX:
                return data
    try:
        data = b"".join([_ENCODERS[type(part)](part) for part in parts])
    except KeyError:
        _learn_scalars()
        _require_types(parts)
        return encode(parts)
    except UnicodeEncodeError as error:
        raise _surrogate() from error
    if len(data) > KEY_BYTES_MAX:
        raise _too_long(len(data))
    return data


def encode_key(key: object) -> bytes:
    """Return the bytes of a user key: a scalar, or a tuple of two parts or more.

    Raises as ``encode``; Invalid ``key-one-part`` for a tuple of one part, since the
    scalar alone means the same, and ``key-empty`` for the empty tuple.
    """
    if type(key) is tuple:
        if len(key) < 2:
            raise _too_few(key)
        return encode(key)
    return encode((key,))


def encode_keys(keys: Sequence[object]) -> list[bytes]:
    """Return the bytes of many user keys, in order; raises as ``encode_key``.

    The usual case, all text, takes a sixth of the time of single calls.
    """
    if kernel is not None:
        try:
            return kernel.encode_keys(keys)
        except (kernel.Unfit, UnicodeEncodeError):
            pass
    if set(map(type, keys)) == {str}:
        # One call each joins, encodes and divides them; the mark stands in no key then.
        joined = _TEXT_JOINT.join(cast("Sequence[str]", keys))
        if joined.count("\0") == joined.count("\n") == len(keys) - 1:
            try:
                datas = f"\x02{joined}\0".encode().split(b"\n")
            except UnicodeEncodeError as error:
                raise _surrogate() from error
            longest = max(map(len, datas))
            if longest > KEY_BYTES_MAX:
                raise _too_long(longest)
            return datas
    return [encode_key(key) for key in keys]


# The end of one text, a mark, and the beginning of the next.
_TEXT_JOINT = "\0\n\x02"


def decode(data: bytes) -> tuple[Any, ...]:
    """Return the parts that the bytes spell; Corrupt ``key-spelling`` if they do not.

    A datetime comes back in UTC, a decimal with its trailing zeros, float32 and
    versionstamps of the tuple layer are refused.
    """
    if len(data) > KEY_BYTES_MAX:
        raise misspelt(f"{len(data)} bytes, the limit is {KEY_BYTES_MAX}")
    parts: list[Any] = []
    at = 0
    while at < len(data):
        part, at = _decode_part(data, at, 0)
        parts.append(part)
    return tuple(parts)


def end_of_parts(data: bytes, count: int) -> int:
    """Return the offset behind the first ``count`` parts; Corrupt as ``decode``."""
    at = 0
    for _ in range(count):
        if at >= len(data):
            raise misspelt(f"it has not {count} parts")
        _, at = _decode_part(data, at, 0)
    return at


def decode_key(data: bytes) -> Any:
    """Return the user key that the bytes spell: a scalar, or a tuple of two or more.

    Raises Corrupt ``key-spelling``, also for no part and for a lone nested tuple.
    """
    if kernel is not None:
        try:
            return kernel.decode_keys([data])[0]
        except (kernel.Unfit, UnicodeDecodeError):
            pass
    parts = decode(data)
    if len(parts) > 1:
        return parts
    if not parts or type(parts[0]) is tuple:
        raise misspelt("a key is one scalar or at least two parts")
    return parts[0]


def decode_keys(datas: Sequence[bytes]) -> list[Any]:
    """Return the user keys of many spellings, in order; raises as ``decode_key``."""
    if kernel is not None:
        try:
            return kernel.decode_keys(as_strings(datas))
        except (kernel.Unfit, UnicodeDecodeError):
            pass
    found = None
    if type(datas) is EvenStrings:
        if datas.size <= KEY_BYTES_MAX:
            found = _decode_even(datas.joined(), datas.size)
    elif len(datas) > 1 and max(map(len, datas)) <= KEY_BYTES_MAX:
        sizes = set(map(len, datas))
        if len(sizes) == 1:
            found = _decode_even(b"".join(datas), *sizes)
        else:
            found = _decode_texts(_SEPARATOR.join(datas), len(datas))
    return [decode_key(data) for data in datas] if found is None else found


def are_integers(datas: Sequence[bytes]) -> bool:
    """Tell whether it is certain that ascending keys are an integer each.

    The first and the last one tell: what lies between two integers of one length, and
    is as long, is an integer. Raises as ``decode_key``. Not for no key.
    """
    if type(datas) is not EvenStrings or not 1 < datas.size <= 1 + _WORD_BYTES:
        return False
    first, last = datas[0], datas[-1]
    if first[0] != last[0]:
        return False
    return type(decode_key(first)) is int and type(decode_key(last)) is int


# No byte of UTF-8 text.
_SEPARATOR = b"\xff"
_TEXT_BORDER = b"\0\xff\x02"
_WORD_BYTES = 8


def _decode_texts(joined: bytes, count: int) -> list[Any] | None:
    """Return the texts of so many separated keys, or ``None`` if one is no text.

    As many borders as separators: each key begins as a text and ends with a zero. As
    many zeros as keys: it is the only one, so the spelling is canonical.
    """
    if joined[0] != _TEXT or joined[-1] or joined.count(0) != count:
        return None
    if joined.count(_SEPARATOR) != count - 1 or joined.count(_TEXT_BORDER) != count - 1:
        return None
    try:
        text = joined[1:-1].replace(_TEXT_BORDER, b"\0").decode()
    except UnicodeDecodeError as error:
        raise misspelt(str(error)) from error
    return list(text.split("\0"))


def _decode_even(joined: bytes, size: int) -> list[Any] | None:
    """Return the texts or positive integers of keys of one size, if all are that."""
    if not size:
        return None
    count = len(joined) // size
    head = joined[0]
    if joined[::size].count(head) != count:
        return None
    if head == _TEXT:
        # As many zeros as keys, and one at each end: the spelling is canonical.
        if not joined.count(0) == joined[size - 1 :: size].count(0) == count:
            return None
        try:
            return list(joined[1:-1].decode().split("\0\x02"))
        except UnicodeDecodeError as error:
            raise misspelt(str(error)) from error
    digits = size - 1
    # No integer begins with a zero byte.
    if not 1 <= digits <= _WORD_BYTES or head != _ZERO + digits or 0 in joined[1::size]:
        return None
    words = bytearray(_WORD_BYTES * count)
    for place in range(digits):
        words[_WORD_BYTES - digits + place :: _WORD_BYTES] = joined[1 + place :: size]
    integers = array("Q", words)
    if sys.byteorder == "little":
        integers.byteswap()
    return integers.tolist()


def prefix_range(prefix: object) -> tuple[bytes, bytes | None]:
    """Return [start, stop) of the encoded keys that begin with a prefix.

    For text or bytes: the keys whose first part is of that type and begins with it
    (scalar keys, and tuples led by such a part). For a tuple of any length: the keys
    that begin with those parts, the key of just these parts included; the empty tuple
    is every key, and then ``stop`` is None. Raises Invalid ``key-prefix`` for other
    types and as ``encode``.
    """
    if type(prefix) is tuple:
        start = encode(prefix)
        # No part begins with ff, so this lies just behind every longer tuple.
        return start, start + b"\xff" if start else None
    if type(prefix) is str or type(prefix) is bytes:
        start = encode((prefix,))[:-1]
        stop = start.rstrip(b"\xff")
        return start, stop[:-1] + _HEADS[stop[-1] + 1]
    raise Invalid(
        f"a prefix cannot be of type {type(prefix).__name__}",
        code="key-prefix",
        hint="Give text, bytes, or a tuple of the leading parts.",
    )


def _encode_bytes(value: bytes) -> bytes:
    return b"\x01%b\0" % value.replace(b"\0", b"\0\xff")


def _encode_text(value: str) -> bytes:
    return b"\x02%b\0" % value.encode().replace(b"\0", b"\0\xff")


def _encode_int(value: int) -> bytes:
    size = (value.bit_length() + 7) >> 3
    if value >= 0:
        if size <= 8:
            return _HEADS[_ZERO + size] + value.to_bytes(size, "big")
        if size <= _INT_BYTES_MAX:
            return b"\x1d%c%b" % (size, value.to_bytes(size, "big"))
    else:
        # One's complement: -1 is fe, so that a greater magnitude sorts first.
        rest = (value - 1 + (1 << (8 * size))) if size <= _INT_BYTES_MAX else 0
        if size <= 8:
            return _HEADS[_ZERO - size] + rest.to_bytes(size, "big")
        if size <= _INT_BYTES_MAX:
            return b"\x0b%c%b" % (size ^ 0xFF, rest.to_bytes(size, "big"))
    raise LimitExceeded(
        f"an integer in a key has at most {_INT_BYTES_MAX} bytes",
        code="key-too-long",
        hint="Store so large a number as a value, not in the key.",
    )


def _encode_nested(parts: tuple[Any, ...], depth: int = 1) -> bytes:
    if depth > KEY_DEPTH_MAX:
        raise LimitExceeded(
            f"a key is nested deeper than {KEY_DEPTH_MAX} levels",
            code="key-too-deep",
            hint="Use a flat tuple.",
        )
    pieces = [b"\x05"]
    for part in parts:
        kind = type(part)
        if part is None:
            pieces.append(b"\0\xff")
        elif kind is tuple:
            pieces.append(_encode_nested(part, depth + 1))
        else:
            pieces.append(_ENCODERS[kind](part))
    pieces.append(b"\0")
    return b"".join(pieces)


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"\0",
    bytes: _encode_bytes,
    str: _encode_text,
    tuple: _encode_nested,
    int: _encode_int,
    bool: lambda value: b"\x27" if value else b"\x26",
}


def _decode_part(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the part that begins at an offset, and the offset behind it."""
    code = data[at]
    at += 1
    if code in (_TEXT, _BYTES):
        raw, at = _decode_escaped(data, at)
        if code == _BYTES:
            return raw, at
        try:
            return raw.decode(), at
        except UnicodeDecodeError as error:
            raise misspelt(str(error)) from error
    if _LONG_NEGATIVE <= code <= _LONG_POSITIVE:
        return _decode_int(data, at, code)
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code == _NESTED:
        return _decode_nested(data, at, depth + 1)
    if code in _SIZED:
        size, read = _SIZED[code]
        return read(_take(data, at, size)), at + size
    if code in _UNSIZED:
        return _UNSIZED[code](data, at)
    _learn_scalars()
    if code in _SIZED or code in _UNSIZED:
        return _decode_part(data, at - 1, depth)
    raise misspelt(f"unknown type code {code:#04x}")


def _decode_escaped(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(0, at)
    while end >= 0 and data[end + 1 : end + 2] == b"\xff":
        end = data.find(0, end + 2)
    if end < 0:
        raise misspelt("text or bytes without an end")
    return data[at:end].replace(b"\0\xff", b"\0"), end + 1


def _decode_int(data: bytes, at: int, code: int) -> tuple[int, int]:
    negative = code < _ZERO
    if code in (_LONG_NEGATIVE, _LONG_POSITIVE):
        size = _take(data, at, 1)[0] ^ (0xFF if negative else 0)
        at += 1
        smallest = 9
    else:
        size = smallest = abs(code - _ZERO)
    raw = int.from_bytes(_take(data, at, size), "big")
    magnitude = (1 << (8 * size)) - 1 - raw if negative else raw
    if size < smallest or (magnitude.bit_length() + 7) >> 3 != size:
        raise misspelt("an integer is not in its shortest form")
    return (-magnitude if negative else magnitude), at + size


def _decode_nested(data: bytes, at: int, depth: int) -> tuple[tuple[Any, ...], int]:
    if depth > KEY_DEPTH_MAX:
        raise misspelt(f"nested deeper than {KEY_DEPTH_MAX} levels")
    parts: list[Any] = []
    while True:
        if _take(data, at, 1) != b"\0":
            part, at = _decode_part(data, at, depth)
            parts.append(part)
        elif data[at + 1 : at + 2] == b"\xff":
            parts.append(None)
            at += 2
        else:
            return tuple(parts), at + 1


def _take(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) != size:
        raise misspelt("the bytes end inside a part")
    return piece


_CONSTANTS: dict[int, Any] = {_NULL: None, _FALSE: False, _TRUE: True}
# By type code: the length of a part and what reads it; what reads one that tells itself
# where it ends. Filled with the first part that is of none of the types above.
_SIZED: dict[int, tuple[int, Callable[[bytes], Any]]] = {}
_UNSIZED: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {}


def _learn_scalars() -> None:
    """Let keys have the parts of ``key_scalar``."""
    # Loaded by those who have such keys: dates, decimals and ids are felt in a start.
    from .key_scalar import ENCODERS, SIZED, UNSIZED

    _ENCODERS.update(ENCODERS)
    _UNSIZED.update(UNSIZED)
    _SIZED.update(SIZED)


def misspelt(reason: str) -> Corrupt:
    """Return (not raise) the error for bytes that no key is spelt as."""
    return Corrupt(
        f"not a canonical key: {reason}",
        code="key-spelling",
        hint="The bytes are damaged or come from a writer that breaks the format.",
    )


def _too_long(size: int) -> LimitExceeded:
    return LimitExceeded(
        f"a key takes {size} bytes, the limit is {KEY_BYTES_MAX}",
        code="key-too-long",
        hint="Use a shorter key, or a hash of the long part.",
        actual=size,
        limit=KEY_BYTES_MAX,
    )


def _too_few(parts: tuple[Any, ...]) -> Invalid:
    if parts:
        return Invalid(
            "a key cannot be a tuple of one part",
            code="key-one-part",
            hint="Give the part itself: it is stored as that tuple.",
        )
    return Invalid(
        "a key cannot be the empty tuple",
        code="key-empty",
        hint="Give a scalar, or a tuple of two parts or more.",
    )


def _surrogate() -> Invalid:
    return Invalid(
        "text in a key contains an unpaired surrogate",
        code="key-type",
        hint="Decode the text properly, or use bytes.",
    )


def _require_types(parts: tuple[Any, ...]) -> None:
    for part in parts:
        if type(part) is tuple:
            _require_types(part)
        elif type(part) not in _ENCODERS:
            raise Invalid(
                f"a key cannot hold {type(part).__name__}",
                code="key-type",
                hint="Keys are null, bool, int, float, decimal, text, bytes, date, "
                "datetime, uuid, and tuples of these.",
                type=type(part).__name__,
            )
