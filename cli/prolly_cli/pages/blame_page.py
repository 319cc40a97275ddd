"""Blame as a page: for each record which commit wrote which fields last."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from ..blame_view import commits_of
from ..output import Output
from ..record_text import key_words
from ..versions import moment, short_id
from .page import PAGE_RECORDS_MAX, Page, escaped

if TYPE_CHECKING:
    from prolly import Blame

HEAD = (
    '<thead><tr><th scope="col" class="key-column">key</th>'
    '<th scope="col">fields</th><th scope="col" class="id-column">commit</th>'
    '<th scope="col" class="date-column">date</th>'
    '<th scope="col" class="field-column">author</th><th scope="col">message</th>'
    "</tr></thead>"
)


def print_page(
    output: Output, found: Iterable[Blame], dataset: str, *, typed: bool
) -> None:
    """Write the page."""
    page = Page(output)
    with page.framed(f"Blame: {dataset}", "who wrote which field last"):
        page.tools("keys, fields, authors and messages")
        shown = islice(found, PAGE_RECORDS_MAX)
        page.chunks(shown, HEAD, lambda one: _body(one, typed=typed))


def _body(found: Blame, *, typed: bool) -> str:
    commits = commits_of(found)
    rows = f' rowspan="{len(commits)}"' if len(commits) > 1 else ""
    key = escaped(key_words(found.key, typed=typed))
    lead = f'<th scope="rowgroup" class="key data"{rows}>{key}</th>'
    lines = []
    for entry, names in commits:
        commit = entry.commit
        cells = (
            f'<td class="data">{escaped(", ".join(names))}</td>',
            f'<td class="data" title="{entry.id}">{short_id(entry.id)}</td>',
            f"<td>{moment(commit.time_us):%Y-%m-%d}</td>",
            f"<td>{escaped(commit.author)}</td>",
            f"<td>{escaped(commit.message.partition(chr(10))[0])}</td>",
        )
        lines.append(f"<tr>{lead}{''.join(cells)}</tr>\n")
        lead = ""
    return f'<tbody data-item="record">\n{"".join(lines)}</tbody>\n'
