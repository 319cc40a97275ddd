"""Typed rows from plain files, and the errors that name a cell."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prolly.errors import Invalid, LimitExceeded
from prolly.ops import iter_typed, open_table
from prolly.tables import COLUMN_TYPES, COLUMNS_MAX, InferredColumn


def typed(text: str, columns: list[tuple[str, str, bool]], form: str = "csv") -> Any:
    """Return the typed rows of a text."""
    with open_table(io.BytesIO(text.encode()), form) as source:
        wanted = [InferredColumn(*column) for column in columns]
        return [row for batch in iter_typed(source, wanted, 2) for row in batch.rows]


def fault(text: str, columns: list[tuple[str, str, bool]], form: str = "csv") -> Any:
    """Return the error that typing raises."""
    with pytest.raises(Invalid) as caught:
        typed(text, columns, form)
    return caught.value


def test_rows_come_in_the_order_that_is_asked_for() -> None:
    """The columns of a schema may stand in another order than the file's."""
    columns = [("b", "decimal", True), ("a", "int", False)]
    rows = typed("a,b\n1,1.50\n2,\n3,7\n", columns)
    assert rows == [[Decimal("1.50"), 1], [None, 2], [Decimal(7), 3]]
    assert str(rows[0][0]) == "1.50"


def test_a_cell_that_does_not_fit_is_named() -> None:
    """The error names file, line, column and value, past the first batch too."""
    error = fault(
        "a,b\n1,x\n2,y\n3,z\n4.5,w\n", [("a", "int", False), ("b", "text", False)]
    )
    assert (error.code, error.line, error.column) == ("value-type", 5, "a")
    assert error.value == "'4.5'"
    assert "--widen" in error.hint


def test_a_missing_value_is_named() -> None:
    """An empty cell of a column without null raises value-null; text takes it."""
    error = fault('a\n1\n\n""\n', [("a", "int", False)])
    assert (error.code, error.line, error.column) == ("value-null", 4, "a")
    assert typed('a\n""\n', [("a", "text", False)]) == [[""]]


def test_columns_must_agree_with_the_file() -> None:
    """A name of one side alone is refused; in JSON a name may be left out."""
    assert fault("a,b\n1,2\n", [("a", "int", False)]).code == "unknown-column"
    both = [("a", "int", False), ("b", "int", True)]
    assert fault("a\n1\n", both).code == "missing-column"
    assert typed('{"a": 1}\n', both, "jsonl") == [[1, None]]
    strict = [("a", "int", False), ("b", "int", False)]
    assert fault('{"a": 1, "b": null}\n', strict, "jsonl").code == "value-null"
    assert typed('{"a": 1}\n', strict, "jsonl") == [[1, None]]
    wide = open_table(io.BytesIO(b'{"b": 1}\n{"a": 2}\n'), "jsonl")
    columns = [InferredColumn(name, "int", False) for name in ("a", "c", "b")]
    with wide as source:
        [batch] = iter_typed(source, columns)
    assert sorted(batch.gaps) == [(0, 0), (0, 1), (1, 1), (1, 2)]


def test_json_cells_are_read_by_the_schema() -> None:
    """Plain strings are enough where the schema says the type."""
    columns = [("a", "decimal", False), ("b", "bytes", False), ("c", "float", True)]
    text = '{"a": "1.10", "b": "YWI=", "c": 1}\n{"a": 1.1, "b": {"$bytes": ""}}\n'
    rows = typed(text, columns, "jsonl")
    assert rows == [[Decimal("1.10"), b"ab", 1.0], [Decimal("1.1"), b"", None]]
    assert type(rows[0][2]) is float


@pytest.mark.parametrize("release", ["20240806", "20260905"])
def test_a_real_table_is_typed_and_comes_back(
    airports: Callable[[str], Path], release: str
) -> None:
    """Every cell of a release formats to its text under the inferred type."""
    with open_table(airports(release)) as source:
        columns = source.infer()
        kinds = {one.name: one.type_name for one in columns}
        assert kinds.pop("elevation") == "decimal"
        assert kinds.pop("lat") == kinds.pop("lon") == "float"
        assert set(kinds.values()) == {"text"}
        pairs = zip(source.iter_batches(), iter_typed(source, columns), strict=True)
        for plain, batch in pairs:
            texts = [
                COLUMN_TYPES[column.type_name].format_many(values)
                for column, values in zip(
                    columns, zip(*batch.rows, strict=True), strict=True
                )
            ]
            # Floats are left to the writer, which spells them with repr.
            assert [
                list(map(str, row)) for row in zip(*texts, strict=True)
            ] == plain.rows
            assert list(batch.lines) == list(plain.lines)


@pytest.mark.parametrize("name", ["wide.csv", "wide.jsonl"])
def test_too_many_columns_are_refused_at_once(tmp_path: Path, name: str) -> None:
    """One column past the limit is refused by the header, before a row is looked at."""
    for count, fits in ((COLUMNS_MAX, True), (COLUMNS_MAX + 1, False)):
        names = [f"c{number}" for number in range(count)]
        csv_text = ",".join(names) + "\n"
        text = csv_text if name == "wide.csv" else json.dumps(dict.fromkeys(names, 1))
        (tmp_path / name).write_text(text)
        with contextlib.ExitStack() as stack:
            if not fits:
                stack.enter_context(pytest.raises(LimitExceeded, match="limit"))
            with open_table(tmp_path / name) as source:
                assert len(source.columns) == count
