"""``prolly import`` and ``prolly export``: options, streams, and every bad input."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Write = Callable[..., str]


@pytest.fixture
def pairs(run: Run, repository: Path, write: Write) -> Run:
    """A repository with the committed table ``t`` of two whole numbers a row."""
    run("import", "t", write("t.csv", "id,v", "1,10", "2,20"), "--key", "id", "-m", "t")
    return run


def test_an_import_reports_and_commits(
    run: Run, repository: Path, write: Write
) -> None:
    """The answer is the commit, and the counts of the dataset."""
    name = write("a.csv", "id,v", "1,x", "2,y")
    answer = run("import", "t", name, "--key", "id", "-m", "one", "--json").document
    assert answer["datasets"] == {"t": {"added": 2, "removed": 0, "modified": 0}}
    assert answer["commit"] == run("show", "--json").document["commit"]
    again = run("import", "t", name, "-m", "two", "--json").document
    assert again == {"datasets": {"t": {"added": 0, "removed": 0, "modified": 0}}}
    assert "nothing to commit" in run("import", "t", name, "-m", "two").out


def test_without_a_message_it_waits_in_the_working_state(
    pairs: Run, write: Write
) -> None:
    """What is imported can be read at once, and is not committed."""
    answer = pairs("import", "t", write("u.csv", "id,v", "1,11", "3,30"), "--json")
    counts = {"added": 1, "removed": 1, "modified": 1}
    assert answer.document == {"datasets": {"t": counts}}
    assert pairs("status", "--json").document["datasets"] == {"t": counts}
    assert pairs("get", "t", "1", "--json").document == {"id": 1, "v": 11}
    assert pairs("get", "t", "1", "--json", "--at", "@").document == {"id": 1, "v": 10}


@pytest.mark.parametrize(
    ("option", "keys"), [("--replace", [2, 3]), ("--update", [1, 2, 3])]
)
def test_modes(pairs: Run, write: Write, option: str, keys: list[int]) -> None:
    """Replace makes the table equal the input, update keeps the other rows."""
    pairs("import", "t", write("u.csv", "id,v", "2,21", "3,30"), option)
    rows = pairs("scan", "t", "--json").lines
    assert [row["id"] for row in rows] == keys
    assert rows[-2:] == [{"id": 2, "v": 21}, {"id": 3, "v": 30}]


def test_append_refuses_a_key_that_is_there(pairs: Run, write: Write) -> None:
    """The error names the line, and nothing is added."""
    error = pairs(
        "--json",
        "import",
        "t",
        write("u.csv", "id,v", "3,30", "2,21"),
        "--append",
        code=2,
    ).error
    assert (error["code"], error["line"]) == ("key-exists", 3)
    assert len(pairs("scan", "t", "--json").lines) == 2
    pairs("import", "t", write("u.csv", "id,v", "3,30"), "--append")
    assert len(pairs("scan", "t", "--json").lines) == 3


def test_several_files_are_one_input(run: Run, repository: Path, write: Write) -> None:
    """Columns may stand in another order, and a key may not come twice."""
    first, second = write("a.csv", "id,v", "1,x"), write("b.csv", "v,id", "y,2")
    run("import", "t", first, second, "--key", "id")
    assert run("scan", "t", "--json").lines == [
        {"id": 1, "v": "x"},
        {"id": 2, "v": "y"},
    ]
    answer = run("import", "t", first, second, first, code=2)
    assert answer.err.count("a.csv line 2") == 2


def test_keys_of_several_columns(run: Run, repository: Path, write: Write) -> None:
    """``--key`` may be repeated or hold commas; a KEY is then an array."""
    name = write("a.csv", "country,city,n", "US,X,1", "US,Y,2", "FR,X,3")
    run("import", "a", name, "--key", "country,city")
    run("import", "b", name, "--key", "country", "--key", "city")
    assert run("get", "a", '["US", "Y"]', "--json").document["n"] == 2
    assert len(run("scan", "b", "--prefix", '["US"]', "--json").lines) == 2
    datasets = run("ls", "--json").document["datasets"]
    assert datasets["a"]["root"] == datasets["b"]["root"]
    assert "[key-parts]" in run("get", "a", "US", code=2).err


@pytest.mark.parametrize("format_name", ["csv", "tsv", "jsonl", "json"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_export_then_import_gives_the_same_root(
    people: Run, place: Path, format_name: str, suffix: str
) -> None:
    """In every format, plain or compressed, by file."""
    name = f"out.{format_name}{suffix}"
    people("export", "people", name)
    is_gzip = (place / name).read_bytes()[:2] == b"\x1f\x8b"
    assert is_gzip == bool(suffix)
    people("import", "copy", name, "--key", "id")
    datasets = people("ls", "--json").document["datasets"]
    assert datasets["copy"]["root"] == datasets["people"]["root"]


def test_streams_in_and_out(people: Run) -> None:
    """``-`` reads standard input, compressed or not; export writes standard output."""
    text = people("export", "people").out
    assert text.splitlines()[0] == "id,name,height"
    words = ["import", "copy", "-", "--format", "csv", "--key", "id"]
    people(*words, stdin=gzip.compress(text.encode()))
    assert people("export", "copy").out == text
    assert "[format-unknown]" in people(*words[:3], code=2).err
    assert people("export", "people", "--json").lines[0]["name"] == "Ada"
    usage = people("export", "people", "--json", "--format", "csv", code=2)
    assert usage.error["code"] == "usage"


def test_export_of_an_older_version_and_of_a_map(people: Run, place: Path) -> None:
    """``--at`` names the version; a map has a key and a value, both JSON."""
    assert "2,Bob,1.8" in people("export", "people", "--at", "HEAD~1").out
    people("put", "settings", '[1, "a"]', '{"x": {"$decimal": "1.10"}}')
    [line] = people("export", "settings", "--format", "jsonl").out.splitlines()
    assert json.loads(line) == {"key": [1, "a"], "value": {"x": {"$decimal": "1.10"}}}


def test_types_text_and_from_a_file(
    run: Run, repository: Path, write: Write, place: Path
) -> None:
    """``--types`` makes everything text, or what a schema says; later it must agree."""
    name = write("a.csv", "id,v", "1,2.50", "2,3")
    run("import", "texts", name, "--types", "text", "--key", "id")
    assert run("get", "texts", "1", "--json").document == {"id": "1", "v": "2.50"}
    schema = {
        "columns": [{"name": "id", "type": "int"}, {"name": "v", "type": "float"}],
        "key": ["id"],
    }
    (place / "s.json").write_text(json.dumps(schema))
    run("import", "floats", name, "--types", "s.json")
    assert run("get", "floats", "1", "--json").document == {"id": 1, "v": 2.5}
    assert (
        "[schema-mismatch]"
        in run("import", "texts", name, "--types", "s.json", code=2).err
    )


def test_the_stored_schema_is_used_again(pairs: Run, write: Write) -> None:
    """A value that does not fit is refused; ``--widen`` lets the column grow."""
    name = write("u.csv", "id,v", "1,10", "2,n/a")
    error = pairs("--json", "import", "t", name, code=2).error
    assert error["code"] == "schema-violation"
    facts = {one: error[one] for one in ("source", "line", "column", "key", "value")}
    assert facts == {
        "source": str(Path(facts["source"])),
        "line": 3,
        "column": "v",
        "key": ["2"],
        "value": "'n/a'",
    }
    assert "--widen" in error["hint"]
    pairs("import", "t", name, "--widen")
    assert pairs("get", "t", "2", "--json").document == {"id": 2, "v": "n/a"}


def test_widening_says_which_column_changed(pairs: Run, write: Write) -> None:
    """From which type to which; a new column too."""
    name = write("u.csv", "id,v,w", "1,10,a", "2,n/a,b")
    shown = pairs("import", "t", name, "--widen").out.splitlines()
    assert shown[1:3] == ["  column v was int, is text", "  column w is new, text"]
    pairs("reset", "--hard")
    answer = pairs("import", "t", name, "--widen", "--json").document
    assert answer["widened"] == {
        "v": {"old": "int", "new": "text"},
        "w": {"new": "text"},
    }
    assert "widened" not in pairs("import", "t", name, "--widen", "--json").document


def test_a_next_release_may_have_gaps(pairs: Run, write: Write) -> None:
    """No column but the key is required, since one file promises nothing."""
    pairs("import", "t", write("u.csv", "id,v", "1,", "2,5"))
    assert pairs("get", "t", "1", "--json").document == {"id": 1, "v": None}
    pairs("put", "t", "3", "{}")
    assert pairs("get", "t", "3", "--json").document == {"id": 3, "v": None}


def test_an_export_to_csv_notes_what_it_loses(pairs: Run, write: Write) -> None:
    """On standard error, with the format that keeps it; silent if nothing is lost."""
    pairs(
        "import", "words", write("w.csv", "a,b", "x,1"), "--key", "a", "--types", "text"
    )
    assert pairs("export", "words").err == ""
    pairs("put", "words", "y", "{}")
    pairs("put", "words", '[""]', '{"b": ""}')
    answer = pairs("export", "words")
    assert "1 null in text columns as empty text" in answer.err
    assert "1 row with an empty key not at all" in answer.err
    assert "jsonl" in answer.err
    assert answer.out == "a,b\n,\nx,1\ny,\n"
    assert pairs("export", "words", "--format", "jsonl").err == ""
    assert "jsonl" in pairs("export", "words", "w.csv.gz").err


BAD = {
    "duplicate-key": ["id,v", "1,a", "2,b", "1,c"],
    "ragged-row": ["id,v", "1,a", "2"],
    "null-key": ["id,v", "1,a", ",b"],
    "key-too-long": ["id,v", "a,1", "k" * 1023 + ",2"],
    "bad-csv": ["id,v", '1,"a'],
    "duplicate-column": ["id,id", "1,2"],
    "column-name": ["id,", "1,2"],
    "no-header": [],
}


@pytest.mark.parametrize("code", BAD)
def test_bad_input_exits_2_and_changes_nothing(
    run: Run, repository: Path, write: Write, code: str
) -> None:
    """Each gets its code, one line with the place, a hint, and no dataset."""
    name = write("bad.csv", *BAD[code])
    answer = run("import", "t", name, "--key", "id", code=2)
    first, hint = answer.err.splitlines()
    assert first.startswith("prolly: error: ")
    assert "bad.csv" in first
    assert first.endswith(f"[{code}]")
    assert hint.startswith("hint: ")
    assert run("ls", "--json").document == {"datasets": {}}


@pytest.mark.parametrize(
    ("code", "line"), [("ragged-row", 3), ("null-key", 3), ("key-too-long", 3)]
)
def test_bad_input_names_the_line(
    run: Run, repository: Path, write: Write, code: str, line: int
) -> None:
    """The line is in the message and a field of the error."""
    name = write("bad.csv", *BAD[code])
    error = run("--json", "import", "t", name, "--key", "id", code=2).error
    assert error["line"] == line
    assert f"line {line}" in error["message"]


def test_a_duplicate_key_names_both_lines(
    run: Run, repository: Path, write: Write
) -> None:
    """Whatever lies between the two rows."""
    lines = ["id,v", "x,1", *(f"k{number},1" for number in range(5000)), "x,2"]
    name = write("bad.csv", *lines)
    error = run("--json", "import", "t", name, "--key", "id", code=2).error
    assert error["lines"] == [2, 5003]
    assert "the key 'x' stands on lines 2 and 5003" in error["message"]


def test_wrong_encoding_names_line_and_byte(run: Run, repository: Path) -> None:
    """Latin-1 is no UTF-8, and the hint says how to convert."""
    (repository / "bad.csv").write_bytes(b"id,v\n1,a\n2,\xe9\n")
    error = run("--json", "import", "t", "bad.csv", "--key", "id", code=2).error
    assert (error["code"], error["line"], error["offset"]) == ("encoding", 3, 11)
    assert "iconv" in error["hint"]


def test_unknown_type_lists_the_types(run: Run, repository: Path, write: Write) -> None:
    """A schema with a type that is none names those that there are."""
    form = '{"columns": [{"name": "id", "type": "integer"}], "key": ["id"]}'
    words = ["import", "t", write("a.csv", "id", "1"), "--types", write("s.json", form)]
    error = run("--json", *words, code=2).error
    assert error["code"] == "column-type"
    assert "decimal" in error["hint"]


def test_the_first_import_wants_a_key(run: Run, repository: Path, write: Write) -> None:
    """Without ``--key`` the hint offers the first column; a wrong one lists all."""
    name = write("a.csv", "id,v", "1,x")
    answer = run("import", "t", name, code=2)
    assert "[missing-key]" in answer.err
    assert "--key id" in answer.err
    assert (
        "Its columns are id, v" in run("import", "t", name, "--key", "icao", code=2).err
    )


def test_other_columns_are_named(pairs: Run, write: Write) -> None:
    """A column too few and one too many are both in the message."""
    error = pairs("--json", "import", "t", write("u.csv", "id,w", "1,2"), code=2).error
    assert (error["code"], error["missing"], error["new"]) == (
        "columns-differ",
        ["v"],
        ["w"],
    )


def test_a_map_comes_back_from_its_export(run: Run, repository: Path) -> None:
    """With --map into a new dataset; into a map that is there, without a word."""
    run("put", "settings", "[5]", '{"$date": "2026-01-31"}')
    run("put", "settings", "a", "null")
    run("commit", "-m", "base")
    for name in ("s.csv", "s.jsonl", "s.tsv.gz"):
        run("export", "settings", name)
        run("import", "copy", name, "--map", "-m", "copy")
        assert roots(run, "copy") == roots(run, "settings")
    run("put", "settings", "b", "1")
    run("import", "settings", "s.csv")
    assert run("status", "--json").document["datasets"] == {}
    answer = run("import", "settings", "s.csv", "--key", "key", code=2)
    assert "--key" in answer.err
    answer = run("--json", "import", "copy", "--map", "s.csv", "--append", code=2)
    assert answer.error["code"] == "key-exists"


def roots(run: Run, dataset: str) -> str:
    """Return the root of a dataset in the last commit."""
    root = run("show", "--json").document["datasets"][dataset]["root"]
    assert isinstance(root, str)
    return root


def test_an_update_of_some_columns_keeps_the_others(people: Run, write: Write) -> None:
    """Without a word; a replacing import of them asks what is meant."""
    people("import", "people", write("u.csv", "id,height", "1,2.0"), "--update")
    row = {"id": 1, "name": "Ada", "height": 2.0}
    assert people("get", "people", "1", "--json").document == row
    error = people("--json", "import", "people", "u.csv", code=2).error
    assert error["code"] == "columns-differ" and "--missing" in error["hint"]
    people("import", "people", "u.csv", "--missing", "keep")
    assert people("scan", "people", "--json").lines == [row]


def test_a_unique_index_and_empty_cells(
    run: Run, repository: Path, write: Write
) -> None:
    """Both lines are named, with the option that makes the cells null."""
    schema = json.dumps(
        {
            "columns": [{"name": "id", "type": "int"}, {"name": "a", "type": "text"}],
            "key": ["id"],
            "indexes": [{"name": "by_a", "columns": ["a"], "unique": True}],
        }
    )
    name, how = write("t.csv", "id,a", "1,", "2,"), ("--types", write("s.json", schema))
    error = run("--json", "import", "t", name, *how, code=2).error
    assert (error["code"], error["lines"]) == ("unique-violation", [2, 3])
    assert "t.csv line 2 and " in error["message"]
    assert "--empty-as-null a" in error["hint"]
    run("import", "t", name, *how, "--empty-as-null", "a")
    assert run("get", "t", "2", "--json").document == {"id": 2, "a": None}
    run("import", "m", name, "--map", "--empty-as-null", "a", code=2)
