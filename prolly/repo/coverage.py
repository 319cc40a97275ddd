"""What this replica has of what it was cloned from, where that is not all.

A ref, ``replica/coverage``, leads to a chunk that says so. It moves in one step with
the branches that a fetch moves, so what is said is true at every instant: of each
commit that is here, all records in the ranges are here, and parents are absent of none
but shallow commits. Where there is no such ref, nothing is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prolly.chunks import COVERAGE_REF, Fill, FillingStore, Store, VerifyingStore
from prolly.codec import (
    Address,
    Coverage,
    Descriptor,
    decode_coverage,
    key,
    shown,
)
from prolly.codec.node import Inner, decode_node
from prolly.datasets import Manifest
from prolly.errors import Error, NotFound
from prolly.history import BRANCHES, REMOTES

from .storage import Storage

# Inner nodes looked through to name what an absent chunk is part of: a tenth of a
# second. What is not found by then is told by its address alone.
NAMED_NODES_MAX = 2000


def read_coverage(store: Store) -> Coverage | None:
    """Return what a partial replica has; ``None`` for one that has everything."""
    address = store.read_ref(COVERAGE_REF)
    return None if address is None else coverage_at(store, address)


def coverage_at(store: Store, address: bytes) -> Coverage:
    """Return the coverage that stood under an address. Raises Corrupt."""
    chunk = store.get(address)
    return decode_coverage(b"" if chunk is None else chunk)


def filling(store: Store, fill: Fill) -> VerifyingStore:
    """Return a store that asks ``fill`` for what it lacks; all of it is verified."""
    return VerifyingStore(FillingStore(store, fill))


def shallow_commits(store: Store) -> frozenset[bytes]:
    """Return the commits of which parents were left out."""
    coverage = read_coverage(store)
    return frozenset() if coverage is None else coverage.shallow


def absent(storage: Storage, addresses: Sequence[bytes], why: str) -> NotFound:
    """Return (not raise) the error for chunks that are not here, with what they are.

    It has ``address`` of one of them, and where that is found out ``dataset``,
    ``start`` and ``stop`` of its keys.
    """
    facts: dict[str, object] = {"address": Address(addresses[0])}
    what = f"chunk {addresses[0].hex()[:12]}"
    place = find_place(storage, addresses[0])
    if place is not None:
        name, start, stop = place
        facts |= {"dataset": name, "start": start, "stop": stop}
        what = f"{_spoken_range(start, stop)} of dataset {shown(name)}"
    return NotFound(
        f"{what} {'are' if place else 'is'} not in this partial replica{why}",
        code="absent",
        hint="Go online and read again, or fetch them for good: `prolly pin DATASET`.",
        **facts,
    )


def find_place(
    storage: Storage, address: bytes
) -> tuple[str, object | None, object | None] | None:
    """Return the dataset that a chunk is part of, and between which keys it stands.

    Looked for in the tips of branches, through nodes that are here; else ``None``.
    """
    here = storage.here
    budget = NAMED_NODES_MAX
    seen: set[bytes] = set()
    for prefix in (BRANCHES, REMOTES):
        for _, tip in here.store.iter_refs(prefix):
            commit = here.commits.get(tip)
            if commit is None or commit.root in seen:
                continue
            seen.add(commit.root)
            try:
                entries = Manifest(here.reader, commit.root).by_id.values()
            except Error:
                continue
            for entry in entries:
                for found, start, stop in _children(here, entry, seen):
                    budget -= 1
                    if found == address:
                        return entry.name, _key(start), _key(stop)
                    if budget < 0:
                        return None
    return None


def _children(
    here: Storage, entry: Descriptor, seen: set[bytes]
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Yield the nodes of a dataset with the keys between which they stand."""
    front: list[tuple[bytes, bytes | None, bytes | None]]
    front = [(root.address, None, None) for root in entry.roots]
    while front:
        address, start, stop = front.pop()
        if address in seen:
            continue
        seen.add(address)
        yield address, start, stop
        chunk = here.store.get(address)
        if chunk is None:
            continue
        try:
            node = decode_node(chunk)
        except Error:
            continue
        if isinstance(node, Inner):
            before = start
            for last, child in zip(node.keys(), node.child_addresses(), strict=True):
                if node.level > 1:
                    front.append((child, before, last))
                elif child not in seen:
                    yield child, before, last
                before = last


def _key(encoded: bytes | None) -> object | None:
    try:
        return None if encoded is None else key.decode_key(encoded)
    except Error:
        return None


def _spoken_range(start: object | None, stop: object | None) -> str:
    if start is None and stop is None:
        return "records"
    if start is None:
        return f"records up to {shown(stop)}"
    if stop is None:
        return f"records behind {shown(start)}"
    return f"records behind {shown(start)}, up to {shown(stop)}"
