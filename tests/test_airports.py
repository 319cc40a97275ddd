"""Nine real releases as nine commits: counts, exports and roots are the true ones."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import prolly
from prolly import Repository
from prolly.ops import export_table, import_table

RELEASES = [
    "20240806",
    "20241001",
    "20250224",
    "20250622",
    "20250909",
    "20260208",
    "20260315",
    "20260803",
    "20260905",
]

Release = Callable[[str], Path]


@pytest.fixture(scope="module")
def repo(
    airports: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    """A repository on disk with one commit and one tag a release."""
    with prolly.init(tmp_path_factory.mktemp("nine")) as repo:
        for name in RELEASES:
            area = repo.working_area()
            with area.edit("import") as workspace:
                import_table(workspace, "airports", airports(name), key="icao")
            repo.tags[name] = area.commit(name)
        yield repo


@pytest.fixture(scope="module")
def tables(root: Path) -> str:
    """The README of the data, without the separators of thousands."""
    text = (root / "tests" / "data" / "airports" / "README.md").read_text()
    return re.sub(r"(?<=\d),(?=\d{3})", "", text)


def numbers(row: str) -> list[int]:
    """Return the numbers in the cells of a row of a table."""
    return [int(cell) for cell in row.split("|") if cell.strip().isdigit()]


def test_there_are_nine_releases(repo: Repository, tables: str) -> None:
    """Every release has as many rows as its README says."""
    for name in RELEASES:
        [row] = re.findall(rf"^\| {name} (\|.*sha.*|\|.*…` \|)$", tables, re.M)
        info = repo.at(name).datasets["airports"]
        assert info.count == numbers(row)[0]


def test_every_count_of_changes_is_the_true_one(repo: Repository, tables: str) -> None:
    """Added, removed and modified between neighbours equal the README's table."""
    rows = re.findall(r"^\| (\d{8}) \| (\d{8}) (\|.*\|)$", tables, re.M)
    assert len(rows) == 8
    for old, new, row in rows:
        found = repo.diff_counts(old, new)["airports"]
        assert [found.added, found.removed, found.modified] == numbers(row)
        assert found.event == ""


def test_every_count_of_fields_is_the_true_one(repo: Repository, tables: str) -> None:
    """The modified rows by field equal the README's second table."""
    found = re.findall(r"^\| (?:to|\d{8}) \|.*$", tables, re.M)
    header, *rows = [row for row in found if row.count("|") == 12]
    fields = header.strip("| ").split(" | ")[1:]
    assert len(rows) == 8
    for row in rows:
        name, *expected = numbers(row)
        old = RELEASES[RELEASES.index(str(name)) - 1]
        counts = dict.fromkeys(fields, 0)
        for change in repo.diff(old, str(name)):
            for field in change.fields:
                counts[field] += 1
        assert list(counts.values()) == expected


def records(text: str) -> list[list[str]]:
    """Return a CSV file as records."""
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", RELEASES)
def test_an_export_equals_its_file_as_records(
    repo: Repository, airports: Release, name: str
) -> None:
    """Every cell of every release comes back as it was written, in the same order."""
    stream = io.BytesIO()
    export_table(repo.at(name), "airports", stream, "csv")
    assert records(stream.getvalue().decode()) == records(
        airports(name).read_text(encoding="utf-8")
    )


def test_the_order_of_rows_makes_no_difference(
    repo: Repository, airports: Release, tmp_path: Path
) -> None:
    """A shuffled file gives the same dataset root, in a repository of its own too."""
    header, *rows = airports(RELEASES[0]).read_text(encoding="utf-8").splitlines(True)
    random.Random(1).shuffle(rows)
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("".join([header, *rows]), encoding="utf-8")
    with prolly.init(tmp_path / "other") as other:
        with other.working_area().edit("import") as workspace:
            import_table(workspace, "airports", shuffled, key="icao")
        root = other.at_working().datasets["airports"].root
    assert root == repo.at(RELEASES[0]).datasets["airports"].root


def test_going_back_gives_the_old_root(repo: Repository, airports: Release) -> None:
    """Importing an old release again, over the newest, ends at its old root."""
    with repo.working_area().edit("import") as workspace:
        import_table(workspace, "airports", airports(RELEASES[2]))
    assert repo.at_working().root == repo.at(RELEASES[2]).root
    repo.working_area().discard()
