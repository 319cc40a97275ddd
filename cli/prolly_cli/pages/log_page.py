"""The log as a page: a table of commits with the graph of who follows whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from ..output import Output
from ..versions import moment, moment_json, short_id
from .graph_drawing import GraphDrawing
from .page import PAGE_RECORDS_MAX, Page, escaped

if TYPE_CHECKING:
    from prolly import LogEntry

HEAD = (
    '<thead><tr>{graph}<th scope="col">commit</th><th scope="col">time</th>'
    '<th scope="col">author</th><th scope="col">message</th></tr></thead>'
)


def print_page(
    output: Output,
    found: Iterable[LogEntry],
    names: Mapping[bytes, list[str]],
    title: str,
    *,
    graph: bool,
) -> None:
    """Write the page. ``graph``: draw it; of chosen commits there is none."""
    drawing = GraphDrawing() if graph else None
    page = Page(output)
    with page.framed("Log", title):
        page.tools("commits")
        column = '<th scope="col"><span class="seen-not">graph</span></th>'
        page.write('<div class="scroll"><table class="fitted log">\n')
        page.write(HEAD.format(graph=column if drawing else "") + "\n")
        for entry in islice(found, PAGE_RECORDS_MAX):
            page.write(_body(entry, names.get(bytes(entry.id), []), drawing))
        page.write("</table></div>\n")


def _body(entry: LogEntry, refs: list[str], drawing: GraphDrawing | None) -> str:
    commit = entry.commit
    strip = ""
    if drawing is not None:
        row = drawing.row(bytes(entry.id), commit.parents)
        strip = f'<td class="graph">{row}</td>'
    title, _, rest = commit.message.partition("\n")
    if not title and not commit.parents:
        title = "(the first, empty commit)"
    shown = "".join(f'<span class="ref">{escaped(one)}</span>' for one in refs)
    more = f' title="{escaped(rest.strip())}"' if rest.strip() else ""
    time = f"{moment(commit.time_us):%Y-%m-%d %H:%M}" if commit.time_us else ""
    return (
        f'<tbody data-item="commit"><tr>{strip}<th scope="row" class="data" '
        f'title="{entry.id}">{short_id(entry.id)}</th>'
        f'<td><time datetime="{moment_json(commit.time_us)}">{time}</time></td>'
        f"<td>{escaped(commit.author)}</td>"
        f'<td{more} class="message">{shown}{escaped(title)}</td></tr></tbody>\n'
    )
