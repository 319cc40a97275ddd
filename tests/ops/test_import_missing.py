"""Importing what a table has more columns than: kept, default, null, or refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from prolly import Invalid, Repository, Schema
from prolly.errors import Error
from prolly.ops import import_table, located, open_table

from .test_import_table import load, new_repository


@pytest.fixture
def repo() -> Iterator[Repository]:
    """An empty repository in memory."""
    with new_repository() as repo:
        yield repo


def rows_of(repo: Repository) -> list[dict[str, Any]]:
    """Return the rows of the table ``t``."""
    return list(repo.at_working().table("t").rows())


@pytest.fixture
def grown(repo: Repository) -> Repository:
    """Two rows, and a column that was added to them: never null, filled."""
    load(repo, b"id,name,n\n1,one,10\n2,,20\n", key="id")
    with repo.working_area().edit("alter") as workspace:
        table = workspace.table("t")
        table.alter().add_column("open", "bool", nullable=False, fill=True)
        table.patch(1, {"open": False})
    return repo


@pytest.mark.parametrize(
    ("data", "format_name"),
    [
        (b"id,n\n1,11\n3,30\n", "csv"),
        (b'{"id": 1, "n": 11}\n{"id": 3, "n": 30}\n', "jsonl"),
        (b'[{"n": 11, "id": 1}, {"n": 30, "id": 3}]', "json"),
    ],
)
def test_an_update_keeps_columns_that_the_input_lacks(
    grown: Repository, data: bytes, format_name: str
) -> None:
    """Rows that are there keep their cells, new ones take defaults, in any format."""
    load(grown, data, format_name, mode="update")
    assert rows_of(grown) == [
        {"id": 1, "name": "one", "n": 11, "open": False},
        {"id": 2, "name": "", "n": 20, "open": True},
        {"id": 3, "name": None, "n": 30, "open": True},
    ]


def test_a_record_of_json_changes_what_it_names(grown: Repository) -> None:
    """One record may leave out what the next one has; a null is written."""
    data = b'{"id": 1, "name": null}\n{"id": 2, "n": 21, "open": false}\n'
    load(grown, data, "jsonl", mode="update")
    assert rows_of(grown) == [
        {"id": 1, "name": None, "n": 10, "open": False},
        {"id": 2, "name": "", "n": 21, "open": False},
    ]
    assert fault_of(grown, b'{"id": 1, "open": null}', "jsonl", mode="update") == (
        "schema-violation",
        1,
    )


def fault_of(
    repo: Repository, data: bytes, format_name: str = "csv", **how: Any
) -> tuple[str, int | None]:
    """Return the code and the line of what an import raises."""
    with pytest.raises(Error) as caught:
        load(repo, data, format_name, **how)
    return caught.value.code, caught.value.facts.get("line")


def test_a_replacing_import_says_what_becomes_of_missing_columns(
    grown: Repository,
) -> None:
    """By default an error whose hint names the option; cells are kept, or defaults."""
    data = b"id,name\n1,uno\n3,tre\n"
    with pytest.raises(Invalid) as caught:
        load(grown, data)
    error = caught.value
    assert (error.code, error.missing) == ("columns-differ", ["n", "open"])
    assert "--missing keep" in error.hint and "--missing default" in error.hint
    load(grown, data, missing="keep")
    assert rows_of(grown) == [
        {"id": 1, "name": "uno", "n": 10, "open": False},
        {"id": 3, "name": "tre", "n": None, "open": True},
    ]
    load(grown, data, missing="default")
    assert rows_of(grown)[0] == {"id": 1, "name": "uno", "n": None, "open": True}
    assert fault_of(grown, data, mode="update", missing="error")[0] == "columns-differ"
    assert fault_of(grown, b"n\n1\n", mode="update")[0] == "columns-differ"


def test_missing_columns_and_new_ones_in_one_import(grown: Repository) -> None:
    """Widening keeps what stands, whatever else the input lacks."""
    load(grown, b"id,more\n1,x\n", missing="keep", widen=True)
    assert rows_of(grown) == [
        {"id": 1, "name": "one", "n": 10, "open": False, "more": "x"}
    ]


def test_a_new_row_needs_what_has_no_default(repo: Repository) -> None:
    """Where cells are kept, a row that has none is refused with its line."""
    schema = Schema.create([("id", "int"), ("a", "int"), ("b", "int", False)], "id")
    load(repo, b"id,a,b\n1,1,1\n", types=schema)
    load(repo, b"id,a\n1,2\n", mode="update")
    assert rows_of(repo) == [{"id": 1, "a": 2, "b": 1}]
    assert fault_of(repo, b"id,a\n1,2\n5,2\n", mode="update") == ("missing-column", 3)
    assert fault_of(repo, b'{"id": 5}', "jsonl", mode="update") == (
        "missing-column",
        1,
    )


def test_empty_cells_of_text_may_be_null(repo: Repository) -> None:
    """Of named columns or of all; other cells, and other formats, are as before."""
    data = b"id,a,b\nx,,\ny,1st,2nd\n"
    load(repo, data, key="id", empty_as_null=["a"])
    assert rows_of(repo)[0] == {"id": "x", "a": None, "b": ""}
    load(repo, data, empty_as_null=["*"])
    assert rows_of(repo)[0] == {"id": "x", "a": None, "b": None}
    assert fault_of(repo, data, empty_as_null=["c"])[0] == "unknown-column"
    assert fault_of(repo, b'{"id": "x"}', "jsonl", empty_as_null=["a"])[0] == "option"
    assert fault_of(repo, b"id,a,b\n,,x\n", empty_as_null=["*"]) == ("null-key", 2)


def test_what_storing_refuses_can_be_placed(repo: Repository) -> None:
    """Both lines of two rows that a unique index does not hold."""
    load(repo, b"id,a\n1,x\n", key="id")
    with repo.working_area().edit("alter") as workspace:
        workspace.table("t").alter().add_index("by_a", "a", unique=True)
    data = b"id,a\n1,x\n2,y\n3,\n4,\n"
    with open_table(io.BytesIO(data), "csv") as source:
        with (
            pytest.raises(Invalid) as caught,
            repo.working_area().edit("import") as workspace,
        ):
            result = import_table(workspace, "t", source)
        error = located(caught.value, source, result.schema)
    assert (error.code, error.facts["lines"]) == ("unique-violation", [4, 5])
    assert "--empty-as-null a" in error.hint
    load(repo, data, empty_as_null=["a"])
    assert len(rows_of(repo)) == 4
