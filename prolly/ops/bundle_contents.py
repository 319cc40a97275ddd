"""Which chunks a bundle holds: what some commits reach, and others do not.

Commits are taken with their parents: of each, the trees that differ from those of its
parents are walked level by level on both sides, and what stands on both is passed over.
So a bundle of a small change reads O(changes x depth) chunks, however large the rest.
What is shared in an odd place, such as a blob that another record had before, may be
held twice; nothing is ever left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from prolly.chunks import Store, what_is_here
from prolly.codec import BlobNode, ChunkType, decode_blob_node, links_of
from prolly.codec.node import Inner, decode_node
from prolly.errors import Corrupt
from prolly.history import Commits, beyond
from prolly.repo import shallow_commits
from prolly.tree import WALK_ADDRESSES, AddressSet, reachable

GetMany = Callable[[list[bytes]], list[bytes | None]]


def bundled_chunks(
    store: Store, tips: Iterable[bytes], known: Iterable[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (address, chunk) of what ``tips`` reach and the commits ``known`` do not.

    Each once; children of a chunk may come before it or after. Raises Corrupt
    ``chunk-missing`` and what reading raises. Memory by what differs, or one address a
    chunk.
    """
    known = list(known)
    if not known:
        yield from reachable(
            store.get_many, tips, AddressSet(), batch_addresses=WALK_ADDRESSES
        )
        return
    commits = Commits(what_is_here(store).get, partial(shallow_commits, store))
    fresh = list(beyond(commits, tips, known))
    seen: set[bytes] = set()
    # Parents first: what a commit brings is then not new in its children.
    for commit_id in reversed(fresh):
        commit = commits.read(commit_id)
        olds = [commits.read(parent).root for parent in commit.parents]
        for address, chunk in fresh_chunks(store.get_many, olds, [commit.root]):
            if address not in seen:
                seen.add(address)
                yield address, chunk
        yield from _read(store.get_many, [commit_id])


def fresh_chunks(
    get_many: GetMany, olds: Iterable[bytes], news: Iterable[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (address, chunk) of what the trees ``news`` reach and ``olds`` do not.

    Trees are of one kind: manifests here, of whose values the datasets follow, of whose
    values the blobs.
    """
    sides = {*olds}, {*news}
    while sides[1] - sides[0]:
        layer = _Layer(get_many, *sides)
        yield from layer.walk()
        sides = layer.old_links, layer.new_links


class _Layer:
    """The trees of one kind on two sides, compared level by level.

    ``old_links`` and ``new_links`` are afterwards what differing leaves refer to.
    """

    def __init__(self, get_many: GetMany, olds: set[bytes], news: set[bytes]) -> None:
        self._get_many = get_many
        self._olds: dict[int, set[bytes]] = defaultdict(set)
        self._news: dict[int, set[bytes]] = defaultdict(set)
        self.old_links: set[bytes] = set()
        self.new_links: set[bytes] = set()
        # A root tells its level only itself; those of both sides need no look.
        for roots, levels in ((olds - news, self._olds), (news - olds, self._news)):
            for address, chunk in _read(get_many, roots):
                levels[_level_of(chunk)].add(address)

    def walk(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is new, from the highest level down."""
        while self._news:
            level = max((*self._news, *self._olds))
            olds, news = self._olds.pop(level, set()), self._news.pop(level, set())
            for _address, chunk in _read(self._get_many, olds - news):
                self._follow(chunk, level, self._olds, self.old_links)
            for address, chunk in _read(self._get_many, news - olds):
                yield address, chunk
                self._follow(chunk, level, self._news, self.new_links)

    def _follow(
        self, chunk: bytes, level: int, levels: dict[int, set[bytes]], links: set[bytes]
    ) -> None:
        below = {link.address for link in links_of(chunk)}
        if not below:
            return
        if chunk[0] == ChunkType.LEAF:
            links |= below
        else:
            levels[level - 1] |= below


def _level_of(chunk: bytes) -> int:
    if chunk[0] == ChunkType.INNER:
        node = decode_node(chunk)
        assert isinstance(node, Inner), "its type says so"
        return node.level
    if chunk[0] == ChunkType.BLOB_NODE:
        blob: BlobNode = decode_blob_node(chunk)
        return blob.level
    return 0


def _read(
    get_many: GetMany, addresses: Iterable[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield addresses in order, each with its chunk. Raises Corrupt."""
    wanted = sorted(addresses)
    for start in range(0, len(wanted), WALK_ADDRESSES):
        block = wanted[start : start + WALK_ADDRESSES]
        for address, chunk in zip(block, get_many(block), strict=True):
            if chunk is None:
                raise Corrupt(
                    f"chunk {address.hex()} is missing",
                    code="chunk-missing",
                    hint="Restore it from another replica.",
                    address=address,
                )
            yield address, chunk
