"""Predicates over columns against the naive reading, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.tables import COLUMN_TYPES, Schema, as_predicate
from prolly.tables.predicate_filter import Filter
from prolly.testing.predicate_model import predicate_holds, predicates, rows

SCHEMA = Schema.create(
    [("id", "int"), *((name, name) for name in COLUMN_TYPES)][1:], "int"
)
NAMES = SCHEMA.names


def masked(value: Any, listed: list[dict[str, Any]]) -> list[bool | None]:
    """Return what a predicate says of rows, by columns."""
    columns = [[row[name] for row in listed] for name in NAMES]
    found = Filter(as_predicate(value).bound(SCHEMA.by_name), NAMES)
    mask = found.mask(columns, len(listed))
    selected = found.select(columns, len(listed))
    assert len(selected[0]) == mask.count(True)
    return list(mask)


@given(predicates(SCHEMA), rows(SCHEMA))
def test_columns_say_what_rows_say(value: Any, listed: list[dict[str, Any]]) -> None:
    """Every operator, null and NaN: the mask is what the naive reading gives."""
    assert masked(value, listed) == [predicate_holds(value, row) for row in listed]


@given(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
def test_the_logic_is_that_of_three_values(one: bool | None, two: bool | None) -> None:
    """and, or, not have SQL's truth tables."""
    row = dict.fromkeys(NAMES) | {"bool": one, "int": None if two is None else int(two)}
    first, second = ["=", "bool", True], ["=", "int", 1]
    order = [False, None, True]
    low, high = sorted([one, two], key=order.index)
    assert masked(["and", first, second], [row]) == [low]
    assert masked(["or", first, second], [row]) == [high]
    assert masked(["not", first], [row]) == [None if one is None else not one]


@pytest.mark.parametrize(("value", "answer"), [(["and"], True), (["or"], False)])
def test_joints_of_no_part(value: Any, answer: bool) -> None:
    """``and`` of nothing is true, ``or`` of nothing false."""
    assert masked(value, [dict.fromkeys(NAMES), dict.fromkeys(NAMES)]) == [answer] * 2
