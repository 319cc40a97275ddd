"""The table of a diff: its laws hold for any data and any width."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.diff_table import BATCH_RECORDS, print_table
from prolly_cli.display_width import width
from prolly_cli.output import Output

from prolly import ABSENT, Change, Comparison, Schema

SCHEMA = Schema.create([("id", "text"), ("note", "text"), ("n", "int")], "id")

# Texts with all that is hard on a terminal: escapes, bidi, wide and combining ones.
HARD = st.sampled_from(
    ["\x1b[31m", "\u202e", "\x9b", "漢字", "👩\u200d🚀", "e\u0301", "\n"]
)
TEXTS = st.one_of(
    st.text(max_size=8), st.lists(st.one_of(HARD, st.text(max_size=30))).map("".join)
)
ROWS = st.fixed_dictionaries({"note": TEXTS, "n": st.one_of(st.none(), st.integers())})
PAIRS = st.lists(
    st.tuples(TEXTS, st.one_of(st.none(), ROWS), st.one_of(st.none(), ROWS)),
    max_size=8,
)


class Versions(Comparison):
    """A comparison of nothing, that tells the columns of a table."""

    def __init__(self, old: Schema | None, new: Schema | None) -> None:
        self._both = old, new

    def schemas(self, dataset: str) -> tuple[Schema | None, Schema | None]:
        """Return the columns."""
        return self._both


def changes(pairs: list[Any]) -> Iterator[Change]:
    """Yield changes of rows; what is None is not there."""
    for key, *sides in pairs:
        old, new = (ABSENT if one is None else {"id": key, **one} for one in sides)
        fields: tuple[str, ...] = ()
        if old is ABSENT and new is ABSENT:
            continue
        if old is not ABSENT and new is not ABSENT:
            fields = tuple(name for name in ("note", "n") if old[name] != new[name])
            if not fields:
                continue
        yield Change("t", key, old, new, fields)


class Collected(Output):
    """An output that keeps its text, with colour or without."""

    def __init__(self, color: bool = False) -> None:
        super().__init__()
        self.text = ""
        self._is_colored = color

    @property
    def color(self) -> bool:
        """As it was asked for."""
        return self._is_colored

    def write(self, text: str) -> None:
        """Keep it."""
        self.text += text


def printed(
    pairs: list[Any], columns: str, *, fields: bool = False, color: bool = False
) -> str:
    """Return the table of changes as it is printed on so many columns."""
    output = Collected(color)
    with patch.dict(os.environ, {"COLUMNS": columns}):
        versions = Versions(SCHEMA, SCHEMA)
        print_table(output, versions, changes(pairs), {}, fields=fields)
    return output.text


@given(PAIRS, st.integers(24, 120), st.booleans())
def test_no_line_is_wider_than_the_width(
    pairs: list[Any], columns: int, fields: bool
) -> None:
    """Whatever the data, no line wraps."""
    for line in printed(pairs, str(columns), fields=fields).splitlines():
        assert width(line) <= columns, line


@given(PAIRS, st.sampled_from(["", "30", "80"]))
def test_nothing_that_a_terminal_obeys_gets_through(
    pairs: list[Any], columns: str
) -> None:
    """No control character, nothing that turns the direction, no forged line."""
    text = printed(pairs, columns)
    assert len(text.splitlines()) == text.count("\n")
    for character in text.replace("\n", ""):
        assert (
            character.isprintable()
            or character in "\u200c\u200d"
            or (character.isspace() and ord(character) > 0x9F)
            or ord(character) > 0xFF
        ), hex(ord(character))
    assert not set(text) & set(
        "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f\x9b\x1b"
    )


@given(PAIRS)
def test_colour_changes_no_text(pairs: list[Any]) -> None:
    """Without its escapes the coloured table is the plain one."""
    colored = printed(pairs, "80", color=True)
    for code in ("0", "1", "2", "31", "32", "33", "1;31", "1;32"):
        colored = colored.replace(f"\x1b[{code}m", "")
    trimmed = [line.rstrip() for line in colored.splitlines()]
    plain = [line.rstrip() for line in printed(pairs, "80").splitlines()]
    assert trimmed == plain


@given(st.lists(st.tuples(st.text("abc漢", min_size=1, max_size=40), ROWS, ROWS)))
def test_without_a_width_nothing_is_cut(pairs: list[Any]) -> None:
    """Every old and new number stands in the table whole."""
    text = printed(pairs, "")
    assert "…" not in text or any("…" in str(pair) for pair in pairs)
    for change in changes(pairs):
        for side in (change.old, change.new):
            if "n" in change.fields and side["n"] is not None:
                assert str(side["n"]) in text


def test_a_diff_of_millions_begins_at_once() -> None:
    """The first lines are printed when the first batch is there."""
    seen = 0

    def endless() -> Iterator[Change]:
        nonlocal seen
        while True:
            seen += 1
            yield Change("t", str(seen), {"n": 1}, {"n": 2}, ("n",))

    class Enough(Exception):
        """The first line was printed."""

    class First(Collected):
        def write(self, text: str) -> None:
            if text.startswith("~"):
                raise Enough

    versions = Versions(SCHEMA, SCHEMA)
    with pytest.raises(Enough):
        print_table(First(), versions, endless(), {}, fields=False)
    assert seen <= BATCH_RECORDS + 1


def test_texts_that_look_the_same_are_spelt() -> None:
    """An accent on its own, or a space that is none, can be told apart."""
    lines = printed(
        [("a", {"note": "caf\u00e9", "n": 1}, {"note": "cafe\u0301", "n": 1})], "80"
    )
    assert '"caf\\u00e9"  "cafe\\u0301"' in lines
    lines = printed([("a", {"note": "x y", "n": 1}, {"note": "x\u00a0y", "n": 1})], "")
    assert '"x\\u00a0y"' in lines


def test_what_would_mislead_stands_in_quotes() -> None:
    """Null, text that reads null, nothing, and spaces at an end are told apart."""
    notes = ["null", "", " x", '"']
    pairs = [(note, {"note": note, "n": 1}, {"note": "-", "n": 1}) for note in notes]
    text = printed(pairs, "")
    for shown in ('"null"', '""', '" x"', '"\\""'):
        assert f"  {shown}" in text
    assert "  null" in printed(
        [("a", {"note": "", "n": None}, {"note": "", "n": 1})], ""
    )


def test_many_new_records_are_a_table() -> None:
    """Four in a row get columns; what does not fit is left out, and told."""
    row = {"note": "word", "n": 12}
    lines = printed([(str(n), None, row) for n in range(4)], "").splitlines()
    assert lines[:3] == ["t", "  id  note   n", "+ 0   word  12"]
    wide = {"note": "w" * 30, "n": 12}
    head = printed([(str(n), None, wide) for n in range(4)], "24").splitlines()[1]
    assert head.rstrip().endswith("…")


def test_columns_that_came_and_went_are_told() -> None:
    """Above the records stands what happened to the columns."""
    new = Schema.create([("id", "text"), ("m", "int")], "id")
    output = Collected()
    print_table(output, Versions(SCHEMA, new), iter([]), {"t": "altered"}, fields=False)
    assert output.text.splitlines() == [
        "t (altered)",
        "+ column m: int",
        "- column note: text",
        "- column n: int",
    ]
