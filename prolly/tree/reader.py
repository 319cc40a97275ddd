"""Reading nodes: through a cache bounded in bytes.

Nodes are immutable and named by their content, so a cached node never goes stale and
one cache may serve any number of trees, snapshots and threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, cast

from prolly.codec.node import LEAF_MARK, Inner, Leaf, Node, decode_node
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

# The leaves of a million records of 120 bytes, where these stand in them, and all inner
# nodes above: a working set that any laptop holds in memory many times over. A diff of
# all leaves of half as many goes round in it again and again; in a smaller cache it
# would find nothing that it left there.
CACHE_BYTES_DEFAULT = 160 * 1024 * 1024

# What one entry of an inner node takes: its bytes, its key, a slot in a list.
INNER_ENTRY_BYTES = 148
# What any node takes in the cache, key and place included, and what a leaf takes beside
# its bytes: the object, its prefix, and where its entries start.
NODE_OVERHEAD = 200
LEAF_OVERHEAD = NODE_OVERHEAD + 400

# Where the key and the value of one entry start, for leaves of uneven lengths.
START_BYTES = 8

# Leaves read ahead of a scan at most. A scan begins with one and doubles, so that
# whoever wants the first record pays for no more; this many are 256 KiB.
READ_AHEAD_LEAVES = 32

# Children of one node that are read together where they are kept: a look-up of many
# costs half of single ones.
SIBLINGS_READ = 16

# Nodes as they are stored, of which an inner one decodes its keys as needed.
Held = Inner | StoredLeaf
Look = Callable[[bytes], Held | None]


# A commit asks for the datasets of three versions, and the next one for one of these.
DERIVED_KEPT = 16


class NodeCache:
    """Nodes by address; at the bound those go that nobody asked for in a while.

    A hand goes round over the nodes in the order in which they came. One that was asked
    for since the hand last passed loses its mark and stays, another one goes. To mark a
    node costs a tenth of what it takes to keep them in the order of their use.

    Nodes are kept as they are stored, inner ones with their keys once these were asked
    for. A decoded leaf takes twice the memory, and finding one record in its bytes
    costs a tenth of decoding it.

    Thread-safe: to look a node up is one call that the interpreter does not divide, and
    only what adds and drops is under the lock.
    """

    def __init__(self, bytes_max: int = CACHE_BYTES_DEFAULT) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._nodes: dict[bytes, Held] = {}
        # Addresses and sizes as the hand meets them.
        self._round: deque[tuple[bytes, int]] = deque()
        self._derived: dict[bytes, Any] = {}
        self._lock = Lock()

    @property
    def look(self) -> Look:
        """What returns a node as ``get``, for who keeps it; it may leave the mark."""
        return self._nodes.get

    def get(self, address: bytes) -> Held | None:
        """Return the node, or ``None`` when it is not cached."""
        node = self._nodes.get(address)
        if node is not None:
            node.is_used = True
        return node

    def take(self, address: bytes, chunk: bytes) -> Held:
        """Remember the node of a chunk, and return it as it is kept.

        Corrupt when the chunk is no node.
        """
        held = self.kept(chunk)
        self.add(address, held)
        return held

    def kept(self, chunk: bytes) -> Held:
        """Return the node of a chunk in the form in which nodes are kept."""
        if chunk[:1] == LEAF_MARK:
            return StoredLeaf(chunk)
        node = decode_node(chunk)
        assert isinstance(node, Inner)
        return node

    def clear(self) -> None:
        """Forget all nodes, and what was made of them."""
        with self._lock:
            self._nodes.clear()
            self._round.clear()
            self._bytes = 0
            self._derived = {}

    def derived(self, root: bytes) -> Any:
        """Return what somebody made of the tree at a root and kept, or ``None``."""
        return self._derived.get(root)

    def keep_derived(self, root: bytes, value: Any) -> None:
        """Keep what was made of a tree and is asked for again soon: for few trees."""
        with self._lock:
            if len(self._derived) >= DERIVED_KEPT:
                self._derived = {}
            if self._bytes_max:
                self._derived[root] = value

    def add(self, address: bytes, node: Held) -> None:
        """Remember a node; those not used for long go when there is no room."""
        size = _memory_of(node)
        with self._lock:
            if size > self._bytes_max or address in self._nodes:
                return
            if self._bytes + size > self._bytes_max:
                self._make_room(size)
            node.is_used = False
            self._nodes[address] = node
            self._round.append((address, size))
            self._bytes += size

    def _make_room(self, size: int) -> None:
        """Drop nodes until one of so many bytes fits."""
        while self._bytes + size > self._bytes_max:
            address, dropped = self._round.popleft()
            node = self._nodes[address]
            if node.is_used:
                node.is_used = False
                self._round.append((address, dropped))
            else:
                del self._nodes[address]
                self._bytes -= dropped


def _one_by_one(
    get: Callable[[bytes], bytes | None],
) -> Callable[[Sequence[bytes]], list[bytes | None]]:
    return lambda addresses: list(map(get, addresses))


def _memory_of(node: Held) -> int:
    if isinstance(node, StoredLeaf):
        return LEAF_OVERHEAD + len(node.chunk) + START_BYTES * node.entries_claimed()
    return NODE_OVERHEAD + INNER_ENTRY_BYTES * len(node)


class ReadAhead:
    """How many leaves a scan reads in one step: one, then twice as many each time."""

    __slots__ = ("leaves",)

    def __init__(self) -> None:
        self.leaves = 1


class NodeReader:
    """Nodes by address, through a cache.

    ``get`` returns the bytes of a chunk whose address has been verified, or ``None``:
    a store behind a verifying wrapper, or a writer that also knows its own chunks.
    ``get_many`` does the same for many at once; scans read ahead by it.
    """

    def __init__(
        self,
        get: Callable[[bytes], bytes | None],
        cache: NodeCache | None = None,
        get_many: Callable[[Sequence[bytes]], list[bytes | None]] | None = None,
    ) -> None:
        self.get_chunk = get
        self.cache = NodeCache() if cache is None else cache
        self._look = self.cache.look
        self.get_chunks = _one_by_one(get) if get_many is None else get_many

    def hold(self, address: bytes) -> Held:
        """Return an inner node, or the bytes of a leaf; Corrupt as ``read``."""
        held = self._look(address)
        if held is None:
            return self.cache.take(address, self.read_chunk(address))
        held.is_used = True
        return held

    def hold_at(self, address: bytes, level: int) -> Held:
        """Return a node that must be of this level; Corrupt when it is not."""
        # As ``hold``, but for what a call costs: every look-up comes through here.
        held = self._look(address)
        if held is None:
            held = self.cache.take(address, self.read_chunk(address))
        else:
            held.is_used = True
        if held.level != level:
            raise _wrong_level(address, level, held.level)
        return held

    def find(self, root: bytes, key: bytes) -> bytes | None:
        """Return the value under exactly ``key`` in a tree, or ``None``."""
        # As ``hold`` and ``hold_at``, whose calls would be a third of a look-up.
        look = self._look
        node = look(root)
        if node is None:
            node = self.cache.take(root, self.read_chunk(root))
        while isinstance(node, Inner):
            node.is_used = True
            address = node.address_for(key)
            if address is None:
                return None
            held = look(address)
            if held is None:
                held = self.cache.take(address, self.read_chunk(address))
            if held.level != node.level - 1:
                raise _wrong_level(address, node.level - 1, held.level)
            node = held
        node.is_used = True
        return node.find(key)

    def hold_below(self, parent: Inner, index: int) -> Held:
        """Return a child of an inner node; Corrupt when it is not one level lower.

        Levels that fall by one at each step bound every descent, so a hostile tree
        cannot make a reader loop.
        """
        return self.hold_at(parent.address(index), parent.level - 1)

    def hold_many(self, parent: Inner, places: Sequence[int]) -> list[Held]:
        """Return children of one inner node as ``hold_below``, read in one step."""
        addresses = list(map(parent.address, places))
        found = list(map(self.cache.get, addresses))
        if None in found:
            self._read_missing(found, addresses)
        held_ones = cast("list[Held]", found)
        level = parent.level - 1
        for at, held in enumerate(held_ones):
            if held.level != level:
                raise _wrong_level(addresses[at], level, held.level)
        return held_ones

    def _read_missing(
        self, found: list[Held | None], addresses: Sequence[bytes]
    ) -> None:
        """Read the nodes that were not found in the cache, and keep them."""
        missing = [at for at, held in enumerate(found) if held is None]
        if len(missing) == 1:
            chunks = [self.get_chunk(addresses[missing[0]])]
        else:
            chunks = self.get_chunks([addresses[at] for at in missing])
        for at, chunk in zip(missing, chunks, strict=True):
            address = addresses[at]
            found[at] = self.cache.take(address, _present(address, chunk))

    def read_ahead(self, addresses: Sequence[bytes]) -> None:
        """Read nodes that are going to be asked for, in one step, and keep them."""
        found = list(map(self.cache.get, addresses))
        if None in found:
            self._read_missing(found, addresses)

    def hold_ahead(self, parent: Inner, places: Sequence[int]) -> Iterator[Held]:
        """Yield children as ``hold_below``, read ahead of whoever takes them."""
        done, ahead = 0, 1
        while done < len(places):
            yield from self.hold_many(parent, places[done : done + ahead])
            done += ahead
            ahead = min(2 * ahead, SIBLINGS_READ)

    def read(self, address: bytes) -> Node:
        """Return the node; Corrupt when it is absent or does not decode."""
        held = self.hold(address)
        return held.decode() if isinstance(held, StoredLeaf) else held

    def hold_leaves(
        self, parent: Inner, places: Sequence[int], ahead: ReadAhead | None = None
    ) -> Iterator[StoredLeaf]:
        """Yield children of a node of level 1, reading ahead of whoever takes them.

        They do not go into the cache: a scan would drive out all that is in use, and a
        leaf that is soon forgotten leaves its memory to the next one. Corrupt as
        ``hold_below``.
        """
        done = 0
        ahead = ahead or ReadAhead()
        while done < len(places):
            leaves = ahead.leaves
            addresses = [parent.address(at) for at in places[done : done + leaves]]
            for address, chunk in zip(addresses, self._chunks(addresses), strict=True):
                held = self.cache.kept(chunk)
                if not isinstance(held, StoredLeaf):
                    raise _wrong_level(address, 0, held.level)
                yield held
            done += leaves
            ahead.leaves = min(2 * leaves, READ_AHEAD_LEAVES)

    def read_leaves(self, parent: Inner, places: Sequence[int]) -> Iterator[Leaf]:
        """Yield the same children, decoded."""
        for held in self.hold_leaves(parent, places):
            yield held.decode()

    def _chunks(self, addresses: Sequence[bytes]) -> list[bytes]:
        """Return the bytes of leaves, those that are cached from there."""
        held = list(map(self.cache.get, addresses))
        if held.count(None) == len(held) > 1:
            chunks = self.get_chunks(addresses)
            if None not in chunks:
                return cast("list[bytes]", chunks)
        missing = [
            address
            for address, one in zip(addresses, held, strict=True)
            if not isinstance(one, StoredLeaf)
        ]
        if not missing:
            return [one.chunk for one in held if isinstance(one, StoredLeaf)]
        if len(missing) == 1:
            found = {missing[0]: self.read_chunk(missing[0])}
        else:
            pairs = zip(missing, self.get_chunks(missing), strict=True)
            found = {address: _present(address, chunk) for address, chunk in pairs}
        return [
            one.chunk if isinstance(one, StoredLeaf) else found[address]
            for address, one in zip(addresses, held, strict=True)
        ]

    def read_chunk(self, address: bytes) -> bytes:
        """Return the bytes of a chunk that must be there; Corrupt when it is not."""
        return _present(address, self.get_chunk(address))

    def read_leaf(self, address: bytes) -> Leaf:
        """Return a node that must be a leaf; Corrupt when it is not."""
        node = self.read(address)
        if isinstance(node, Leaf):
            return node
        raise _wrong_level(address, 0, node.level)

    def read_inner(self, address: bytes, level: int) -> Inner:
        """Return a node that must be an inner one of this level; else Corrupt."""
        held = self.hold(address)
        if isinstance(held, Inner) and held.level == level:
            return held
        raise _wrong_level(address, level, held.level)

    def read_below(self, parent: Inner, index: int) -> Node:
        """Return a child of an inner node, decoded; Corrupt as ``hold_below``."""
        held = self.hold_below(parent, index)
        return held.decode() if isinstance(held, StoredLeaf) else held


def _present(address: bytes, chunk: bytes | None) -> bytes:
    if chunk is None:
        raise Corrupt(
            f"chunk {address.hex()} is missing",
            code="chunk-missing",
            hint="Run `prolly fsck`, then restore the chunk from another replica.",
            address=address,
        )
    return chunk


def _wrong_level(address: bytes, expected: int, actual: int) -> Corrupt:
    return Corrupt(
        f"node {address.hex()} has level {actual} where {expected} is due",
        code="node-level",
        hint="Run `prolly fsck --full`.",
        address=address,
        expected=expected,
        actual=actual,
    )
