"""Lines of CSV taken apart without losing how they are written."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.ops.byte_source import ByteSource
from prolly.ops.csv_lines import CsvLines, cell_texts

CELLS = st.lists(st.text('ab,"\n\té', max_size=4), min_size=2, max_size=4)
QUOTING = st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])


@given(CELLS, QUOTING, st.sampled_from(",\t"))
def test_texts_are_the_row_in_pieces(
    cells: list[str], quoting: int, delimiter: str
) -> None:
    """Joined they are its text, and each spells one cell."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, delimiter=delimiter).writerow(cells)
    body = text.getvalue().removesuffix("\r\n")
    texts = cell_texts(body, delimiter)
    assert delimiter.join(texts) == body
    read = [
        next(csv.reader(io.StringIO(one, newline=""), delimiter=delimiter), [""])
        for one in texts
    ]
    assert read == [[cell] for cell in cells]


@pytest.mark.parametrize("body", ['a"b,c"', 'a,"",b', '"a""",""', ","])
def test_a_quote_within_a_cell_is_a_sign(body: str) -> None:
    """Only at the beginning it quotes."""
    assert ",".join(cell_texts(body, ",")) == body
    assert len(cell_texts(body, ",")) == len(next(csv.reader([body])))


def lines_of(data: bytes) -> CsvLines:
    """Return a CSV file with the key ``id``."""
    with ByteSource(io.BytesIO(data)) as file:
        return CsvLines(file, ["id"])


@given(
    st.lists(st.tuples(st.text('ab"\n,', max_size=3), QUOTING), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\n", "\n\n"]),
)
def test_all_parts_are_the_file(
    cells: list[tuple[str, int]], line_end: str, blank: str
) -> None:
    """Header, rows, line ends and blank lines, in this order, lose nothing."""
    text = io.StringIO(newline="")
    text.write("id,v" + line_end)
    for number, (cell, quoting) in enumerate(cells):
        writer = csv.writer(text, quoting=quoting, lineterminator=line_end)
        writer.writerow([str(number), cell])
        text.write(blank)
    found = lines_of(text.getvalue().encode())
    parts = [found.header(found.columns, []) or "", found.blanks.get(-1, "")]
    for row, body in enumerate(found.bodies):
        parts += [body, found.ends[row], found.blanks.get(row, "")]
        assert found.cells(row) == {"id": str(row), "v": cells[row][0]}
    assert "".join(parts) == text.getvalue()
    assert found.places == {(str(row),): row for row in range(len(cells))}
    assert found.line_end == line_end


def test_blank_lines_before_the_header_stay() -> None:
    """They are part of it."""
    assert lines_of(b"\n\r\nid,v\n1,a\n").header(("id", "v"), []) == "\n\r\nid,v\n"
    assert lines_of(b"id").is_open
    assert not lines_of(b"id\n").is_open
