"""Statistics as a page: tables, with a bar for what nothing else shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..output import Output
from ..stats_view import (
    LEVEL_TITLES,
    SHARE_TITLES,
    STORE_TITLES,
    about_dataset,
    level_row,
    share_row,
    store_rows,
)
from .page import Page, escaped

if TYPE_CHECKING:
    from prolly.ops import DatasetStatistics, Share, StoreStatistics


def print_store_page(output: Output, held: StoreStatistics) -> None:
    """Write the page of a store."""
    page = Page(output)
    with page.framed("Statistics", "what the repository holds, by ref and dataset"):
        page.table(STORE_TITLES, _spelt(store_rows(held)))
        for title, shares in (("refs", held.refs), ("datasets", held.datasets)):
            if shares:
                page.write(f"<h2>{title}</h2>\n")
                titles = (title[:-1], *SHARE_TITLES, "unique part")
                page.table(titles, _share_rows(shares))


def print_dataset_page(output: Output, found: DatasetStatistics) -> None:
    """Write the page of one dataset."""
    page = Page(output)
    first, *others = about_dataset(found)
    with page.framed(first, ", ".join(others)):
        for place, levels in enumerate((found.levels, *found.indexes)):
            if levels:
                page.write(f"<h2>{f'index {place}' if place else 'records'}</h2>\n")
                page.table(LEVEL_TITLES, _spelt(map(level_row, levels)))


def _spelt(rows: Iterable[tuple[str, ...]]) -> Iterator[list[str]]:
    for row in rows:
        yield [escaped(one) for one in row]


def _share_rows(shares: Mapping[str, Share]) -> Iterator[list[str]]:
    for item in shares.items():
        share = item[1]
        percent = round(100 * share.unique_bytes / share.bytes) if share.bytes else 0
        bar = f'<meter min="0" max="100" value="{percent}">{percent} %</meter>'
        yield [*(escaped(one) for one in share_row(item)), bar]
