"""Which cells differ, told without encoding most of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.repo.cell_differences import (
    FieldNames,
    cells_differ,
    differing_cells,
    differing_fields,
)
from prolly.testing.strategies import scalars, typed_values

# Cells of which Python calls many equal that are stored as other bytes.
ALIKE = [
    0,
    1,
    False,
    True,
    0.0,
    -0.0,
    1.0,
    float("nan"),
    None,
    "",
    b"",
    "1",
    [1],
    [1.0],
]
cells = st.one_of(st.sampled_from(ALIKE), scalars())
columns = st.sampled_from(sorted(typed_values())).flatmap(
    lambda name: st.lists(
        st.tuples(*[st.none() | typed_values()[name]] * 2), min_size=1, max_size=6
    )
)


def encoded_differ(old: Any, new: Any) -> bool:
    return cbor.encode(old) != cbor.encode(new)


@given(cells, cells)
def test_cells_differ_as_their_encodings_do(old: Any, new: Any) -> None:
    """Two cells differ exactly where their encodings do, whatever Python says."""
    assert cells_differ(old, new) == encoded_differ(old, new)


def test_values_that_python_calls_equal_differ() -> None:
    """Of the cells that are alike, each pair differs as the encodings do."""
    for old in ALIKE:
        for new in ALIKE:
            assert cells_differ(old, new) == encoded_differ(old, new), (old, new)


@given(st.one_of(columns, st.lists(st.tuples(cells, cells), min_size=1)))
def test_columns_differ_as_their_cells_do(pairs: list[tuple[Any, Any]]) -> None:
    """Two columns differ where their cells do, of one type or of many."""
    old, new = (list(column) for column in zip(*pairs, strict=True))
    assert differing_cells(old, new) == [encoded_differ(*pair) for pair in pairs]


def test_fields_of_rows_with_other_columns() -> None:
    """A column that only one row has differs; those of the new row come first."""
    old, new = {"a": 1, "gone": 2, "b": 3}, {"b": 3.0, "a": 1, "came": 4}
    assert differing_fields(old, new) == ("b", "came", "gone")


def test_names_of_many_combinations() -> None:
    """The names are those of the marks, also past the combinations that are kept."""
    names = [str(place) for place in range(11)]
    fields = FieldNames(names)
    for number in range(2048):
        marks = tuple(bool(number >> place & 1) for place in range(11))
        expected = tuple(name for name in names if number >> int(name) & 1)
        assert fields[marks] == expected
    assert len(fields) <= 1024
