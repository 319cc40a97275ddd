"""Whether a partial replica has what it is said to have.

Of each commit that is here: its manifest, and of the datasets in the ranges every node
that may hold a record in one, with what its values refer to. Versions share nodes: what
was found whole once is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.chunks import COVERAGE_REF, Store, what_is_here
from prolly.codec import (
    ChunkType,
    Coverage,
    CoveredRange,
    Descriptor,
    Referring,
    decode_referring,
    decode_working,
)
from prolly.codec.node import Inner, decode_node
from prolly.datasets import changed_datasets
from prolly.errors import Error
from prolly.history import LOCAL, Commits, walk
from prolly.tree import (
    WALK_ADDRESSES,
    AddressSet,
    NodeCache,
    NodeEntry,
    NodeReader,
    entries_below,
    reachable,
)

from .coverage import coverage_at

# Nodes of manifests, read again for the next version.
CACHE_BYTES = 4 * 1024 * 1024

Range = tuple[bytes, bytes | None]


def require_covered(store: Store) -> None:
    """Raise Corrupt ``chunk-missing`` if a partial replica lacks what it should have.

    Nothing is asked of a store where nothing was left out.
    """
    for error in iter_uncovered(store):
        raise error


def iter_uncovered(store: Store) -> Iterator[Error]:
    """Yield what a partial replica lacks of what it is said to have, as errors."""
    address = store.read_ref(COVERAGE_REF)
    if address is not None:
        store = what_is_here(store)
        try:
            coverage = coverage_at(store, address)
        except Error as error:
            yield error
            return
        yield from _Search(store, coverage).run()


def versions_here(store: Store, commits: Commits) -> list[tuple[bytes | None, bytes]]:
    """Return the manifests that refs lead to, each behind the one that it follows.

    Those of the first parents; ``None`` where that is not here. Raises NotFound.
    """
    heads: list[bytes] = []
    states: list[bytes] = []
    for name, address in store.iter_refs():
        chunk = store.get(address)
        if chunk is None or name.startswith(LOCAL):
            continue
        if chunk[0] == ChunkType.COMMIT:
            heads.append(address)
        elif chunk[0] == ChunkType.WORKING:
            states.append(decode_working(chunk).manifest)
    found: list[tuple[bytes | None, bytes]] = []
    for commit_id in reversed(list(walk(commits, heads))):
        commit = commits.read(commit_id)
        parent = commits.get(commit.parents[0]) if commit.parents else None
        found.append((None if parent is None else parent.root, commit.root))
    return found + [(None, root) for root in states]


class _Search:
    """One look at all versions that refs lead to."""

    def __init__(self, store: Store, coverage: Coverage) -> None:
        self._store = store
        self._coverage = coverage
        self._commits = Commits(store.get, lambda: coverage.shallow)
        cache = NodeCache(CACHE_BYTES)
        self._reader = NodeReader(store.get, cache, store.get_many)
        # By range, since a node may be whole in one and not in another.
        self._seen: dict[Range, AddressSet] = {}
        self._blobs_seen = AddressSet()

    def run(self) -> Iterator[Error]:
        try:
            versions = versions_here(self._store, self._commits)
        except Error as error:
            yield error
            return
        for before, root in versions:
            yield from self._version(before, root)

    def _version(self, before: bytes | None, root: bytes) -> Iterator[Error]:
        try:
            changed = changed_datasets(self._reader, before, root)
        except Error as error:
            yield error
            return
        for identity, (_, after) in changed.items():
            if after is not None:
                for one in self._coverage.of(identity):
                    yield from self._dataset(after, one)

    def _dataset(self, entry: Descriptor, covered: CoveredRange) -> Iterator[Error]:
        wanted = covered.start, covered.stop
        seen = self._seen.setdefault(wanted, AddressSet())
        try:
            if covered.is_whole:
                roots = [one.address for one in entry.roots]
                for _ in reachable(
                    self._store.get_many,
                    roots,
                    seen,
                    pieces=False,
                    batch_addresses=WALK_ADDRESSES,
                ):
                    continue
            elif entry.kind != "blob":
                for root in (entry.roots[0], entry.stamps):
                    if root is not None:
                        self._walk(root.address, wanted, seen)
        except Error as error:
            yield error

    def _walk(self, root: bytes, wanted: Range, seen: AddressSet) -> None:
        """Read what may hold records of a range. Raises Corrupt."""
        start, stop = wanted
        front: list[tuple[bytes, NodeEntry | None]] = [(root, None)]
        while front:
            address, own = front.pop()
            if address in seen:
                continue
            seen.add(address)
            node = decode_node(self._reader.read_chunk(address))
            if not isinstance(node, Inner):
                self._blobs(node.values)
                continue
            for one in entries_below(node, own):
                if one.last >= start and (stop is None or one.before < stop):
                    front.append((one.child.address, one))

    def _blobs(self, values: list[bytes]) -> None:
        roots = [
            reference.address
            for value in values
            if type(value) is Referring
            for reference in decode_referring(value)[0]
        ]
        for _ in reachable(self._store.get_many, roots, self._blobs_seen, pieces=False):
            continue
