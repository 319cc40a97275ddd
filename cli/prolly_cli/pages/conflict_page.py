"""Conflicts as a page: base, ours and theirs side by side, what differs marked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from prolly import Conflict, Conflicts
from prolly.repo import SIDES, conflict_words

from ..conflict_text import ConflictText
from ..output import Output, plural, visible
from ..word_difference import word_differences
from .page import PAGE_RECORDS_MAX, Page, cell, escaped, marked

HEAD = (
    '<thead><tr><th scope="col" class="field-column">field</th>'
    + "".join(f'<th scope="col">{side}</th>' for side in SIDES)
    + "</tr></thead>"
)


def print_page(output: Output, conflicts: Conflicts, asked: Iterable[Conflict]) -> None:
    """Write the page of the conflicts that are asked for."""
    text = ConflictText(conflicts)
    page = Page(output)
    with page.framed("Conflicts", f"{plural(len(conflicts), 'conflict')} open"):
        page.tools("keys, fields and values")
        shown = islice(asked, PAGE_RECORDS_MAX)
        page.chunks(shown, HEAD, lambda conflict: conflict_body(text, conflict))
        if not len(conflicts):
            page.write('<p class="note">nothing is open</p>\n')


def conflict_body(text: ConflictText, conflict: Conflict) -> str:
    """Return one conflict as a body of a table."""
    name = escaped(f"{conflict.dataset} {text.key(conflict)}".rstrip())
    kind = "" if conflict.kind == "record" else f" ({escaped(conflict.kind)})"
    words = conflict_words(conflict)
    told = f' <span class="note">{escaped(words)}</span>' if words else ""
    if conflict.settled:
        told += f' <span class="settled">settled: {escaped(conflict.settled)}</span>'
    beside = text.beside(conflict)
    if beside:
        told += f' <span class="note data">{escaped(beside)}</span>'
    rows = "".join(_row(field, texts) for field, texts in text.cells(conflict))
    return (
        '<tbody data-item="conflict">\n<tr><th scope="rowgroup" colspan="4">'
        f'<span class="key data">{name}</span>{kind}{told}</th></tr>\n{rows}</tbody>\n'
    )


def _row(field: str, texts: list[str]) -> str:
    base, ours, theirs = map(visible, texts)
    cells = [f'<td class="data">{cell(base)}</td>']
    for text, side in ((ours, "ours"), (theirs, "theirs")):
        spans = word_differences(base, text)[1]
        shown = marked(spans, "ins") if len(spans) > 1 else cell(text)
        cells.append(f'<td class="{side} data">{shown}</td>')
    return f'<tr><td class="field">{escaped(field)}</td>{"".join(cells)}</tr>\n'
