"""How much of a dataset is here, in a partial replica. Nobody is asked for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from prolly.codec import ChunkType, Descriptor, Reference, decode_blob_node, key
from prolly.codec.node import Inner, Leaf, decode_node
from prolly.tree import NodeEntry, entries_below

from .storage import Storage

Range = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Presence:
    """What is here of a range of records; of a blob, of its bytes.

    ``records`` is how many there are, None where even that is not known; ``present``
    are here. ``absent`` are the keys between which records are not, as (behind, up to):
    None leaves a side open.
    """

    records: int | None
    present: int
    absent: list[tuple[object | None, object | None]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is absent."""
        return not self.absent


def presence(storage: Storage, entry: Descriptor, wanted: Range) -> Presence:
    """Return what is here of the records of a dataset in a range of encoded keys.

    O(inner nodes in the range). Leaves at its ends count as a whole where they are
    absent. Raises Corrupt.
    """
    here = storage.here
    if entry.kind == "blob":
        return _blob_presence(here, entry.roots[0])
    records, present = 0, 0
    gaps: list[tuple[bytes | None, bytes | None]] = []
    for own, node, is_here in _leaves(here, entry.roots[0].address, wanted):
        if own is None and not is_here:
            return Presence(None, 0, [(None, None)])
        if isinstance(node, Leaf):
            count = sum([_is_in(encoded, wanted) for encoded in list(node.keys())])
            records, present = records + count, present + count
            continue
        assert own is not None
        records += own.child.records
        if is_here:
            present += own.child.records
        elif gaps and gaps[-1][1] == own.before:
            gaps[-1] = gaps[-1][0], own.last
        else:
            gaps.append((own.before or None, own.last))
    spoken = [(_spoken(one), _spoken(other)) for one, other in gaps]
    return Presence(records, present, spoken)


def _leaves(
    here: Storage, root: bytes, wanted: Range
) -> Iterator[tuple[NodeEntry | None, Leaf | None, bool]]:
    """Yield what may hold records of a range: leaves, and what is absent above them.

    With what the parent says of it, and whether it is here. A leaf comes decoded where
    it reaches over an end of the range.
    """
    start, stop = wanted
    front: list[tuple[bytes, NodeEntry | None]] = [(root, None)]
    while front:
        address, own = front.pop()
        chunk = here.store.get(address)
        node = None if chunk is None else decode_node(chunk)
        if not isinstance(node, Inner):
            yield own, node, node is not None
            continue
        below = [
            one
            for one in entries_below(node, own)
            if one.last >= start and (stop is None or one.before < stop)
        ]
        if node.level > 1:
            front += reversed([(one.child.address, one) for one in below])
            continue
        addresses = [one.child.address for one in below]
        found = here.store.contains_many(addresses)
        for one, is_here in zip(below, found, strict=True):
            is_inside = one.before >= start and (stop is None or one.last < stop)
            leaf = None
            if is_here and not is_inside:
                leaf = here.reader.read_leaf(one.child.address)
            yield one, leaf, is_here


def _blob_presence(here: Storage, root: Reference) -> Presence:
    total, present = 0, 0
    front = [(root.address, root.kind, 0)]
    while front:
        address, kind, size = front.pop()
        chunk = here.store.get(address)
        if chunk is None:
            if address == root.address:
                return Presence(None, 0, [(None, None)])
            total += size
        elif kind == ChunkType.BLOB_NODE:
            node = decode_blob_node(chunk)
            below = zip(node.addresses, node.lengths, strict=True)
            front += [(one, int(node.child_type), length) for one, length in below]
        else:
            total, present = total + len(chunk) - 1, present + len(chunk) - 1
    gaps: list[tuple[object | None, object | None]] = [(None, None)]
    return Presence(total, present, gaps if present < total else [])


def _is_in(encoded: bytes, wanted: Range) -> bool:
    start, stop = wanted
    return encoded >= start and (stop is None or encoded < stop)


def _spoken(encoded: bytes | None) -> object | None:
    return None if encoded is None else key.decode_key(encoded)
