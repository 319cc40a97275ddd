"""A diff as a page: searchable, by kind, with changed words marked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby, islice

from prolly import Change, Comparison

from ..diff_view import SIGNS, ChangeView, DiffView, FieldView
from ..output import Output, number, plural, visible
from ..word_difference import word_differences
from .page import KINDS, PAGE_RECORDS_MAX, Page, cell, escaped, marked

HEAD = (
    '<thead><tr><th scope="col" class="sign"><span class="seen-not">Change</span></th>'
    '<th scope="col" class="key-column">{key}</th>'
    '<th scope="col" class="field-column">field</th><th scope="col">old</th>'
    '<th scope="col">new</th><th scope="col" class="rest-column">unchanged</th>'
    "</tr></thead>"
)


def print_page(
    output: Output,
    comparison: Comparison,
    scope: tuple[str | None, tuple[bytes | None, bytes | None]],
    title: str,
) -> bool:
    """Write the page; return whether there is any difference."""
    counts = comparison.counts(*scope)
    total = sum(one.added + one.removed + one.modified for one in counts.values())
    about = ", ".join(
        f"{number(sum(getattr(one, kind) for one in counts.values()))} {kind}"
        for kind in KINDS
    )
    page = Page(output)
    with page.framed(title, about):
        page.tools("keys, fields and values", KINDS)
        view = DiffView(comparison)
        events = comparison.events(scope[0])
        shown = islice(comparison.changes(*scope), PAGE_RECORDS_MAX)
        for dataset, changes in groupby(shown, key=lambda change: change.dataset):
            _print_dataset(page, view, (dataset, events.pop(dataset, "")), changes)
        for dataset, event in events.items():
            _print_dataset(page, view, (dataset, event), iter(()))
        if total > PAGE_RECORDS_MAX:
            more = plural(total - PAGE_RECORDS_MAX, "more record")
            page.write(f'<p class="note">{more}: --format jsonl has them all.</p>\n')
        if not counts:
            page.write('<p class="note">no differences</p>\n')
    return bool(counts)


def _print_dataset(
    page: Page, view: DiffView, named: tuple[str, str], changes: Iterator[Change]
) -> None:
    dataset, event = named
    name = escaped(dataset)
    more = f" <small>{escaped(event)}</small>" if event else ""
    page.write(f'<section class="part" data-name="{name}">\n<h2>{name}{more}</h2>\n')
    for one in view.columns(dataset):
        page.write(
            f'<p class="{one.kind}-text">{SIGNS[one.kind]} column '
            f"{escaped(one.name)}: {escaped(one.type)}</p>\n"
        )
    first = next(changes, None)
    if first is not None:
        head = HEAD.format(key=escaped(view.key_title(dataset)))
        page.chunks(map(view.of, chain([first], changes)), head, change_body)
    page.write("</section>\n")


def change_body(view: ChangeView) -> str:
    """Return one change as a body of a table."""
    sign = f'<td class="sign">{SIGNS[view.kind]}<span class="seen-not"> {view.kind}'
    begin = f'<tbody data-item="{view.kind}" class="{view.kind}">\n<tr>'
    rows = f' rowspan="{len(view.fields)}"' if len(view.fields) > 1 else ""
    lead = begin + sign.replace("<td", f"<td{rows}", 1) + "</span></td>"
    lead += f'<th scope="rowgroup" class="key data"{rows}>{escaped(view.key)}</th>'
    if view.is_whole:
        cells = "".join(_named_cell(name, text) for name, text in view.cells)
        return f'{lead}<td colspan="4" class="data">{cells}</td></tr>\n</tbody>\n'
    rest = ", ".join(text for _, text in view.cells)
    end = f'<td class="rest data"{rows}>{escaped(rest)}</td>'
    first, *others = (_field_cells(field) for field in view.fields)
    more = "".join(f"<tr>{one}</tr>\n" for one in others)
    return f"{lead}{first}{end}</tr>\n{more}</tbody>\n"


def _named_cell(name: str, text: str) -> str:
    label = f"<span>{escaped(name)}</span> " if name else ""
    return f'<span class="cell">{label}{cell(text)}</span> '


def _field_cells(field: FieldView) -> str:
    old, new = word_differences(field.old, field.new)
    sides = []
    for side, spans, tag in (("old", old, "del"), ("new", new, "ins")):
        # A mark on all of a cell says no more than its colour.
        is_part = len(spans) > 1
        text = marked(spans, tag) if is_part else cell(spans[0].text)
        sides.append(f'<td class="{side} data">{text}</td>')
    return f'<td class="field">{escaped(visible(field.name))}</td>{"".join(sides)}'
