"""CSV in: rows and their lines, strictly."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid, LimitExceeded
from prolly.ops import TableSource, csv_source, open_table

cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
) | st.sampled_from(['"', ",", "\n", "\r", "\r\n", "a\nb", "\t", " ", "\u2028", "\x85"])
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=9)
)


def source_of(text: str | bytes, format_name: str = "csv") -> TableSource:
    """Return a source over a text."""
    data = text.encode() if isinstance(text, str) else text
    return open_table(io.BytesIO(data), format_name)


def read(text: str | bytes, format_name: str = "csv") -> list[tuple[int, list[Any]]]:
    """Return (line, cells) of every row."""
    with source_of(text, format_name) as source:
        return list(source)


def fault(text: str | bytes, format_name: str = "csv") -> Any:
    """Return the error that reading raises."""
    with source_of(text, format_name) as source:
        with pytest.raises((Invalid, LimitExceeded)) as caught:
            list(source)
        return caught.value


@given(rows=tables, end=st.sampled_from(["\n", "\r\n"]), size=st.integers(1, 4))
def test_rows_and_lines_are_those_of_the_plain_reader(
    rows: list[list[str]], end: str, size: int
) -> None:
    """Whatever is quoted, cells and first lines are right in batches of any size."""
    names = [f"c{place}" for place in range(len(rows[0]) if rows else 2)]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    lines = []
    for row in rows:
        written = buffer.getvalue().replace("\r\n", "\n").replace("\r", "\n")
        lines.append(written.count("\n") + 1)
        writer.writerow(row)
    with source_of(buffer.getvalue()) as source:
        assert source.columns == tuple(names)
        batches = list(source.iter_batches(size))
        assert [row for batch in batches for row in batch.rows] == rows
        assert [line for batch in batches for line in batch.lines] == lines
        assert all(len(batch.rows) <= size for batch in batches)
        assert [row for _, row in source] == rows


def test_a_mark_crlf_and_blank_lines_are_passed_over() -> None:
    """Excel's file reads as any other; blank lines are no rows."""
    text = "\ufeffa,b\r\n1,2\r\n\r\n3,4\r\n\r\n"
    assert read(text) == [(2, ["1", "2"]), (4, ["3", "4"])]


def test_tsv_is_split_at_tabs() -> None:
    """In TSV a comma is text, and a quoted cell may hold a tab."""
    assert read('a\tb\n1,5\t"x\ty"\n', "tsv") == [(2, ["1,5", "x\ty"])]


def test_a_file_without_a_last_line_end_is_whole() -> None:
    """The last row counts with or without its line end."""
    assert read("a,b\n1,2") == read("a,b\n1,2\n") == [(2, ["1", "2"])]


def test_a_header_alone_has_no_rows() -> None:
    """A table may be empty; its columns are known and all text."""
    with source_of("a,b\n") as source:
        assert list(source) == []
        assert source.columns == ("a", "b")
        assert [one.type_name for one in source.infer()] == ["text", "text"]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "no-header", 1),
        ("\n\n", "no-header", 1),
        ("a,b\n1,2\n1\n", "ragged-row", 3),
        ("a,b\n1,2,3\n", "ragged-row", 2),
        ('a,b\n"x\ny",2\n1\n', "ragged-row", 4),
        ("a,,b\n", "column-name", 1),
        ("a,b,a\n", "duplicate-column", 1),
        ('a,b\n1,"open\n', "bad-csv", 2),
        ('a,b\n1,2\n3,"open\n4,5\n6,7\n', "bad-csv", 3),
        ('a,b\n"x\ny","x ""y"""\nz,"""\n4\n', "bad-csv", 4),
        ('a,b\n5" pipe,"one\ntwo","three\n4,5', "bad-csv", 3),
        ('a,b\n1,"x"y\n', "bad-csv", 2),
        ("a,b\n1,caf\xe9\n".encode("latin1"), "encoding", 2),
        (b"a,b\n1,\0\n", "nul-character", 2),
    ],
)
def test_a_bad_file_is_refused_with_its_line(
    text: str | bytes, code: str, line: int
) -> None:
    """Each fault has its code, its line, and a hint."""
    error = fault(text)
    assert (error.code, error.line) == (code, line)
    assert error.hint
    assert error.source in str(error)


@given(
    rows=st.lists(st.tuples(cells, cells), max_size=6),
    tail=st.text(st.sampled_from("ab,\n\r"), max_size=8),
)
def test_the_line_of_a_quote_left_open(rows: list[tuple[str, str]], tail: str) -> None:
    """Whatever cells stand before it, and whatever text behind it."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(["a", "b"])
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    text = buffer.getvalue()
    error = fault(f'{text}z,"{tail}')
    assert error.code == "bad-csv"
    assert error.line == len(re.findall("\r\n|\r|\n", text)) + 1


def test_a_quote_left_open_before_a_long_rest_is_named() -> None:
    """Not the line where the cell became too long, but that of its quote."""
    before = csv.field_size_limit()
    try:
        with source_of('a,b\n1,2\n3,"x\n' + "4,5\n" * 500) as source:
            csv.field_size_limit(1000)
            with pytest.raises(Invalid) as caught:
                list(source)
        assert (caught.value.code, caught.value.line) == ("bad-csv", 3)
        assert "never closed" in str(caught.value)
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_delimiter_is_suspected(mark: str, word: str) -> None:
    """Where the header is one column and the rows are not, the hint says so."""
    error = fault(f"a{mark}b\n1{mark}2,5\n")
    assert error.code == "ragged-row"
    assert f"divided by {word}" in error.hint


def test_a_cell_may_be_as_long_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell of exactly the limit passes, one character more is field-too-long."""
    before = csv.field_size_limit(1)
    try:
        monkeypatch.setattr(csv_source, "FIELD_CHARS_MAX", 1000)
        assert len(read("a\n" + "x" * 1000 + "\n")[0][1][0]) == 1000
        error = fault("a\n" + "x" * 1001 + "\n")
        assert (error.code, error.line, error.limit) == ("field-too-long", 2, 1000)
    finally:
        csv.field_size_limit(before)


def test_the_limit_of_the_process_is_never_lowered() -> None:
    """A program that allows longer cells goes on to do so."""
    before = csv.field_size_limit(csv_source.FIELD_CHARS_MAX + 1)
    try:
        source_of("a\n").close()
        assert csv.field_size_limit() == csv_source.FIELD_CHARS_MAX + 1
    finally:
        csv.field_size_limit(before)


def test_several_files_are_one_table() -> None:
    """The rows follow one another, columns in the order of the first file."""
    files = [io.BytesIO(b"a,b\n1,2\n"), io.BytesIO(b"b,a\n4,3\n6,5\n")]
    with open_table(files, "csv") as source:
        assert [row for _, row in source] == [["1", "2"], ["3", "4"], ["5", "6"]]
        assert [line for line, _ in source] == [2, 2, 3]
        assert source.position == source.size


def test_files_of_other_columns_are_refused() -> None:
    """The error names what is missing and what is more."""
    files = [io.BytesIO(b"a,b\n1,2\n"), io.BytesIO(b"a,c\n1,2\n")]
    with open_table(files, "csv") as source:
        with pytest.raises(Invalid) as caught:
            list(source)
        assert caught.value.code == "columns-differ"
        assert (caught.value.missing, caught.value.more) == (["b"], ["c"])
