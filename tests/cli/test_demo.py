"""``prolly demo``: every step works, and nothing stays behind unless asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.tour import CHAPTERS

Run = Callable[..., Any]


def test_the_tour_runs_to_its_end(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each command is shown and answers; the directory is gone afterwards."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = dict(os.environ)
    answer = run("demo")
    assert answer.err == ""
    for chapter in CHAPTERS:
        assert chapter.title in answer.out
    typed = [line for line in answer.out.splitlines() if line.startswith("$ ")]
    assert len(typed) == sum(len(chapter.lines) for chapter in CHAPTERS)
    for word in ("Hólmavík", "1 conflict open", "Merge bob", "main@{1}"):
        assert word in answer.out
    assert not list(tmp_path.glob("prolly-demo-*"))
    assert dict(os.environ) == before


def test_it_can_be_kept(run: Run, place: Path) -> None:
    """--keep leaves a repository to go on with; a directory in use is refused."""
    run("demo", "--keep", "tour")
    assert run("-C", "tour", "status", "--json").document["branch"] == "main"
    assert run("demo", "--keep", "tour", "--json", code=2).error["code"] == "usage"
    assert "[demo-exists]" in run("demo", "--keep", "tour", code=2).err
