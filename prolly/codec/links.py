"""What a chunk refers to: the one function that knows the links of every kind.

Garbage collection, checks and sync follow links without knowing any schema.
"""

from __future__ import annotations

from prolly.errors import Corrupt

from .address import ChunkType
from .blob_node import decode_blob_node
from .commit import decode_commit
from .node import Inner, decode_node
from .reference import Reference, Referring, decode_referring
from .working import decode_working

_RECORD_NODES = (int(ChunkType.LEAF), int(ChunkType.INNER))


def links_of(chunk: bytes) -> list[Reference]:
    """Return what a chunk refers to, with the type expected there.

    Repeats are kept. Raises Corrupt when the chunk is of no known kind or does not
    decode. The links of a leaf are those of its values that refer.
    """
    kind = chunk[0] if chunk else 0
    if kind in _RECORD_NODES:
        return _node_links(chunk)
    if kind == ChunkType.BLOB_PIECE:
        return []
    if kind == ChunkType.BLOB_NODE:
        blob = decode_blob_node(chunk)
        return [Reference(address, blob.child_type) for address in blob.addresses]
    if kind == ChunkType.COMMIT:
        commit = decode_commit(chunk)
        parents = [Reference(parent, ChunkType.COMMIT) for parent in commit.parents]
        return [*parents, *_tree(commit.root)]
    if kind == ChunkType.WORKING:
        state = decode_working(chunk)
        links = [Reference(state.base, ChunkType.COMMIT), *_tree(state.manifest)]
        links += [Reference(parent, ChunkType.COMMIT) for parent in state.merge_parents]
        if state.replay is not None:
            links += [Reference(one, ChunkType.COMMIT) for one in state.replay.commits]
            links += _tree(state.replay.theirs)
        return links + (_tree(state.conflicts) if state.conflicts else [])
    raise Corrupt(
        f"a chunk begins with the unknown type {kind}",
        code="chunk-type",
        hint="Run `prolly fsck --full`.",
        actual=kind,
    )


def _node_links(chunk: bytes) -> list[Reference]:
    node = decode_node(chunk)
    if isinstance(node, Inner):
        below = ChunkType.INNER if node.level > 1 else ChunkType.LEAF
        return [Reference(address, below) for address in node.child_addresses()]
    return [
        reference
        for value in node.values
        if type(value) is Referring
        for reference in decode_referring(value)[0]
    ]


def _tree(root: bytes) -> list[Reference]:
    """A record tree's root may be leaf or inner node: 0 stands for either."""
    return [Reference(root, 0)]
