"""What cells of SQLite become, and what they are written as."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prolly.ops.sqlite_columns import (
    DECLARED,
    SqliteColumn,
    cells_of,
    promised_type,
)
from prolly.tables import COLUMN_TYPES


def found(declared: str, *cells: Any) -> str:
    """Return the type that a column of these cells is found to be."""
    column = SqliteColumn("c", declared, is_nullable=True)
    for cell in cells:
        column.add([cell])
    assert column.result() == ("c", column.result().type_name, True)
    return column.result().type_name


def test_every_declared_type_promises_its_own() -> None:
    """Reading what was written needs no look at the cells."""
    for type_name, declared in DECLARED.items():
        assert promised_type(declared) == type_name
        assert found(declared) == type_name


@pytest.mark.parametrize(
    ("declared", "cells", "wanted"),
    [
        ("VARCHAR(10)", ["x", None], "text"),
        ("BIGINT", [1, None], "int"),
        ("BIGINT", [1, "x"], "json"),
        ("BOOLEAN", [0, 1], "bool"),
        ("BOOLEAN", [0, 2], "int"),
        ("NUMERIC(10,2)", [1, 1.5], "decimal"),
        ("DECIMAL TEXT", ["1.10"], "decimal"),
        ("DECIMAL TEXT", ["1.1e0"], "text"),
        ("DATETIME", ["2026-01-31T12:00:00Z"], "datetime"),
        ("DATETIME", ["2026-01-31 12:00:00"], "text"),
        ("TIMESTAMP", [1700000000], "int"),
        ("DATE", ["2026-01-31"], "date"),
        ("DATE", ["31.1.2026"], "text"),
        ("UUID", ["00000000-0000-0000-0000-00000000000A"], "text"),
        ("JSON", ["[1]", "{}"], "json"),
        ("JSON", ["[1"], "text"),
        ("DOUBLE", [1.5, "nan"], "float"),
        ("", [1, 2.5], "float"),
        ("", [2**53 + 1, 2.5], "json"),
        ("", ["nan"], "text"),
        ("", [b"x"], "bytes"),
        ("", [None], "text"),
        ("STRING", [], "text"),
    ],
)
def test_promises_are_kept_or_cells_decide(
    declared: str, cells: list[Any], wanted: str
) -> None:
    """A type that changes a cell on its way out is not inferred."""
    assert found(declared, *cells) == wanted


def test_cells_become_values() -> None:
    """Text spells what SQLite lacks; numbers in a column of decimals are exact."""
    cases: list[tuple[str, list[Any], list[Any]]] = [
        ("bool", [0, 1, None], [False, True, None]),
        ("float", ["nan", b"-0.0", 2], [float("nan"), -0.0, 2.0]),
        ("decimal", ["1.10", 1, 1.5], [Decimal("1.10"), Decimal(1), Decimal("1.5")]),
        ("datetime", ["2026-01-31T12:00:00Z"], [datetime(2026, 1, 31, 12, tzinfo=UTC)]),
        ("json", ['{"a":[1]}'], [{"a": [1]}]),
    ]
    for type_name, cells, values in cases:
        column = SqliteColumn("c", DECLARED[type_name], is_nullable=True)
        assert repr(column.reader(type_name)(cells)) == repr(values)
    as_it_is = SqliteColumn("c", "", is_nullable=True).reader("json")
    assert as_it_is(["[1", 5]) == ["[1", 5]


def test_values_become_cells() -> None:
    """Two floats have no real of their own."""
    values = [1.5, float("nan"), -0.0, 0.0, float("inf"), None]
    cells = cells_of(COLUMN_TYPES["float"], values)
    assert list(cells) == [1.5, "nan", b"-0.0", 0.0, float("inf"), None]
    assert list(cells_of(COLUMN_TYPES["bool"], [True, None])) == [1, None]
    assert list(cells_of(COLUMN_TYPES["json"], [{"a": b"x"}])) == [
        '{"a":{"$bytes":"eA=="}}'
    ]
