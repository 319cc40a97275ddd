"""Differences as they are printed: for people, as JSON lines, as CSV, or counted."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import NamedTuple

from prolly import Change, Comparison

from .output import Output, number, visible
from .record_text import ChangeText, key_words
from .versions import counts_json, counts_lines

Scope = tuple[str | None, tuple[bytes | None, bytes | None]]

CSV_HEADER = ("dataset", "key", "change", "field", "old", "new")


class Layout(NamedTuple):
    """One of the formats; ``fields``: only the fields that differ.

    A page has a ``title``, and says what it compares.
    """

    format_name: str
    fields: bool
    title: str = "Differences"


def print_counts(
    output: Output, comparison: Comparison, scope: Scope, layout: Layout
) -> bool:
    """Print how many records differ, by dataset; return whether any does."""
    counts = comparison.counts(*scope)
    fields = _field_counts(comparison, scope) if layout.fields else {}
    if output.json:
        shown = counts_json(counts, events=True)
        for name, found in fields.items():
            shown[name]["fields"] = dict(found)
        output.document({"datasets": shown})
        return bool(counts)
    for name, line in zip(counts, counts_lines(counts, output), strict=True):
        output.line(line)
        found = fields.get(name, {})
        width = max((len(visible(field)) for field in found), default=0)
        for field, count in found.items():
            output.line(f"  {visible(field):{width}}  {number(count):>9}")
    if not counts:
        output.say("no differences")
    return bool(counts)


def _field_counts(comparison: Comparison, scope: Scope) -> dict[str, dict[str, int]]:
    """Count the modified rows by field, in the order of the columns."""
    counted: dict[str, Counter[str]] = {}
    order: dict[str, dict[str, None]] = {}
    for change in comparison.changes(*scope):
        if change.fields:
            counted.setdefault(change.dataset, Counter()).update(change.fields)
            order.setdefault(change.dataset, dict.fromkeys(change.new))
    return {
        name: {field: found[field] for field in order[name] if field in found}
        for name, found in counted.items()
    }


def print_changes(
    output: Output, comparison: Comparison, scope: Scope, layout: Layout
) -> bool:
    """Print every record that differs; return whether there was anything."""
    if layout.format_name == "html":
        from .pages.diff_page import print_page

        return print_page(output, comparison, scope, layout.title)
    if layout.format_name == "table":
        from .diff_table import print_table

        changes, events = comparison.changes(*scope), comparison.events(scope[0])
        return print_table(output, comparison, changes, events, fields=layout.fields)
    found = False
    text = ChangeText(comparison)
    silent = comparison.events(scope[0])
    if layout.format_name == "csv":
        output.line(",".join(CSV_HEADER))
    for change in comparison.changes(*scope):
        found = True
        if layout.format_name == "jsonl":
            output.line(text.json(change, only_fields=layout.fields))
        else:
            output.write(_csv_lines(text, change))
        silent.pop(change.dataset, None)
    if silent:
        told = ", ".join(f"{visible(name)} {event}" for name, event in silent.items())
        output.note(f"no record of it differs: {told}; --stat has these events")
    return found or bool(comparison.counts(*scope))


def _csv_lines(text: ChangeText, change: Change) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    key = key_words(change.key, typed=text.is_table(change.dataset))
    head = (change.dataset, key, change.kind)
    if change.fields:
        for field in change.fields:
            writer.writerow((*head, field, *text.csv_cells(change, field)))
    else:
        writer.writerow((*head, "", *text.csv_whole(change)))
    return buffer.getvalue()
