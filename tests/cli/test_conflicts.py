"""``conflicts`` and ``resolve``: seen side by side, settled one by one or in bulk."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import prolly

Run = Callable[..., Any]


def test_conflicts_as_json(merging: Run) -> None:
    """One a line, with the three values; what is not there is left out."""
    people2, people3, theme = merging("conflicts", "--json").lines
    assert people2 == {
        "dataset": "people",
        "key": [2],
        "base": {"id": 2, "name": "Bob", "height": 1.8},
        "ours": {"id": 2, "name": "Bo", "height": 1.9},
        "theirs": {"id": 2, "name": "Bobby", "height": 2.0},
        "fields": ["name", "height"],
        "kind": "record",
    }
    assert "ours" not in people3
    assert (people3["fields"], people3["theirs"]["name"]) == ([], "Cyd")
    assert theme == {
        "dataset": "settings",
        "key": ["theme"],
        "base": "dark",
        "ours": "light",
        "theirs": "grey",
        "fields": [],
        "kind": "record",
    }
    assert merging("conflicts", "settings", "--json").lines == [theme]


def test_one_conflict_by_its_key(merging: Run) -> None:
    """DATASET KEY shows that one alone, settled or not."""
    [told] = merging("conflicts", "people", "2", "--json").lines
    assert told["key"] == [2]
    merging("resolve", "people", "2", "--ours")
    assert "settled: ours" in merging("conflicts", "people", "2").out


def test_conflicts_side_by_side(merging: Run) -> None:
    """For people a table of what clashes, and what to do next."""
    lines = merging("conflicts").out.splitlines()
    assert lines[:4] == [
        "people 2",
        "          base  ours  theirs",
        "  name    Bob   Bo    Bobby",
        "  height  1.8   1.9   2.0",
    ]
    assert "  name  Cy    (deleted)  Cyd" in lines
    assert lines[-1].startswith("3 conflicts open; next: prolly resolve")


def test_conflicts_are_counted(merging: Run) -> None:
    """--stat counts by dataset, of all or of one."""
    told = merging("conflicts", "--stat", "--json").document
    assert told == {"conflicts": 3, "datasets": {"people": 2, "settings": 1}}
    told = merging("conflicts", "people", "--stat", "--json").document
    assert told == {"conflicts": 2, "datasets": {"people": 2}}
    assert "  settings  1" in merging("conflicts", "--stat").out


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("conflicts", "nothing"), "no-such-dataset", 3),
        (("conflicts", "a", "b", "c"), "usage", 2),
        (("conflicts", "people", "2", "--stat"), "usage", 2),
        (("conflicts", "people", "77"), "no-such-conflict", 3),
        (("conflicts", "export"), "usage", 2),
        (("conflicts", "export", "a", "b"), "usage", 2),
        (("conflicts", "export", "a", "--stat"), "usage", 2),
        (("conflicts", "import", "missing.csv"), "no-file", 3),
        (("resolve", "people", "1", "--ours"), "no-such-conflict", 3),
        (("resolve", "people", "77", "--value", "{}"), "no-such-conflict", 3),
        (("resolve", "people", "77", "--delete"), "no-such-conflict", 3),
        (("resolve", "people", "77", "-i"), "usage", 2),
        (("resolve", "nothing", "--ours"), "no-such-dataset", 3),
        (("resolve", "people", "x", "--ours"), "value-type", 2),
        (("resolve", "people", "[1, 2]", "--ours"), "key-parts", 2),
        (("resolve", "people", "2", "--value", "5"), "not-a-row", 2),
        (("resolve", "people", "2", "--value", "{"), "bad-json", 2),
        (("resolve", "people", "2", "--value", '{"x": 1}'), "unknown-column", 2),
        (("resolve", "people", "2", "--value", '{"name": 5}'), "value-type", 2),
        (("resolve", "people", "2", "--value", '{"id": 5}'), "key-mismatch", 2),
        (("resolve", "settings", "theme", "--value", "dark"), "bad-json", 2),
        (("resolve", "people", "2", "--ours", "--field", "id"), "no-such-conflict", 3),
        (("resolve", "people", "--schema", "name", "--ours"), "no-such-conflict", 3),
        (("resolve", "people", "--value", "{}"), "usage", 2),
        (("resolve", "people", "--delete"), "usage", 2),
        (("resolve", "people", "2"), "usage", 2),
        (("resolve", "people", "2", "--ours", "--delete"), "usage", 2),
        (("resolve", "--ours"), "usage", 2),
        (("resolve", "people", "--all", "--ours"), "usage", 2),
        (("resolve", "people", "--ours", "--field", "nam"), "no-such-conflict", 3),
        (("resolve", "settings", "--ours", "--field", "x"), "no-such-conflict", 3),
        (("resolve", "--all", "--ours", "--field", "name"), "usage", 2),
        (("resolve", "people", "--value", "{}", "--field", "name"), "usage", 2),
        (("resolve", "people", "2", "--schema", "name", "--ours"), "usage", 2),
        (("resolve", "people", "--schema", "name", "--delete"), "usage", 2),
        (("resolve", "--all", "--delete"), "usage", 2),
    ],
)
def test_bad_input_settles_nothing(
    merging: Run, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    """A key that is not in conflict, a value that does not fit, words that clash."""
    before = merging("status", "--json").document
    assert merging(*words, "--json", code=exit_code).error["code"] == code
    assert merging("status", "--json").document == before


def test_a_dataset_without_conflicts_says_so(merging: Run) -> None:
    """It is there, and nothing of it is to be settled."""
    merging("put", "other", "x", "1")
    assert merging("conflicts", "other").out == "no conflicts\n"
    refused = merging("resolve", "other", "--ours", "--json", code=3)
    assert refused.error["code"] == "no-such-conflict"


def test_resolve_one_by_one(merging: Run) -> None:
    """A side, a value, a deletion; each says how many are left."""
    told = merging("resolve", "people", "2", "--theirs", "--json").document
    assert told == {
        "settled": 1,
        "conflicts": 2,
        "datasets": {"people": 1, "settings": 1},
    }
    assert "2 conflicts:" not in merging("resolve", "people", "3", "--delete").out
    assert "3" not in {
        str(one["id"]) for one in merging("scan", "people", "--json").lines
    }
    done = merging("resolve", "settings", "theme", "--value", '{"x": [1]}').out
    assert "all settled; next: prolly merge --continue" in done
    merging("merge", "--continue")
    assert merging("get", "settings", "theme", "--json").document["value"] == {"x": [1]}
    row = merging("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bobby", "height": 2.0}


def test_a_conflict_may_be_settled_again(merging: Run) -> None:
    """Until the merge is committed; --all of conflicts lists those that are settled."""
    for side, value in (("ours", "light"), ("base", "dark"), ("theirs", "grey")):
        merging("resolve", "settings", "theme", f"--{side}")
        found = merging("get", "settings", "theme", "--json").document["value"]
        assert found == value
    assert len(merging("conflicts", "--json").lines) == 2
    listed = merging("conflicts", "--all", "--json").lines
    assert [one.get("settled") for one in listed] == [None, None, "theirs"]
    assert "settled: theirs" in merging("conflicts", "--all").out


def test_a_row_may_leave_columns_out(merging: Run) -> None:
    """They stay as they stand; which of them were in conflict is told."""
    told = merging("resolve", "people", "2", "--value", '{"height": 1.95}')
    assert "not named, so as it stands now: name (" in told.err
    row = merging("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bo", "height": 1.95}


def test_fields_are_settled_apart(merging: Run) -> None:
    """One field of ours and one of theirs: the record is settled with the last."""
    merging("resolve", "people", "2", "--theirs", "--field", "name")
    open_one = merging("conflicts", "people", "--json").lines[0]
    assert open_one["fields"] == ["height"]
    merging("resolve", "people", "2", "--ours", "--field", "height")
    assert [one["key"] for one in merging("conflicts", "people", "--json").lines] == [
        [3]
    ]
    row = merging("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bobby", "height": 1.9}
    merging("resolve", "--all", "--ours")
    merging("merge", "--continue")


def test_the_rest_of_a_record_goes_with_all(merging: Run) -> None:
    """What was settled by itself stays when the rest is taken in bulk."""
    merging("resolve", "people", "2", "--theirs", "--field", "name")
    merging("resolve", "people", "--ours")
    row = merging("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bobby", "height": 1.9}
    assert merging("conflicts", "people").out == "no conflicts\n"


def test_a_dataset_or_all_at_once(merging: Run) -> None:
    """Without KEY all of a dataset, with --all of every one."""
    told = merging("resolve", "people", "--theirs", "--json").document
    assert (told["settled"], told["conflicts"]) == (2, 1)
    told = merging("resolve", "--all", "--base", "--json").document
    assert (told["settled"], told["conflicts"]) == (1, 0)


def answers(run: Run, words: tuple[str, ...], *lines: str) -> Any:
    """Run a command with lines typed into it."""
    return run(*words, stdin="".join(f"{line}\n" for line in lines).encode())


def test_resolve_asks(merging: Run) -> None:
    """Each is shown and answered; what does not fit is asked again."""
    told = answers(
        *(merging, ("resolve", "-i", "--all")),
        *("e", '{"name": 5}', "e", '{"name": "B"}', "s", "what", "t"),
    )
    assert "settled 2 conflicts" in told.out
    assert "name    Bob   Bo    Bobby" in told.out
    assert "[value-type]" in told.err
    assert merging("get", "people", "2", "--json").document["name"] == "B"
    assert merging("get", "settings", "theme", "--json").document["value"] == "grey"
    assert [one["key"] for one in merging("conflicts", "--json").lines] == [[3]]


def test_asking_ends_with_the_input_or_q(merging: Run) -> None:
    """What was answered until then is settled."""
    assert (
        "settled 1 conflict\n"
        in answers(merging, ("resolve", "people", "-i"), "o", "q", "o").out
    )
    assert "settled 0 conflicts" in answers(merging, ("resolve", "people", "-i")).out
    one = answers(merging, ("resolve", "people", "2", "-i"), "d").out
    assert "settled 1 conflict\n" in one
    missing = merging("resolve", "people", "77", "-i", code=3)
    assert "[no-such-conflict]" in missing.err


def test_a_dataset_called_export_is_reached(merging: Run) -> None:
    """Behind -- a word is a dataset and nothing else."""
    refused = merging("conflicts", "--json", "--", "export", code=3)
    assert refused.error["code"] == "no-such-dataset"
    merging("put", "export", "x", "1")
    assert merging("conflicts", "--", "export").out == "no conflicts\n"


def fill(file: Path, takes: dict[tuple[str, str], tuple[str, str]]) -> None:
    """Write (take, value) into the lines of (key, field)."""
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    for row in rows:
        row["take"], row["value"] = takes.get((row["key"], row["field"]), ("", ""))
    with file.open("w", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_out_and_back(merging: Run, place: Path) -> None:
    """Different takes for the fields of one record; without a take it stays open."""
    told = merging("conflicts", "export", "sheet.csv", "--json").document
    assert told == {"file": "sheet.csv", "lines": 4}
    takes = {
        ("[2]", "name"): ("theirs", ""),
        ("[2]", "height"): ("value", "1.95"),
        ('["theme"]', ""): ("value", '"pink"'),
    }
    fill(place / "sheet.csv", takes)
    told = merging("conflicts", "import", "sheet.csv", "--json").document
    assert told == {"settled": 3, "conflicts": 1, "datasets": {"people": 1}}
    row = merging("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bobby", "height": 1.95}
    fill(place / "sheet.csv", {("[3]", ""): ("ours", "")})
    done = merging("conflicts", "import", "sheet.csv")
    assert "all settled; next: prolly merge --continue" in done.out
    merging("merge", "--continue")
    assert (
        merging("get", "people", "3", "--json", code=3).error["code"] == "key-not-found"
    )


def test_a_filled_in_sheet_is_not_overwritten(merging: Run, place: Path) -> None:
    """Only with --force, which goes with export alone."""
    (place / "sheet.csv").write_text("answers")
    refused = merging("conflicts", "export", "sheet.csv", "--json", code=2)
    assert refused.error["code"] == "sheet-exists"
    assert (place / "sheet.csv").read_text() == "answers"
    merging("conflicts", "--force", code=2)
    merging("conflicts", "import", "sheet.csv", "--force", code=2)
    merging("conflicts", "export", "sheet.csv", "--force")
    assert (place / "sheet.csv").read_text().startswith("dataset,")


def test_a_sheet_to_standard_output(merging: Run) -> None:
    """As CSV, and nothing beside."""
    lines = merging("conflicts", "export", "-").out.splitlines()
    assert lines[0] == "dataset,kind,key,field,base,ours,theirs,take,value,reason"
    assert len(lines) == 5


def test_a_sheet_that_does_not_fit_settles_nothing(merging: Run, place: Path) -> None:
    """A wrong line is named, and the lines before it are not settled either."""
    merging("conflicts", "export", "sheet.csv")
    fill(place / "sheet.csv", {("[2]", "name"): ("ours", ""), ("[3]", ""): ("his", "")})
    before = merging("status", "--json").document
    refused = merging("conflicts", "import", "sheet.csv", "--json", code=2)
    assert (refused.error["code"], refused.error["line"]) == ("conflict-sheet", 4)
    assert merging("status", "--json").document == before


@pytest.fixture
def library(place: Path, run: Run) -> Any:
    """A repository made from Python, where main and feature change what ``edit`` says.

    Call it with three functions of a transaction; the merge is begun then.
    """
    run("init")

    def made(*edits: Callable[[Any], None]) -> None:
        with prolly.open(place) as repo:
            base, ours, theirs = edits
            for branch, edit in (("main", base), ("main", ours), ("feature", theirs)):
                with repo.transaction(branch, message=branch) as tx:
                    edit(tx)
                if "feature" not in repo.branches:
                    repo.create_branch("feature")

    return made


def test_a_constraint_conflict_is_shown_and_settled(library: Any, run: Run) -> None:
    """What broke a unique index is withheld, listed with its reason, and settled."""

    def base(tx: Any) -> None:
        schema = prolly.Schema.from_json(
            {
                "columns": [
                    {"name": "id", "type": "int"},
                    {"name": "mail", "type": "text"},
                ],
                "key": ["id"],
                "indexes": [{"name": "mail", "columns": ["mail"], "unique": True}],
            }
        )
        tx.table("people", schema=schema).insert({"id": 1, "mail": "a@x"})

    library(
        base,
        lambda tx: tx.table("people").insert({"id": 2, "mail": "b@x"}),
        lambda tx: tx.table("people").insert({"id": 3, "mail": "b@x"}),
    )
    run("merge", "feature", code=1)
    [line] = run("conflicts", "--json").lines
    assert (line["kind"], line["key"]) == ("constraint", [3])
    assert "people 3 (constraint)" in run("conflicts").out
    refused = run("resolve", "people", "3", "--theirs", "--json", code=2)
    assert refused.error["code"] == "unique-violation"
    run("resolve", "people", "3", "--value", '{"mail": "c@x"}')
    run("merge", "--continue")
    assert len(run("scan", "people", "--json").lines) == 2 + 1


def test_a_schema_conflict_is_shown_and_settled(library: Any, run: Run) -> None:
    """A dataset that both renamed has a conflict of its own kind, by --schema."""
    library(
        lambda tx: tx.map("old").update([("k", 1)]),
        lambda tx: tx.rename("old", "mine"),
        lambda tx: tx.rename("old", "yours"),
    )
    run("merge", "feature", code=1)
    [line] = run("conflicts", "--json").lines
    assert (line["kind"], line["key"]) == ("schema", ["name"])
    assert [line[side] for side in ("base", "ours", "theirs")] == [
        "old",
        "mine",
        "yours",
    ]
    assert "(schema)" in run("conflicts").out
    run("resolve", "mine", "--schema", "name", "--theirs")
    assert "yours" in run("ls").out
    run("merge", "--continue")


def test_files_and_blobs_in_conflict(library: Any, run: Run) -> None:
    """A file is taken whole; a blob has no key."""

    def write(data: bytes) -> Callable[[Any], None]:
        def edit(tx: Any) -> None:
            tx.files("docs").write("a.txt", data)
            tx.blob("logo", "wb").write(data)

        return edit

    library(write(b"base"), write(b"ours!"), write(b"theirs"))
    run("merge", "feature", code=1)
    listed = run("conflicts", "--json").lines
    assert [(one["dataset"], one["key"]) for one in listed] == [
        ("docs", ["a.txt"]),
        ("logo", []),
    ]
    assert listed[1]["theirs"]["size"] == 6
    assert "logo\n" in run("conflicts").out
    run("conflicts", "export", "sheet.csv")
    run("resolve", "docs", "a.txt", "--theirs")
    run("resolve", "logo", "--theirs")
    assert run("files", "cat", "logo").out == "theirs"
    value = json.dumps({"$bytes": "bmV3"})
    run("resolve", "logo", "--value", value)
    assert run("files", "cat", "logo").out == "new"
    run("merge", "--continue")
    assert run("files", "cat", "docs", "a.txt").out == "theirs"


def test_empty_lines_of_a_sheet_are_passed_over(merging: Run, place: Path) -> None:
    """A spreadsheet leaves commas where somebody emptied a line."""
    merging("conflicts", "export", "sheet.csv")
    with (place / "sheet.csv").open("a") as sheet:
        sheet.write("," * 9 + "\n")
    merging("conflicts", "import", "sheet.csv")


def test_a_blob_has_no_key(library: Any, run: Run, place: Path) -> None:
    """Neither on the command line nor in a sheet; the hint says what to leave out."""

    def write(data: bytes) -> Callable[[Any], None]:
        return lambda tx: tx.blob("bl", "wb").write(data)

    library(write(b"0"), write(b"1"), write(b"2"))
    run("merge", "feature", code=1)
    refused = run("resolve", "bl", "x", "--ours", "--json", code=2)
    assert refused.error["code"] == "key-parts" and "KEY" in refused.error["hint"]
    run("conflicts", "export", "sheet.csv")
    sheet = place / "sheet.csv"
    text = sheet.read_text()
    assert "bl,record,[]," in text
    sheet.write_text(text.replace("bl,record,[],", 'bl,record,"[""x""]",'))
    refused = run("conflicts", "import", "sheet.csv", "--json", code=2)
    assert "is not in conflict" in refused.error["message"]
    run("resolve", "bl", "--ours")


def test_text_in_a_column_of_json_is_quoted_twice(
    library: Any, run: Run, place: Path
) -> None:
    """Quoted once it is no JSON, and the hint says so."""
    schema = prolly.Schema.create([("id", "int"), ("j", "json")], "id")

    def write(cell: str) -> Callable[[Any], None]:
        return lambda tx: tx.table("t", schema=schema).upsert({"id": 1, "j": cell})

    library(write("x"), write("y"), write("z"))
    run("merge", "feature", code=1)
    run("conflicts", "export", "sheet.csv")
    fill(place / "sheet.csv", {("[1]", "j"): ("value", '"dark"')})
    refused = run("conflicts", "import", "sheet.csv", "--json", code=2)
    assert "quotes twice" in refused.error["hint"]
    fill(place / "sheet.csv", {("[1]", "j"): ("value", '"\\"dark\\""')})
    run("conflicts", "import", "sheet.csv")
    assert run("get", "t", "1", "--json").document["j"] == "dark"


def test_an_option_without_its_value_names_its_command(merging: Run) -> None:
    """Whoever left VALUE out finds the help of that command."""
    refused = merging("resolve", "people", "2", "--value", "--json", code=2)
    refused = merging("--json", "resolve", "people", "2", "--value", code=2)
    assert "prolly resolve --help" in refused.error["hint"]
