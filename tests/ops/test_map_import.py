"""Maps come back from their exports, and what is none is told by file and line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly import Invalid, Repository
from prolly.errors import AlreadyExists
from prolly.ops import export_table, import_map, open_table
from prolly.testing.repositories import memory_repository
from prolly.testing.strategies import keys, values


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A repository in memory with a small map."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.map("m").update({"a": 1, "b": None, ("c", 2): [b"x"]})
        yield repo


def load(repo: Repository, text: str, format_name: str = "csv", **how: Any) -> int:
    """Import text as the map ``m``, into the working state."""
    with (
        open_table(io.BytesIO(text.encode()), format_name) as source,
        repo.working_area().edit("import") as workspace,
    ):
        return import_map(workspace, "m", source, **how)


def records(repo: Repository) -> dict[Any, Any]:
    """Return the map ``m`` as it stands in the working state."""
    return dict(repo.at_working().map("m").items())


@settings(max_examples=60)
@given(
    pairs=st.lists(st.tuples(keys(), values()), max_size=8),
    format_name=st.sampled_from(["csv", "tsv", "jsonl", "json"]),
)
def test_what_was_exported_comes_back(
    pairs: list[tuple[Any, Any]], format_name: str
) -> None:
    """Any keys and values, in any text format: the root is the same."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.map("m").update(pairs)
    out = io.BytesIO()
    export_table(repo.at("main"), "m", out, format_name)
    other = memory_repository()
    with (
        open_table(io.BytesIO(out.getvalue()), format_name) as source,
        other.working_area().edit("import") as workspace,
    ):
        read = import_map(workspace, "m", source)
    assert read == len(repo.at("main").map("m"))
    assert other.at_working().map("m").root == repo.at("main").map("m").root


@pytest.mark.parametrize("format_name", ["parquet", "sqlite:m"])
def test_other_formats_bring_it_back_too(
    repo: Repository, format_name: str, tmp_path: Any
) -> None:
    """Parquet and SQLite hold the two columns as JSON."""
    path = tmp_path / f"m.{format_name.partition(':')[0]}"
    export_table(repo.at("main"), "m", path, format_name)
    with open_table(path) as source, repo.working_area().edit("other") as workspace:
        assert import_map(workspace, "copy", source) == 3
    assert repo.at_working().map("copy").root == repo.at("main").map("m").root


CHANGED = 'key,value\n"[""b""]",7\n"[""d""]","{""$date"":""2026-01-31""}"\n'


def test_modes_are_those_of_tables(repo: Repository) -> None:
    """Replace is the default; update keeps the others; append refuses a taken key."""
    with pytest.raises(AlreadyExists) as caught:
        load(repo, CHANGED, mode="append")
    assert (caught.value.code, caught.value.line) == ("key-exists", 2)
    assert records(repo)["b"] is None
    load(repo, CHANGED, mode="update")
    assert len(records(repo)) == 4 and records(repo)["b"] == 7
    load(repo, CHANGED)
    assert list(records(repo)) == ["b", "d"]
    load(repo, 'key,value\n"[1]",true\n', mode="append")
    assert list(records(repo)) == ["b", "d", 1]


def test_nothing_makes_an_empty_map(repo: Repository) -> None:
    """A header alone, or no line of JSON, is a map without a record."""
    assert load(repo, "key,value\n") == 0
    assert records(repo) == {}
    assert load(repo, "", "jsonl") == 0


@pytest.mark.parametrize(
    ("text", "format_name", "code", "line"),
    [
        ("id,value\n1,2\n", "csv", "columns-differ", None),
        ("key,value,more\n1,2,3\n", "csv", "columns-differ", None),
        ('key,value\n"[1]",1\nb,2\n', "csv", "value-type", 3),
        ("key,value\n5,2\n", "csv", "json-form", 2),
        ('{"key":[1],"value":1}\n{"value":2}\n', "jsonl", "json-form", 2),
        ('{"key":[{"a":1}],"value":1}\n', "jsonl", "key-type", 1),
        ('key,value\n"[1]",1\n"[2]",1\n"[1]",3\n', "csv", "duplicate-key", None),
    ],
)
def test_what_is_no_map_is_told(
    repo: Repository, text: str, format_name: str, code: str, line: int | None
) -> None:
    """With the code, the file and the line; the working state is as it was."""
    before = repo.at_working().root
    with pytest.raises(Invalid) as caught:
        load(repo, text, format_name)
    assert caught.value.code == code
    assert caught.value.facts.get("line") == line
    assert caught.value.hint and caught.value.source
    if code == "duplicate-key":
        assert caught.value.lines == [2, 4] and caught.value.key == [1]
    assert repo.at_working().root == before


def test_a_table_takes_no_map(repo: Repository) -> None:
    """The name of a table is refused."""
    with repo.working_area().edit("t") as workspace:
        workspace.table("m2", key="id").insert({"id": 1})
    with (
        pytest.raises(Invalid) as caught,
        open_table(io.BytesIO(CHANGED.encode()), "csv") as source,
        repo.working_area().edit("import") as workspace,
    ):
        import_map(workspace, "m2", source)
    assert caught.value.code == "wrong-kind"
