"""Generators of values, keys and rows for property tests; the one place for them.

Each strategy draws what the matching codec accepts, with the edges that go wrong most
often: NUL bytes, -0.0, integers about the powers of 256, long and nested things.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from prolly.tables import COLUMN_TYPES, Schema

__all__ = [
    "addresses",
    "byte_strings",
    "cells",
    "dates",
    "datetimes",
    "decimals",
    "integers",
    "key_parts",
    "key_scalars",
    "keys",
    "scalars",
    "texts",
    "typed_tables",
    "values",
]

# Every power of two about which an integer changes its length, in CBOR or in a key.
_EDGES = [
    sign * (2**bits + step)
    for bits in (8, 16, 31, 32, 56, 63, 64, 72)
    for step in (-1, 0, 1)
    for sign in (-1, 1)
]


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Text without lone surrogates; often with NUL, sometimes beyond the BMP."""
    marks = st.one_of(
        st.sampled_from("\0\x01a\xff\u0800\uffff\U00010000$:/"),
        st.characters(exclude_categories=["Cs"]),
    )
    return st.text(marks, max_size=max_size)


def byte_strings(max_size: int = 20) -> st.SearchStrategy[bytes]:
    """Bytes, often with 00 and ff, which key encodings escape."""
    raw = st.lists(st.sampled_from([0, 1, 0x61, 0xFE, 0xFF]), max_size=max_size)
    return st.one_of(st.binary(max_size=max_size), raw.map(bytes))


def integers() -> st.SearchStrategy[int]:
    """Integers of all lengths, often next to where the encoding grows."""
    return st.one_of(
        st.integers(-300, 300),
        st.sampled_from(_EDGES),
        st.integers(),
        st.integers(-(2**800), 2**800),
    )


def decimals() -> st.SearchStrategy[Decimal]:
    """Finite decimals without negative zero; equal ones with other exponents too."""
    made = st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.one_of(st.integers(-1000, 1000), st.integers(-(10**25), 10**25)),
        st.integers(-30, 30),
    )
    few = st.sampled_from(["0", "0.00", "0E+3", "1.1", "1.10", "-1.1", "-1.10", "1E+2"])
    return st.one_of(
        made,
        few.map(Decimal),
        st.decimals(places=2, allow_nan=False, allow_infinity=False).map(
            _without_negative_zero
        ),
    )


def datetimes() -> st.SearchStrategy[datetime]:
    """Aware datetimes with offsets of whole minutes, within the UTC years 2 to 9998."""
    zones = st.one_of(
        st.just(UTC),
        st.integers(-1439, 1439).map(lambda n: timezone(timedelta(minutes=n))),
    )
    return st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)


def dates() -> st.SearchStrategy[Any]:
    """All dates of the calendar."""
    return st.dates()


def scalars() -> st.SearchStrategy[Any]:
    """Every scalar that a value may be."""
    return st.one_of(
        st.none(),
        st.booleans(),
        integers(),
        st.floats(),
        byte_strings(),
        texts(),
        decimals(),
        datetimes(),
        dates(),
        st.uuids(),
    )


def values(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Values of the format: scalars, lists, and maps with text keys."""
    return st.recursive(
        scalars(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=5), st.dictionaries(texts(8), inner, max_size=5)
        ),
        max_leaves=max_leaves,
    )


def key_scalars() -> st.SearchStrategy[Any]:
    """Every scalar that a key or a part of it may be."""
    return st.one_of(
        st.none(),
        byte_strings(),
        texts(),
        integers(),
        st.floats(allow_nan=False),
        st.sampled_from([0.0, -0.0]),
        st.booleans(),
        st.uuids(),
        dates(),
        datetimes(),
        decimals(),
    )


def key_parts() -> st.SearchStrategy[Any]:
    """Parts of a key: scalars and nested tuples."""
    return st.recursive(
        key_scalars(),
        lambda inner: st.lists(inner, max_size=3).map(tuple),
        max_leaves=6,
    )


def keys() -> st.SearchStrategy[Any]:
    """User keys: a scalar, or a tuple of two parts or more."""
    return st.one_of(
        key_scalars(), st.lists(key_parts(), min_size=2, max_size=4).map(tuple)
    )


def cells() -> st.SearchStrategy[tuple[list[Any], list[Any]]]:
    """Pairs of (cells, fills) of one row, of equal length; cells often equal fills."""
    column = st.one_of(
        st.tuples(values(4), st.none()),
        values(4).map(lambda value: (value, value)),
        st.tuples(values(4), values(4)),
    )
    return st.lists(column, max_size=20).map(_columns)


def typed_values() -> dict[str, st.SearchStrategy[Any]]:
    """For each column type its values, null left out."""
    return {
        "bool": st.booleans(),
        "int": integers(),
        "float": st.floats() | st.sampled_from([0.0, -0.0]),
        "decimal": decimals(),
        "text": texts(),
        "bytes": byte_strings(),
        "date": dates(),
        "datetime": datetimes(),
        "uuid": st.uuids(),
        "json": values(6).filter(lambda value: value is not None),
    }


@st.composite
def typed_tables(
    draw: st.DrawFn, *, long_integers: bool = True, fills: bool = True
) -> tuple[Schema, list[tuple[Any, ...]]]:
    """A schema with a column of each type beside its key, and rows in its order.

    Without ``long_integers`` whole columns lie within 64 bits; without ``fills`` no
    column has a fill value.
    """
    of_type = typed_values()
    if not long_integers:
        of_type["int"] = st.integers(-(2**63), 2**63 - 1)
    names = draw(st.permutations(sorted(COLUMN_TYPES)))
    columns: list[tuple[Any, ...]] = []
    for name in names:
        nullable = draw(st.booleans())
        scalar = name != "json" and fills and draw(st.booleans())
        columns.append((name, name, nullable, draw(of_type[name]) if scalar else None))
    key_types = draw(
        st.lists(
            st.sampled_from(sorted(COLUMN_TYPES.keys() - {"json"})),
            min_size=1,
            max_size=2,
            unique=True,
        )
    )
    keys = [(f"key of {name}", name, False) for name in key_types]
    schema = Schema.create([*keys, *columns], [name for name, _, _ in keys])
    cells = [
        st.none() | of_type[name] if nullable else of_type[name]
        for name, _, nullable, _ in columns
    ]
    parts = [of_type[name].filter(lambda one: one == one) for name in key_types]
    return schema, draw(st.lists(st.tuples(*parts, *cells), max_size=5))


def addresses() -> st.SearchStrategy[bytes]:
    """Addresses: 32 bytes."""
    return st.binary(min_size=32, max_size=32)


def _columns(pairs: list[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [cell for cell, _ in pairs], [fill for _, fill in pairs]


def _without_negative_zero(value: Decimal) -> Decimal:
    return value if value else abs(value)
