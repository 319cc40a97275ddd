"""File entries: what a dataset of kind ``files`` keeps under a path.

    stored value   one reference, to the blob of the content | payload
    payload        CBOR [ size, mode, mtime ]

``mode`` is the nine permission bits; ``mtime`` is nanoseconds since 1970 UTC, or null
where the time is not known. The key is the path, text. Page: docs/spec/files.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prolly.errors import Corrupt

from . import cbor
from .address import Address, ChunkType
from .reference import Reference, Referring, decode_referring, encode_referring

# What `chmod` sets without the bits that change whose rights a program runs with: a
# dataset from elsewhere must not bring those.
FILE_MODE_MAX = 0o777
# Signed 64 bits, as file systems count: the years 1678 to 2262.
MTIME_NS_MAX = 2**63 - 1
MTIME_NS_MIN = -(2**63)
# Offsets in a file are signed 64 bits wide.
FILE_BYTES_MAX = 2**63 - 1

_BLOB_KINDS = (int(ChunkType.BLOB_PIECE), int(ChunkType.BLOB_NODE))


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: size in bytes, permission bits, time, and the blob that it holds.

    ``mtime_ns`` is nanoseconds since 1970 UTC, None where it is not known. Two entries
    with an equal ``content`` hold equal bytes.
    """

    size: int
    mode: int
    mtime_ns: int | None
    reference: Reference

    @property
    def content(self) -> Address:
        """The address of the blob's root: a name of the bytes."""
        return Address(self.reference.address)

    def summary(self) -> dict[str, Any]:
        """Return what differences and listings show: content, size, mode, mtime.

        ``content`` is hexadecimal and ``mode`` octal text; ``mtime`` is nanoseconds.
        """
        return {
            "content": self.reference.address.hex(),
            "size": self.size,
            "mode": f"{self.mode:03o}",
            "mtime": self.mtime_ns,
        }


def encode_file_entry(entry: FileEntry) -> Referring:
    """Return the stored value of an entry."""
    fault = _fault(entry.size, entry.mode, entry.mtime_ns)
    assert not fault and entry.reference.kind in _BLOB_KINDS, fault
    payload = cbor.encode([entry.size, entry.mode, entry.mtime_ns])
    return encode_referring([entry.reference], payload)


def decode_file_entry(stored: bytes) -> FileEntry:
    """Return the entry that a stored value spells.

    Raises Corrupt ``file-entry``, ``reference`` or ``value-spelling``.
    """
    if type(stored) is not Referring:
        raise _bad_entry("it refers to no blob")
    references, payload = decode_referring(stored)
    if len(references) != 1 or references[0].kind not in _BLOB_KINDS:
        raise _bad_entry("it does not refer to one blob alone")
    value = cbor.decode(payload)
    if type(value) is not list or len(value) != 3:
        raise _bad_entry("it is no array of three")
    fault = _fault(*value)
    if fault:
        raise _bad_entry(fault)
    size, mode, mtime_ns = value
    return FileEntry(size, mode, mtime_ns, references[0])


def _fault(size: Any, mode: Any, mtime_ns: Any) -> str:
    if type(size) is not int or not 0 <= size <= FILE_BYTES_MAX:
        return f"its size {size!r}"
    if type(mode) is not int or not 0 <= mode <= FILE_MODE_MAX:
        return f"its mode {mode!r}"
    if mtime_ns is None:
        return ""
    if type(mtime_ns) is not int or not MTIME_NS_MIN <= mtime_ns <= MTIME_NS_MAX:
        return f"its time {mtime_ns!r}"
    return ""


def _bad_entry(reason: str) -> Corrupt:
    return Corrupt(
        f"not the entry of a file: {reason}",
        code="file-entry",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
