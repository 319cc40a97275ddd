"""A type is inferred only if every cell comes back as it was written."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.tables import COLUMN_TYPES, JsonInference, TextInference

words = st.sampled_from(
    [
        "007",
        "7",
        "-7",
        "0",
        "-0",
        "1.5",
        "1.50",
        "2.25",
        "1e5",
        "1e+22",
        "1E+3",
        "-0.0",
        "nan",
        "inf",
        "true",
        "false",
        "True",
        "2026-01-31",
        "20260131",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00+00:00",
        "12345678-1234-1234-1234-123456789abc",
        "YWI=",
        "{}",
        "[1]",
        "null",
        "0.0000001",
        "1e-07",
        "x",
    ]
)
similar = st.one_of(
    st.lists(st.integers().map(str) | st.just(""), max_size=9),
    st.lists(st.floats().map(repr) | st.just(""), max_size=9),
    st.lists(st.decimals(allow_nan=False, allow_infinity=False).map(str), max_size=9),
    st.lists(st.dates().map(str), max_size=9),
    st.lists(st.uuids().map(str), max_size=9),
    st.lists(words | st.just(""), max_size=5),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5),
)


def infer(cells: list[str], batch: int = 3) -> tuple[str, bool]:
    """Return (type name, nullable) of one column of text cells."""
    inference = TextInference(["column"])
    for start in range(0, len(cells), batch):
        inference.add([[cell] for cell in cells[start : start + batch]])
    [column] = inference.result()
    assert column.name == "column"
    return column.type_name, column.nullable


def infer_json(cells: list[Any], batch: int = 3) -> tuple[str, bool]:
    """Return (type name, nullable) of one column of JSON cells."""
    inference = JsonInference()
    for start in range(0, len(cells), batch):
        inference.add(["column"], [[cell] for cell in cells[start : start + batch]])
    [column] = inference.result()
    return column.type_name, column.nullable


@given(cells=similar)
def test_every_cell_comes_back_as_it_was_written(cells: list[str]) -> None:
    """Format undoes parse for every cell under the inferred type."""
    type_name, nullable = infer(cells)
    kind = COLUMN_TYPES[type_name]
    values = list(kind.parse_many(cells))
    assert list(kind.format_many(values)) == cells
    assert nullable == (None in values)


@given(cells=similar, batch=st.integers(1, 9))
def test_the_batches_do_not_matter(cells: list[str], batch: int) -> None:
    """However the cells are batched, the answer is the same."""
    assert infer(cells, batch) == infer(cells, 100)


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ("7 -7 0", "int"),
        ("7 007", "text"),
        ("7 7.5", "decimal"),
        ("7.5 8.25", "float"),
        ("7.5 8.50", "decimal"),
        ("7.5 1e5", "text"),
        ("0.0000001 2", "decimal"),
        ("7.5 nan", "float"),
        ("nan inf", "text"),
        ("7 nan", "text"),
        ("-0.0 1.0", "float"),
        ("-0.0 1", "text"),
        ("7 1E+3", "decimal"),
        ("true false", "bool"),
        ("true True", "text"),
        ("true 1", "text"),
        ("2026-01-31 2025-02-01", "date"),
        ("2026-01-31 2025-02-30", "text"),
        ("2026-01-31T12:00:00Z", "datetime"),
        ("2026-01-31T12:00:00Z 2026-01-31", "text"),
        ("2026-01-31T12:00:00.5Z", "text"),
        ("12345678-1234-1234-1234-123456789abc", "uuid"),
        ("12345678-1234-1234-1234-123456789ABC", "text"),
        ("YWI=", "text"),
        ("{} [1]", "text"),
        ("", "text"),
        ("9" * 5000, "text"),
    ],
)
def test_what_each_column_of_text_is(cells: str, wanted: str) -> None:
    """The rules, one example each."""
    assert infer(cells.split()) == (wanted, False)


def test_an_empty_cell_is_null_but_in_text() -> None:
    """An empty cell makes a column nullable, unless it is text."""
    assert infer(["", "7"]) == ("int", True)
    assert infer(["", "x"]) == ("text", False)
    assert infer(["", ""]) == ("text", False)


def test_several_columns_are_told_apart() -> None:
    """Each column has its own type, in the order of the header."""
    inference = TextInference(["id", "name", "price"])
    inference.add([["1", "ab", "1.5"], ["2", "", "2"]])
    found = [(one.name, one.type_name) for one in inference.result()]
    assert found == [("id", "int"), ("name", "text"), ("price", "decimal")]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ([1, 2], "int"),
        ([1.5, 2.0], "float"),
        ([1, 2.5], "decimal"),
        ([1, Decimal("2.50")], "decimal"),
        ([1, -0.0], "json"),
        ([True, False], "bool"),
        ([True, 1], "json"),
        (["a", "b"], "text"),
        (["a", 1], "json"),
        (["5", "6"], "text"),
        (["2026-01-31"], "date"),
        (["2026-01-31", "x"], "text"),
        (["2026-01-31", ""], "text"),
        (["2026-01-31T12:00:00Z"], "datetime"),
        (["12345678-1234-1234-1234-123456789abc"], "uuid"),
        ([{"a": 1}], "json"),
        ([[1, 2]], "json"),
        ([{"$bytes": "YWI="}], "bytes"),
        ([{"$bytes": "?"}], "json"),
        ([{"$decimal": "1.10"}], "decimal"),
        ([{"$float": "nan"}, 1.5], "float"),
        ([{"$float": "nan"}], "float"),
        ([{"$float": "nan"}, 1], "json"),
        ([{"$bytes": "YWI="}, "a"], "json"),
        ([], "text"),
    ],
)
def test_what_each_column_of_json_is(cells: list[Any], wanted: str) -> None:
    """The rules for JSON, one example each."""
    if cells:
        assert infer_json(cells) == (wanted, False)
        assert infer_json([*cells, None]) == (wanted, True)
    else:
        assert infer_json([None]) == (wanted, True)


plain_json = st.one_of(
    st.lists(st.none() | st.integers()),
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    st.lists(st.integers() | st.floats(-1e15, 1e15).filter(lambda one: one != 0)),
    st.lists(st.booleans() | st.none()),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.none()),
    st.lists(st.dates().map(str)),
    st.lists(st.lists(st.integers()) | st.dictionaries(st.text("ab"), st.booleans())),
    st.lists(st.integers() | st.text("ab") | st.none() | st.booleans()),
)


@given(cells=plain_json)
def test_every_json_cell_comes_back(cells: list[Any]) -> None:
    """What is written for the inferred type reads as the same JSON."""
    if not cells:
        return
    kind = COLUMN_TYPES[infer_json(cells)[0]]
    written = kind.json_text_many(kind.from_json_many(cells))
    back = [json.loads(one) for one in written]
    assert repr(back) == repr(cells)


def test_a_name_that_is_left_out_makes_its_column_nullable() -> None:
    """Early or late: a batch without the name counts as nulls."""
    inference = JsonInference()
    inference.add(["a", "b"], [[1, 2]])
    inference.add(["a", "c"], [[1, 3]])
    found = {one.name: one.nullable for one in inference.result()}
    assert found == {"a": False, "b": True, "c": True}
