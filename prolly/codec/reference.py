"""References: values that point at other chunks, readable without any schema.

    count (1 byte) | count x (address 32 bytes, kind 1 byte) | payload

``kind`` is the chunk type expected at the address. A record tree marks such values with
a bit, so garbage collection, sync and fsck follow them and know nothing of payloads.
Page: docs/spec/references.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES, ChunkType

# A leaf entry weighs at most 1,024 + 1,000 + 8, and a node at least twice that: longer
# values would push the smallest node up.
INLINE_BYTES_MAX = 1000
REFERRING_BYTES_MAX = INLINE_BYTES_MAX

REFERENCE_BYTES = ADDRESS_BYTES + 1
# What fits next to the count when the payload is empty: 30.
REFERENCES_MAX = (REFERRING_BYTES_MAX - 1) // REFERENCE_BYTES

_KINDS = frozenset(int(kind) for kind in ChunkType)


class Reference(NamedTuple):
    """One edge from a value to a chunk: its address, and the type expected there."""

    address: bytes
    kind: int


class Referring(bytes):
    """A stored value that begins with references.

    Equal only to another ``Referring`` of the same bytes: the same bytes without the
    mark are another value.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is Referring and bytes.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Referring, bytes(self)))

    def __repr__(self) -> str:
        return f"Referring({bytes(self)!r})"


def encode_referring(
    references: Sequence[Reference], payload: bytes = b""
) -> Referring:
    """Return the stored value of references and a payload.

    That it fits within REFERRING_BYTES_MAX is for the caller to see to.
    """
    edges = b"".join([address + bytes((kind,)) for address, kind in references])
    value = Referring(b"%c%b%b" % (len(references), edges, payload))
    assert len(edges) == REFERENCE_BYTES * len(references), "an address has 32 bytes"
    assert references and len(value) <= REFERRING_BYTES_MAX
    return value


def decode_referring(value: bytes) -> tuple[tuple[Reference, ...], bytes]:
    """Return the references and the payload of a stored value.

    Raises Corrupt ``reference`` for no reference at all, a count that does not fit, an
    unknown kind, or a value over the limit.
    """
    count = value[0] if value else 0
    end = 1 + REFERENCE_BYTES * count
    if not count or end > len(value) or len(value) > REFERRING_BYTES_MAX:
        raise _bad_reference(f"{count} references in {len(value)} bytes")
    raw = bytes(value)
    references = tuple(
        Reference(raw[at : at + ADDRESS_BYTES], raw[at + ADDRESS_BYTES])
        for at in range(1, end, REFERENCE_BYTES)
    )
    for reference in references:
        if reference.kind not in _KINDS:
            raise _bad_reference(f"unknown chunk type {reference.kind}")
    return references, raw[end:]


def _bad_reference(reason: str) -> Corrupt:
    return Corrupt(
        f"not a value with references: {reason}",
        code="reference",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
