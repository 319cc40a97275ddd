"""Where the time of our own workloads goes: profiles as results that the report shows.

A profiler charges each call of Python, so a profile tells shares, not times: small
functions look dearer than they are, and work in C cheaper.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pstats import Stats
from typing import Any

from .process import SUITE_ROOT
from .records import Form
from .targets import Verdict

# The functions of a profile that are kept and shown, by the time in themselves.
FUNCTIONS = 10


@dataclass
class Profile:
    """One workload of one form and size: all calls, and the dearest functions.

    ``functions`` has (name, calls, share of all time in the function itself).
    """

    work: str
    form: Form
    count: int
    calls: int
    functions: list[tuple[str, int, float]] = field(default_factory=list)


def profile_of(path: str, work: str, form: Form, count: int) -> Profile:
    """Return what a file of the profiler says."""
    raw: Any = Stats(path)
    total = raw.total_tt or 1.0
    dearest = sorted(raw.stats.items(), key=lambda one: -one[1][2])[:FUNCTIONS]
    functions = [
        (_name_of(*place), calls, own / total) for place, (_, calls, own, *_) in dearest
    ]
    return Profile(work, form, count, raw.total_calls, functions)


def _name_of(file: str, line: int, function: str) -> str:
    """Return how a function is called on the page, without a path of this machine."""
    if file == "~":
        return function.strip("<>{}").removeprefix("built-in ").replace("'", "")
    path = Path(file)
    if path.is_relative_to(SUITE_ROOT):
        return f"{path.relative_to(SUITE_ROOT)} {function}"
    return f"{path.name} {function}"


@dataclass
class Profiles:
    """Profiles of one run of the command, and how they came about."""

    about: dict[str, Any]
    profiles: list[Profile] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write them as JSON, shares to three digits."""
        form = asdict(self)
        for one in form["profiles"]:
            one["functions"] = [
                [name, calls, round(share, 3)]
                for name, calls, share in one["functions"]
            ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(form, indent=1) + "\n", encoding="utf-8")

    def blocks(self, found: list[Verdict]) -> Iterator[str]:
        """Yield the section of the page: a list for each target that was missed."""
        wanted = {
            (one.target.work, one.form, one.count): one for one in found if not one.met
        }
        shown = [
            one for one in self.profiles if (one.work, one.form, one.count) in wanted
        ]
        if not shown:
            return
        yield "## Where the time goes"
        yield (
            "Of each target that was missed: the functions with the most time in"
            " themselves, their share of it, and their calls. A profiler charges each"
            " call, so shares are no times, and work in C looks cheaper than it is."
            f" `{self.about['command']}`, commit"
            f" `{self.about['commit']['commit'][:12]}`. What was tried is told in the"
            " design notes [10](design/0010-leaves-as-stored.md),"
            " [14](design/0014-small-commits.md), [17](design/0017-starting.md) and"
            " [25](design/0025-kernel.md)."
        )
        for one in shown:
            yield f"**{one.work}, {one.form}, {one.count:,}**: {one.calls:,} calls"
            yield "\n".join(
                f"- {share:.0%} `{name}`, {calls:,} times"
                for name, calls, share in one.functions
            )


def load_profiles(path: Path) -> Profiles:
    """Read what ``save`` wrote."""
    form = json.loads(path.read_text(encoding="utf-8"))
    profiles = [
        Profile(**{**one, "functions": [tuple(line) for line in one["functions"]]})
        for one in form["profiles"]
    ]
    return Profiles(form["about"], profiles)
