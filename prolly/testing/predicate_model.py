"""Rows and predicates drawn at random, and what a predicate says of a row, naively."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from prolly.tables import Column, Schema

__all__ = ["CELLS", "predicate_holds", "predicates", "rows"]

_EAST = timezone(timedelta(hours=2))

# Few values of each type, so that cells repeat; equal ones in several spellings.
CELLS: dict[str, list[Any]] = {
    "bool": [False, True],
    "int": [-300, -1, 0, 1, 2, 255, 256, 2**70],
    "float": [-1.5, -0.0, 0.0, 0.1, 2.0, float("inf"), float("nan")],
    "decimal": list(
        map(
            Decimal,
            ["-1.10", "-1.1", "0", "0.00", "0E+3", "1.1", "1.10", "1.2", "1E+2"],
        )
    ),
    "text": ["", "\0", "a", "a\0", "ab", "abc", "b", "é", "\U00010000", "abc" * 9],
    "bytes": [b"", b"\0", b"\0\xff", b"a", b"ab", b"\xff", b"\xff\xff"],
    "date": [date(1, 1, 1), date(1969, 12, 31), date(2026, 1, 31)],
    "datetime": [
        datetime(2026, 1, 31, 12, tzinfo=UTC),
        datetime(2026, 1, 31, 14, tzinfo=_EAST),
        datetime(1969, 1, 1, tzinfo=UTC),
    ],
    "uuid": [UUID(int=0), UUID(int=5), UUID(int=2**127)],
    "json": [[1], {"a": None}, "x"],
}
_ORDERED = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def rows(schema: Schema, max_size: int = 30) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of a schema, each key once; NaN in no key column and no index."""
    indexed = {name for index in schema.indexes for name in index.columns}
    fields = {}
    for column in schema.columns:
        cells = [
            one
            for one in CELLS[column.type]
            if one == one or not (column.name in schema.key or column.name in indexed)
        ]
        drawn = st.sampled_from(cells)
        fields[column.name] = st.none() | drawn if column.nullable else drawn
    return st.lists(
        st.fixed_dictionaries(fields),
        max_size=max_size,
        unique_by=lambda row: tuple(repr(_stored(row[name])) for name in schema.key),
    )


def _stored(cell: Any) -> Any:
    """Return a cell as a key holds it: instants know no offset."""
    return cell.astimezone(UTC) if isinstance(cell, datetime) else cell


def predicates(schema: Schema) -> st.SearchStrategy[list[Any]]:
    """Plain values of predicates over the columns of a schema."""
    comparisons = st.one_of([_comparisons(column) for column in schema.columns])
    return st.recursive(
        comparisons,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: ["and", *parts]),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: ["or", *parts]),
            inner.map(lambda part: ["not", part]),
        ),
        max_leaves=5,
    )


def _comparisons(column: Column) -> st.SearchStrategy[list[Any]]:
    name = column.name
    cells = st.sampled_from([one for one in CELLS[column.type] if one == one])
    null = st.just(["null", name])
    if column.type == "json":
        return null
    ordered = st.tuples(st.sampled_from(sorted(_ORDERED)), st.just(name), cells)
    kinds = [
        ordered.map(list),
        st.tuples(st.just("between"), st.just(name), cells, cells).map(list),
        st.lists(cells, max_size=3).map(lambda listed: ["in", name, listed]),
        null,
    ]
    if column.type in ("text", "bytes"):
        begins = st.tuples(st.just("prefix"), st.just(name), cells)
        kinds.append(begins.map(list))
    return st.one_of(kinds)


def predicate_holds(value: list[Any], row: Mapping[str, Any]) -> bool | None:
    """Return what a predicate says of a row: true, false or, for null, ``None``."""
    head, *rest = value
    if head == "not":
        inner = predicate_holds(rest[0], row)
        return None if inner is None else not inner
    if head in ("and", "or"):
        parts = [predicate_holds(part, row) for part in rest]
        decisive: bool = head == "or"
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    cell = row[rest[0]]
    if head == "null":
        return cell is None
    return None if cell is None else bool(_compared(head, cell, rest[1:]))


def _compared(head: str, cell: Any, literals: list[Any]) -> bool:
    if head == "between":
        return bool(literals[0] <= cell <= literals[1])
    if head == "in":
        return any(cell == one for one in literals[0])
    if head == "prefix":
        return bool(cell.startswith(literals[0]))
    return bool(_ORDERED[head](cell, literals[0]))
