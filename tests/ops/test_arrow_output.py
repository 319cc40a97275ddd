"""Parquet and Arrow out and in again: the same table, whatever it holds."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from pyarrow import parquet

from prolly import Repository, Schema
from prolly.errors import Error
from prolly.ops import export_table, import_table, write_table
from prolly.tables import COLUMN_TYPES, ArrowLayout
from prolly.testing.repositories import memory_repository
from prolly.testing.strategies import typed_tables

FORMATS = ("parquet", "arrow")


def table_of(schema: Schema, rows: list[tuple[Any, ...]]) -> Repository:
    """Return a repository in memory with the table ``t``."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.table("t", schema=schema).load((schema.names, rows), on_duplicate="last")
    return repo


def load(repo: Repository, name: str, place: Any, form: str, **how: Any) -> None:
    """Import a file or stream as a table, into the working state."""
    from prolly.ops import open_table

    with (
        open_table(place, form) as source,
        repo.working_area().edit("import") as workspace,
    ):
        import_table(workspace, name, source, **how)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40)
@given(made=typed_tables())
def test_an_export_comes_back_as_the_same_table(form: str, made: Any) -> None:
    """Root, key, types, nullability and fills are those of the table exported."""
    repo = table_of(*made)
    stream = io.BytesIO()
    export_table(repo.at("main"), "t", stream, form)
    stream.seek(0)
    load(repo, "again", stream, form)
    found = repo.at_working().datasets
    assert found["again"].root == found["t"].root
    tables = [repo.at_working().table(name) for name in ("t", "again")]
    assert tables[0].schema == tables[1].schema


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.arrows", "x.feather"])
def test_files_of_every_name(tmp_path: Path, name: str) -> None:
    """A name tells the format and, of Arrow, the form."""
    schema = Schema.create([("id", "int"), ("text", "text")], "id")
    repo = table_of(schema, [(number, "x" * number) for number in range(5)])
    export_table(repo.at("main"), "t", tmp_path / name)
    is_stream = name == "x.arrows"
    if name != "x.parquet":
        head = (tmp_path / name).read_bytes()[:6]
        assert (head == b"ARROW1") != is_stream
    load(repo, "again", tmp_path / name, "")
    found = repo.at_working().datasets
    assert found["again"].root == found["t"].root


def test_many_rows_are_few_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record batches are joined up to a bound, and the order of keys stays."""
    monkeypatch.setattr("prolly.tables.arrow_layout.ARROW_ROWS", 4_000)
    rows = [(number, f"name {number}") for number in range(10_000)]
    repo = table_of(Schema.create([("id", "int"), ("name", "text")], "id"), rows)
    export_table(repo.at("main"), "t", tmp_path / "x.parquet")
    found = parquet.ParquetFile(tmp_path / "x.parquet")
    assert found.metadata.num_row_groups == 3
    assert found.read().column("id").to_pylist() == list(range(10_000))


def test_a_map_is_two_columns_of_json(tmp_path: Path) -> None:
    """As in every other format."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.map("m").update({"a": 1, (1, "b"): {"x": b"y"}})
    assert export_table(repo.at("main"), "m", tmp_path / "m.parquet") == 2
    found = parquet.read_table(tmp_path / "m.parquet").to_pydict()
    assert found == {
        "key": ['["a"]', '[1,"b"]'],
        "value": ["1", '{"x":{"$bytes":"eQ=="}}'],
    }


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    """Also where nothing but the key is known yet."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.table("new", key=["a", "b"])
    for form in FORMATS:
        path = tmp_path / f"x.{form}"
        assert export_table(repo.at("main"), "new", path) == 0
        load(repo, form, path, form, key=["a", "b"])
        assert repo.at_working().table(form).schema.names == ("a", "b")


@pytest.mark.parametrize("form", FORMATS)
def test_an_error_leaves_no_file(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails in the middle is no file with a footer."""
    path = tmp_path / f"x.{form}"
    path.write_bytes(b"before")
    original = ArrowLayout.batch

    def broken(layout: ArrowLayout, columns: Any) -> Any:
        if columns[0][0] > 0:
            raise Error("broken")
        return original(layout, columns)

    monkeypatch.setattr(ArrowLayout, "batch", broken)
    rows = [[number] for number in range(5_000)]
    with pytest.raises(Error, match="broken"):
        write_table(path, [("id", COLUMN_TYPES["int"])], rows)
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_pandas_reads_what_was_exported(tmp_path: Path) -> None:
    """Others see plain types: numbers, timestamps, text."""
    schema = Schema.create([("id", "int"), ("price", "decimal"), ("n", "text")], "id")
    repo = table_of(schema, [])
    from decimal import Decimal

    with repo.transaction("main") as tx:
        tx.table("t").load([{"id": 1, "price": Decimal("1.10"), "n": None}])
    export_table(repo.at("main"), "t", tmp_path / "x.parquet")
    import pandas

    frame = pandas.read_parquet(tmp_path / "x.parquet")
    assert list(frame.columns) == ["id", "price", "n"]
    assert frame["price"].tolist() == [Decimal("1.10")]
    read = pyarrow.parquet.read_schema(tmp_path / "x.parquet")
    assert read.field("price").type == pyarrow.decimal128(38, 2)
