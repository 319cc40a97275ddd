"""Values: deterministic CBOR (RFC 8949 section 4.2.1), one spelling for each value.

    null f6   false f4   true f5   integer 00.. 20.. 1b.. c2/c3 (bignum)
    float f9 / fa / fb, the shortest that keeps the value; NaN is f97e00
    bytes 40..   text 60..   array 80..   map a0.. (text keys, sorted by their encoding)
    datetime c0 + text   date d903ec + text   decimal c4 82 exponent mantissa
    uuid d825 50 + 16 bytes

Equal values have equal bytes, and ``decode`` refuses every other spelling. 1, 1.0, true
and decimal 1 are four different values; a tuple is written as an array and comes back
as a list. Only exact types are taken: a subclass (an enum, a pandas timestamp) would
come back as something else. Page: docs/spec/values.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NoReturn

import cbor2
from blake3 import blake3

from prolly.errors import Corrupt, Invalid, LimitExceeded

# Deep enough for every document that a person wrote, and far below the depth at which
# recursive code in any language runs out of stack.
VALUE_DEPTH_MAX = 64
# 2,467 digits: more than any data has, below the 4,300 digits that Python prints, and
# small enough that turning digits to binary stays quick on hostile input.
INT_BYTES_MAX = 1024
# The range of Python's default decimal context: what lies outside cannot be computed.
DECIMAL_EXPONENT_MAX = 999_999

_INT_BITS_MAX = 8 * INT_BYTES_MAX
_INT_LIMIT: int = 1 << _INT_BITS_MAX
# What surely fits into the longest integer.
DECIMAL_DIGITS_MAX = len(str(_INT_LIMIT)) - 1
# No other value of these types needs a look before cbor2 may have it, apart from huge
# integers and unpaired surrogates, which show in the result and as an error.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_CONTAINERS = (list, tuple, dict)

_Path = list[Any]
_Fault = tuple[str, str, _Path]

decode_unchecked: Callable[[bytes], Any] = cbor2.loads
"""Decode bytes that were verified when they came in; no check of the spelling."""


def encode(value: object) -> bytes:
    """Return the one encoding of a value.

    Raises Invalid ``value-type`` (fields ``type`` and ``path``, the keys and positions
    that lead to the culprit) for what has no encoding: other types, naive datetimes,
    decimals that are not finite or are -0, map keys that are not text, lone surrogates.
    Raises LimitExceeded ``value-too-deep``, ``integer-too-long`` or
    ``decimal-too-long``.
    """
    if type(value) not in _PLAIN:
        _require(value)
    try:
        data = cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError:
        _refuse_surrogates(value)
    if len(data) > INT_BYTES_MAX:
        _require_int_sizes(value)
    return data


def decode(data: bytes) -> Any:
    """Return the value that the bytes spell.

    Raises Corrupt ``value-spelling`` for anything that ``encode`` does not write.
    """
    try:
        value = _loads_strictly(data)
        same = encode(value) == data
    except (cbor2.CBORDecodeError, Invalid, LimitExceeded) as error:
        raise _misspelt(str(error)) from error
    if not same:
        raise _misspelt("the bytes are not the canonical spelling of their value")
    return value


def decode_many(datas: Sequence[bytes]) -> list[Any]:
    """Return the values that byte strings spell, in order; raises as ``decode``."""
    found = decode_runs(datas, 1)
    return list(map(decode, datas)) if found is None else found[::2]


def decode_runs(datas: Sequence[bytes], sizes: int | Sequence[int]) -> list[Any] | None:
    """Return the values of byte strings of some values each, and a mark behind each.

    ``sizes`` is how many each spells, or how many all do. One call reads all, and one
    spells all anew. The marks show that none runs over into the next: they are a hash
    of them all, which none can hold. ``None`` where not all are of just so many values
    in their one spelling, or that takes more to tell.
    """
    mark = blake3(b"".join(datas)).digest()
    behind = byte_string_header(len(mark)) + mark
    count = len(datas)
    total = count * sizes if isinstance(sizes, int) else sum(sizes)
    spelt = b"".join([array_header(total + count), behind.join(datas), behind])
    try:
        found: list[Any] = _loads_strictly(spelt)
        if isinstance(sizes, int):
            marks = found[sizes :: sizes + 1]
        else:
            marks = [found[end + place] for place, end in enumerate(accumulate(sizes))]
        if marks.count(mark) != count:
            return None
        if not set(map(type, found)) <= _PLAIN:
            for value in found:
                if type(value) not in _PLAIN:
                    _require(value)
        is_same = cbor2.dumps(found, canonical=True) == spelt
    except (cbor2.CBORDecodeError, UnicodeEncodeError, Invalid, LimitExceeded):
        return None
    # An integer past its limit takes more bytes than that.
    is_within = max(map(len, datas), default=0) <= INT_BYTES_MAX
    return found if is_same and is_within else None


def array_header(count: int) -> bytes:
    """Return the head of an array of ``count`` items, to be followed by the items."""
    if count < 24:
        return bytes((0x80 + count,))
    if count < 256:
        return bytes((0x98, count))
    if count < 65536:
        return b"\x99" + count.to_bytes(2, "big")
    return b"\x9a" + count.to_bytes(4, "big")


def byte_string_header(size: int) -> bytes:
    """Return the head of a byte string of ``size`` bytes, to be followed by them."""
    if size < 24:
        return bytes((0x40 + size,))
    if size < 256:
        return bytes((0x58, size))
    if size < 65536:
        return b"\x59" + size.to_bytes(2, "big")
    if size < 1 << 32:
        return b"\x5a" + size.to_bytes(4, "big")
    return b"\x5b" + size.to_bytes(8, "big")


def encode_byte_strings(values: Sequence[bytes]) -> list[bytes]:
    """Return the encodings of many byte strings: a third of the time of ``encode``."""
    heads = {size: byte_string_header(size) for size in set(map(len, values))}
    if len(heads) == 1:
        [head] = heads.values()
        return [head + value for value in values]
    return [heads[len(value)] + value for value in values]


def _loads_strictly(data: bytes) -> Any:
    return cbor2.loads(
        data,
        max_depth=_DECODE_DEPTH_MAX,
        allow_indefinite=False,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
        semantic_decoders=_STRICT_TAGS,
        tag_hook=_refuse_tag,
    )


def _misspelt(reason: str) -> Corrupt:
    return Corrupt(
        f"not a canonical value: {reason}",
        code="value-spelling",
        hint="The bytes are damaged or come from a writer that breaks the format.",
    )


def _refuse_tag(tag: Any, immutable: bool) -> NoReturn:
    raise ValueError("tag not allowed")


def _strict_bignum(raw: Any, immutable: bool) -> int:
    if type(raw) is not bytes or not 8 < len(raw) <= INT_BYTES_MAX:
        raise ValueError("bignum outside its range")
    return int.from_bytes(raw, "big")


def _strict_negative_bignum(raw: Any, immutable: bool) -> int:
    return -1 - _strict_bignum(raw, immutable)


def _strict_decimal(pair: Any, immutable: bool) -> Any:
    from .cbor_scalar import strict_decimal

    # From now on it stands where this function stood.
    _STRICT_TAGS[4] = strict_decimal
    return strict_decimal(pair, immutable)


# cbor2 knows many tags that are not ours. Each is switched off, because some of them
# (shared references, string references, regular expressions, big floats) let a few
# bytes cost much time or memory before the spelling is compared.
_FOREIGN_TAGS = (1, 5, 25, 28, 29, 30, 35, 36, 52, 54, 100, 256, 258, 260, 261)
_STRICT_TAGS: dict[int, Any] = {
    **dict.fromkeys((*_FOREIGN_TAGS, 43000, 55799), _refuse_tag),
    2: _strict_bignum,
    3: _strict_negative_bignum,
    4: _strict_decimal,
}
# A decimal at the deepest place takes three more: tag, array, bignum tag.
_DECODE_DEPTH_MAX = VALUE_DEPTH_MAX + 4


def _fault(value: object, depth: int) -> _Fault | None:
    """Return what is wrong with a value as (kind, text, path), or None."""
    kind = type(value)
    if kind in _PLAIN:
        return None
    if kind in _CONTAINERS:
        return _container_fault(value, depth + 1)
    check = _SCALAR_FAULTS.get(kind) or _scalar_fault(kind)
    if check is None:
        return "value-type", f"a value cannot be of type {kind.__name__}", []
    found = check(value)
    return None if found is None else (*found, [])


def _container_fault(value: Any, depth: int) -> _Fault | None:
    if depth > VALUE_DEPTH_MAX:
        text = f"a value is nested deeper than {VALUE_DEPTH_MAX} levels"
        return "value-too-deep", text, []
    if type(value) is dict:
        items: Any = value.values()
        if not set(map(type, value)) <= {str}:
            culprit = next(key for key in value if type(key) is not str)
            text = f"a map key must be text, not {type(culprit).__name__}"
            return "value-type", text, [culprit]
        places: Any = value
    else:
        items = value
        places = range(len(value))
    if _PLAIN.issuperset(map(type, items)):
        return None
    for place, item in zip(places, items, strict=True):
        found = _fault(item, depth)
        if found is not None:
            found[2].insert(0, place)
            return found
    return None


_ScalarFault = Callable[[Any], tuple[str, str] | None]
# Filled with the first value that is neither plain nor a container.
_SCALAR_FAULTS: dict[type, _ScalarFault] = {}


def _scalar_fault(kind: type) -> _ScalarFault | None:
    """Return what finds the fault of a value of a type; None where it has no value."""
    # Dates, decimals and ids are loaded by those who have some, since starting is felt.
    from .cbor_scalar import SCALAR_FAULTS

    _SCALAR_FAULTS.update(SCALAR_FAULTS)
    return _SCALAR_FAULTS.get(kind)


_HINTS = {
    "value-type": "Values are null, bool, int, float, decimal, text, bytes, datetime "
    "with an offset, date, uuid, lists, and maps with text keys.",
    "value-too-deep": "Store the inner parts under keys of their own.",
    "integer-too-long": f"An integer takes at most {INT_BYTES_MAX} bytes.",
    "decimal-too-long": f"A decimal has at most {DECIMAL_DIGITS_MAX} digits and an "
    f"exponent within +-{DECIMAL_EXPONENT_MAX}.",
}


def _require(value: object) -> None:
    found = _fault(value, 0)
    if found is not None:
        code, text, path = found
        _raise(value, code, text, path)


def _raise(value: object, code: str, text: str, path: _Path) -> NoReturn:
    culprit: Any = value
    for place in path:
        culprit = culprit[place] if type(culprit) in _CONTAINERS else culprit
    hint = _HINTS[code]
    if code == "value-type" and type(culprit).__name__ == "datetime":
        hint = "Give it a time zone, for example value.replace(tzinfo=timezone.utc)."
    where = "".join(f"[{place!r}]" for place in path)
    kind = Invalid if code == "value-type" else LimitExceeded
    message = f"{text} (at {where})" if where else text
    raise kind(message, code=code, hint=hint, type=type(culprit).__name__, path=path)


def _find(value: Any, wrong: Callable[[Any], bool]) -> _Path | None:
    """Return the path to the first scalar or map key that is wrong, or None."""
    if type(value) is dict:
        for key, item in value.items():
            if wrong(key):
                return [key]
            inner = _find(item, wrong)
            if inner is not None:
                return [key, *inner]
        return None
    if type(value) in (list, tuple):
        for place, item in enumerate(value):
            inner = _find(item, wrong)
            if inner is not None:
                return [place, *inner]
        return None
    return [] if wrong(value) else None


def _has_surrogate(value: Any) -> bool:
    return type(value) is str and any("\ud800" <= mark <= "\udfff" for mark in value)


def _refuse_surrogates(value: object) -> NoReturn:
    path = _find(value, _has_surrogate)
    assert path is not None, "cbor2 found a surrogate that is not there"
    _raise(value, "value-type", "text contains an unpaired surrogate", path)


def _is_too_long(value: Any) -> bool:
    return type(value) is int and not -_INT_LIMIT <= value < _INT_LIMIT


def _require_int_sizes(value: object) -> None:
    path = _find(value, _is_too_long)
    if path is not None:
        _raise(value, "integer-too-long", "an integer is too long", path)
