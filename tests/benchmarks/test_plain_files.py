"""The measurement of plain files runs, on small ones."""

from __future__ import annotations

import re

import pytest

from benchmarks.plain_files import main


def test_it_measures_both(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, with a median, a range and a peak."""
    main(["--scale", "500", "--repeats", "1"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert "seed 1" in first
    assert [line.split(",")[0] for line in lines] == ["diff", "merge"]
    for line in lines:
        assert re.search(r"\d\.\d\d s  \(.* to .*\)  peak \d+ MB$", line)
