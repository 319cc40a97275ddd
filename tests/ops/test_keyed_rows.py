"""Rows by key: what is spilled is sorted, and doubles are placed all the same."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from prolly.errors import Invalid
from prolly.ops import open_table
from prolly.ops.keyed_rows import NotNumbersError, TextRows
from prolly.tree import EditBuffer


@pytest.fixture
def rows_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], TextRows]]:
    """Return the rows of a CSV file with whole numbers in ``id``.

    They are read two at a time and written out after each.
    """
    opened: list[TextRows] = []

    def rows_of(*ids: object) -> TextRows:
        text = "id,v\n" + "".join(f"{one},x\n" for one in ids)
        source = open_table(io.BytesIO(text.encode()), "csv")
        rows = TextRows(source, ["id"], source.columns, {"id"})
        rows._buffer = EditBuffer(1, unique=True)
        iter_batches = source.iter_batches
        monkeypatch.setattr(source, "iter_batches", lambda: iter_batches(2))
        opened.append(rows)
        return rows

    yield rows_of
    for rows in opened:
        rows.close()
        rows.source.close()


def test_many_rows_are_sorted_on_the_disk(rows_of: Any) -> None:
    """All come back, in order."""
    rows = rows_of(7, 3, 5, 1, 9)
    rows.fill()
    assert [rows.unpack(packed) for _, packed in rows] == [
        [one, "x"] for one in (1, 3, 5, 7, 9)
    ]


def test_a_double_on_the_disk_is_placed(rows_of: Any) -> None:
    """It is met at the end, and both lines are named."""
    rows = rows_of(7, 3, 5, 7)
    rows.fill()
    with pytest.raises(Invalid) as raised:
        list(rows)
    assert raised.value.facts["lines"] == [2, 5]


@pytest.mark.parametrize("cell", ["007", "x", "1.0", "+1"])
def test_words_are_no_numbers(rows_of: Any, cell: str) -> None:
    """The column is named, so that whoever asked takes it for text."""
    with pytest.raises(NotNumbersError) as raised:
        rows_of(1, cell).fill()
    assert raised.value.name == "id"


def test_a_row_without_a_key_is_placed(rows_of: Any) -> None:
    """An empty cell is no key."""
    with pytest.raises(Invalid, match="line 4") as raised:
        rows_of(1, 2, "").fill()
    assert raised.value.code == "null-key"
