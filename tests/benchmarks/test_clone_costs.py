"""The measurement of clones runs, on small ones."""

from __future__ import annotations

import pytest

from benchmarks.clone_costs import main


def test_it_measures_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each form, with the bytes of its records."""
    main(["--records", "500"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["map", "table"]
    assert all("for 0.1 MB of records" in line for line in lines)
