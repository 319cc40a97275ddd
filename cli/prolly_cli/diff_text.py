"""Differences as they are printed: for people, as JSON lines, as CSV, or counted."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import NamedTuple

from prolly import ABSENT, Change, Comparison

from .output import Output, number, visible
from .record_text import ChangeText, key_words, value_text
from .versions import counts_json, counts_lines

Scope = tuple[str | None, tuple[bytes | None, bytes | None]]

CSV_HEADER = ("dataset", "key", "change", "field", "old", "new")
SIGNS = {"added": "+", "removed": "-", "modified": "~"}


class Layout(NamedTuple):
    """``table``, ``jsonl`` or ``csv``; ``fields``: only the fields that differ."""

    format_name: str
    fields: bool


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
    if layout.format_name == "table":
        return _print_table(output, comparison, scope, layout)
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


def _print_table(
    output: Output, comparison: Comparison, scope: Scope, layout: Layout
) -> bool:
    """Print the changes for people, a heading and a summary for each dataset."""
    text = ChangeText(comparison)
    events = comparison.events(scope[0])
    current: str | None = None
    tally: Counter[str] = Counter()
    for change in comparison.changes(*scope):
        if change.dataset != current:
            if current is not None:
                _summary(output, tally)
            current = change.dataset
            _heading(output, current, events.pop(current, ""))
        tally[change.kind] += 1
        for line in _change_lines(text, change, layout.fields, output.width):
            output.line(output.style(line, change.kind))
    if current is not None:
        _summary(output, tally)
    for name, event in events.items():
        _heading(output, name, event)
    if current is None and not events:
        output.say("no differences")
    return current is not None or bool(events)


def _heading(output: Output, name: str, event: str) -> None:
    words = f"{visible(name)} ({event})" if event else visible(name)
    output.line(output.style(words, "name"))


def _summary(output: Output, tally: Counter[str]) -> None:
    parts = [f"{number(tally[kind])} {kind}" for kind in SIGNS]
    output.line(", ".join(parts))
    tally.clear()


def _change_lines(
    text: ChangeText, change: Change, fields: bool, width: int
) -> list[str]:
    is_table = text.is_table(change.dataset)
    head = f"{SIGNS[change.kind]} {key_words(change.key, typed=is_table)}"
    if change.fields:
        parts = [
            f"{visible(field)}: {' -> '.join(text.cells(change, field))}"
            for field in change.fields
        ]
        if fields:
            return [f"{head}  {part}" for part in parts]
        return [f"{head}  {', '.join(parts)}"]
    if is_table:
        is_old = change.new is ABSENT
        speller = text.sides(change.dataset)[0 if is_old else 1]
        row = change.old if is_old else change.new
        return [f"{head}  {speller.summary(row, width - len(head) - 2)}".rstrip()]
    shown = [value_text(one) for one in (change.old, change.new) if one is not ABSENT]
    return [f"{head}: {' -> '.join(shown)}"]
