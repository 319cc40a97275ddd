"""Exporting datasets of a version to files and streams."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from prolly import Invalid, NotFound, Repository, Schema
from prolly.chunks import MemoryStore
from prolly.env import SYSTEM
from prolly.ops import CsvLosses, export_table
from prolly.repo import begin_history


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A repository in memory with a table of two commits and a map."""
    store = MemoryStore()
    begin_history(store, SYSTEM)
    with Repository(store, None) as repo:
        schema = Schema.create([("id", "int"), ("name", "text")], "id")
        with repo.transaction("main") as tx:
            tx.table("people", schema=schema).insert({"id": 1, "name": "Ada"})
        with repo.transaction("main") as tx:
            tx.table("people").insert({"id": 2, "name": None})
            tx.map("settings").update({"k": b"\0", (1, ("a", None)): {"x": 1.5}})
        yield repo


def text_of(repo: Repository, dataset: str, format_name: str, at: str = "HEAD") -> str:
    """Return a dataset as the text of a file."""
    stream = io.BytesIO()
    export_table(repo.at(at), dataset, stream, format_name)
    return stream.getvalue().decode()


def test_a_table_in_key_order(repo: Repository) -> None:
    """The header is the schema, rows follow in key order; a version is a version."""
    assert text_of(repo, "people", "csv") == "id,name\n1,Ada\n2,\n"
    assert text_of(repo, "people", "tsv", "HEAD~1") == "id\tname\n1\tAda\n"
    assert json.loads(text_of(repo, "people", "json"))[1] == {"id": 2, "name": None}


def test_a_map_as_keys_and_values(repo: Repository) -> None:
    """Keys are arrays of parts, nested ones nested; values keep their types."""
    lines = [json.loads(one) for one in text_of(repo, "settings", "jsonl").splitlines()]
    assert lines == [
        {"key": ["k"], "value": {"$bytes": "AA=="}},
        {"key": [1, ["a", None]], "value": {"x": 1.5}},
    ]


def test_null_is_written_where_it_is_a_value(repo: Repository) -> None:
    """In the CSV of a map every cell is JSON, so that nothing is an empty cell."""
    with repo.transaction("main") as tx:
        tx.map("m").update({"a": None, "b": "", None: [None]})
    assert text_of(repo, "m", "csv") == (
        'key,value\n[null],[null]\n"[""a""]",null\n"[""b""]",""""""\n'
    )


def test_what_csv_does_not_keep_is_counted(repo: Repository) -> None:
    """Nulls of text columns, no bytes, empty keys; no other format loses any."""
    columns = [
        ("a", "text"),
        ("b", "text"),
        ("t", "text"),
        ("x", "bytes"),
        ("n", "int"),
    ]
    rows = [
        ("", "", "", b"", 1),
        ("", "b", None, b"", None),
        ("a", "", None, None, None),
        ("a", "b", None, b"x", 0),
    ]
    schema = Schema.create(columns, ["a", "b"])
    with repo.transaction("main") as tx:
        tx.table("t", schema=schema).load((schema.names, rows))
    for format_name, counts in {
        "csv": (3, 2, 1),
        "tsv": (3, 2, 1),
        "jsonl": (0, 0, 0),
    }.items():
        losses = CsvLosses()
        export_table(repo.at("HEAD"), "t", io.BytesIO(), format_name, losses=losses)
        found = losses.null_texts, losses.empty_bytes, losses.empty_keys
        assert (found, bool(losses)) == (counts, any(counts))
    losses = CsvLosses()
    export_table(repo.at("HEAD~2"), "people", io.BytesIO(), "csv", losses=losses)
    export_table(repo.at("HEAD"), "settings", io.BytesIO(), "csv", losses=losses)
    assert not losses


def test_the_count_is_returned(repo: Repository, tmp_path: Path) -> None:
    """And the file is compressed when its name says so, always to the same bytes."""
    for name in ("a.csv.gz", "b.csv.gz"):
        assert export_table(repo.at("HEAD"), "people", tmp_path / name) == 2
    first, second = ((tmp_path / f"{one}.csv.gz").read_bytes() for one in "ab")
    assert first == second
    assert gzip.decompress(first) == b"id,name\n1,Ada\n2,\n"


def test_an_empty_table_is_its_header(repo: Repository) -> None:
    """Also where nothing but the key is known yet."""
    with repo.transaction("main") as tx:
        tx.table("new", key=["a", "b"])
    assert text_of(repo, "new", "csv") == "a,b\n"
    assert text_of(repo, "new", "json") == "[]\n"


def test_errors_leave_no_file(repo: Repository, tmp_path: Path) -> None:
    """No such dataset, no known format, a text that CSV cannot hold."""
    with pytest.raises(NotFound):
        export_table(repo.at("HEAD"), "nothing", tmp_path / "a.csv")
    with pytest.raises(Invalid):
        export_table(repo.at("HEAD"), "people", tmp_path / "a.xlsx")
    with repo.transaction("main") as tx:
        tx.table("people").insert({"id": 3, "name": "\0"})
    with pytest.raises(Invalid) as caught:
        export_table(repo.at("HEAD"), "people", tmp_path / "a.csv")
    assert caught.value.code == "nul-character"
    assert list(tmp_path.iterdir()) == []
