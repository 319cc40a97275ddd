"""JSON forms of values and keys."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor, json_form, key
from prolly.codec.json_form import JSON_INT_DIGITS_MAX
from prolly.errors import Invalid, LimitExceeded
from prolly.testing.strategies import keys, texts, values

dollar_maps = st.dictionaries(texts(3).map(lambda text: "$" + text), values(3))


@given(st.one_of(values(), dollar_maps))
def test_an_exact_form_gives_the_value_back(value: Any) -> None:
    """Through real JSON text, for maps that look like escapes too."""
    text = json.dumps(json_form.to_json(value, exact=True), allow_nan=False)
    assert cbor.encode(json_form.from_json(json.loads(text))) == cbor.encode(value)


@given(keys())
def test_an_exact_form_gives_the_key_back(user_key: Any) -> None:
    """Keys are arrays of parts, a scalar an array of one."""
    text = json.dumps(json_form.key_to_json(user_key, exact=True), allow_nan=False)
    found = json_form.key_from_json(json.loads(text))
    assert key.encode_key(found) == key.encode_key(user_key)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_as_it_is_written_stays_one(number: float) -> None:
    """The strict reader gives every float back, minus zero included."""
    found = json_form.STRICT_DECODER.decode(repr(number))
    assert (type(found), repr(found)) == (float, repr(number))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_a_decimal_as_it_is_written_keeps_its_value(number: Decimal) -> None:
    """A float only where that is written the same way; else the digits stay."""
    found = json_form.STRICT_DECODER.decode(str(number))
    assert str(found) == str(number) or (not number and found == 0)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', "NaN", "-Infinity", "[1,]", "1e9999999999999999999"]
)
def test_loose_json_is_refused(text: str) -> None:
    """A name twice, constants that JSON lacks, numbers past every limit."""
    with pytest.raises(ValueError):
        json_form.STRICT_DECODER.decode(text)


@given(values())
def test_the_plain_form_is_json(value: Any) -> None:
    """Without exact it is JSON all the same."""
    json.dumps(json_form.to_json(value), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "plain", "exact"),
    [
        (2**70, 2**70, 2**70),
        (b"\0\xff", {"$bytes": "AP8="}, {"$bytes": "AP8="}),
        (Decimal("1.10"), {"$decimal": "1.10"}, {"$decimal": "1.10"}),
        (float("nan"), {"$float": "nan"}, {"$float": "nan"}),
        (float("-inf"), {"$float": "-inf"}, {"$float": "-inf"}),
        (date(2026, 1, 31), "2026-01-31", {"$date": "2026-01-31"}),
        (
            datetime(2026, 1, 31, 12, tzinfo=UTC),
            "2026-01-31T12:00:00Z",
            {"$datetime": "2026-01-31T12:00:00Z"},
        ),
        (UUID(int=1), str(UUID(int=1)), {"$uuid": str(UUID(int=1))}),
        ({"$bytes": 1}, {"$map": {"$bytes": 1}}, {"$map": {"$bytes": 1}}),
        ({"$a": 1, "b": 2}, {"$a": 1, "b": 2}, {"$a": 1, "b": 2}),
        ((1, (2,)), [1, [2]], [1, [2]]),
    ],
)
def test_the_spellings_are_those_documented(value: Any, plain: Any, exact: Any) -> None:
    """One example of each escape."""
    assert json_form.to_json(value) == plain
    assert json_form.to_json(value, exact=True) == exact


@pytest.mark.parametrize(
    "form",
    [
        {"$bytes": "?"}, {"$bytes": "AP8"}, {"$bytes": 5}, {"$decimal": "x"},
        {"$float": "NaN"}, {"$float": 1.5}, {"$date": "2026-13-01"},
        {"$datetime": "2026-01-01T00:00:00"}, {"$datetime": "2026-01-01"},
        {"$datetime": "2026-01-01T00:00:00+00:00:01"}, {"$uuid": "1"}, {"$map": []},
        {"$other": "x"}, {"$": "x"}, [{"a": {"$x": 1}}],
    ],
)  # fmt: skip
def test_a_misspelt_escape_is_refused(form: Any) -> None:
    """Unknown names and texts that do not parse, at any depth."""
    with pytest.raises(Invalid) as caught:
        json_form.from_json(form)
    assert caught.value.code == "json-form"
    assert caught.value.hint


def test_deep_json_is_refused_and_does_not_recurse() -> None:
    """The limit of a value's nesting holds for its form."""
    form: Any = 0
    for _ in range(cbor.VALUE_DEPTH_MAX):
        form = [form]
    assert json_form.from_json(form) == form
    with pytest.raises(Invalid):
        json_form.from_json([form])


def test_whole_numbers_are_read_up_to_their_limit() -> None:
    """At the limit of digits a number is read; past it the error and hint are ours."""
    longest = "9" * JSON_INT_DIGITS_MAX
    assert json_form.STRICT_DECODER.decode(f"[-{longest}]") == [-int(longest)]
    for text in (f"{longest}9", f'{{"a": [-1{longest}]}}'):
        with pytest.raises(LimitExceeded) as caught:
            json_form.STRICT_DECODER.decode(text)
        assert caught.value.code == "integer-too-long"
        assert str(JSON_INT_DIGITS_MAX) in caught.value.message
        assert caught.value.hint


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "NaN", "[1,", "[1e99999999999999999999]", "1 2"]
)
def test_loose_json_is_a_value_error(text: str) -> None:
    """Not the error of a limit."""
    with pytest.raises(ValueError, match=r"."):
        json_form.STRICT_DECODER.decode(text)


@pytest.mark.parametrize("parts", [[], {}, "a", None, 5])
def test_what_is_no_array_of_parts_is_no_key(parts: Any) -> None:
    """A key's form is an array of at least one part."""
    with pytest.raises(Invalid):
        json_form.key_from_json(parts)


def test_what_is_no_value_has_no_form() -> None:
    """Other types are refused as the value codec refuses them."""
    with pytest.raises(Invalid) as caught:
        json_form.to_json({"a": {1}})
    assert caught.value.code == "value-type"
