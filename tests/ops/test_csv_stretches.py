"""Cutting CSV: what is cut apart and read apart is what is read as a whole."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Error
from prolly.ops import csv_stretches, open_table
from prolly.ops.csv_source import CsvSource
from prolly.ops.csv_stretches import (
    HEADER_LINE_BYTES_MAX,
    LINES_TRIED_MAX,
    STRETCH_BYTES_MAX,
    IndivisibleError,
    Stretch,
    StretchSource,
    iter_stretches,
    row_end,
)

CELLS = st.text(alphabet='ab",\n\r\t é', max_size=6)
# Two columns, and lines that end in any way.
FILES = st.tuples(
    st.lists(st.tuples(CELLS, CELLS), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


def source_of(data: bytes) -> CsvSource:
    """Open bytes as CSV."""
    source = open_table(io.BytesIO(data), "csv")
    assert isinstance(source, CsvSource)
    return source


def stretches_of(data: bytes) -> list[Stretch]:
    """Return all stretches of one file."""
    with source_of(data) as source:
        return list(iter_stretches(source))


def rows_of(source: CsvSource) -> list[list[str]]:
    """Return all rows of a source."""
    return [row for batch in source.iter_batches() for row in batch.rows]


@given(FILES, st.integers(1, 40))
def test_stretches_hold_the_rows(
    file: tuple[list[tuple[str, str]], str, bool], size: int
) -> None:
    """Rows read stretch by stretch are those of the file, wherever it is cut."""
    rows, line_end, is_quoted = file
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if is_quoted else csv.QUOTE_NONNUMERIC
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows(
        [("x", "y\n"), *rows]
    )
    data = text.getvalue().encode()
    with source_of(data) as source, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stretches, "STRETCH_BYTES", size)
        whole = rows_of(source)
        stretches = list(iter_stretches(source))
    apart = []
    for stretch in stretches:
        apart += rows_of(StretchSource(stretch, ",", ("x", "y\n")))
    assert apart == whole == [list(row) for row in rows]


@given(st.lists(st.sampled_from('ab",\n'), max_size=60).map("".join), st.integers(1, 9))
def test_a_wrong_cut_is_refused(text: str, size: int) -> None:
    """Whatever the bytes: all stretches give the rows of the file, or one refuses."""
    data = b"x\n" + text.encode()
    with source_of(data) as source, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stretches, "STRETCH_BYTES", size)
        try:
            apart = []
            for stretch in iter_stretches(source):
                apart += rows_of(StretchSource(stretch, ",", ("x",)))
        except (Error, IndivisibleError):
            return
        assert apart == rows_of(source)


def test_rows_end_behind_even_quotes() -> None:
    """A row ends at the last line end that an even number of quotes stands before."""
    assert row_end(b"a\nb\nc") == 4
    assert row_end(b'a\n"b\nc') == 2
    assert row_end(b'"a\nb"\nc"\n') == 6
    assert row_end(b'a\n"' + b'""\n' * (LINES_TRIED_MAX - 1)) == 2
    assert row_end(b'a\n"' + b'""\n' * LINES_TRIED_MAX) == 0
    assert row_end(b"abc") == row_end(b"") == row_end(b'"a\n') == 0


def test_a_file_without_line_ends_is_read_as_a_whole() -> None:
    """Up to the limit a row may end anywhere; a file that has no end is not cut."""
    rows = b"a" * (STRETCH_BYTES_MAX - 1) + b"\n"
    with open_header(rows) as source:
        assert [len(one.rows) for one in iter_stretches(source)] == [len(rows)]
    with (
        open_header(b'"' + b"a\n" * (STRETCH_BYTES_MAX // 2)) as source,
        pytest.raises(IndivisibleError),
    ):
        list(iter_stretches(source))


def open_header(rows: bytes) -> CsvSource:
    """Open rows under a header."""
    return source_of(b"x\n" + rows)


def test_a_long_header_is_not_cut() -> None:
    """A line of the header has fewer bytes than the limit, or the file is not cut."""
    header = b"x" * (HEADER_LINE_BYTES_MAX - 2)
    assert stretches_of(header + b"\n1\n")[0].rows == b"1\n"
    with pytest.raises(IndivisibleError):
        stretches_of(header + b"x\n1\n")


@pytest.mark.parametrize("data", [b"", b"\n\n", b'"x\n', b"\xff\n", b"x\ry\r"])
def test_no_header_is_not_cut(data: bytes) -> None:
    """Where the header is not a line of its own, the file is read as a whole."""
    with pytest.raises(IndivisibleError):
        stretches_of(data)
