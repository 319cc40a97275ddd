"""Exports on several processes: the file is that of one."""

from __future__ import annotations

from pathlib import Path

import pytest

import prolly
from prolly.ops import CsvLosses, export_apart, export_table
from prolly.testing.direct_executor import DirectExecutor

ROWS = [
    {"id": n, "name": None if n % 3 else 'a,"b"\r\n' * (n % 4), "data": b"x" * (n % 2)}
    for n in range(50)
]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> prolly.Repository:
    """A repository with a table, and pieces of few rows."""
    monkeypatch.setattr(export_apart, "PIECE_ROWS", 7)
    repo = prolly.init(tmp_path / "r")
    with repo.transaction("main", message="rows") as tx:
        tx.table("t", key="id").load(ROWS)
    return repo


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.csv.gz", "t.json"])
def test_files_and_losses_are_those_of_one_process(
    repo: prolly.Repository, tmp_path: Path, name: str
) -> None:
    """Whoever spells the rows, the bytes and the counts of losses are the same."""
    found = []
    with repo:
        for jobs in (1, DirectExecutor()):
            losses = CsvLosses()
            place = tmp_path / name
            count = export_table(
                repo.at("main"), "t", str(place), losses=losses, jobs=jobs
            )
            found.append((count, place.read_bytes(), vars(losses)))
    assert found[0] == found[1]
    assert found[0][0] == len(ROWS)


def test_what_cannot_be_spelt_is_told(repo: prolly.Repository, tmp_path: Path) -> None:
    """An error of a row is the same error, and no file appears."""
    with repo:
        with repo.transaction("main", message="nul") as tx:
            tx.table("t").upsert({"id": 30, "name": "\0", "data": b""})
        with pytest.raises(prolly.Invalid) as caught:
            export_table(
                repo.at("main"), "t", str(tmp_path / "x.csv"), jobs=DirectExecutor()
            )
    assert caught.value.code == "nul-character"
    assert not (tmp_path / "x.csv").exists()


def test_unsaved_versions_are_written_alone(
    repo: prolly.Repository, tmp_path: Path
) -> None:
    """A working state, that no other process can open, is written all the same."""
    executor = DirectExecutor()
    with repo:
        with repo.working_area().edit("test") as workspace:
            workspace.table("t").clear()
        found = repo.at_working()
        assert not export_table(found, "t", str(tmp_path / "x.csv"), jobs=executor)
    assert not executor.tasks
