"""The measurement of bulk work on several processes runs, on a small file."""

from __future__ import annotations

import re

import pytest

from benchmarks.jobs import main


def test_it_measures_each_work(capsys: pytest.CaptureFixture[str]) -> None:
    """Facts of the machine, then a line for each work."""
    main(["--rows", "200", "--repeats", "1", "--jobs", "2"])
    machine, versions, sizes, *lines = capsys.readouterr().out.splitlines()
    assert "cores" in machine
    assert "seed 1" in versions
    assert "200 rows" in sizes
    assert [line.split("  ")[0] for line in lines] == [
        f"{work}, --jobs 2" for work in ("import CSV", "export CSV", "fsck --full")
    ]
    for line in lines:
        assert re.search(r"\d\.\d\d s  \(.* to .*\)  +\d+\.\d\d x  processors", line)


def test_a_command_that_fails_ends_the_measurement() -> None:
    """No figure is taken of what did not work."""
    with pytest.raises(SystemExit, match="exit 2"):
        main(["--rows", "0", "--repeats", "1", "--jobs", "0"])
