"""JSON in: records and their lines, by lines and by array, in a small window."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid, LimitExceeded
from prolly.ops import TableSource, json_source, open_table

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_cells = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2)
    ),
    max_leaves=4,
)
records = st.lists(
    st.dictionaries(st.text("abcé%", min_size=1, max_size=2), json_cells, max_size=4),
    max_size=8,
)


def source_of(text: str | bytes, format_name: str) -> TableSource:
    """Return a source over a text."""
    data = text.encode() if isinstance(text, str) else text
    return open_table(io.BytesIO(data), format_name)


def fault(text: str | bytes, format_name: str) -> Any:
    """Return the error that reading raises."""
    with source_of(text, format_name) as source:
        with pytest.raises((Invalid, LimitExceeded)) as caught:
            list(source)
        return caught.value


def wanted_rows(rows: list[dict[str, Any]]) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return the columns and rows that records make."""
    names = tuple(dict.fromkeys(name for record in rows for name in record))
    return names, [[record.get(name) for name in names] for record in rows]


@given(rows=records, size=st.integers(1, 3), ascii_only=st.booleans())
def test_lines_give_the_records(
    rows: list[dict[str, Any]], size: int, ascii_only: bool
) -> None:
    """One object a line comes back whole, each with its line."""
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in rows]
    text = "".join(line.replace("\x85", "\\u0085") + "\n" for line in lines)
    with source_of(text, "jsonl") as source:
        names, wanted = wanted_rows(rows)
        assert source.columns == names
        batches = list(source.iter_batches(size))
        assert repr([row for one in batches for row in one.rows]) == repr(wanted)
        found = [line for one in batches for line in one.lines]
        assert found == list(range(1, len(rows) + 1))


@given(
    rows=records,
    indent=st.none() | st.integers(0, 2),
    window=st.integers(1, 40),
    ascii_only=st.booleans(),
)
def test_an_array_gives_the_records_through_any_window(
    rows: list[dict[str, Any]], indent: int | None, window: int, ascii_only: bool
) -> None:
    """However narrow the window, objects and lines come back whole."""
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_only)
    lines, line = [], 1
    if indent is not None:
        for record in rows:
            lines.append(line + 1)
            line += json.dumps(record, indent=indent).count("\n") + 1
    else:
        lines = [1] * len(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_source, "WINDOW_CHARS", window)
        with source_of(text + "\n", "json") as source:
            _, wanted = wanted_rows(rows)
            assert repr([row for _, row in source]) == repr(wanted)
            assert [line for line, _ in source] == lines


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("1.5", 1.5),
        ("1.50", Decimal("1.50")),
        ("1e5", 100000.0),
        ("1E+22", Decimal("1E+22")),
        ("0.0000001", 1e-07),
        ("0.12345678901234567890", Decimal("0.12345678901234567890")),
        ("1e400", Decimal("1E+400")),
        ("-0.0", -0.0),
        ("-0.00", -0.0),
        ("12345678901234567890", 12345678901234567890),
    ],
)
def test_a_number_keeps_what_was_written(token: str, value: Any) -> None:
    """A float where nothing is lost, a decimal otherwise."""
    with source_of(f'{{"a": {token}}}\n', "jsonl") as source:
        [(_, [cell])] = list(source)
    assert repr(cell) == repr(value)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('{"a": 1}\n{"a": }\n', "bad-json", 2),
        ('{"a": 1}\n\n{"a": 1} {"a": 2}\n', "bad-json", 3),
        ('{"a": 1}\n[1]\n', "bad-json", 2),
        ('{"a": 1, "a": 2}\n', "bad-json", 1),
        ('{"a": NaN}\n', "bad-json", 1),
        ('{"a": -Infinity}\n', "bad-json", 1),
        ('{"a": 1e99999999999999999999}\n', "bad-json", 1),
        ('{"a": ' + "9" * 5000 + "}\n", "integer-too-long", 1),
        ('{"a": ' + "[" * 100_000 + "\n", "bad-json", 1),
        ('{"": 1}\n', "column-name", 1),
        ('{"a": 1}\n{"b": "\xe9"}\n'.encode("latin1"), "encoding", 2),
        ('{"a": 1}\n\0\n', "nul-character", 2),
        ('[{"a": 1}]\n', "bad-json", 1),
    ],
)
def test_bad_lines_are_refused(text: str | bytes, code: str, line: int) -> None:
    """Each fault has its code and its line."""
    error = fault(text, "jsonl")
    assert (error.code, error.line) == (code, line)
    assert error.hint


@pytest.mark.parametrize("window", [1, 7, 1024])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ('{"a": 1}\n', 1),
        ("[\n", 2),
        ('[\n{"a": 1}\n', 3),
        ('[\n{"a": 1},\n]', 3),
        ('[\n{"a": 1}\n{"a": 2}]', 3),
        ('[\n{"a": 1},\n{"a": \n]', 4),
        ('[\n{"a": "open}\n]', 2),
        ("[\n1]", 2),
        ("[]\n[]", 2),
        ('[{"a": NaN}]', 1),
        ('[{"a": tru}]', 1),
    ],
)
def test_bad_arrays_are_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, line: int, window: int
) -> None:
    """A fault in an array has its line, however narrow the window."""
    monkeypatch.setattr(json_source, "WINDOW_CHARS", window)
    error = fault(text, "json")
    assert (error.code, error.line) == ("bad-json", line)


def test_a_record_may_be_as_long_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the limit a record of any length passes; an endless one is refused."""
    monkeypatch.setattr(json_source, "WINDOW_CHARS", 16)
    monkeypatch.setattr(json_source, "RECORD_CHARS_MAX", 1000)
    whole = json.dumps([{"a": "x" * 900}])
    with source_of(whole, "json") as source:
        assert [len(cell) for _, [cell] in source] == [900]
    error = fault('[{"a": "' + "x" * 5000, "json")
    assert (error.code, error.limit) == ("line-too-long", 1000)


def test_names_are_columns_in_order_of_appearance() -> None:
    """A name left out is null, in every record that lacks it."""
    with source_of('{"a": 1}\n{"b": 2, "a": 3}\n', "jsonl") as source:
        assert source.columns == ("a", "b")
        assert [row for _, row in source] == [[1, None], [3, 2]]


def test_several_files_are_one_table() -> None:
    """The columns are those of all files together."""
    files = [io.BytesIO(b'[{"a": 1}]'), io.BytesIO(b'[{"b": 2}]')]
    with open_table(files, "json") as source:
        assert source.columns == ("a", "b")
        assert [row for _, row in source] == [[1, None], [None, 2]]
