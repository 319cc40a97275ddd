"""Conflicts as they are printed: JSON lines, and base, ours and theirs side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from prolly import ABSENT, Column, Conflict, Conflicts
from prolly.repo import SIDES, Side, conflict_words

from .output import Output, visible
from .record_text import RecordText, key_parts, key_words, value_text

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode

# The names of fields take no more of a line than this, or the values would not fit.
LABEL_CHARS = 20
# What is narrower shows nothing of most values.
CELL_CHARS_LEAST = 8
# So much of what two long values have in common stays before where they differ.
COMMON_CHARS = 8

GAP = "  "


class ConflictText:
    """Spells conflicts; each side's records by the schema that it has there."""

    def __init__(self, conflicts: Conflicts) -> None:
        self._conflicts = conflicts
        self._spellers: dict[str, dict[Side, RecordText]] = {}
        self._columns: dict[str, dict[Side, dict[str, Column]]] = {}

    def _of(self, dataset: str) -> dict[Side, RecordText]:
        found = self._spellers.get(dataset)
        if found is None:
            schema = self._conflicts.schema
            found = {side: RecordText(schema(dataset, side)) for side in SIDES}
            self._spellers[dataset] = found
        return found

    def is_table(self, dataset: str) -> bool:
        """Tell whether the records are rows, on any side."""
        return any(one.is_table for one in self._of(dataset).values())

    def key(self, conflict: Conflict) -> str:
        """Return the key as a person types it; of a blob nothing."""
        if conflict.kind == "schema":
            return str(conflict.key)
        if conflict.key == ():
            return ""
        return key_words(conflict.key, typed=self.is_table(conflict.dataset))

    def json(self, conflict: Conflict) -> str:
        """Return one conflict as JSON text; what a side has not is left out."""
        typed = self.is_table(conflict.dataset) and conflict.kind != "schema"
        parts = [
            f'"dataset": {_dumps(conflict.dataset)}',
            f'"key": {_dumps(key_parts(conflict.key, typed=typed))}',
        ]
        for side in SIDES:
            value = getattr(conflict, side)
            if value is not ABSENT:
                parts.append(f'"{side}": {self._whole(conflict, side)}')
        parts.append(f'"fields": {_dumps(list(conflict.fields))}')
        parts.append(f'"kind": "{conflict.kind}"')
        if conflict.reason:
            parts.append(f'"reason": {_dumps(conflict.reason)}')
        if conflict.facts:
            parts.append(f'"facts": {_facts_json(conflict)}')
        if conflict.settled is not None:
            parts.append(f'"settled": {_dumps(conflict.settled)}')
        return "{" + ", ".join(parts) + "}"

    def _whole(self, conflict: Conflict, side: Side) -> str:
        value = getattr(conflict, side)
        if conflict.kind == "schema" or not isinstance(value, dict):
            return value_text(value)
        return self._of(conflict.dataset)[side].value(value)

    def cells(self, conflict: Conflict) -> list[tuple[str, list[str]]]:
        """Return (field, its text in base, ours and theirs) of what clashes.

        Of a whole row the fields that are not the same in all three.
        """
        values = _values(conflict)
        spellers = [self._of(conflict.dataset)[side] for side in SIDES]
        is_rows = conflict.kind != "schema" and any(one.is_table for one in spellers)
        if not is_rows:
            parts = _differing_parts(conflict) if conflict.kind == "schema" else []
            if parts:
                return parts
            label = conflict.key if conflict.kind == "schema" else "value"
            texts = [_none(conflict, side) for side in SIDES]
            shown = [
                text if value is ABSENT else self._whole(conflict, side)
                for side, value, text in zip(SIDES, values, texts, strict=True)
            ]
            return [(str(label), shown)]
        rows = self._as_named_now(conflict)
        names = conflict.fields or _differing(rows)
        found = []
        for name in names:
            texts = []
            for side, row, speller in zip(SIDES, rows, spellers, strict=True):
                column, cell = row.get(name, (name, ABSENT))
                is_there = cell is not ABSENT
                texts.append(
                    speller.cell(column, cell) if is_there else _none(conflict, side)
                )
            found.append((name, texts))
        return found

    def beside(self, conflict: Conflict) -> str:
        """Return the cells of a row that do not clash, to know it by; else nothing."""
        is_row = conflict.kind != "schema" and self.is_table(conflict.dataset)
        if not is_row or not conflict.fields:
            return ""
        rows = dict(zip(SIDES, self._as_named_now(conflict), strict=True))
        side: Side = "ours" if rows["ours"] else "theirs"
        speller = self._of(conflict.dataset)[side]
        told = [
            f"{name} {speller.cell(column, cell)}"
            for name, (column, cell) in rows[side].items()
            if name not in conflict.fields
        ]
        return GAP.join(told)

    def _as_named_now(self, conflict: Conflict) -> list[dict[str, tuple[str, Any]]]:
        """Return the rows of the sides, each {name now: (name there, cell)}."""
        columns = self._columns.get(conflict.dataset)
        if columns is None:
            of = self._conflicts.columns
            columns = {side: of(conflict.dataset, side) for side in SIDES}
            self._columns[conflict.dataset] = columns
        rows: list[dict[str, tuple[str, Any]]] = []
        for side in SIDES:
            row = getattr(conflict, side)
            there = {} if row is ABSENT else columns[side]
            rows.append({now: (one.name, row[one.name]) for now, one in there.items()})
        return rows


def _facts_json(conflict: Conflict) -> str:
    """Return what is known of a broken rule, or of a policy's scope, as JSON."""
    facts = dict(conflict.facts)
    if "other_key" in facts:
        facts["other_key"] = key_parts(facts["other_key"], typed=True)
    if "stands_as" in facts:
        facts["stands_as"] = key_parts(facts["stands_as"], typed=True)
    if facts.get("prefix") is not None:
        facts["prefix"] = key_parts(facts["prefix"], typed=False)
    return _dumps(facts)


def _values(conflict: Conflict) -> list[Any]:
    return [getattr(conflict, side) for side in SIDES]


def _differing_parts(conflict: Conflict) -> list[tuple[str, list[str]]]:
    """Return those parts of a described thing in which the sides that have it differ.

    None where that says nothing: of plain values, or if only one side has it.
    """
    values = _values(conflict)
    there = [one for one in values if one is not ABSENT]
    if not all(type(one) is dict for one in there):
        return []
    found = []
    for name in dict.fromkeys(name for one in there for name in one):
        texts = [
            _none(conflict, side)
            if value is ABSENT
            else value_text(value[name])
            if name in value
            else "(none)"
            for side, value in zip(SIDES, values, strict=True)
        ]
        pairs = zip(texts, values, strict=True)
        if len({text for text, one in pairs if one is not ABSENT}) > 1:
            found.append((name, texts))
    return found


def _none(conflict: Conflict, side: Side) -> str:
    """Return what to show for a side without a value."""
    if side == "ours" and "stands_as" in conflict.facts:
        return f"(as {key_words(conflict.facts['stands_as'], typed=True)})"
    return "(none)" if side == "base" or conflict.base is ABSENT else "(deleted)"


def _differing(rows: list[dict[str, tuple[str, Any]]]) -> list[str]:
    """Return the fields that are not equal in all rows that there are."""
    there = [row for row in rows if row]
    names = dict.fromkeys(name for row in there for name in row)
    found = []
    for name in names:
        first, *others = (row.get(name, ("", ABSENT))[1] for row in there)
        if any(one != first or type(one) is not type(first) for one in others):
            found.append(name)
    return found or list(names)


def conflict_lines(
    output: Output, text: ConflictText, conflict: Conflict, *, full: bool = False
) -> list[str]:
    """Return the lines that show one conflict side by side, as wide as fits.

    ``full``: nothing is cut, one side below the other. So is what does not fit where
    no person looks on: a program, or a file, has no width.
    """
    name = visible(f"{conflict.dataset} {text.key(conflict)}".rstrip())
    kind = "" if conflict.kind == "record" else f" ({conflict.kind})"
    settled = f"  settled: {conflict.settled}" if conflict.settled else ""
    lines = [output.style(name, "name") + kind + settled]
    words = conflict_words(conflict)
    if words:
        lines.append(f"  {visible(words)}")
    is_open_row = conflict.settled is None and text.is_table(conflict.dataset)
    if is_open_row and conflict.kind == "record" and not conflict.fields:
        lines.append("  the whole record is in conflict")
    cells = text.cells(conflict)
    label = min(max(len(visible(one)) for one, _ in cells), LABEL_CHARS)
    widths = column_widths(output.width - 2 - label, [shown for _, shown in cells])
    if full or not (output.is_terminal or _fit(cells, widths)):
        return lines + _whole_lines(output, cells)
    rows: list[tuple[str, list[str]]] = [("", list(SIDES)), *cells]
    for row_name, row in rows:
        parts = [fitted(row_name, label)]
        for side, shown in zip(SIDES, fitted_row(row, widths), strict=True):
            style = {"ours": "removed", "theirs": "added"}.get(side, "faint")
            parts.append(output.style(shown, style if row_name else "faint"))
        lines.append(f"  {GAP.join(parts)}".rstrip())
    return lines


def _fit(cells: list[tuple[str, list[str]]], widths: list[int]) -> bool:
    """Tell whether no cell is cut."""
    return all(
        len(visible(cell)) <= width
        for _, row in cells
        for cell, width in zip(row, widths, strict=True)
    )


def _whole_lines(output: Output, cells: list[tuple[str, list[str]]]) -> list[str]:
    """Return a line for each side of each field, however long."""
    lines = []
    for name, texts in cells:
        lines.append(f"  {visible(name)}")
        for side, cell in zip(SIDES, texts, strict=True):
            style = {"ours": "removed", "theirs": "added"}.get(side, "faint")
            lines.append(f"    {side:6}  {output.style(visible(cell), style)}".rstrip())
    return lines


def column_widths(room: int, rows: list[list[str]]) -> list[int]:
    """Return the widths of the three columns: what they need, or an equal share."""
    wanted = [
        max(len(visible(cell)) for cell in (name, *column))
        for name, column in zip(SIDES, zip(*rows, strict=True), strict=True)
    ]
    room -= len(GAP) * len(SIDES)
    widths = [0] * len(wanted)
    # Who needs less than an equal share leaves the rest to the others.
    places = sorted(range(len(wanted)), key=wanted.__getitem__)
    for left, place in zip(range(len(wanted), 0, -1), places, strict=True):
        share = max(room // left, CELL_CHARS_LEAST)
        widths[place] = min(wanted[place], share)
        room -= widths[place]
    return widths


def _common(texts: Sequence[str]) -> int:
    """Return how many characters texts begin with alike."""
    alike = takewhile(lambda place: len(set(place)) == 1, zip(*texts, strict=False))
    return sum(1 for _ in alike)


def fitted_row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return base, ours and theirs in exactly so many characters each.

    Of long ones that begin alike the beginning is left out, so that it is seen where
    they differ: ours and theirs above all.
    """
    shown = [visible(one) for one in row]
    is_long = [len(one) > width for one, width in zip(shown, widths, strict=True)]
    long = [one for one, cut in zip(shown, is_long, strict=True) if cut]
    if all(is_long[1:]) and shown[1] != shown[2]:
        long = shown[1:]
    common = _common(long) if len(set(long)) > 1 else 0
    cells = []
    for text, width, cut in zip(shown, widths, is_long, strict=True):
        start = common - min(COMMON_CHARS, width // 2 - 1)
        is_hidden = cut and common >= min(widths) - 1
        if is_hidden and start > 1 and text.startswith(long[0][:start]):
            text = "…" + text[start:]
        cells.append(fitted(text, width))
    return cells


def fitted(text: str, width: int) -> str:
    """Return text in exactly so many characters."""
    shown = visible(text)
    return f"{shown if len(shown) <= width else shown[: width - 1] + '…':{width}}"
