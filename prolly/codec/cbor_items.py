"""Counting what CBOR holds before it is decoded.

A byte may spell an item that takes sixty in memory, and a few hundred bytes deflated
may spell a million of those. The heads are read one after the other: nesting does not
matter, and strings are passed over. What is not well-formed is for the decoder to find.
"""

from __future__ import annotations

from collections.abc import Iterable

# By the five low bits of a head: how many bytes its argument has.
_ARGUMENT_BYTES = (*[0] * 24, 1, 2, 4, 8, 0, 0, 0, 0)
_STRINGS = (2, 3)


def count_items(pieces: Iterable[bytes], limit: int) -> int:
    """Return how many items CBOR has that comes in pieces; one more than a limit ends.

    The keys and the values of a map count each, and tags; a string counts once.
    """
    left = limit
    waiting = b""
    passed = 0
    for piece in pieces:
        if passed >= len(piece):
            passed -= len(piece)
            continue
        data = waiting + piece[passed:]
        at, end = 0, len(data)
        while at < end:
            head = data[at]
            argument = head & 31
            size = _ARGUMENT_BYTES[argument]
            behind = at + 1 + size
            if behind > end:
                break
            left -= 1
            if left < 0:
                return limit + 1
            if head >> 5 in _STRINGS:
                if size:
                    argument = int.from_bytes(data[at + 1 : behind], "big")
                behind += argument
            at = behind
        waiting, passed = data[at:], max(at - end, 0)
    return limit - left
