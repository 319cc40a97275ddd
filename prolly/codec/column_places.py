"""Where the byte strings of a CBOR array stand, without taking any of them out.

Where all strings of an array are of one length, their places are a range, which one
strided slice proves: the first one's header says how long it is, and if the byte at
each later multiple of that length is the same header, by induction each string ends
where the next one begins. Else the headers are walked once.

Each function raises IndexError where the bytes are of another form.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import compress
from operator import ne

from .byte_strings import even_form

# What byte strings and arrays of up to 23, 255 and 65,535 bytes or items begin with.
STRING, STRING_1, STRING_2 = 0x40, 0x58, 0x59
_ARRAY, _ARRAY_1, _ARRAY_2 = 0x80, 0x98, 0x99

_START_BYTES = array("I").itemsize

# Strings that are compared together first. Where one of a hundred differs that is twice
# as quick as looking at each, and where all do it costs as much again.
_COMPARED = 16


def string_at(chunk: bytes, at: int) -> tuple[int, int]:
    """Return where the byte string whose header stands at ``at`` begins and ends."""
    mark = chunk[at]
    if STRING <= mark < STRING_1:
        return at + 1, at + 1 + mark - STRING
    if mark == STRING_1:
        return at + 2, at + 2 + chunk[at + 1]
    if mark == STRING_2:
        return at + 3, at + 3 + (chunk[at + 1] << 8 | chunk[at + 2])
    raise IndexError


def array_at(chunk: bytes, at: int) -> tuple[int, int]:
    """Return the length of the array whose header stands at ``at``, and its start."""
    mark = chunk[at]
    if _ARRAY <= mark < _ARRAY_1:
        return mark - _ARRAY, at + 1
    if mark == _ARRAY_1:
        return chunk[at + 1], at + 2
    if mark == _ARRAY_2:
        return chunk[at + 1] << 8 | chunk[at + 2], at + 3
    raise IndexError


def starts_at(chunk: bytes, at: int) -> tuple[Sequence[int], int]:
    """Return where the byte strings of an array start, and where it ends."""
    even, end = even_starts_at(chunk, at)
    if even is not None:
        return even, end
    count, at = array_at(chunk, at)
    starts = array("I", bytes(_START_BYTES * count))
    for place in range(count):
        starts[place] = at
        # As ``string_at``, whose call would take as long again.
        mark = chunk[at]
        if STRING <= mark < STRING_1:
            at += 1 + mark - STRING
        elif mark == STRING_1:
            at += 2 + chunk[at + 1]
        else:
            at = string_at(chunk, at)[1]
    return starts, at


def even_starts_at(chunk: bytes, at: int) -> tuple[range | None, int]:
    """Do the same for byte strings of one length; ``None`` where lengths differ."""
    # As ``array_at`` and ``string_at`` for the forms that are usual: scans come here
    # twice a leaf, and two calls are half of what is done.
    mark = chunk[at]
    if mark == _ARRAY_1:
        count = chunk[at + 1]
        at += 2
    else:
        count, at = array_at(chunk, at)
    if not count:
        return range(0), at
    mark = chunk[at]
    if STRING <= mark < STRING_1:
        stride = 1 + mark - STRING
    else:
        stride = string_at(chunk, at)[1] - at
    end = at + count * stride
    if end > len(chunk) or chunk[at:end:stride].count(mark) != count:
        return None, at
    for column in range(at + 1, at + header_size(mark)):
        if chunk[column:end:stride].count(chunk[column]) != count:
            return None, at
    return range(at, end, stride), end


def header_size(mark: int) -> int:
    """Return how many bytes stand before a byte string that begins so."""
    return 1 if mark < STRING_1 else 2 if mark == STRING_1 else 3


def differing_places(one: bytes, other: bytes, places: range) -> list[int]:
    """Return which strings of one length differ, that stand at the same places."""
    found: list[int] = []
    stride, end = places.step, places.stop
    count = len(places)
    size = stride * _COMPARED
    first = 0
    for at in range(places.start, end, size):
        behind = at + size if at + size < end else end
        old, new = one[at:behind], other[at:behind]
        if old != new:
            form = even_form(stride, (behind - at) // stride)
            differ = map(ne, form.unpack(old), form.unpack(new))
            found += compress(range(first, count), differ)
        first += _COMPARED
    return found
