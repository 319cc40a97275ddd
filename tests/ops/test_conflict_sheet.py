"""Conflicts as a CSV sheet: what is written comes back, what is harmed is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import prolly
from prolly.errors import Error, Invalid
from prolly.ops import export_conflicts, import_conflicts
from prolly.ops.conflict_sheet import COLUMNS, REASON
from prolly.tables import MutableTable, Schema
from prolly.testing.repositories import Write, diverged

MUTABLE_ENCODED = MutableTable._encoded

Edit = Callable[[dict[str, str]], None]


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[prolly.Repository]:
    """A repository with a merge that waits: two clashing fields, a row, a value."""
    with prolly.init(tmp_path / "place") as repo:
        with repo.transaction("main", message="base") as tx:
            table = tx.table("people", key="id")
            table.insert({"id": 1, "name": "007", "height": 1.5})
            table.insert({"id": 2, "name": "Cy", "height": None})
            tx.map("settings")["theme"] = "dark"
        repo.create_branch("feature")
        with repo.transaction("main", message="ours") as tx:
            tx.table("people").upsert({"id": 1, "name": "Bo", "height": 2.0})
            tx.table("people").delete(2)
            tx.map("settings")["theme"] = ["light"]
        with repo.transaction("feature", message="theirs") as tx:
            tx.table("people").upsert({"id": 1, "name": None, "height": 3.25})
            tx.table("people").upsert({"id": 2, "name": "Cyd", "height": None})
            tx.map("settings")["theme"] = {"x": 1}
        assert repo.merge("feature").status == "conflicts"
        yield repo


def exported(repo: prolly.Repository) -> list[dict[str, str]]:
    """Return the lines of the sheet."""
    stream = io.BytesIO()
    assert export_conflicts(repo.conflicts(), stream) == 4
    return list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))


def imported(repo: prolly.Repository, rows: list[dict[str, str]], place: Path) -> int:
    """Write lines into a file and read it as a sheet."""
    with place.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, REASON])
        writer.writeheader()
        writer.writerows(rows)
    return import_conflicts(repo.conflicts(), place)


def test_the_lines_of_a_sheet(repo: prolly.Repository) -> None:
    """One a field, or one for the record, spelt so that nothing harms them."""
    rows = exported(repo)
    assert [tuple(row.values())[:9] for row in rows] == [
        ("people", "record", "[1]", "name", '"007"', "Bo", "null", "", ""),
        ("people", "record", "[1]", "height", "1.5", '"2.0"', "3.25", "", ""),
        (
            *("people", "record", "[2]", ""),
            '{"id": 2, "name": "Cy", "height": null}',
            "",
            '{"id": 2, "name": "Cyd", "height": null}',
            *("", ""),
        ),
        (
            *("settings", "record", '["theme"]', "", '"dark"', '["light"]'),
            *('{"x": 1}', "", ""),
        ),
    ]


def test_takes_are_settled_in_one_step(repo: prolly.Repository, tmp_path: Path) -> None:
    """Sides and values, by field and whole; the sequence moves once."""
    rows = exported(repo)
    rows[0].update(take="theirs")
    rows[1].update(take="value", value='"4.5"')
    rows[2].update(take="value", value='{"name": "C"}')
    rows[3].update(take="value", value="")
    before = repo.store.sequence()
    assert imported(repo, rows[::-1], tmp_path / "sheet.csv") == 4
    assert repo.store.sequence() == before + 1
    assert len(repo.conflicts()) == 0
    working = repo.at_working()
    assert working.table("people")[1] == {"id": 1, "name": None, "height": 4.5}
    assert working.table("people")[2] == {"id": 2, "name": "C", "height": None}
    assert "theme" not in working.map("settings")
    commit = repo.commit_of(repo.conflicts().commit())
    assert commit.metadata["merge"]["settled"] == {"fields": 1, "value": 2}


def test_a_sheet_without_takes_changes_nothing(
    repo: prolly.Repository, tmp_path: Path
) -> None:
    """All stays open, and nothing is written."""
    before = repo.store.sequence()
    assert imported(repo, exported(repo), tmp_path / "sheet.csv") == 0
    assert (repo.store.sequence(), len(repo.conflicts())) == (before, 3)


def test_settled_lines_may_come_again(repo: prolly.Repository, tmp_path: Path) -> None:
    """The same sheet, filled in further, is read again."""
    rows = exported(repo)
    for row, take in zip(rows, ("ours", "theirs", "ours", "ours"), strict=True):
        row["take"] = take
        imported(repo, rows, tmp_path / "sheet.csv")
    assert len(repo.conflicts()) == 0
    assert repo.at_working().table("people")[1]["height"] == 3.25


FAULTS: dict[str, tuple[int | None, Callable[[list[dict[str, str]]], Any]]] = {
    "a line that misses": (None, lambda rows: rows.pop(1)),
    "a dataset that misses": (None, lambda rows: rows.pop(3)),
    "a doubled line": (6, lambda rows: rows.append(dict(rows[0]))),
    "another base": (2, lambda rows: rows[0].update(base="Al")),
    "a number made of a text": (2, lambda rows: rows[0].update(base="7")),
    "another ours": (5, lambda rows: rows[3].update(ours="x")),
    "another theirs": (4, lambda rows: rows[2].update(theirs="")),
    "an unknown take": (3, lambda rows: rows[1].update(take="both")),
    "a key that is not in conflict": (2, lambda rows: rows[0].update(key="[7]")),
    "no key": (2, lambda rows: rows[0].update(key="7")),
    "a key of two parts": (2, lambda rows: rows[0].update(key="[1, 2]")),
    "a key of another type": (2, lambda rows: rows[0].update(key='["x"]')),
    "a map's key of no type": (5, lambda rows: rows[3].update(key="[{}]")),
    "an open key": (5, lambda rows: rows[3].update(key="[")),
    "an unknown kind": (2, lambda rows: rows[0].update(kind="row")),
    "another kind": (2, lambda rows: rows[0].update(kind="schema")),
    "an unknown dataset": (2, lambda rows: rows[0].update(dataset="x")),
    "a field that is not in conflict": (2, lambda rows: rows[0].update(field="id")),
    "a field of a map": (5, lambda rows: rows[3].update(field="x")),
    "a value without a take": (2, lambda rows: rows[0].update(value="x")),
    "a value beside a take": (2, lambda rows: rows[0].update(take="ours", value="x")),
    "a value of another type": (
        3,
        lambda rows: rows[1].update(take="value", value="tall"),
    ),
    "a value with open quotes": (
        2,
        lambda rows: rows[0].update(take="value", value='"x'),
    ),
    "a row that is none": (4, lambda rows: rows[2].update(take="value", value="5")),
    "a row of other columns": (
        4,
        lambda rows: rows[2].update(take="value", value='{"x": 1}'),
    ),
    "no JSON": (5, lambda rows: rows[3].update(take="value", value="pink")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_sheet_settles_nothing(
    repo: prolly.Repository, tmp_path: Path, fault: str
) -> None:
    """The line is named, and nothing of any line is settled."""
    line, harm = FAULTS[fault]
    rows = exported(repo)
    for row in rows:
        row["take"] = "ours"
    harm(rows)
    before = repo.store.sequence(), repo.at_working().root
    with pytest.raises(Invalid) as caught:
        imported(repo, rows, tmp_path / "sheet.csv")
    assert caught.value.code == "conflict-sheet"
    assert caught.value.facts.get("line") == line
    assert (repo.store.sequence(), repo.at_working().root) == before
    assert len(repo.conflicts()) == 3


def test_a_value_that_no_row_may_hold_names_its_line(
    repo: prolly.Repository, tmp_path: Path
) -> None:
    """What settling refuses has the line in front, too."""
    rows = exported(repo)
    rows[0].update(take="ours")
    rows[2].update(take="value", value='{"id": null}')
    with pytest.raises(Error) as caught:
        imported(repo, rows, tmp_path / "sheet.csv")
    assert caught.value.facts["line"] == 4
    assert len(repo.conflicts()) == 3


def test_other_columns_are_no_sheet(repo: prolly.Repository, tmp_path: Path) -> None:
    """Semicolons, or a column that misses, are an error of the header."""
    place = tmp_path / "sheet.csv"
    for header in (";".join(COLUMNS), ",".join(COLUMNS[:-1])):
        place.write_text(header + "\n")
        with pytest.raises(Invalid) as caught:
            import_conflicts(repo.conflicts(), place)
        assert (caught.value.code, caught.value.facts["line"]) == ("conflict-sheet", 1)


def test_a_sheet_wants_a_merge(repo: prolly.Repository, tmp_path: Path) -> None:
    """After the merge its sheet is of no use."""
    rows = exported(repo)
    repo.conflicts().abort()
    with pytest.raises(Invalid) as caught:
        imported(repo, rows, tmp_path / "sheet.csv")
    assert caught.value.code == "no-merge"


def test_renamed_columns_keep_their_values(tmp_path: Path) -> None:
    """A field is named as it is now, on each side with the value that it has there."""
    with prolly.init(tmp_path / "place") as repo:
        with repo.transaction("main", message="base") as tx:
            tx.table("t", key="id").insert({"id": 1, "name": "a"})
        repo.create_branch("feature")
        with repo.transaction("main", message="ours") as tx:
            table = tx.table("t")
            table.alter().rename_column("name", "title")
            table.upsert({"id": 1, "title": "b"})
        with repo.transaction("feature", message="theirs") as tx:
            tx.table("t").upsert({"id": 1, "name": "c"})
        assert repo.merge("feature").status == "conflicts"
        stream = io.BytesIO()
        export_conflicts(repo.conflicts(), stream)
        assert stream.getvalue().decode().splitlines()[1:] == [
            "t,record,[1],title,a,b,c,,,"
        ]


def test_a_sheet_says_why(repo: prolly.Repository) -> None:
    """Of a row that one side deleted it names what the other changed."""
    reasons = [line[REASON] for line in exported(repo)]
    assert reasons == ["", "", "ours deleted it, theirs changed name", ""]


def test_words_in_capitals_and_columns_of_ones_own(
    repo: prolly.Repository, tmp_path: Path
) -> None:
    """What people and spreadsheets add is passed over; an unknown word lists all."""
    rows = exported(repo)
    rows[0]["take"] = " Theirs "
    place = tmp_path / "sheet.csv"
    with place.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, REASON, "done by"])
        writer.writeheader()
        writer.writerows([{**row, "done by": "Ada"} for row in rows])
    assert import_conflicts(repo.conflicts(), place) == 1
    rows[1]["take"] = "mine"
    with pytest.raises(Invalid) as caught:
        imported(repo, rows, place)
    assert "keep" in str(caught.value.hint)


def test_a_sheet_of_all_settles_a_merge_that_is_begun_anew(
    repo: prolly.Repository, tmp_path: Path
) -> None:
    """What was settled, in whatever way, comes back; what was open stays open."""
    conflicts = repo.conflicts()
    conflicts.settle("people", 1, "theirs", fields=["name"])
    conflicts.settle_value("people", 2, {"name": "mine"})
    with repo.working_area().edit("put") as edited:
        edited.map("settings")["theme"] = "mine"
    conflicts.keep("settings", "theme")
    place = tmp_path / "all.csv"
    assert export_conflicts(conflicts, place, open_only=False) == 4
    stood = dict(repo.at_working().table("people").items())
    conflicts.abort()
    assert repo.merge("feature").status == "conflicts"
    assert import_conflicts(repo.conflicts(), place) == 3
    assert dict(repo.at_working().table("people").items()) == stood
    assert repo.at_working().map("settings")["theme"] == "mine"
    [conflict] = repo.conflicts().of()
    assert conflict.fields == ("height",)


@pytest.mark.parametrize("kind", ["record", "schema", "constraint"])
@pytest.mark.parametrize("dataset", ["people", "settings"])
@pytest.mark.parametrize(
    "key", ["5", "-0", "1e999", '{"a": 1}', '"x"', "null", "true", "[[]]", "[{}]", "{}"]
)
def test_a_key_that_is_none_is_refused(
    repo: prolly.Repository, tmp_path: Path, kind: str, dataset: str, key: str
) -> None:
    """Whatever stands there: Invalid with the line, and nothing is settled."""
    lines = exported(repo)
    lines[1].update(dataset=dataset, kind=kind, key=key, take="ours")
    with pytest.raises(Invalid) as caught:
        imported(repo, lines, tmp_path / "sheet.csv")
    assert (caught.value.code, caught.value.facts["line"]) == ("conflict-sheet", 3)
    assert len(repo.conflicts()) == 3


def test_a_wide_row_is_read_and_written_once() -> None:
    """Each field has a line; what is said of one record is settled together."""
    names = [f"c{number}" for number in range(60)]

    def writes(value: int) -> Write:
        def write(tx: prolly.Transaction) -> None:
            row = dict.fromkeys(names, value)
            tx.table("wide", key="id").load([{"id": key, **row} for key in (1, 2)])

        return write

    repo = diverged(writes(0), writes(1), writes(2))
    repo.merge("feature")
    stream = io.BytesIO()
    export_conflicts(repo.conflicts("main"), stream)
    lines = list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))
    for line in lines:
        way = names.index(line["field"]) % 3
        line["take"] = ("theirs", "base", "value")[way]
        line["value"] = "9" if way == 2 else ""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    with (
        patch.object(Schema, "from_value", wraps=Schema.from_value) as schemas,
        patch.object(MutableTable, "_encoded", autospec=True) as encoded,
    ):
        encoded.side_effect = MUTABLE_ENCODED
        sheet = io.BytesIO(text.getvalue().encode())
        assert import_conflicts(repo.conflicts("main"), sheet) == 120
    assert schemas.call_count < 60
    assert encoded.call_count <= 2 * 3
    assert not repo.conflicts("main")
    for row in repo.at_working("main").table("wide").values():
        assert [row[name] for name in names] == [2, 0, 9] * 20


def test_empty_values_are_counted(repo: prolly.Repository, tmp_path: Path) -> None:
    """Null for a field and no record: whoever imports is told of how many lines."""
    lines, place, counts = exported(repo), tmp_path / "sheet.csv", list[int]()
    lines[1].update(take="value")
    lines[2].update(take="value")
    lines[3].update(take="value", value="null")
    with place.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, REASON])
        writer.writeheader()
        writer.writerows(lines)
    taken = import_conflicts(repo.conflicts(), place, on_empty=counts.append)
    assert (taken, counts) == (3, [2])
