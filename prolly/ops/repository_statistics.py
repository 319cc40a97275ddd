"""What a repository holds, and how it divides among refs, datasets and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prolly.chunks import LocalStore, Store, WrappingStore, what_is_here
from prolly.codec import ChunkType
from prolly.errors import NotFound
from prolly.repo import Repository, Revision, Snapshot, absences_of
from prolly.tree import (
    WALK_ADDRESSES,
    LevelStatistics,
    NodeReader,
    reachable,
    tree_statistics,
)

from .chunk_graph import ChunkGraph, Share

_NODES = (ChunkType.LEAF, ChunkType.INNER)


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """The store as a whole. All sizes in bytes.

    ``chunks`` and ``chunk_bytes`` count what is there, ``reachable_chunks`` and
    ``reachable_bytes`` what refs lead to. ``pack_bytes`` and ``index_bytes`` are what
    the files take on the disk; ``waste_bytes`` what dead frames take in packs. The last
    five are 0 for a store that is not in a directory.

    ``refs`` gives each ref's share with its whole history; ``datasets`` that of each
    dataset of the version asked about.
    """

    chunks: int
    chunk_bytes: int
    reachable_chunks: int
    reachable_bytes: int
    inline_chunks: int
    inline_bytes: int
    packs: int
    pack_bytes: int
    waste_bytes: int
    index_bytes: int
    refs: Mapping[str, Share]
    datasets: Mapping[str, Share]

    @property
    def disk_bytes(self) -> int:
        """What index and packs take on the disk."""
        return self.pack_bytes + self.index_bytes


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """One dataset of one version.

    ``levels`` are those of its records' tree, the root's first, and ``indexes`` those
    of each further tree; both empty for a blob. ``bytes`` is all that the dataset
    reaches; of it ``blob_bytes`` is out of line, in pieces and nodes of blobs.
    """

    name: str
    kind: str
    root: bytes
    count: int
    bytes: int
    blob_bytes: int
    levels: list[LevelStatistics]
    indexes: list[list[LevelStatistics]]


def store_statistics(
    repository: Repository, revision: Revision = "HEAD"
) -> StoreStatistics:
    """Return what a store holds. Reads every reachable chunk; raises Corrupt."""
    store = what_is_here(repository.store)
    absences = absences_of(store)
    links = None if absences is None else absences.links
    version = repository.at(revision)
    targets = dict(store.iter_refs())
    roots = {
        name: [root.address for root in entry.roots]
        for name, entry in version.entries.items()
    }
    beside = [one for name in version.local_names for one in roots[name]]
    graph = ChunkGraph(
        store.get_many, [*targets.values(), version.root, *beside], links
    )
    # What a partial replica left out takes no space.
    roots = {
        name: [one for one in found if one in graph] for name, found in roots.items()
    }
    return StoreStatistics(
        **_held(store),
        reachable_chunks=len(graph),
        reachable_bytes=graph.total_bytes,
        refs=graph.shares({name: [address] for name, address in targets.items()}),
        datasets=graph.shares(roots),
    )


def _held(store: Store) -> dict[str, int]:
    """Count what is there, reachable or not."""
    while isinstance(store, WrappingStore):
        store = store.inner
    counts = dict.fromkeys(
        (
            *("chunks", "chunk_bytes", "inline_chunks", "inline_bytes"),
            *("packs", "pack_bytes", "waste_bytes", "index_bytes"),
        ),
        0,
    )
    if not isinstance(store, LocalStore):
        for address in store.iter_addresses():
            counts["chunks"] += 1
            counts["chunk_bytes"] += len(store.get(address) or b"")
        return counts
    care = store.maintenance()
    for _address, pack, size in care.iter_placed():
        counts["chunks"] += 1
        counts["chunk_bytes"] += size
        if not pack:
            counts["inline_chunks"] += 1
            counts["inline_bytes"] += size
    files = care.pack_files().values()
    counts["packs"] = len(files)
    counts["pack_bytes"] = sum(file.file_bytes for file in files)
    framed = sum(file.frame_bytes for file in files)
    counts["waste_bytes"] = framed - counts["chunk_bytes"] + counts["inline_bytes"]
    counts["index_bytes"] = care.index_bytes()
    return counts


def dataset_statistics(
    store: Store, version: Snapshot, dataset: str
) -> DatasetStatistics:
    """Return shape and size of one dataset. Reads all of it.

    Raises NotFound ``no-such-dataset``.
    """
    info = version.datasets.get(dataset)
    if info is None:
        raise NotFound(
            f"no dataset {dataset!r}",
            code="no-such-dataset",
            hint="`prolly ls` lists them.",
            dataset=dataset,
        )
    reader = NodeReader(store.get)
    entry = version.entries[dataset]
    roots = [root.address for root in entry.roots]
    total = blobs = 0
    for _, chunk in reachable(store.get_many, roots, batch_addresses=WALK_ADDRESSES):
        total += len(chunk)
        blobs += 0 if chunk[0] in _NODES else len(chunk)
    trees = [
        tree_statistics(reader, root.address)
        for root in entry.content_roots
        if root.kind in _NODES
    ]
    return DatasetStatistics(
        name=dataset,
        kind=info.kind,
        root=info.root,
        count=info.count or 0,
        bytes=total,
        blob_bytes=blobs,
        levels=trees[0] if trees else [],
        indexes=trees[1:],
    )
