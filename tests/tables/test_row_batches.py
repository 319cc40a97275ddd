"""Rows given as lists, with the kernel and without: the same columns, or errors."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Error
from prolly.tables import Schema, column_types, row_batches
from prolly.tables.row_batches import RowSource
from prolly.tables.type_registry import column_type

PLAIN_TYPES = ("int", "float", "text", "bytes", "bool")


class _Number(int):
    """A whole number of another type."""


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from(["\ud800", "a\udfff", "\U0001f600", _Number(3), 1 << 8192, [1]]),
)
columns = st.one_of(
    st.lists(cells, max_size=6),
    *(
        st.lists(one, min_size=1, max_size=6)
        for one in (st.text(max_size=5), st.integers(), st.binary(max_size=3))
    ),
)


def outcome(rows: list[Any], types: list[str]) -> Any:
    """Return the checked columns of rows, or what is told of them."""
    names = [f"c{place}" for place in range(len(types))]
    schema = Schema.create(
        [(name, kind, True) for name, kind in zip(names, types, strict=True)], "c0"
    )
    try:
        found = list(RowSource((names, rows)).checked(schema))
    except Error as error:
        return error.code, error.message, error.hint
    return repr([(before, list(map(list, made))) for before, made in found])


@given(st.data())
def test_rows_of_lists_are_checked_as_without_the_kernel(data: st.DataObject) -> None:
    """Lists, tuples and others, of one width and of several, with cells of any type."""
    types = data.draw(st.lists(st.sampled_from(PLAIN_TYPES), min_size=1, max_size=4))
    widths = st.just(len(types)) | st.integers(0, 5)
    rows = data.draw(
        st.lists(
            widths.flatmap(lambda width: st.lists(cells, min_size=width, max_size=5)),
            min_size=1,
            max_size=5,
        )
    )
    kind = data.draw(st.sampled_from([list, tuple, dict.fromkeys, iter, repr]))
    if all(len(row) >= len(types) for row in rows) and data.draw(st.booleans()):
        rows = [row[: len(types)] for row in rows]
    given_rows: list[Any] = rows
    if kind is not dict.fromkeys or not any(list in map(type, row) for row in rows):
        given_rows = [kind(row) for row in rows]
    if kind is iter:
        assert outcome(given_rows, types)[0] == "row-width"
        return
    compiled = outcome(given_rows, types)
    with (
        patch.object(row_batches, "kernel", None),
        patch.object(column_types, "kernel", None),
    ):
        assert compiled == outcome(given_rows, types)


@given(st.sampled_from(PLAIN_TYPES), columns)
def test_plain_columns_stand_as_they_are(name: str, values: list[Any]) -> None:
    """What one call finds plain is what the type takes as it is, and has no null."""
    kind = column_type(name)
    for given_values in (values, tuple(values)):
        if kind.are_plain(given_values):
            assert kind.check_many(given_values) is given_values or not values
            assert None not in values


def test_usual_columns_are_plain_where_there_is_a_kernel() -> None:
    """Each of the five types; and none of them with a null."""
    usual = {
        "int": [0, -1, 2**63 - 1],
        "float": [0.5, float("nan")],
        "text": ["", "a", "\u20ac", "\U0001f600"],
        "bytes": [b"", b"x"],
        "bool": [True, False],
    }
    there = column_types.kernel is not None
    for name, values in usual.items():
        assert column_type(name).are_plain(values) == there
        assert not column_type(name).are_plain([*values, None])
