"""Ranges of keys from predicates: never too little, and tight where they can be."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import key
from prolly.tables import COLUMN_TYPES, Index, RecordCodec, Schema, as_predicate
from prolly.tables.access_path import index_span, key_span, limits_of
from prolly.tables.index_codec import IndexCodec
from prolly.testing.predicate_model import predicate_holds, predicates, rows

ORDERED = [name for name in COLUMN_TYPES if name != "json"]
NAMES = st.lists(st.sampled_from(ORDERED), min_size=1, max_size=2, unique=True)


@given(NAMES, NAMES, st.booleans(), st.data())
def test_a_range_holds_all_for_which_the_predicate_is_true(
    keys: list[str], columns: list[str], unique: bool, data: st.DataObject
) -> None:
    """Of the key and of an index, unique or with a prefix: no row is left out."""
    prefix = 1 if not unique and {"text", "bytes"} & set(columns) else None
    index = Index("i", tuple(columns), unique, prefix)
    schema = Schema.create([(name, name) for name in ORDERED], keys, indexes=[index])
    value = data.draw(predicates(schema))
    limits = limits_of(as_predicate(value).bound(schema.by_name))
    by_key, by_index = key_span(schema, limits), index_span(schema, index, limits)
    for row in data.draw(rows(schema, 10)):
        if not predicate_holds(value, row):
            continue
        cells = [[row[name]] for name in schema.names]
        [encoded] = RecordCodec(schema).encode_keys(cells)
        if by_key is not None:
            assert by_key.low <= encoded < by_key.high
        if by_index is not None:
            spelt, _ = IndexCodec(schema, index).entries([encoded], cells)
            assert [by_index.low <= one < by_index.high for one in spelt] == [True]


SCHEMA = Schema.create([("a", "int"), ("b", "text"), ("c", "float")], ("a", "b", "c"))


def span(where: str) -> Any:
    """Return the range of keys of a predicate."""
    return key_span(SCHEMA, limits_of(as_predicate(where).bound(SCHEMA.by_name)))


def test_ranges_are_tight() -> None:
    """Equal leading columns, then one range; what cannot be said sets none."""
    five = key.encode((5,))
    assert span("a = 5")[:2] == (five, five + b"\xff")
    found = span("a = 5 and b = 'x' and c = 1.5")
    assert found.low == key.encode((5, "x", 1.5)) and found.is_point
    found = span("a = 5 and b >= 'x' and b < 'z' and c = 1")
    assert found[:2] == (key.encode((5, "x")), key.encode((5, "z")))
    assert not found.is_point
    assert span("a > 5 and a <= 7")[:2] == (five + b"\xff", key.encode((7,)) + b"\xff")
    assert span("a = 5 and b prefix 'x'").low == key.encode((5, "x"))[:-1]
    assert span("a in (7, 5)")[:2] == (five, key.encode((7,)) + b"\xff")
    for where in ("b = 'x'", "a = 5 or a = 6", "not a = 5", "a in ()"):
        assert span(where) is None
    long = ["and", ["=", "a", 5], ["=", "b", "x" * 2000]]
    assert key_span(SCHEMA, limits_of(as_predicate(long).bound(SCHEMA.by_name))) is None
