"""Values written over others of the same lengths: no cut moves, so nothing is cut.

Most edits of a tree are updates of records that keep their size. Then every key and
every weight stays, in leaves and above, and all that changes of a node is values, or
addresses of children. So the tree is walked once, from the root down to the leaves
touched and back, and no level needs a look at neighbours. What such an edit makes is
what ``edit`` would make of it, at half the cost.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from prolly.chunks import ChunkWriter
from prolly.codec.kernel import kernel
from prolly.codec.node import Inner
from prolly.codec.stored_leaf import StoredLeaf

from .leaf_change import change_leaf
from .passing_cache import PassingCache
from .reader import NodeReader

Edits = tuple[Sequence[bytes], Sequence[bytes | None]]

# Leaves that are read together, and written together, of any parents: half a megabyte.
LEAVES_TOGETHER = 64

# Some edits of a node: all from one place in the batch to another.
_Part = tuple[int, int]


class _RefusedError(Exception):
    """An edit takes more than to write over a value."""


def overwrite(
    reader: NodeReader, writer: ChunkWriter, root: bytes, edits: Edits, *, kept: int
) -> bytes | None:
    """Write values over those of the tree at ``root``; return the root of the result.

    ``None`` where an edit brings, removes or resizes a record: nothing that was written
    of it then is wrong, but some of it may be left over.
    ``edits`` are as ``apply`` takes them. Of no more than ``kept`` leaves the new ones
    stay in the cache. Raises as the reader.
    """
    if None in edits[1]:
        return None
    held = reader.hold(root)
    walk = _Overwriting(reader, writer, edits, kept)
    try:
        new = walk.root(held)
    except _RefusedError:
        return None
    return root if new is None else new


class _Overwriting:
    """One walk over the nodes that edits are for."""

    def __init__(
        self, reader: NodeReader, writer: ChunkWriter, edits: Edits, kept: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._keys, self._values = list(edits[0]), list(edits[1])
        self._keeps = len(self._keys) <= kept

    def root(self, held: Inner | StoredLeaf) -> bytes | None:
        """Return the address of the new root; ``None`` if nothing changed."""
        everything = 0, len(self._keys)
        if isinstance(held, StoredLeaf):
            (found,) = self._put([self._leaf(held, everything)], keeps=self._keeps)
        else:
            (found,) = self._put(self._inners([(held, everything)]), keeps=True)
        return found

    def _inners(self, nodes: Sequence[tuple[Inner, _Part]]) -> list[Inner | None]:
        """Return nodes of one level with their edits; ``None`` for unchanged ones."""
        if nodes[0][0].level == 1:
            return self._over_leaves(nodes)
        found: list[Inner | None] = []
        for node, part in nodes:
            parts = self._parts(node, part)
            children = self._reader.hold_many(node, list(parts))
            below = [child for child in children if isinstance(child, Inner)]
            new = self._inners(list(zip(below, parts.values(), strict=True)))
            addresses = self._put(new, keeps=True)
            found.append(_over(node, zip(parts, addresses, strict=True)))
        return found

    def _over_leaves(self, nodes: Sequence[tuple[Inner, _Part]]) -> list[Inner | None]:
        """Do the same for nodes whose children are leaves, many of these at once."""
        found: list[Inner | None] = []
        waiting: list[tuple[Inner, dict[int, _Part]]] = []
        leaves = 0
        for node, part in nodes:
            parts = self._parts(node, part)
            waiting.append((node, parts))
            leaves += len(parts)
            if leaves >= LEAVES_TOGETHER:
                found += self._over_those(waiting)
                waiting, leaves = [], 0
        if waiting:
            found += self._over_those(waiting)
        return found

    def _over_those(
        self, nodes: Sequence[tuple[Inner, dict[int, _Part]]]
    ) -> Iterator[Inner | None]:
        addresses = [node.address(at) for node, parts in nodes for at in parts]
        held = self._hold_leaves(addresses)
        edited = [part for _, parts in nodes for part in parts.values()]
        try:
            leaves = list(map(self._leaf, held, edited))
        except _RefusedError:
            # Whoever edits them in another way is spared to read them.
            list(map(self._reader.cache.add, addresses, held))
            raise
        new = iter(self._put(leaves, keeps=self._keeps))
        for node, parts in nodes:
            yield _over(node, zip(parts, new, strict=False))

    def _hold_leaves(self, addresses: Sequence[bytes]) -> list[StoredLeaf]:
        """Read leaves in one step; Corrupt for what is no leaf.

        A cache that takes nothing in keeps none of them: they are about to be replaced.
        """
        reader = self._reader
        cache = reader.cache
        found = list(map(cache.get, addresses))
        if None in found:
            keeps = not isinstance(cache, PassingCache)
            missing = [at for at, held in enumerate(found) if held is None]
            for at, chunk in zip(
                missing, self._chunks(missing, addresses), strict=True
            ):
                held = found[at] = cache.kept(chunk or reader.read_chunk(addresses[at]))
                if keeps:
                    cache.add(addresses[at], held)
        leaves = [held for held in found if isinstance(held, StoredLeaf)]
        if len(leaves) < len(found):
            for address in addresses:
                reader.hold_at(address, 0)
        return leaves

    def _chunks(
        self, places: Sequence[int], addresses: Sequence[bytes]
    ) -> list[bytes | None]:
        if len(places) == 1:
            return [self._reader.get_chunk(addresses[places[0]])]
        return self._reader.get_chunks([addresses[at] for at in places])

    def _leaf(self, held: StoredLeaf, part: _Part) -> StoredLeaf | None:
        """Return a leaf with its edits; ``None`` when that changes nothing."""
        if kernel is not None:
            try:
                chunk = kernel.leaf_overwrite(
                    held.chunk, self._keys, self._values, *part
                )
            except kernel.Unfit:
                pass
            else:
                return StoredLeaf(chunk) if chunk else None
        here = slice(*part)
        change = change_leaf(held, (self._keys[here], self._values[here]))
        if not change.moves_nothing:
            raise _RefusedError
        return StoredLeaf(change.chunk) if change.chunk else None

    def _put(
        self, nodes: Sequence[Inner | StoredLeaf | None], *, keeps: bool
    ) -> list[bytes | None]:
        """Write nodes; return their addresses, ``None`` for those that stayed."""
        new = [node for node in nodes if node is not None]
        if len(new) == 1:
            addresses = [self._writer.put(new[0].chunk)]
        else:
            addresses = self._writer.put_many([node.chunk for node in new])
        if keeps:
            for address, node in zip(addresses, new, strict=True):
                self._reader.cache.add(address, node)
        if len(new) == len(nodes):
            return list(addresses)
        rest = iter(addresses)
        return [None if node is None else next(rest) for node in nodes]

    def _parts(self, node: Inner, part: _Part) -> dict[int, _Part]:
        """Divide edits among the children of a node, told by their places."""
        keys = self._keys
        done, stop = part
        last = len(node) - 1
        parts: dict[int, _Part] = {}
        while done < stop:
            place = node.position(keys[done])
            begin = done
            if place < last:
                done = bisect_right(keys, node.key(place), done + 1, stop)
            else:
                place, done = last, stop
            parts[place] = begin, done
        return parts


def _over(node: Inner, children: Iterable[tuple[int, bytes | None]]) -> Inner | None:
    """Return a node over children of other addresses; ``None`` if all are the same."""
    changed = {at: address for at, address in children if address is not None}
    return node.over_leaves_of(node, (), changed) if changed else None
