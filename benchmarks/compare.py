"""Two git revisions of prolly side by side, each in a worktree, under one suite.

The suite is that of the checkout it is started from; only the library differs, so both
revisions do the same work, interleaved.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from .engines import OURS
from .machine import git
from .process import SUITE_ROOT
from .results import Figure, Results, show_number
from .run import Subject
from .workloads import WORKLOADS

SIDES = ("old", "new")
# How the compiled kernel is called in a wheel, up to what its platform adds.
KERNEL = "prolly/codec/_kernel."


class UnknownRevision(ValueError):
    """A revision that git does not know."""


@contextmanager
def worktrees(revisions: list[str], directory: Path) -> Iterator[list[Subject]]:
    """Check the revisions out below a directory, for the time of the block.

    Each gets the kernel of its own sources; its label says where it has none. Raises
    UnknownRevision.
    """
    subjects: list[Subject] = []
    try:
        for number, revision in enumerate(revisions):
            commit = git(SUITE_ROOT, "rev-parse", "--verify", revision + "^{commit}")
            if not commit:
                raise UnknownRevision(f"git knows no revision {revision!r}")
            path = directory / f"worktree-{number}"
            _git("worktree", "add", "--detach", "--quiet", str(path), commit)
            label = f"{SIDES[number]} {revision} {commit[:8]}".replace("/", "-")
            subjects.append(Subject(label, OURS, str(path)))
            if not build_kernel(path):
                subjects[-1] = Subject(f"{label} without kernel", OURS, str(path))
        yield subjects
    finally:
        for subject in subjects:
            _git("worktree", "remove", "--force", subject.library)


def build_kernel(checkout: Path) -> bool:
    """Compile the kernel into a checkout, as its wheel has it; tell if it is there.

    A revision without one, and a machine without a compiler, are no errors.
    """
    with TemporaryDirectory() as made:
        words = ["wheel", "--quiet", "--no-deps", "--wheel-dir", made, str(checkout)]
        subprocess.run(
            [sys.executable, "-m", "pip", *words], capture_output=True, check=False
        )
        found = False
        for wheel in Path(made).glob("*.whl"):
            with ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if name.startswith(KERNEL):
                        archive.extract(name, checkout)
                        found = True
    return found


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(SUITE_ROOT), *words], check=True)


def comparison_text(results: Results) -> str:
    """Return the figures of two subjects and their ratio, a line a workload."""
    old, new = results.engines
    lines = [f"{'work':34} {old:>22} {new:>22}   ratio"]
    for one in results.figures:
        if one.engine != old:
            continue
        other = results.find(new, one.form, one.count, one.work)
        lines.append(_comparison_line(one, other))
    return "\n".join(lines)


def _comparison_line(old: Figure, new: Figure | None) -> str:
    what = f"{old.work} {old.form} {old.count:,}, {old.unit}"
    if old.median is None or new is None or new.median is None:
        return f"{what:34} {_shown(old):>22} {_shown(new):>22}"
    ratio = new.median / old.median if old.median else float("nan")
    better = ratio > 1 if WORKLOADS[old.work].more_is_better else ratio < 1
    word = "better" if better else "worse"
    if _overlap(old, new):
        word = "within the spread"
    return f"{what:34} {_shown(old):>22} {_shown(new):>22}   {ratio:.2f} {word}"


def _overlap(old: Figure, new: Figure) -> bool:
    """Tell whether the samples of both overlap, so that nothing follows from them."""
    if old.spread is None or new.spread is None:
        return False
    return old.spread[0] <= new.spread[1] and new.spread[0] <= old.spread[1]


def _shown(figure: Figure | None) -> str:
    if figure is None or figure.median is None:
        return "-"
    return show_number(figure.median)
