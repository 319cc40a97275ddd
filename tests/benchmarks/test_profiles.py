"""Profiles as results: names without places of this machine, shown where missed."""

from __future__ import annotations

import cProfile
from pathlib import Path

from benchmarks.profiles import Profiles, load_profiles, profile_of
from benchmarks.results import Figure, Results
from benchmarks.targets import verdicts

ABOUT = {"command": "python -m benchmarks profile", "commit": {"commit": "0" * 40}}
MILLION = 1_000_000


def taken(directory: Path) -> str:
    """Profile a little work; return the file."""
    profiler = cProfile.Profile()
    profiler.runcall(lambda: sorted(str(one) for one in range(2000)))
    profiler.dump_stats(directory / "raw")
    return str(directory / "raw")


def test_a_profile_tells_shares_and_no_path(tmp_path: Path) -> None:
    """Shares are of all time, the dearest first; files are named from the project."""
    profile = profile_of(taken(tmp_path), "get-hit", "map", MILLION)
    shares = [share for _, _, share in profile.functions]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) < 1.001
    assert profile.calls >= 2000
    names = [name for name, *_ in profile.functions]
    assert "builtins.sorted" in " ".join(names).replace("method ", "")
    assert not [name for name in names if name.startswith("/")]


def test_profiles_come_back_as_they_were_saved(tmp_path: Path) -> None:
    """Loading undoes saving, but for digits of the shares."""
    profile = profile_of(taken(tmp_path), "get-hit", "map", MILLION)
    Profiles(ABOUT, [profile]).save(tmp_path / "deep" / "profiles.json")
    found = load_profiles(tmp_path / "deep" / "profiles.json")
    assert found.about == ABOUT
    [one] = found.profiles
    assert [line[:2] for line in one.functions] == [
        line[:2] for line in profile.functions
    ]


def test_only_what_missed_its_target_is_shown(tmp_path: Path) -> None:
    """A workload whose target is met has no list on the page."""
    figures = [
        Figure(engine, "map", MILLION, work, unit, [value])
        for engine, work, unit, value in (
            ("prolly", "get-hit", "us", 9.0),
            ("doltlite", "get-hit", "us", 3.0),
            ("prolly", "diff-1", "ms", 1.0),
            ("doltlite", "diff-1", "ms", 2.0),
        )
    ]
    found = verdicts(Results({}, figures=figures))
    path = taken(tmp_path)
    both = [profile_of(path, work, "map", MILLION) for work in ("get-hit", "diff-1")]
    text = "\n".join(Profiles(ABOUT, both).blocks(found))
    assert "**get-hit, map, 1,000,000**" in text and "diff-1" not in text
    assert not list(Profiles(ABOUT, both[1:]).blocks(found))
