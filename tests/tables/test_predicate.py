"""Predicates as plain values, and bound to columns."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from prolly.codec import cbor
from prolly.errors import Invalid, LimitExceeded
from prolly.tables import (
    PREDICATE_DEPTH_MAX,
    PREDICATE_TERMS_MAX,
    Schema,
    as_predicate,
    format_predicate,
)
from prolly.testing import strategies
from prolly.testing.predicate_model import predicates

SCHEMA = Schema.create(
    [
        ("id", "int"),
        ("t", "text"),
        ("f", "float"),
        ("d", "decimal"),
        ("b", "bool"),
        ("x", "bytes"),
        ("day", "date"),
        ("at", "datetime"),
        ("u", "uuid"),
        ("j", "json"),
        ('odd "name"', "int"),
        ("null", "int"),
    ],
    "id",
)


@given(predicates(SCHEMA))
def test_the_plain_value_comes_back(value: Any) -> None:
    """Through CBOR, a value makes the predicate that spells it."""
    predicate = as_predicate(value)
    encoded = cbor.encode(predicate.to_value())
    assert as_predicate(cbor.decode(encoded)) == predicate
    assert cbor.encode(as_predicate(cbor.decode(encoded)).to_value()) == encoded


@given(predicates(SCHEMA))
def test_the_text_comes_back(value: Any) -> None:
    """Text and plain value of one predicate are bound to the same."""
    bound = as_predicate(value).bound(SCHEMA.by_name)
    again = as_predicate(format_predicate(bound)).bound(SCHEMA.by_name)
    assert cbor.encode(again.to_value()) == cbor.encode(bound.to_value())
    assert bound.bound(SCHEMA.by_name) == bound, "binding twice is binding once"


@given(strategies.values(6))
def test_any_other_value_is_invalid(value: Any) -> None:
    """A value that is no predicate raises Invalid or LimitExceeded, nothing else."""
    try:
        as_predicate(["and", value])
    except (Invalid, LimitExceeded) as error:
        assert error.code.startswith("predicate") and error.hint


@pytest.mark.parametrize(
    "value",
    [
        [],
        ["=", "a"],
        ["=", 5, 5],
        ["=", "a", 1, 2],
        ["==", "a", 1],
        ["in", "a", 5],
        ["in", "a", [[1]]],
        ["between", "a", 1],
        ["null", "a", 1],
        ["not"],
        ["not", ["null", "a"], ["null", "a"]],
        ["=", "a", {"b": 1}],
        ["=", "a", object()],
        ["and", 5],
    ],
)
def test_misspelt_values_are_refused(value: Any) -> None:
    """Each wrong form has the code ``predicate``."""
    with pytest.raises(Invalid) as caught:
        as_predicate(value)
    assert caught.value.code == "predicate"


@pytest.mark.parametrize(
    ("where", "literal"),
    [
        ("f = 1", 1.0),
        ("f = 1.6", 1.6),
        ("d = 1", Decimal(1)),
        ("d = 1.10", Decimal("1.10")),
        ("d = '1.10'", Decimal("1.10")),
        ("id = '-5'", -5),
        ("b = true", True),
        ("x = 'AAE='", b"\0\1"),
        ("day = '2026-01-31'", datetime.date(2026, 1, 31)),
        (
            "at = '2026-01-31T12:00:00Z'",
            datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC),
        ),
        ("u = '00000000-0000-0000-0000-000000000001'", UUID(int=1)),
    ],
)
def test_literals_become_values_of_their_columns(where: str, literal: Any) -> None:
    """Numbers take the column's type; what text cannot spell stands in quotes."""
    value = as_predicate(where).bound(SCHEMA.by_name).to_value()[2]
    assert value == literal and type(value) is type(literal)


@pytest.mark.parametrize(
    ("where", "column", "position"),
    [
        ("id = 1 and nothing = 2", "nothing", 12),
        ("id = 1.5", "id", 1),
        ("t = 5", "t", 1),
        ("id = 1 or b = 1", "b", 11),
        ("f = 9007199254740993", "f", 1),
        ("day < 'tomorrow'", "day", 1),
        ("f != 'nan'", "f", 1),
        ("j = 5", "j", 1),
        ("id prefix '1'", "id", 1),
        ("not (j in (1))", "j", 6),
    ],
)
def test_what_does_not_fit_a_column_is_refused(
    where: str, column: str, position: int
) -> None:
    """The error names column and position."""
    with pytest.raises(Invalid) as caught:
        as_predicate(where).bound(SCHEMA.by_name)
    error = caught.value
    found = error.code, error.column, error.position
    assert found == ("predicate", column, position)


def test_a_literal_null_is_refused() -> None:
    """Nothing is equal to null; the hint says what to ask."""
    with pytest.raises(Invalid) as caught:
        as_predicate(["=", "id", None]).bound(SCHEMA.by_name)
    assert "is null" in caught.value.hint


def test_limits_of_depth_and_terms() -> None:
    """Each limit is allowed, and one more is refused, as value and as text."""
    value: Any = ["null", "id"]
    for _ in range(PREDICATE_DEPTH_MAX - 1):
        value = ["not", value]
    assert as_predicate(format_predicate(as_predicate(value))) == as_predicate(value)
    for deep in (["not", value], "not " * PREDICATE_DEPTH_MAX + "id is null"):
        with pytest.raises(LimitExceeded) as caught:
            as_predicate(deep)
        assert caught.value.code == "predicate-too-large"
    as_predicate(["in", "id", list(range(PREDICATE_TERMS_MAX - 1))])
    with pytest.raises(LimitExceeded):
        as_predicate(["in", "id", list(range(PREDICATE_TERMS_MAX))])


def test_hostile_depth_is_refused() -> None:
    """Nesting that would exhaust the stack is refused before."""
    value: Any = ["null", "id"]
    for _ in range(100_000):
        value = ["not", value]
    for deep in (value, "(" * 60_000):
        with pytest.raises(LimitExceeded):
            as_predicate(deep)


def test_columns_and_their_new_names() -> None:
    """columns lists what is asked about; renamed changes one name everywhere."""
    predicate = as_predicate("id = 1 and (t = 'a' or not id in (2, 3))")
    assert predicate.columns == {"id", "t"}
    assert predicate.renamed("id", "key").columns == {"key", "t"}
