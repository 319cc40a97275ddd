"""Conflicts as they are printed: JSON lines, and base, ours and theirs side by side."""

from __future__ import annotations

import json
from typing import Any

from prolly import ABSENT, Column, Conflict, Conflicts
from prolly.repo import SIDES, Side, conflict_words

from .conflict_columns import column_widths, fits, fitted, fitted_row
from .display_width import GAP, cut, width
from .output import Output, visible
from .record_text import RecordText, key_parts, key_words, value_text
from .styled_line import Styled, marked, painted

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode

# The names of fields take no more of a line than this, or the values would not fit.
LABEL_CHARS = 20

SIDE_STYLES = {"ours": "removed", "theirs": "added"}


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
                    speller.words(column, cell) if is_there else _none(conflict, side)
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
            f"{visible(name)} {speller.words(column, cell)}"
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
    if output.is_terminal:
        name = cut(name, max(output.width - width(kind + settled), LABEL_CHARS))
    lines = [output.style(name, "name") + kind + settled]
    words = conflict_words(conflict)
    if words:
        lines.append(f"  {visible(words)}")
    is_open_row = conflict.settled is None and text.is_table(conflict.dataset)
    if is_open_row and conflict.kind == "record" and not conflict.fields:
        lines.append("  the whole record is in conflict")
    cells = text.cells(conflict)
    label = min(max(width(visible(one)) for one, _ in cells), LABEL_CHARS)
    room = output.width - 2 - label
    widths = column_widths(room, [shown for _, shown in cells])
    is_narrow = sum(widths) + len(GAP) * len(SIDES) > room
    if full or is_narrow or not (output.is_terminal or fits(cells, widths)):
        limit = output.width if output.is_terminal and not full else None
        return lines + _whole_lines(output, cells, limit)
    rows: list[tuple[str, list[str]]] = [("", list(SIDES)), *cells]
    for row_name, row in rows:
        parts = [(f"  {fitted(row_name, label)}", "")]
        for side, whole, shown in zip(SIDES, row, fitted_row(row, widths), strict=True):
            parts.append((GAP, ""))
            if row_name:
                parts += _cell(output, (row[0], whole), shown, side)
            else:
                parts.append((shown, "faint"))
        lines.append(painted(output, parts))
    return lines


def _cell(
    output: Output, texts: tuple[str, str], shown: str, side: Side
) -> list[Styled]:
    """Return a cell in its colour; what differs from base in bold, if all is shown."""
    base, text = map(visible, texts)
    style = SIDE_STYLES.get(side, "faint")
    if not output.color or side == "base" or not shown.startswith(text):
        return [(shown, style)]
    from .word_difference import word_differences

    spans = word_differences(base, text)[1]
    return [*marked(spans, style), (shown[len(text) :], "")]


def _whole_lines(
    output: Output, cells: list[tuple[str, list[str]]], limit: int | None
) -> list[str]:
    """Return a line for each side of each field; no longer than a limit, if any."""
    lines = []
    for name, texts in cells:
        lines.append(f"  {visible(name)}")
        for side, cell in zip(SIDES, texts, strict=True):
            shown = visible(cell)
            if limit is not None:
                shown = cut(shown, limit - len("    theirs  "))
            style = SIDE_STYLES.get(side, "faint")
            lines.append(f"    {side:6}  {output.style(shown, style)}".rstrip())
    return lines
