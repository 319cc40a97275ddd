"""Aligned columns: they fit the line, they stream, and a pipe loses nothing."""

from __future__ import annotations

import os
from itertools import count, islice
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.aligned_table import WIDTH_ROWS, print_aligned
from prolly_cli.display_width import width
from prolly_cli.output import Output, visible

TEXTS = st.text(max_size=20).map(visible)


class Collected(Output):
    """An output that keeps its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def line(self, text: str = "") -> None:
        """Keep it."""
        self.lines.append(text)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1), st.integers(24, 80))
def test_no_line_is_wider_than_the_width(
    rows: list[tuple[str, ...]], columns: int
) -> None:
    """Whatever the cells, and nothing is lost where there is no width."""
    for limit in (str(columns), ""):
        output = Collected()
        with patch.dict(os.environ, {"COLUMNS": limit}):
            cells = ([(text, "id") for text in row] for row in rows)
            assert print_aligned(output, ("a", "b", "c"), cells, firm=frozenset({1}))
        assert len(output.lines) == len(rows) + 1
        if limit:
            assert all(width(line) <= columns for line in output.lines)
            continue
        for row, line in zip(rows, output.lines[1:], strict=True):
            assert all(text.rstrip() in line for text in row)


def test_it_begins_with_the_first_rows() -> None:
    """A table without end prints before it is read to its end."""
    rows = ([(str(number), "")] for number in count())
    taken = islice(rows, WIDTH_ROWS + 1)
    output = Collected()
    print_aligned(output, ("n",), taken)
    assert output.lines[0].strip() == "n"
    assert len(output.lines) == WIDTH_ROWS + 2


def test_no_rows_print_nothing() -> None:
    """Titles alone would say that something is there."""
    output = Collected()
    assert not print_aligned(output, ("n",), [])
    assert output.lines == []


@given(
    st.lists(st.tuples(TEXTS, st.integers(0, 10**9), st.integers()), min_size=1),
    st.integers(24, 80),
)
def test_no_number_is_cut(rows: list[tuple[str, int, int]], columns: int) -> None:
    """It stands to the right as a whole, or its column is left out of every line."""
    output = Collected()
    cells = [[(name, ""), (str(one), ""), (str(two), "")] for name, one, two in rows]
    with patch.dict(os.environ, {"COLUMNS": str(columns)}):
        print_aligned(output, ("name", "one", "two"), cells, numbers=frozenset({1, 2}))
    ends = {width(line) for line in output.lines}
    assert max(ends) <= columns
    for (_, *numbers), line in zip(rows, output.lines[1:], strict=True):
        shown = [number for number in numbers if line.endswith(f" {number}")]
        assert shown
    assert len(ends) == 1


def test_a_list_is_measured_to_its_end() -> None:
    """Numbers stand below each other however many rows there are."""
    output = Collected()
    rows = [[("n", ""), (str(10**power), "")] for power in range(2 * WIDTH_ROWS)]
    print_aligned(output, ("n", "number"), rows, numbers=frozenset({1}))
    assert len({len(line) for line in output.lines}) == 1
