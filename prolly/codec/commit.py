"""Commits: one version of a repository, and what came before it.

    05 | CBOR [ parents, root, author, time, message, metadata, generation ]

``parents`` is an array of addresses, ``root`` the address of the manifest, ``time``
microseconds since 1970-01-01 UTC, ``generation`` one more than the highest parent's
(0 without parents). Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from prolly.errors import Corrupt, Error, LimitExceeded

from . import cbor
from .address import ADDRESS_BYTES, ChunkType, require_type

# A merge of more is folded in a tree of merges.
COMMIT_PARENTS_MAX = 64
# "Name <mail address>", with room for long names and addresses.
COMMIT_AUTHOR_BYTES_MAX = 1024
# A commit is read whole by `log`: long texts belong into a dataset.
COMMIT_MESSAGE_BYTES_MAX = 65536
COMMIT_METADATA_BYTES_MAX = 65536
# All of it with 64 parents: a longer chunk is refused before it is decoded.
COMMIT_BYTES_MAX = 139_264
COMMIT_TIME_MAX_US = (1 << 63) - 1
COMMIT_GENERATION_MAX = (1 << 63) - 1

_HEAD = bytes((ChunkType.COMMIT,))
_FIELDS = 7


class Commit(NamedTuple):
    """What a commit says; its id is the address of its chunk."""

    parents: tuple[bytes, ...]
    root: bytes
    author: str
    time_us: int
    message: str
    metadata: Mapping[str, Any] = {}
    generation: int = 0


def encode_commit(commit: Commit) -> bytes:
    """Return the chunk of a commit.

    Raises LimitExceeded ``commit-too-long`` past the limits of parents, author, message
    or metadata, and as ``cbor.encode`` for metadata.
    """
    fault = _shape_fault(commit)
    assert not fault, fault
    too_long = _size_fault(commit)
    if too_long:
        raise LimitExceeded(
            f"a commit cannot hold {too_long}",
            code="commit-too-long",
            hint="Keep long texts and data in a dataset.",
        )
    return _HEAD + cbor.encode(
        [
            list(commit.parents),
            commit.root,
            commit.author,
            commit.time_us,
            commit.message,
            commit.metadata,
            commit.generation,
        ]
    )


def decode_commit(chunk: bytes) -> Commit:
    """Return the commit that a chunk spells.

    Raises Corrupt ``chunk-type``, ``value-spelling`` or ``commit`` (shape, limits,
    repeated parents, a generation that does not suit).
    """
    require_type(chunk, ChunkType.COMMIT)
    if len(chunk) > COMMIT_BYTES_MAX:
        raise _bad_commit(f"{len(chunk)} bytes, the limit is {COMMIT_BYTES_MAX}")
    value = cbor.decode(chunk[1:])
    if type(value) is not list or len(value) != _FIELDS or type(value[0]) is not list:
        raise _bad_commit("it is no array of seven")
    commit = Commit(tuple(value[0]), *value[1:])
    fault = _shape_fault(commit) or _size_fault(commit)
    if fault:
        raise _bad_commit(fault)
    return commit


def first_commit(root: bytes) -> bytes:
    """Return the chunk of the constant first commit over the empty manifest's root.

    The same bytes in every repository, so any two share an ancestor.
    """
    return encode_commit(
        Commit(parents=(), root=root, author="", time_us=0, message="")
    )


def _is_address(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == ADDRESS_BYTES


def _shape_fault(commit: Commit) -> str:
    if not all(map(_is_address, (*commit.parents, commit.root))):
        return "a parent or the root is no address"
    if len(set(commit.parents)) != len(commit.parents):
        return "a parent stands twice"
    if type(commit.author) is not str or type(commit.message) is not str:
        return "author and message are text"
    if type(commit.time_us) is not int or abs(commit.time_us) > COMMIT_TIME_MAX_US:
        return "its time is not microseconds in 64 bits"
    if type(commit.metadata) is not dict:
        return "its metadata is no map"
    if type(commit.generation) is not int:
        return "its generation is no integer"
    if not len(commit.parents[:1]) <= commit.generation <= COMMIT_GENERATION_MAX:
        return f"generation {commit.generation} below its parents'"
    if commit.generation and not commit.parents:
        return "a generation without parents"
    return ""


def _size_fault(commit: Commit) -> str:
    if len(commit.parents) > COMMIT_PARENTS_MAX:
        return f"{len(commit.parents)} parents, the limit is {COMMIT_PARENTS_MAX}"
    sizes = (
        (
            "author",
            commit.author.encode("utf-8", "surrogatepass"),
            COMMIT_AUTHOR_BYTES_MAX,
        ),
        (
            "message",
            commit.message.encode("utf-8", "surrogatepass"),
            COMMIT_MESSAGE_BYTES_MAX,
        ),
        ("metadata", cbor.encode(commit.metadata), COMMIT_METADATA_BYTES_MAX),
    )
    for name, part, limit in sizes:
        size = len(part)
        if size > limit:
            return f"{size} bytes of {name}, the limit is {limit}"
    return ""


def _bad_commit(reason: str) -> Error:
    return Corrupt(
        f"not a commit: {reason}",
        code="commit",
        hint="The bytes are damaged, or a newer version wrote them.",
    )
