"""What the format asks of one chunk, beyond that it decodes.

Trees are checked as wholes elsewhere; here it is the one spelling of each chunk, and
what commits and blob nodes must agree on with the chunks right below them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prolly.codec import (
    ChunkType,
    Commit,
    decode_blob_node,
    decode_commit,
    decode_working,
    encode_commit,
    encode_working,
)
from prolly.codec.node import check_node
from prolly.errors import Corrupt, Error

ReadChunk = Callable[[bytes], bytes | None]


def iter_chunk_faults(chunk: bytes, read: ReadChunk) -> Iterator[Error]:
    """Yield what is wrong; ``read`` gives ``None`` for a chunk that is damaged."""
    try:
        kind = chunk[0]
        if kind in (ChunkType.LEAF, ChunkType.INNER):
            check_node(chunk)
        elif kind == ChunkType.COMMIT:
            commit = decode_commit(chunk)
            _require_spelling(chunk, encode_commit(commit), "commit")
            yield from _commit_faults(commit, read)
        elif kind == ChunkType.WORKING:
            state = decode_working(chunk)
            _require_spelling(chunk, encode_working(state), "working-state")
        elif kind == ChunkType.BLOB_NODE:
            yield from _blob_faults(chunk, read)
    except Corrupt as error:
        yield error


def _require_spelling(chunk: bytes, spelt: bytes, code: str) -> None:
    if chunk != spelt:
        raise Corrupt("it is spelt in a way that is not canonical", code=code)


def _commit_faults(commit: Commit, read: ReadChunk) -> Iterator[Error]:
    generations = []
    for parent in commit.parents:
        chunk = read(parent)
        if chunk is None:
            return
        generations.append(decode_commit(chunk).generation)
    due = 1 + max(generations, default=-1)
    if commit.generation != due:
        detail = f"its generation is {commit.generation}, {due} is due"
        yield Corrupt(detail, code="commit-generation")


def _blob_faults(chunk: bytes, read: ReadChunk) -> Iterator[Error]:
    node = decode_blob_node(chunk)
    for address, length in zip(node.addresses, node.lengths, strict=True):
        below = read(address)
        if below is None or not below:
            continue
        if node.level == 1:
            level, found = 0, len(below) - 1
        else:
            child = decode_blob_node(below)
            level, found = child.level, sum(child.lengths)
        if level != node.level - 1 or found != length:
            detail = f"{found} bytes on level {level} where {length} are told"
            yield Corrupt(detail, code="blob-form", address=address)
