"""Records as text: what is written reads back, in every format."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid
from prolly.ops import iter_typed, open_table, write_table
from prolly.ops.format_names import TEXT_FORMATS
from prolly.tables import COLUMN_TYPES, InferredColumn

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)
sharp = st.sampled_from(['"', ",", "\n", "\r", "\r\n", "\t", "a\rb", "%s", " ", "''"])
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(allow_nan=False),
    "decimal": numbers.map(lambda one: one if one else Decimal("0.000")),
    "text": texts | sharp,
    "bytes": st.binary(min_size=1, max_size=8),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.just(UTC)).map(
        lambda one: one.replace(fold=0)
    ),
    "uuid": st.uuids(),
    "json": st.lists(st.integers() | texts, min_size=1, max_size=3),
}
NAMES = list(VALUES)
rows_of_all = st.lists(
    st.tuples(
        *(
            VALUES[name] if name == "text" else st.none() | VALUES[name]
            for name in NAMES
        )
    ),
    max_size=3,
)


def written(rows: list[Any], columns: list[tuple[str, Any]], form: str) -> bytes:
    """Return the bytes of rows in a format."""
    stream = io.BytesIO()
    write_table(stream, columns, rows, form)
    return stream.getvalue()


@pytest.mark.parametrize("form", TEXT_FORMATS)
@given(rows=rows_of_all)
def test_records_of_all_types_come_back(form: str, rows: list[Any]) -> None:
    """Writing and reading with the same columns gives the same values."""
    columns = [(f"{name} %", COLUMN_TYPES[name]) for name in NAMES]
    data = written(rows, columns, form)
    with open_table(io.BytesIO(data), form) as source:
        schema = [InferredColumn(f"{name} %", name, True) for name in NAMES]
        back = [row for batch in iter_typed(source, schema) for row in batch.rows]
    assert repr(back) == repr([list(row) for row in rows])
    assert written(back, columns, form) == data


@given(cells=st.lists(st.text('ab\r\n",', max_size=4), min_size=1))
def test_a_single_column_of_text_comes_back(cells: list[str]) -> None:
    """Empty cells, carriage returns and quotes survive CSV where they are alone."""
    data = written([[cell] for cell in cells], [("a", COLUMN_TYPES["text"])], "csv")
    with open_table(io.BytesIO(data), "csv") as source:
        assert [cell for _, [cell] in source] == cells


def test_only_the_cell_with_a_carriage_return_is_quoted() -> None:
    """Its neighbours are as in any other row, and so are the rows around it."""
    columns = [(name, COLUMN_TYPES["text"]) for name in "abc"]
    rows = [["x", "y", "z"], ["p", "q\rr", ""], ["\r\n", "a,b", "c"]]
    text = 'a,b,c\nx,y,z\np,"q\rr",\n"\r\n","a,b",c\n'
    assert written(rows, columns, "csv").decode() == text


ROW = (
    True,
    7,
    1.5,
    Decimal("1.10"),
    'say "hi", é',
    b"ab",
    date(2026, 1, 31),
    datetime(2026, 1, 31, 12, tzinfo=UTC),
    UUID("12345678-1234-1234-1234-123456789abc"),
    {"a": [1, None]},
)


def test_each_format_has_one_spelling() -> None:
    """The bytes of a row of all ten types, null row after it, are these."""
    columns = [(name, COLUMN_TYPES[name]) for name in NAMES]
    rows = [ROW, (None,) * 10]
    header = "bool,int,float,decimal,text,bytes,date,datetime,uuid,json"
    line = (
        'true,7,1.5,1.10,"say ""hi"", é",YWI=,2026-01-31,2026-01-31T12:00:00Z,'
        '12345678-1234-1234-1234-123456789abc,"{""a"":[1,null]}"'
    )
    csv_text = f"{header}\n{line}\n{',' * 9}\n"
    assert written(rows, columns, "csv").decode() == csv_text
    record = (
        '{"bool":true,"int":7,"float":1.5,"decimal":1.10,"text":"say \\"hi\\", é",'
        '"bytes":{"$bytes":"YWI="},"date":"2026-01-31",'
        '"datetime":"2026-01-31T12:00:00Z",'
        '"uuid":"12345678-1234-1234-1234-123456789abc","json":{"a":[1,null]}}'
    )
    empty = "{" + ",".join(f'"{name}":null' for name in NAMES) + "}"
    assert written(rows, columns, "jsonl").decode() == f"{record}\n{empty}\n"
    assert written(rows, columns, "json").decode() == f"[\n{record},\n{empty}\n]\n"


def test_an_empty_table_is_still_a_file_of_its_format() -> None:
    """No rows: a header alone, nothing, and an empty array."""
    columns = [("a", COLUMN_TYPES["int"])]
    assert written([], columns, "csv") == b"a\n"
    assert written([], columns, "jsonl") == b""
    assert written([], columns, "json") == b"[]\n"


def test_a_nul_does_not_go_into_csv() -> None:
    """What no reader would take back is refused on the way out."""
    columns = [("a", COLUMN_TYPES["text"])]
    with pytest.raises(Invalid) as caught:
        written([["x\0"]], columns, "csv")
    assert caught.value.code == "nul-character"
    assert written([["x\0"]], columns, "jsonl") == b'{"a":"x\\u0000"}\n'
