"""Reading and editing records: get, scan, ls, schema, put, delete, dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def numbers(run: Run, repository: Path) -> Run:
    """A repository with a map of whole numbers and of text."""
    for number in range(1, 6):
        run("put", "n", f"[{number}]", str(number * number))
    for word in ("alpha", "alp", "beta"):
        run("put", "n", word, json.dumps(word.upper()))
    return run


def test_get_of_a_map(numbers: Run) -> None:
    """The value alone for people, key and value as JSON; 5 and "5" are two keys."""
    assert numbers("get", "n", "[5]").out == "25\n"
    assert numbers("get", "n", "alp", "--json").document == {
        "key": ["alp"],
        "value": "ALP",
    }
    numbers("get", "n", "5", code=3)


def test_get_of_a_table(people: Run) -> None:
    """One aligned line a column for people, the row as JSON."""
    assert people("get", "people", "2").out == "id      2\nname    Bo\nheight  1.9\n"
    row = {"id": 2, "name": "Bo", "height": 1.9}
    assert people("get", "people", "2", "--json").document == row
    assert people("get", "people", "[2]", "--json").document == row
    assert people("get", "people", "2", "--at", "HEAD~1", "--json").document == {
        "id": 2,
        "name": "Bob",
        "height": 1.8,
    }


def test_scan_bounds(numbers: Run) -> None:
    """From is inclusive, to exclusive; prefix, reverse and limit narrow further."""

    def keys(*words: str) -> list[Any]:
        lines = numbers("scan", "n", "--json", *words).lines
        return [line["key"][0] for line in lines]

    everything = ["alp", "alpha", "beta", 1, 2, 3, 4, 5]
    assert keys() == everything
    assert keys("--reverse") == everything[::-1]
    assert keys("--from", "[2]", "--to", "[4]") == [2, 3]
    assert keys("--prefix", "al") == ["alp", "alpha"]
    assert keys("--prefix", '["beta"]') == ["beta"]
    assert keys("--limit", "2", "--reverse") == [5, 4]
    assert keys("--limit", "0") == []
    assert numbers("scan", "n", "--limit", "1").out == 'alp: "ALP"\n'


def test_scan_of_a_table(people: Run) -> None:
    """Aligned columns for people, rows as JSON lines, columns as chosen."""
    assert people("scan", "people").out.splitlines() == [
        "id  name  height",
        " 1  Ada      1.6",
        " 2  Bo       1.9",
        " 4  Di       1.5",
    ]
    words = ["scan", "people", "--columns", "height,name", "--limit", "1", "--json"]
    [row] = people(*words).lines
    assert list(row.items()) == [("height", 1.6), ("name", "Ada")]
    rows = people("scan", "people", "--from", "2", "--to", "[4]", "--json").lines
    assert [row["id"] for row in rows] == [2]
    assert (
        "[unknown-column]" in people("scan", "people", "--columns", "nam", code=2).err
    )


def test_scan_of_a_map_has_no_columns(numbers: Run) -> None:
    """An option that cannot apply is wrong usage, not ignored."""
    assert "[usage]" in numbers("scan", "n", "--columns", "a", code=2).err


def test_scanned_text_cannot_control_a_terminal(run: Run, repository: Path) -> None:
    """Control characters in data are spelt out for people and escaped in JSON."""
    run(
        "import", "t", "-", "--format", "csv", "--key", "a", stdin=b"a,b\n1,x\x1b[2Jy\n"
    )
    assert "\x1b" not in run("scan", "t").out
    assert "x\\x1b[2Jy" in run("scan", "t").out
    assert "\x1b" not in run("get", "t", "1").out
    assert run("get", "t", "1", "--json").document["b"] == "x\x1b[2Jy"


def test_put_replaces_a_row_whole(people: Run) -> None:
    """The key comes from KEY; what is said of the change is added or replaced."""
    words = ["put", "people", "9", '{"name": "Eve", "height": 1.75}']
    assert people(*words).out == "people: added 9\n"
    assert people(*words, "--json").document == {
        "dataset": "people",
        "key": [9],
        "change": "replaced",
    }
    assert people("get", "people", "9", "--json").document["name"] == "Eve"


def test_put_update_changes_only_the_fields_that_are_named(people: Run) -> None:
    """The rest of the row stays; without a row there is nothing to update."""
    words = ["put", "people", "2", '{"height": 1.95}', "--update", "--json"]
    assert people(*words).document["change"] == "updated"
    row = {"id": 2, "name": "Bo", "height": 1.95}
    assert people("get", "people", "2", "--json").document == row
    people("put", "people", "2", '{"name": null}', "--update")
    assert people("get", "people", "2", "--json").document == {**row, "name": None}
    error = people("--json", "put", "people", "9", "{}", "--update", code=3).error
    assert error["code"] == "key-not-found"


def test_a_value_may_come_from_standard_input(run: Run, repository: Path) -> None:
    """``-`` is no JSON, so it can mean that."""
    run("put", "m", "k", "-", stdin=b'{"a": 1}\n')
    assert run("get", "m", "k").out == '{"a": 1}\n'
    assert "[encoding]" in run("put", "m", "k", "-", stdin=b'"\xff"', code=2).err


def test_a_name_that_may_be_misspelt_is_noted(people: Run) -> None:
    """The map is made all the same, and the note names what is there too."""
    assert "there is 'people' too" in people("put", "poeple", "k", "1").err
    assert "too" not in people("put", "settings", "k", "1").err


def test_keys_and_values_of_maps_are_shown_as_they_are_typed(
    run: Run, repository: Path
) -> None:
    """A date is no text: get, scan and diff tell them apart, in JSON too."""
    key = '[{"$date": "2026-01-31"}]'
    value = '{"n": {"$decimal": "2.50"}, "at": {"$datetime": "2026-01-31T12:00:00Z"}}'
    run("put", "m", key, value)
    run("put", "m", "2026-01-31", '"text"')
    assert run("get", "m", key).out == f"{value}\n"
    assert run("get", "m", key, "--json").out == f'{{"key": {key}, "value": {value}}}\n'
    assert f"{key}: {value}\n" in run("scan", "m").out
    assert f"+ {key}  {value}\n" in run("diff").out
    assert any(line["key"] == json.loads(key) for line in run("diff", "--json").lines)
    run("delete", "m", key)
    assert run("scan", "m").out == '2026-01-31: "text"\n'


def test_get_shows_cells_as_scan_does(run: Run, repository: Path, place: Path) -> None:
    """A date bare, nan as nan, bytes in base64; text that looks so is the same."""
    columns = [("id", "int"), ("d", "date"), ("f", "float"), ("b", "bytes")]
    form = [{"name": name, "type": kind} for name, kind in columns]
    (place / "s.json").write_text(json.dumps({"columns": form, "key": ["id"]}))
    run("dataset", "create", "t", "--schema", "s.json")
    run("put", "t", "1", '{"d": "2026-01-31", "f": "nan", "b": "AAE="}')
    shown = [line.split() for line in run("get", "t", "1").out.splitlines()]
    assert [cell for _, cell in shown] == run("scan", "t").out.splitlines()[1].split()


def test_put_makes_a_map(run: Run, repository: Path) -> None:
    """A dataset that is not there becomes a map, and a note says so."""
    answer = run("put", "settings", "theme", '{"dark": true}')
    assert "made the map 'settings'" in answer.err
    assert run("ls").out == "settings  map    1 record\n"


def test_delete(numbers: Run) -> None:
    """A record is gone, once."""
    assert numbers("delete", "n", "[3]").out == "n: removed [3]\n"
    numbers("get", "n", "[3]", code=3)
    numbers("delete", "n", "[3]", code=3)


def test_values_of_every_kind_come_back(run: Run, repository: Path) -> None:
    """JSON in, the same JSON out, with the escapes for what JSON lacks."""
    value = {
        "bytes": {"$bytes": "AAE="},
        "decimal": {"$decimal": "1.10"},
        "float": {"$float": "nan"},
        "exact": 2**70,
        "nested": [None, True, 1.5, "ü", {"$map": {"$bytes": "no"}}],
    }
    run("put", "m", "k", json.dumps(value))
    assert run("get", "m", "k", "--json").document["value"] == value


def test_typed_cells_from_plain_strings(run: Run, repository: Path) -> None:
    """In a table the schema says the type, so plain strings are enough."""
    types = ["decimal", "bytes", "date", "datetime", "uuid", "json", "bool"]
    columns = [{"name": one, "type": one} for one in types]
    form = {"columns": [{"name": "day", "type": "date"}, *columns], "key": ["day"]}
    (repository / "s.json").write_text(json.dumps(form))
    run("dataset", "create", "t", "--schema", "s.json")
    row = {
        "decimal": "1.10",
        "bytes": "AAE=",
        "date": "2026-01-31",
        "datetime": "2026-01-31T12:00:00Z",
        "uuid": "12345678-1234-5678-1234-567812345678",
        "json": {"a": [1]},
        "bool": True,
    }
    run("put", "t", "2026-01-02", json.dumps(row))
    found = run("get", "t", "2026-01-02", "--json").out
    assert '"decimal": 1.10' in found
    assert json.loads(found)["json"] == {"a": [1]}
    assert "+ 2026-01-02" in run("diff").out
    put_again = json.loads(found)
    del put_again["decimal"], put_again["day"]
    run("put", "t", '["2026-01-03"]', json.dumps(put_again))
    assert run("get", "t", "2026-01-03", "--json").document["decimal"] is None


def test_ls(numbers: Run) -> None:
    """Kind, root and count of every dataset, also of a version."""
    [(name, info)] = numbers("ls", "--json").document["datasets"].items()
    assert (name, info["kind"], info["count"]) == ("n", "map", 8)
    assert len(info["root"]) == 64
    answer = numbers("ls", "--at", "HEAD")
    assert (answer.out, "no datasets yet" in answer.err) == ("", True)


def test_schema_prints_what_set_reads(people: Run, place: Path) -> None:
    """Setting what was printed changes nothing; the forms agree."""
    text = people("schema", "people").out
    assert json.loads(text) == people("schema", "people", "--json").document
    (place / "s.json").write_text(text)
    assert "already" in people("schema", "people", "--set", "s.json").out
    assert people("status", "--json").document["datasets"] == {}


def test_schema_set_rewrites_the_rows(people: Run, place: Path) -> None:
    """Columns are added, dropped, reordered and retyped; values stay."""
    columns = [
        {"name": "height", "type": "decimal"},
        {"name": "id", "type": "int"},
        {"name": "note", "type": "text", "nullable": True},
    ]
    (place / "s.json").write_text(json.dumps({"columns": columns, "key": ["id"]}))
    refused = people("schema", "people", "--set", "s.json", code=2).err
    assert "[alter-loses-data]" in refused
    assert 'Renamed? Say `"was": "name"` in the column \'note\'' in refused
    people("schema", "people", "--set", "s.json", "--force")
    row = {"height": 1.9, "id": 2, "note": None}
    assert people("get", "people", "2", "--json").document == row
    assert "people (altered)" in people("diff").out
    columns[0]["type"] = "int"
    (place / "s.json").write_text(json.dumps({"columns": columns, "key": ["id"]}))
    error = people("--json", "schema", "people", "--set", "s.json", code=2).error
    assert (error["code"], error["key"], error["column"]) == (
        "schema-violation",
        1,
        "height",
    )
    columns.append({"name": "other", "type": "text"})
    (place / "s.json").write_text(json.dumps({"columns": columns, "key": ["other"]}))
    assert "[key-change]" in people("schema", "people", "--set", "s.json", code=2).err


def test_schema_set_renames_and_makes_indexes_and_checks(
    people: Run, place: Path
) -> None:
    """What it sets it prints; what is left out of the file stays."""
    form = people("schema", "people", "--json").document
    form["columns"][1] = {"name": "nick", "type": "text", "was": "name"}
    form["indexes"] = [{"name": "by_nick", "columns": ["nick"], "unique": True}]
    form["checks"] = [{"name": "tall", "where": "height > 1.2"}]
    (place / "s.json").write_text(json.dumps(form))
    people("schema", "people", "--set", "s.json")
    del form["columns"][1]["was"]
    form["columns"][1]["nullable"] = True
    found = json.loads(people("schema", "people").out)
    assert found == {**form, "references": []}
    assert "[check-violation]" in (
        people("put", "people", "9", '{"nick": "X", "height": 1.0}', code=2).err
    )
    assert "[unique-violation]" in (
        people("put", "people", "9", '{"nick": "Ada", "height": 1.5}', code=2).err
    )
    del form["indexes"], form["checks"]
    (place / "s.json").write_text(json.dumps(form))
    assert "already" in people("schema", "people", "--set", "s.json").out


def test_scan_and_export_where(people: Run) -> None:
    """Only rows of which the predicate is true; a map has no columns to ask about."""
    where = "height > 1.5 and name prefix 'B'"
    [row] = people("scan", "people", "--where", where, "--json").lines
    assert row == {"id": 2, "name": "Bo", "height": 1.9}
    out = people("export", "people", "--where", where).out
    assert out == "id,name,height\n2,Bo,1.9\n"
    error = people("--json", "scan", "people", "--where", "size > 1", code=2).error
    assert (error["code"], error["column"], error["position"]) == (
        "predicate",
        "size",
        1,
    )
    people("dataset", "create", "m")
    people("scan", "m", "--where", "a = 1", code=2)
    assert "[wrong-kind]" in people("export", "m", "--where", "a = 1", code=2).err


def test_datasets_are_created_renamed_and_dropped(people: Run) -> None:
    """All three wait in the working state and are events of a diff."""
    people("dataset", "create", "empty")
    people("dataset", "rename", "people", "persons")
    found = people("diff", "--stat", "--json").document["datasets"]
    zero = {"added": 0, "removed": 0, "modified": 0}
    assert found["empty"] == {**zero, "event": "created"}
    assert found["persons"] == {**zero, "event": "renamed"}
    people("commit", "-m", "renamed")
    people("dataset", "drop", "persons")
    found = people("status", "--json").document["datasets"]
    assert found == {"persons": {**zero, "removed": 3, "event": "dropped"}}
    people("dataset", "rename", "persons", "x", code=3)


def test_local_datasets_are_told_apart(run: Run, repository: Path) -> None:
    """``dataset create --local`` marks one, and ``ls`` shows the mark."""
    run("dataset", "create", "notes", "--local")
    run("dataset", "create", "shared")
    found = run("ls", "--json").document["datasets"]
    assert found["notes"]["local"] is True
    assert "local" not in found["shared"]
    assert [line.endswith("local") for line in run("ls").out.splitlines()] == [
        True,
        False,
    ]


def test_put_new_lets_the_table_make_the_key(
    run: Run, repository: Path, place: Path
) -> None:
    """The key is a uuid and is printed; other tables say that they make none."""
    columns = [{"name": "id", "type": "uuid"}, {"name": "x", "type": "text"}]
    (place / "s.json").write_text(json.dumps({"columns": columns, "key": ["id"]}))
    (place / "n.jsonl").write_text('{"x": "first"}\n')
    run("import", "notes", "n.jsonl", "--types", "s.json")
    answer = run("put", "notes", "--new", '{"x": "hello"}', "--json").document
    [key] = answer["key"]
    key = key["$uuid"] if isinstance(key, dict) else key
    assert answer["change"] == "added"
    assert run("get", "notes", key, "--json").document == {"id": key, "x": "hello"}
    assert "say --new" in run("put", "notes", '{"x": "hello"}', code=2).err
    assert "[usage]" in run("put", "notes", key, "{}", "--new", code=2).err
    assert "[no-such-dataset]" in run("put", "none", "--new", "{}", code=3).err
    (place / "p.csv").write_text("id,x\n1,a\n")
    run("import", "plain", "p.csv", "--key", "id")
    assert "[missing-key]" in run("put", "plain", "--new", "{}", code=2).err
