"""``prolly stats``: what takes the space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..display_width import cut, padded, width
from ..invocation import Invocation
from ..output import Output, number, visible
from ..page_option import page_options, printing, wants_page
from ..sizes import size_text
from ..versions import at_option

if TYPE_CHECKING:
    from prolly.ops import DatasetStatistics, Share, StoreStatistics
    from prolly.tree import LevelStatistics

STORE_TITLES = ("store", "number", "size")
SHARE_TITLES = ("chunks", "size", "unique", "shared")
# Of a name that is cut so much is shown at least.
NAME_COLUMNS_LEAST = 12
LEVEL_TITLES = ("level", "nodes", "entries", "size", "smallest", "mean", "largest")


@click.command("stats", cls=Verb)
@click.argument("dataset", required=False)
@at_option
@page_options("json")
@click.pass_obj
def command(
    invocation: Invocation,
    dataset: str | None,
    at: str | None,
    format_name: str | None,
    target: str | None,
) -> None:
    """Show what the repository holds, by ref and dataset, or the trees of DATASET.

    A size is unique where nothing else leads to it: it would be free without that ref
    or dataset. Refs count with their whole history.
    """
    output = invocation.output
    page = wants_page(output, format_name)
    repository = invocation.repository()
    version = repository.at_working() if at is None else repository.at(at)
    if dataset is not None:
        found = repository.dataset_stats(dataset, version)
        with printing(invocation, target):
            print_dataset(output, found, page=page)
        return
    held = repository.stats(version)
    with printing(invocation, target):
        print_store(output, held, page=page)


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


def print_store(output: Output, held: StoreStatistics, *, page: bool) -> None:
    """Print the store, then refs, then datasets; as JSON, a page or tables."""
    if output.json:
        output.document(store_json(held))
        return
    if page:
        from ..pages.stats_page import print_store_page

        print_store_page(output, held)
        return
    print_table(output, STORE_TITLES, store_rows(held))
    for title, shares in (("ref", held.refs), ("dataset", held.datasets)):
        if shares:
            output.line()
            print_table(output, (title, *SHARE_TITLES), map(share_row, shares.items()))


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


def print_dataset(output: Output, found: DatasetStatistics, *, page: bool) -> None:
    """Print one dataset, then the levels of its trees; as JSON, a page or tables."""
    if output.json:
        output.document(dataset_json(found))
        return
    if page:
        from ..pages.stats_page import print_dataset_page

        print_dataset_page(output, found)
        return
    for line in about_dataset(found):
        output.line(line)
    for place, levels in enumerate((found.levels, *found.indexes)):
        if levels:
            output.line()
            if place:
                output.line(f"index {place}")
            print_table(output, LEVEL_TITLES, map(level_row, levels))


def level_row(level: LevelStatistics) -> tuple[str, ...]:
    """Return the cells of one level."""
    sizes = level.bytes, level.bytes_min, round(level.bytes_mean), level.bytes_max
    counts = str(level.level), number(level.nodes), number(level.entries)
    return *counts, *map(size_text, sizes)


def print_table(output: Output, titles: Sequence[str], rows: Any) -> None:
    """Print aligned columns: names to the left, numbers to the right.

    On a line that is too short names are cut first, then columns from the right.
    """
    cells = [tuple(titles), *rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    limit = output.line_limit
    if limit is not None:
        rest = sum(widths[1:]) + 2 * len(widths[1:])
        widths[0] = min(widths[0], max(limit - rest, NAME_COLUMNS_LEAST))
    for place, row in enumerate(cells):
        name = padded(cut(row[0], widths[0]) if limit else row[0], widths[0])
        rest_cells = (
            padded(one, columns, right=True)
            for one, columns in zip(row[1:], widths[1:], strict=True)
        )
        line = "  ".join((name, *rest_cells)).rstrip()
        line = cut(line, limit) if limit else line
        output.line(line if place else output.style(line, "faint"))


def store_json(held: StoreStatistics) -> dict[str, Any]:
    """Return the statistics of a store as JSON shows them."""
    from dataclasses import asdict

    plain = asdict(held)
    return {
        **plain,
        "disk_bytes": held.disk_bytes,
        "refs": shares_json(held.refs),
        "datasets": shares_json(held.datasets),
    }


def shares_json(shares: Mapping[str, Share]) -> dict[str, dict[str, int]]:
    """Return shares by name."""
    return {
        name: {
            "chunks": share.chunks,
            "bytes": share.bytes,
            "unique_bytes": share.unique_bytes,
            "shared_bytes": share.shared_bytes,
        }
        for name, share in shares.items()
    }


def dataset_json(found: DatasetStatistics) -> dict[str, Any]:
    """Return the statistics of a dataset as JSON shows them."""
    return {
        "dataset": found.name,
        "kind": found.kind,
        "root": found.root.hex(),
        "count": found.count,
        "bytes": found.bytes,
        "blob_bytes": found.blob_bytes,
        "levels": [level_json(level) for level in found.levels],
        "indexes": [[level_json(level) for level in tree] for tree in found.indexes],
    }


def level_json(level: LevelStatistics) -> dict[str, Any]:
    """Return one level as JSON shows it."""
    return {
        "level": level.level,
        "nodes": level.nodes,
        "entries": level.entries,
        "bytes": level.bytes,
        "bytes_min": level.bytes_min,
        "bytes_mean": round(level.bytes_mean, 1),
        "bytes_max": level.bytes_max,
        "bytes_spread": round(level.bytes_spread, 4),
    }
