"""Bundles: commits and what they reach as one file, to be carried by hand.

    bundle   magic (8) | pack ... pack | head | footer
    head     canonical CBOR: {"packs": [length ...], "prerequisites": [commit id ...],
             "refs": {name: commit id}}
    footer   head length u32 | version u32 | BLAKE3-256 of the head (32) | magic (8)

The packs stand back to back, each as ``prolly.codec.pack`` has it. ``refs`` says where
branches and tags stood; ``prerequisites`` are commits that whoever takes the bundle has
to have already, with all that they reach: none in a whole bundle. Integers are
little-endian and unsigned. The same commits make the same bytes.

Decoders raise Corrupt and nothing else. Page: ``docs/spec/bundles.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from struct import error as StructError
from typing import Any

from blake3 import blake3

from prolly.errors import Corrupt

from . import cbor
from .address import ADDRESS_BYTES

BUNDLE_MAGIC = b"\x89PRLBDL\n"
BUNDLE_VERSION = 1

# Room for 50,000 refs, packs and prerequisites; read whole into memory.
BUNDLE_HEAD_BYTES_MAX = 4 * 1024 * 1024

_FOOTER = Struct("<II32s8s")
BUNDLE_FOOTER_BYTES = _FOOTER.size
_FIELDS = {"packs", "prerequisites", "refs"}


@dataclass(frozen=True, slots=True)
class BundleHead:
    """What a bundle says of itself: lengths of its packs, what it wants, its refs."""

    packs: tuple[int, ...]
    prerequisites: tuple[bytes, ...]
    refs: dict[str, bytes]


def encode_bundle_end(head: BundleHead) -> bytes:
    """Return head and footer: what follows the packs."""
    encoded = cbor.encode(
        {
            "packs": list(head.packs),
            "prerequisites": sorted(head.prerequisites),
            "refs": head.refs,
        }
    )
    digest = blake3(encoded).digest()
    footer = _FOOTER.pack(len(encoded), BUNDLE_VERSION, digest, BUNDLE_MAGIC)
    return encoded + footer


def decode_bundle_footer(footer: bytes) -> tuple[int, bytes]:
    """Return the length and the hash of the head. Raises Corrupt ``bundle-form``."""
    try:
        length, version, digest, magic = _FOOTER.unpack(footer)
    except StructError:
        raise bad_bundle(f"{len(footer)} bytes are no end of a bundle") from None
    if magic != BUNDLE_MAGIC:
        raise bad_bundle("it does not end as a bundle does: it is none, or cut")
    if version != BUNDLE_VERSION:
        raise bad_bundle(f"bundle version {version} is not known")
    if length > BUNDLE_HEAD_BYTES_MAX:
        raise bad_bundle(f"a head of {length} bytes is past {BUNDLE_HEAD_BYTES_MAX}")
    return int(length), digest


def decode_bundle_head(encoded: bytes, digest: bytes) -> BundleHead:
    """Return the head. Raises Corrupt ``bundle-form``."""
    if blake3(encoded).digest() != digest:
        raise bad_bundle("its head does not have the hash that its end names")
    try:
        told = cbor.decode(encoded)
    except Corrupt as error:
        raise bad_bundle(f"its head is no CBOR: {error.message}") from None
    if not isinstance(told, dict) or told.keys() != _FIELDS:
        raise bad_bundle("its head has other fields than a bundle's")
    packs, prerequisites, refs = (
        told["packs"],
        told["prerequisites"],
        told["refs"],
    )
    if not _is_list_of(packs, _is_length):
        raise bad_bundle("its head names no lengths of packs")
    if not _is_list_of(prerequisites, _is_address):
        raise bad_bundle("its prerequisites are no commits")
    if sorted(set(prerequisites)) != prerequisites:
        raise bad_bundle("its prerequisites are not in order, each once")
    if not isinstance(refs, dict) or not all(map(_is_address, refs.values())):
        raise bad_bundle("its refs are no names of commits")
    return BundleHead(tuple(packs), tuple(prerequisites), refs)


def _is_list_of(value: Any, is_right: Any) -> bool:
    return isinstance(value, list) and all(map(is_right, value))


def _is_length(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_address(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == ADDRESS_BYTES


def bad_bundle(problem: str) -> Corrupt:
    """Return the error for a file that is no bundle."""
    return Corrupt(
        f"the bundle cannot be read: {problem}",
        code="bundle-form",
        hint="Copy it once more, or have it made again.",
    )
