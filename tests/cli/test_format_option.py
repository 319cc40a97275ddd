"""``--format``: every format in and out by name, and what is no format."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.format_option import FORMATS

from prolly import ops

Run = Callable[..., Any]
Write = Callable[..., str]


@pytest.fixture
def pairs(run: Run, repository: Path, write: Write) -> Run:
    """A repository with the committed table ``t``."""
    name = write("t.csv", "id,v,when", "1,1.10,2026-01-31T12:00:00Z", "2,2,")
    run("import", "t", name, "--key", "id", "-m", "t")
    return run


def test_the_formats_are_those_of_the_library() -> None:
    """The list that the option shows without an import is the list there is."""
    assert FORMATS == ops.FORMATS


@pytest.mark.parametrize(
    "name",
    ["x.csv.zst", "x.jsonl.zst", "x.parquet", "x.arrow", "x.arrows", "x.db", "x.tsv"],
)
def test_files_by_their_names(pairs: Run, name: str) -> None:
    """What was exported equals the table, and a new one of it has the same root."""
    pairs("export", "t", name)
    pairs("import", "t", name)
    assert pairs("status", "--json").document["datasets"] == {}
    pairs("import", "again", name, "--key", "id")
    found = pairs("ls", "--json").document["datasets"]
    assert found["again"] == found["t"]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_streams_by_the_option(pairs: Run, place: Path, form: str) -> None:
    """Standard output and standard input carry them, too."""
    path = place / "stream"
    pairs("export", "t", "stream", "--format", form)
    data = path.read_bytes()
    pairs("import", "u", "-", "--format", form, stdin=data)
    assert len(pairs("scan", "u", "--json").lines) == 2


def test_tables_of_a_database(pairs: Run, place: Path) -> None:
    """A table is named behind a colon; in an export the dataset's is the default."""
    pairs("export", "t", "x.sqlite", "--format", "sqlite:a table")
    pairs("export", "t", "x.sqlite")
    with closing(sqlite3.connect(place / "x.sqlite")) as opened:
        assert opened.execute('SELECT count(*) FROM "a table"').fetchone() == (2,)
        assert opened.execute("SELECT count(*) FROM t").fetchone() == (2,)
    error = pairs("--json", "import", "u", "x.sqlite", code=2).error
    assert error["code"] == "format-unknown"
    pairs("import", "u", "x.sqlite", "--format", "sqlite:a table")
    error = pairs("--json", "import", "w", "x.sqlite", "--format", "sqlite:b", code=3)
    assert error.error["code"] == "no-such-table"
    error = pairs("--json", "export", "t", "--format", "sqlite:t", code=2)
    assert error.error["code"] in ("not-a-file", "usage")


def test_what_is_no_format_is_a_wrong_use(pairs: Run) -> None:
    """The message lists those that there are."""
    for word in ("xml", "sqlite:", "csv:t"):
        error = pairs("--json", "import", "t", "t.csv", "--format", word, code=2).error
        assert error["code"] == "usage"
        assert "parquet" in error["message"]


def test_a_cut_parquet_file_is_refused_with_a_hint(pairs: Run, place: Path) -> None:
    """And the table stays as it was."""
    pairs("export", "t", "x.parquet")
    path = place / "x.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    error = pairs("--json", "import", "t", "x.parquet", code=2).error
    assert error["code"] == "bad-parquet"
    assert error["hint"]
    assert pairs("status", "--json").document["datasets"] == {}
