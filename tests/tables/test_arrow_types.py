"""Arrow types as column types: every one has its place, or is refused by name."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from prolly.errors import Invalid
from prolly.tables.arrow_library import TYPE_METADATA
from prolly.tables.arrow_reading import ArrowColumns
from prolly.tables.arrow_types import NESTING_MAX, reading_of

WHEN = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
BERLIN = datetime(2026, 1, 31, 13, 30, tzinfo=timezone(timedelta(hours=1)))
ID = uuid.UUID(int=7)


def nested(depth: int) -> Any:
    """Return a type of lists in lists."""
    kind = pa.int8()
    for _ in range(depth):
        kind = pa.list_(kind)
    return kind


CASES: list[tuple[Any, str, Any]] = [
    (pa.array([True, None]), "bool", [True, None]),
    (pa.array([1, None], pa.int8()), "int", [1, None]),
    (pa.array([2**64 - 1], pa.uint64()), "int", [2**64 - 1]),
    (pa.array([1.5, None], pa.float16()), "float", [1.5, None]),
    (pa.array([0.1], pa.float32()), "float", [0.10000000149011612]),
    (pa.array([Decimal("1.10")], pa.decimal128(9, 2)), "decimal", [Decimal("1.10")]),
    (pa.array([Decimal(10)], pa.decimal256(70, 0)), "decimal", [Decimal(10)]),
    (pa.array(["a", None], pa.string()), "text", ["a", None]),
    (pa.array(["a"], pa.large_string()), "text", ["a"]),
    (pa.array(["a"], pa.string_view()), "text", ["a"]),
    (pa.array([b"a"], pa.binary()), "bytes", [b"a"]),
    (pa.array([b"a"], pa.binary_view()), "bytes", [b"a"]),
    (pa.array([b"ab"], pa.binary(2)), "bytes", [b"ab"]),
    (pa.array([date(2026, 1, 31)], pa.date64()), "date", [date(2026, 1, 31)]),
    (pa.array([WHEN, None], pa.timestamp("ns", "UTC")), "datetime", [WHEN, None]),
    (pa.array([WHEN], pa.timestamp("s", "Europe/Berlin")), "datetime", [BERLIN]),
    (pa.array([WHEN], pa.timestamp("ms", "+01:00")), "datetime", [BERLIN]),
    (pa.array([time(12, 30)], pa.time32("s")), "text", ["12:30:00"]),
    (pa.array([time(12, 30, 0, 5)], pa.time64("ns")), "text", ["12:30:00.000005"]),
    (pa.array([ID.bytes, None], pa.uuid()), "uuid", [ID, None]),
    (pa.array([None, None]), "text", [None, None]),
    (pa.array(["x", None, "x"]).dictionary_encode(), "text", ["x", None, "x"]),
    (
        pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), [7, 8]),
        "int",
        [7, 7, 8],
    ),
    (pa.array([[1, None], None]), "json", [[1, None], None]),
    (pa.array([[1, 2]], pa.list_(pa.int8(), 2)), "json", [[1, 2]]),
    (pa.array([{"a": [b"x"], "b": WHEN}]), "json", [{"a": [b"x"], "b": WHEN}]),
    (
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        "json",
        [{"k": 1}],
    ),
    (
        pa.array([["x"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        "json",
        [["x"]],
    ),
    (pa.array([[WHEN]], pa.list_(pa.timestamp("ns", "UTC"))), "json", [[WHEN]]),
    (pa.array([[1.5]], pa.list_(pa.float16())), "json", [[1.5]]),
]


@pytest.mark.parametrize(
    ("array", "type_name", "values"), CASES, ids=[str(one.type) for one, _, _ in CASES]
)
def test_every_type_has_its_place(array: Any, type_name: str, values: Any) -> None:
    """The column type follows from the Arrow type, and values are exact."""
    reading = reading_of(pa.field("c", array.type))
    assert reading.type_name == type_name
    assert (
        repr(list(reading.read(array))).replace(" ", "")
        == repr(values).replace(" ", "")
        or list(reading.read(array)) == values
    )
    assert list(reading.read(array[:0])) == []


@pytest.mark.parametrize(
    "kind",
    [
        pa.duration("s"),
        pa.month_day_nano_interval(),
        pa.map_(pa.int64(), pa.string()),
        pa.list_(pa.timestamp("us")),
        pa.list_(pa.time32("s")),
        pa.dense_union([pa.field("a", pa.int8())]),
        pa.struct([("a", pa.duration("s"))]),
        nested(NESTING_MAX + 1),
    ],
    ids=lambda kind: str(kind)[:30],
)
def test_what_no_column_holds_is_refused(kind: Any) -> None:
    """The error names the column and the type."""
    with pytest.raises(Invalid) as caught:
        reading_of(pa.field("c", kind))
    assert (caught.value.code, caught.value.column) == ("arrow-type", "c")
    assert caught.value.type == str(kind)


def test_nesting_at_its_limit_is_read() -> None:
    """One level less than what is refused."""
    assert reading_of(pa.field("c", nested(NESTING_MAX))).type_name == "json"


def test_extensions_are_what_they_say() -> None:
    """JSON is parsed, bool8 is bool, and unknown ones are what they are stored as."""
    json = pa.array(['{"a":[1]}', None], pa.json_(pa.string()))
    reading = reading_of(pa.field("c", json.type))
    assert (reading.type_name, reading.read(json)) == ("json", [{"a": [1]}, None])
    bits = pa.array([1, 0, None], pa.int8())
    bools = pa.ExtensionArray.from_storage(pa.bool8(), bits)
    reading = reading_of(pa.field("c", bools.type))
    assert (reading.type_name, reading.read(bools)) == ("bool", [True, False, None])


def test_marked_text_is_its_type() -> None:
    """The mark counts on text alone, and only if it is a column type."""
    marked = pa.field("c", pa.string(), metadata={TYPE_METADATA: b"decimal"})
    reading = reading_of(marked)
    assert reading.type_name == "decimal"
    assert reading.read(pa.array(["1.10", None])) == [Decimal("1.10"), None]
    for kind, mark in ((pa.string(), b"blob"), (pa.int8(), b"text")):
        field = pa.field("c", kind, metadata={TYPE_METADATA: mark})
        assert reading_of(field).type_name == reading_of(pa.field("c", kind)).type_name


def test_a_timestamp_without_a_zone_is_text_for_whoever_asks() -> None:
    """It is marked as what no type is inferred for."""
    naive = pa.array([datetime(2026, 1, 31, 12), None], pa.timestamp("ms"))
    reading = reading_of(pa.field("c", naive.type))
    assert reading.is_naive
    assert reading.read(naive) == ["2026-01-31T12:00:00", None]


@pytest.mark.parametrize(
    ("array", "row"),
    [
        (pa.array([0, 1], pa.timestamp("ns", "UTC")), 12),
        (pa.array([2**60], pa.timestamp("s", "UTC")), 11),
        (pa.array([0, 2**62], pa.timestamp("us", "Europe/Berlin")), 12),
        (pa.array([2**30], pa.date32()), 11),
        (pa.array([0, 1], pa.time64("ns")), 12),
        (
            pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64())),
            11,
        ),
        (
            pa.StringArray.from_buffers(
                1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")
            ),
            11,
        ),
    ],
    ids=lambda one: str(getattr(one, "type", one)),
)
def test_a_value_that_python_lacks_names_its_row(array: Any, row: int) -> None:
    """Rows are counted from 1 over all batches."""
    batch = pa.record_batch([array], names=["c"])
    with pytest.raises(Invalid) as caught:
        ArrowColumns(batch.schema).columns(batch, 10)
    error = caught.value
    assert (error.code, error.row, error.column) == ("arrow-value", row, "c")
