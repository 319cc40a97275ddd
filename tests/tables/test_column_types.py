"""The laws of column types, for all ten, and the edges of each."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.errors import Error, Invalid, LimitExceeded
from prolly.tables import COLUMN_TYPES, column_type
from prolly.tables.number_types import (
    DECIMAL_EXPONENT_MAX,
)

offsets = st.integers(-23 * 60, 23 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
decimals = st.builds(
    lambda sign, digits, exponent: Decimal(
        (sign if any(digits) else 0, digits, exponent)
    ),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=30).map(
        lambda digits: tuple(int(one) for one in str(int("".join(map(str, digits)))))
    ),
    st.integers(-40, 40),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | texts
    | st.binary()
    | st.dates()
    | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(),
    "decimal": decimals,
    "text": texts,
    "bytes": st.binary(),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=offsets),
    "uuid": st.uuids(),
    "json": json_values,
}
NAMES = list(VALUES)

# Texts near to what each type writes: digits, signs, points, dashes, letters of
# exponents, dates and special floats, and what Python's constructors take too kindly.
near_texts = (
    st.text("0123456789+-.eE_ TZ:", max_size=12)
    | st.from_regex(r"-?[0-9]{0,3}\.?[0-9]{0,8}([eE]-?[0-9]{1,2})?", fullmatch=True)
    | st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)
    | st.from_regex(
        r"20[0-9]{2}-0[1-9]-0[1-9][T ]1[0-9]:00:00(\.[0-9]{1,7})?(Z|[+-]0[0-9]:00|)",
        fullmatch=True,
    )
    | st.sampled_from(
        ["nan", "inf", "-inf", "NaN", "true", "True", "null", "\u0661", "007"]
    )
    | texts
)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal, in type and spelling too (NaN, 1 and 1.0)."""
    return type(left) is type(right) and repr(left) == repr(right)


def equal_json(left: Any, right: Any) -> bool:
    """Compare JSON values where maps have no order."""
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(
            equal_json(left[name], right[name]) for name in left
        )
    if type(left) is list and type(right) is list:
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(equal_json(*pair) for pair in pairs)
    return same(left, right)


def test_there_are_ten_types() -> None:
    """The table holds the ten names, each under its own name."""
    assert list(COLUMN_TYPES) == NAMES
    assert all(kind.name == name for name, kind in COLUMN_TYPES.items())


def test_an_unknown_type_is_refused() -> None:
    """The error for an unknown name lists those that there are."""
    with pytest.raises(Invalid) as caught:
        column_type("varchar")
    assert caught.value.code == "column-type"
    assert "decimal" in caught.value.hint


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_text_undoes_itself(name: str, data: st.DataObject) -> None:
    """parse(format(v)) is v, and the text is exact but for null's twin."""
    kind = COLUMN_TYPES[name]
    value = kind.check(data.draw(VALUES[name]))
    text = kind.format_text(value)
    assert equal_json(kind.parse_text(text), value)
    assert kind.exact(text)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_json_undoes_itself(name: str, data: st.DataObject) -> None:
    """from_json(to_json(v)) is v, also by way of JSON text; so is json_text."""
    kind = COLUMN_TYPES[name]
    value = kind.check(data.draw(VALUES[name]))
    form = json.loads(json.dumps(kind.to_json(value)))
    assert equal_json(kind.from_json(form), value)
    exact_number = Decimal if name == "decimal" else float
    written = json.loads(kind.json_text(value), parse_float=exact_number)
    assert equal_json(kind.from_json(written), value)


@pytest.mark.parametrize("name", NAMES)
@given(cells=st.lists(near_texts, min_size=1, max_size=6))
def test_exact_means_that_the_text_comes_back(name: str, cells: list[str]) -> None:
    """An exact text is the format of its parse; the column's verdict is the cells'."""
    kind = COLUMN_TYPES[name]
    for cell in cells:
        if kind.exact(cell):
            assert kind.format_text(kind.parse_text(cell)) == cell
    assert kind.exact_many(cells) == all(map(kind.exact, cells))
    if kind.exact_many(cells):
        assert list(kind.format_many(kind.parse_many(cells))) == cells or "" in cells


@pytest.mark.parametrize("name", NAMES)
@given(cells=st.lists(near_texts | st.just(""), max_size=6))
def test_a_column_is_parsed_as_its_cells_are(name: str, cells: list[str]) -> None:
    """parse_many gives what parse_text gives, or fails if one of the cells does."""
    kind = COLUMN_TYPES[name]
    empty = "" if name == "text" else None
    try:
        wanted = [kind.parse_text(cell) if cell else empty for cell in cells]
    except Error:
        with pytest.raises(Error):
            kind.parse_many(cells)
    else:
        found = list(kind.parse_many(cells))
        assert len(found) == len(wanted)
        assert all(map(equal_json, found, wanted))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_columns_with_nulls_pass_whole(name: str, data: st.DataObject) -> None:
    """The forms for columns agree with the single ones and let null through."""
    kind = COLUMN_TYPES[name]
    filled = data.draw(st.lists(VALUES[name].filter(lambda one: one is not None)))
    values = [value for one in filled for value in (kind.check(one), None)]
    assert all(map(equal_json, kind.check_many(values), values))
    texts = [kind.format_text(one) if one is not None else "" for one in values]
    assert list(kind.format_many(values)) == texts
    written = list(kind.json_text_many(values))
    assert written == [kind.json_text(v) if v is not None else "null" for v in values]
    forms = [None if one is None else kind.to_json(one) for one in values]
    assert all(map(equal_json, kind.from_json_many(forms), values))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bool", 1),
        ("bool", "true"),
        ("int", True),
        ("int", 5.0),
        ("int", "5"),
        ("float", True),
        ("float", "1.5"),
        ("float", Decimal("1.5")),
        ("float", 2**53 + 1),
        ("float", 10**400),
        ("decimal", 1.5),
        ("decimal", True),
        ("decimal", Decimal("nan")),
        ("decimal", Decimal("inf")),
        ("decimal", Decimal("-0.0")),
        ("text", b"a"),
        ("text", 5),
        ("text", "half \ud800"),
        ("bytes", "a"),
        ("date", datetime(2026, 1, 1, tzinfo=UTC)),
        ("date", "2026-01-01"),
        ("datetime", date(2026, 1, 1)),
        ("datetime", datetime(2026, 1, 1)),
        ("datetime", datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=5)))),
        ("uuid", "12345678-1234-1234-1234-123456789abc"),
        *((name, None) for name in NAMES if name != "json"),
    ],
)
def test_a_misfit_is_refused(name: str, value: object) -> None:
    """What is not of the type raises value-type, alone and in a column."""
    with pytest.raises(Invalid) as caught:
        COLUMN_TYPES[name].check(value)
    assert caught.value.code == "value-type"
    assert caught.value.expected == name
    if value is not None:
        with pytest.raises(Invalid):
            COLUMN_TYPES[name].check_many([value])


class Level(IntEnum):
    """An int with a name."""

    HIGH = 3


class Colour(StrEnum):
    """A text with a name."""

    RED = "red"


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("int", Level.HIGH, 3),
        ("text", Colour.RED, "red"),
        ("float", 3, 3.0),
        ("float", 2**53, float(2**53)),
        ("decimal", 3, Decimal(3)),
        ("bytes", bytearray(b"ab"), b"ab"),
        ("bytes", memoryview(b"ab"), b"ab"),
    ],
)
def test_what_keeps_the_value_is_converted(name: str, value: Any, held: Any) -> None:
    """Subclasses and equal numbers become the plain value of the type."""
    assert same(COLUMN_TYPES[name].check(value), held)
    assert same(COLUMN_TYPES[name].check_many([value])[0], held)


def test_a_named_zone_becomes_its_offset() -> None:
    """A datetime keeps its instant and offset, and forgets zone and fold."""
    value = datetime(2026, 7, 1, 12, fold=1, tzinfo=ZoneInfo("Europe/Paris"))
    held = COLUMN_TYPES["datetime"].check(value)
    assert held == value
    assert held.tzinfo == timezone(timedelta(hours=2))
    assert held.fold == 0
    assert COLUMN_TYPES["datetime"].format_text(held) == "2026-07-01T12:00:00+02:00"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bool", "True"),
        ("int", "1_000"),
        ("int", " 5"),
        ("int", "\u0665"),
        ("int", "5.0"),
        ("float", "1_0.5"),
        ("float", "infinity"),
        ("float", "1e999"),
        ("float", "0x1p3"),
        ("decimal", "NaN"),
        ("decimal", "-0"),
        ("decimal", "1_0"),
        ("bytes", "ab"),
        ("bytes", "YWI"),
        ("bytes", "YWJ="),
        ("date", "20260131"),
        ("date", "2026-02-30"),
        ("date", "2026-W01-1"),
        ("datetime", "2026-01-31T12:00:00"),
        ("datetime", "2026-01-31T12:00:00.1234567Z"),
        ("datetime", "2026-01-31T25:00:00Z"),
        ("uuid", "{12345678-1234-1234-1234-123456789abc}"),
        ("json", "{"),
        ("json", "NaN"),
        ("json", '{"$decimal": 5}'),
        ("json", "[" * 100_000),
    ],
)
def test_a_text_of_another_spelling_is_refused(name: str, text: str) -> None:
    """Texts that Python reads too kindly, or not at all, raise value-type."""
    with pytest.raises(Invalid) as caught:
        COLUMN_TYPES[name].parse_text(text)
    assert caught.value.code == "value-type"
    with pytest.raises(Invalid):
        COLUMN_TYPES[name].parse_many([text])
    assert not COLUMN_TYPES[name].exact(text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("int", "+007", 7),
        ("float", "5", 5.0),
        ("float", ".5", 0.5),
        ("decimal", "+1.10", Decimal("1.10")),
        ("datetime", "2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        (
            "uuid",
            "12345678-1234-1234-1234-123456789ABC",
            UUID("12345678-1234-1234-1234-123456789abc"),
        ),
    ],
)
def test_a_declared_type_reads_more_than_it_writes(
    name: str, text: str, value: Any
) -> None:
    """Where the type is given, a usual spelling is read though it is not exact."""
    assert same(COLUMN_TYPES[name].parse_text(text), value)
    assert not COLUMN_TYPES[name].exact(text)


def test_the_longest_int_passes_and_one_more_digit_does_not() -> None:
    """The codec's longest int passes as value and text; one more is refused as both."""
    kind = COLUMN_TYPES["int"]
    longest = 256**cbor.INT_BYTES_MAX - 1
    text = kind.format_text(kind.check(longest))
    assert kind.parse_text("-" + text) == -longest
    assert not kind.exact_many([str(longest + 1)])
    assert kind.check_many([longest]) == [longest]
    for attempt in (
        lambda: kind.check(longest + 1),
        lambda: kind.check_many([-longest - 2]),
        lambda: kind.parse_text(str(longest + 1)),
        lambda: kind.parse_many([str(longest + 1)]),
        lambda: kind.parse_text("1" + "0" * 5_000),
        lambda: kind.parse_many(["1" + "0" * 5_000]),
        lambda: COLUMN_TYPES["decimal"].check(10 * longest),
    ):
        with pytest.raises(LimitExceeded) as caught:
            attempt()
        assert caught.value.code == "value-too-large"


def test_the_longest_decimal_passes_and_one_more_digit_does_not() -> None:
    """Digits and exponents pass at their limits and are refused one past them."""
    kind = COLUMN_TYPES["decimal"]
    assert kind.parse_text("9" * cbor.DECIMAL_DIGITS_MAX)
    assert kind.parse_text(f"1E{DECIMAL_EXPONENT_MAX}")
    smallest = kind.parse_text(f"1E-{DECIMAL_EXPONENT_MAX}")
    assert kind.parse_text(kind.format_text(smallest)) == smallest
    for text in (
        "9" * (cbor.DECIMAL_DIGITS_MAX + 1),
        f"1E{DECIMAL_EXPONENT_MAX + 1}",
        f"1E-{DECIMAL_EXPONENT_MAX + 1}",
        "1E99999999999999999999",
    ):
        with pytest.raises(LimitExceeded):
            kind.parse_text(text)
        with pytest.raises(LimitExceeded):
            kind.parse_many([text])


def test_a_float_column_keeps_its_special_values() -> None:
    """NaN, infinities and negative zero survive text and JSON."""
    kind = COLUMN_TYPES["float"]
    for value in (math.nan, math.inf, -math.inf, -0.0):
        assert same(kind.parse_text(kind.format_text(value)), value)
        assert same(kind.from_json(json.loads(kind.json_text(value))), value)


def test_a_long_value_is_shown_short() -> None:
    """The message about a misfit of a million characters fits a line."""
    with pytest.raises(Invalid) as caught:
        COLUMN_TYPES["int"].parse_text("x" * 1_000_000)
    assert len(str(caught.value)) < 100
