"""What statistics tell: the cells of tables, on a terminal and on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import number, visible
from .sizes import size_text

if TYPE_CHECKING:
    from prolly.ops import DatasetStatistics, Share, StoreStatistics
    from prolly.tree import LevelStatistics

STORE_TITLES = ("store", "number", "size")
SHARE_TITLES = ("chunks", "size", "unique", "shared")
LEVEL_TITLES = ("level", "nodes", "entries", "size", "smallest", "mean", "largest")


def store_rows(held: StoreStatistics) -> list[tuple[str, ...]]:
    """Return what the store holds as a whole."""
    return [
        ("chunks", number(held.chunks), size_text(held.chunk_bytes)),
        (
            "reachable",
            number(held.reachable_chunks),
            size_text(held.reachable_bytes),
        ),
        ("inline", number(held.inline_chunks), size_text(held.inline_bytes)),
        ("packs", number(held.packs), size_text(held.pack_bytes)),
        ("waste in packs", "", size_text(held.waste_bytes)),
        ("index", "", size_text(held.index_bytes)),
        ("on the disk", "", size_text(held.disk_bytes)),
    ]


def share_row(item: tuple[str, Share]) -> tuple[str, ...]:
    """Return the cells of one ref or dataset."""
    name, share = item
    sizes = share.bytes, share.unique_bytes, share.shared_bytes
    return visible(name), number(share.chunks), *map(size_text, sizes)


def about_dataset(found: DatasetStatistics) -> list[str]:
    """Return what a dataset is, its root, and how large it is."""
    unit = "bytes" if found.kind == "blob" else "records"
    out_of_line = f", {size_text(found.blob_bytes)} of it out of line"
    return [
        f"{visible(found.name)}: {found.kind} of {number(found.count)} {unit}",
        f"root {found.root.hex()}",
        size_text(found.bytes) + (out_of_line if found.blob_bytes else ""),
    ]


def level_row(level: LevelStatistics) -> tuple[str, ...]:
    """Return the cells of one level."""
    sizes = level.bytes, level.bytes_min, round(level.bytes_mean), level.bytes_max
    counts = str(level.level), number(level.nodes), number(level.entries)
    return *counts, *map(size_text, sizes)
