"""``prolly stats``: what takes the space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output
from ..page_option import page_options, printing, wants_page
from ..versions import at_option

if TYPE_CHECKING:
    from prolly.ops import DatasetStatistics, Share, StoreStatistics
    from prolly.tree import LevelStatistics


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


def print_store(output: Output, held: StoreStatistics, *, page: bool) -> None:
    """Print the store, then refs, then datasets; as JSON, a page or tables."""
    if output.json:
        output.document(store_json(held))
        return
    if page:
        from ..pages.stats_page import print_store_page

        print_store_page(output, held)
        return
    from ..stats_view import SHARE_TITLES, STORE_TITLES, share_row, store_rows

    print_table(output, STORE_TITLES, store_rows(held))
    for title, shares in (("ref", held.refs), ("dataset", held.datasets)):
        if shares:
            output.line()
            print_table(output, (title, *SHARE_TITLES), map(share_row, shares.items()))


def print_dataset(output: Output, found: DatasetStatistics, *, page: bool) -> None:
    """Print one dataset, then the levels of its trees; as JSON, a page or tables."""
    if output.json:
        output.document(dataset_json(found))
        return
    if page:
        from ..pages.stats_page import print_dataset_page

        print_dataset_page(output, found)
        return
    from ..stats_view import LEVEL_TITLES, about_dataset, level_row

    for line in about_dataset(found):
        output.line(line)
    for place, levels in enumerate((found.levels, *found.indexes)):
        if levels:
            output.line()
            if place:
                output.line(f"index {place}")
            print_table(output, LEVEL_TITLES, map(level_row, levels))


def print_table(
    output: Output, titles: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Print aligned columns: names to the left, numbers to the right."""
    from ..aligned_table import print_aligned

    cells = [[(text, "") for text in row] for row in rows]
    print_aligned(output, titles, cells, numbers=frozenset(range(1, len(titles))))


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
