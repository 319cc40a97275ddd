"""A change as people are shown it, whether on a terminal or on a page.

The texts may reach either: control characters are spelt out, and two texts that look
the same though they differ are spelt so that they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import category, normalize

from prolly import ABSENT

from .output import visible
from .record_text import ChangeText, RecordText, key_words, value_text

if TYPE_CHECKING:
    from prolly import Change, Comparison

SIGNS = {"added": "+", "removed": "-", "modified": "~"}
# What a side shows of a field that it does not have.
NONE = "(none)"


class FieldView(NamedTuple):
    """What changed; the name is empty where the whole value of a map did."""

    name: str
    old: str
    new: str


class ColumnView(NamedTuple):
    """A column that was ``added``, ``removed`` or ``modified``: got another type."""

    kind: str
    name: str
    type: str


class RowTitles(NamedTuple):
    """What stands above the columns of a table, and which of them hold numbers."""

    key: str
    names: list[str]
    numbers: set[str]


class ChangeView(NamedTuple):
    """One record that differs: the fields that changed, and the cells that did not.

    Of a record that was added or removed as a whole there are cells alone, with their
    names; that of a map's value is empty.
    """

    kind: str
    key: str
    fields: list[FieldView]
    cells: list[tuple[str, str]]

    @property
    def is_whole(self) -> bool:
        """Tell whether the record was added or removed as a whole."""
        return not self.fields


class DiffView:
    """Turns the changes of a comparison into what is shown of them."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._text = ChangeText(comparison)

    def is_table(self, dataset: str) -> bool:
        """Tell whether the records are rows."""
        return self._text.is_table(dataset)

    def key_title(self, dataset: str) -> str:
        """Return what stands above the keys of a dataset."""
        old, new = self._text.sides(dataset)
        return ", ".join(map(visible, new.key or old.key)) or "key"

    def row_titles(self, dataset: str) -> RowTitles:
        """Return the columns of a table that are not its key, the new ones first."""
        old, new = self._text.sides(dataset)
        types = {**new.types, **old.types}
        numeric = ("int", "float", "decimal")
        return RowTitles(
            self.key_title(dataset),
            [visible(one) for one in types if one not in new.key],
            {visible(name) for name, one in types.items() if one.name in numeric},
        )

    def columns(self, dataset: str) -> list[ColumnView]:
        """Return the columns that only one of both versions of a table has."""
        before, after = self._comparison.schemas(dataset)
        if before is None or after is None:
            return []
        old, new = (
            {one.name: one.type for one in side.columns} for side in (before, after)
        )
        found = []
        for name, kind in new.items():
            was = old.get(name)
            if was is None:
                found.append(ColumnView("added", visible(name), kind))
            elif was != kind:
                found.append(ColumnView("modified", visible(name), f"{was} -> {kind}"))
        gone = [(name, kind) for name, kind in old.items() if name not in new]
        found += [ColumnView("removed", visible(name), kind) for name, kind in gone]
        return found

    def of(self, change: Change) -> ChangeView:
        """Return one change as it is shown."""
        is_table = self._text.is_table(change.dataset)
        key = visible(key_words(change.key, typed=is_table))
        sides = self._text.sides(change.dataset)
        if change.fields:
            fields = [_field(change, name, sides) for name in change.fields]
            cells = _unchanged(change, sides[1]) if is_table else []
            return ChangeView(change.kind, key, fields, cells)
        if is_table:
            speller = sides[0] if change.new is ABSENT else sides[1]
            row = change.old if change.new is ABSENT else change.new
            return ChangeView(change.kind, key, [], _cells(row, speller))
        if change.kind == "modified":
            return ChangeView(change.kind, key, _value_fields(change), [])
        value = change.old if change.new is ABSENT else change.new
        text = visible(value_text(value))
        return ChangeView(change.kind, key, [], [("", text)])


def _field(change: Change, name: str, sides: tuple[RecordText, RecordText]) -> Any:
    texts = [
        side.words(name, row[name]) if name in row else NONE
        for row, side in zip((change.old, change.new), sides, strict=True)
    ]
    return FieldView(visible(name), *told_apart(*texts))


def _cells(row: dict[str, Any], speller: RecordText) -> list[tuple[str, str]]:
    """Return the cells of a row that hold something, but for the key."""
    return [
        (visible(name), speller.words(name, value))
        for name, value in row.items()
        if value is not None and value != "" and name not in speller.key
    ]


def _unchanged(change: Change, speller: RecordText) -> list[tuple[str, str]]:
    rest = {
        name: value for name, value in change.new.items() if name not in change.fields
    }
    return _cells(rest, speller)


def _value_fields(change: Change) -> list[FieldView]:
    """Return how a map's value changed: of two objects the names that differ."""
    if type(change.old) is dict and type(change.new) is dict:
        found = []
        for name in dict.fromkeys([*change.new, *change.old]):
            texts = [
                visible(value_text(side[name])) if name in side else NONE
                for side in (change.old, change.new)
            ]
            if texts[0] != texts[1]:
                found.append(FieldView(visible(name), *told_apart(*texts)))
        return found
    texts = [visible(value_text(one)) for one in (change.old, change.new)]
    return [FieldView("", *told_apart(*texts))]


def told_apart(old: str, new: str) -> tuple[str, str]:
    """Return both texts; spelt in ASCII if they only look the same."""
    if old.isascii() and new.isascii():
        return old, new
    if old != new and _looks(old) == _looks(new):
        return _spelt(old), _spelt(new)
    return old, new


def _looks(text: str) -> str:
    """Return text without what no eye can see: spaces of other kinds, accents apart."""
    plain = "".join(" " if category(one) == "Zs" else one for one in text)
    return normalize("NFC", plain)


def _spelt(text: str) -> str:
    """Return text with all that is not ASCII spelt as JSON spells it."""
    escaped = "".join(
        one if one.isascii() else f"\\u{ord(one):04x}" if ord(one) < 0x10000
        else f"\\U{ord(one):08x}"
        for one in text
    )  # fmt: skip
    return escaped if escaped.startswith('"') else f'"{escaped}"'
