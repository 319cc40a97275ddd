"""The text form of predicates: what it means, and where it is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid, LimitExceeded
from prolly.tables import PREDICATE_CHARS_MAX, as_predicate, format_predicate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a = 1", ["=", "a", 1]),
        ("a=-1", ["=", "a", -1]),
        ("a <> 1", ["!=", "a", 1]),
        ("a != 'it''s'", ["!=", "a", "it's"]),
        ('"a ""b""" < 1.50', ["<", 'a "b"', Decimal("1.50")]),
        ("a >= 1e3", [">=", "a", Decimal("1E+3")]),
        ("_a1 = TRUE", ["=", "_a1", True]),
        ("a IS NULL", ["null", "a"]),
        ("a is not null", ["not", ["null", "a"]]),
        ("a in (1, 2)", ["in", "a", [1, 2]]),
        ("a in ()", ["in", "a", []]),
        ("a not in (1)", ["not", ["in", "a", [1]]]),
        ("a between 1 and 2 and b = 3", ["and", ["between", "a", 1, 2], ["=", "b", 3]]),
        ("a not between 1 and 2", ["not", ["between", "a", 1, 2]]),
        ("a prefix 'x'", ["prefix", "a", "x"]),
        ("a not prefix 'x'", ["not", ["prefix", "a", "x"]]),
        (
            "a=1 or b=2 and not c=3",
            ["or", ["=", "a", 1], ["and", ["=", "b", 2], ["not", ["=", "c", 3]]]],
        ),
        (
            "(a=1 or b=2) and c=3",
            ["and", ["or", ["=", "a", 1], ["=", "b", 2]], ["=", "c", 3]],
        ),
        ("größe = 1", ["=", "größe", 1]),
        (" \n a\t= 1 ", ["=", "a", 1]),
    ],
)
def test_what_a_text_means(text: str, value: list[Any]) -> None:
    """Each form of the grammar makes its plain value, and comes back as text."""
    predicate = as_predicate(text)
    assert predicate.to_value() == value
    assert as_predicate(format_predicate(predicate)) == predicate


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("a", 2),
        ("a =", 4),
        ("a = b", 5),
        ("a = null", 5),
        ("a = 1 b", 7),
        ("a = 1 and", 10),
        ("(a = 1", 7),
        ("a = 'open", 5),
        ('"open = 1', 1),
        ("a == 1", 4),
        ("a in (1,)", 9),
        ("a in 1", 6),
        ("a not = 1", 7),
        ("null = 1", 1),
        ("'a' = 1", 1),
        ("a is 1", 6),
        ("a = 1; b", 6),
        ("a between 1 or 2", 13),
        ("a = " + "9" * 5000, 5),
    ],
)
def test_where_a_text_is_wrong(text: str, position: int) -> None:
    """The error gives the position, from 1, of the first thing that is wrong."""
    with pytest.raises(Invalid) as caught:
        as_predicate(text)
    assert (caught.value.code, caught.value.position) == ("predicate", position)


@given(
    st.text(st.sampled_from("ab='\"()<>!,.5 \nandornotinullbetweenprefix"), max_size=40)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but Invalid or LimitExceeded comes of any text."""
    try:
        predicate = as_predicate(text)
    except (Invalid, LimitExceeded) as error:
        assert error.hint
    else:
        assert as_predicate(format_predicate(predicate)) == predicate


def test_the_limit_of_length() -> None:
    """A text of the longest length is read, one more character is not."""
    text = "a = 1".ljust(PREDICATE_CHARS_MAX)
    as_predicate(text)
    with pytest.raises(LimitExceeded) as caught:
        as_predicate(text + " ")
    assert caught.value.code == "predicate-too-large"


def test_joints_of_no_part_have_no_text() -> None:
    """Text cannot say ``and`` of nothing; of one part it says the part."""
    with pytest.raises(Invalid):
        format_predicate(as_predicate(["and"]))
    assert format_predicate(as_predicate(["or", ["null", "a"]])) == "a is null"


def test_like_leads_to_prefix() -> None:
    """There is no such word; the hint names the one that there is."""
    with pytest.raises(Invalid) as caught:
        as_predicate("name like 'x%'")
    assert "prefix 'x'" in caught.value.hint
