"""Bulk work on one process and on several: ``python -m benchmarks.jobs``.

A CSV file of 300,000 rows and 11 columns (30 MB) is imported into a new repository,
exported again, and the repository is checked by ``fsck --full``, each with ``--jobs 1``
and ``--jobs 2``. Each run is the command in a process of its own, with all that it
loads and starts. The numbers of jobs take turns, so that a disturbance meets them all.

Seconds by the clock mean something on a machine that does nothing else: its load before
the first run stands at the head. Processor seconds are those of all processes of a run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .machine import describe_commit, describe_machine
from .plain_files import ROOT, SEED, write_rows

ROWS = 300_000
REPEATS = 5
JOBS = (1, 2)
DATASET = "rows"

_PROGRAM = "import sys; from prolly_cli.main import main; sys.exit(main())"

Words = Callable[[int], Sequence[str]]


class Run(NamedTuple):
    """Seconds by the clock, and of processors, of one command."""

    clock: float
    processors: float


class Work(NamedTuple):
    """A command to be measured: its name, and its words for a number of jobs."""

    name: str
    words: Words


def run(repository: Path, words: Sequence[str]) -> Run:
    """Run a command in a repository; SystemExit when it fails."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "cli")])
    command = [sys.executable, "-c", _PROGRAM, "-C", str(repository), *words]
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    clock = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"prolly {' '.join(words)}: exit {process.returncode}")
    return Run(clock, used.ru_utime + used.ru_stime)


class Place:
    """A directory with the CSV file, and the repository that it was imported into."""

    def __init__(self, directory: Path, rows: int) -> None:
        self._directory = directory
        self._imports = 0
        self.source = directory / "rows.csv"
        self.repository = directory
        write_rows(self.source, rows, SEED, {})

    def begin(self) -> None:
        """Go on in a new repository."""
        self._imports += 1
        self.repository = self._directory / f"repository{self._imports}"
        self.repository.mkdir()
        run(self.repository, ["init"])

    def import_words(self, jobs: int) -> Sequence[str]:
        """Return the words of an import, into a repository of its own."""
        self.begin()
        options = ["--key", "id", "-m", "rows", "--jobs", str(jobs)]
        return ["import", DATASET, str(self.source), *options]

    def export_words(self, jobs: int) -> Sequence[str]:
        """Return the words of an export of what was imported last."""
        out = str(self._directory / "out.csv")
        return ["export", DATASET, out, "--at", "main", "--jobs", str(jobs)]

    def check_words(self, jobs: int) -> Sequence[str]:
        """Return the words of a full check."""
        return ["fsck", "--full", "--jobs", str(jobs)]

    def works(self) -> list[Work]:
        """Return what is measured, in order."""
        return [
            Work("import CSV", self.import_words),
            Work("export CSV", self.export_words),
            Work("fsck --full", self.check_words),
        ]


def measure(place: Place, work: Work, jobs: Sequence[int], repeats: int) -> list[str]:
    """Return a line for each number of jobs; the first round is not counted."""
    found: dict[int, list[Run]] = {number: [] for number in jobs}
    for turn in range(repeats + 1):
        for number in jobs:
            words = work.words(number)
            one = run(place.repository, words)
            if turn:
                found[number].append(one)
    alone = statistics.median(one.clock for one in found[jobs[0]])
    return [
        line_of(f"{work.name}, --jobs {number}", runs, alone)
        for number, runs in found.items()
    ]


def line_of(name: str, runs: Sequence[Run], alone: float) -> str:
    """Return the median, the range, the gain, and the processor time of some runs."""
    clock = [one.clock for one in runs]
    median = statistics.median(clock)
    processors = statistics.median(one.processors for one in runs)
    spread = f"{min(clock):.2f} to {max(clock):.2f}"
    return (
        f"{name:<24} {median:6.2f} s  ({spread})  {alone / median:4.2f} x"
        f"  processors {processors:.2f} s"
    )


def facts(place: Path) -> Iterator[str]:
    """Yield what a figure is worth nothing without."""
    machine = describe_machine(place)
    commit = describe_commit(ROOT)
    edited = ", edited" if commit["dirty"] else ""
    yield (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {machine['file_system']}, load {machine['load_1min']}"
    )
    yield (
        f"Linux {machine['kernel']}, Python {machine['python']},"
        f" commit {commit['commit'][:12]}{edited}, seed {SEED}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print where, then what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jobs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--jobs", type=int, nargs="+", default=list(JOBS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        for line in facts(Path(directory)):
            print(line)
        place = Place(Path(directory), options.rows)
        size = place.source.stat().st_size / 1e6
        print(f"{options.rows:,} rows, {size:.1f} MB, {options.repeats} runs each")
        for work in place.works():
            for line in measure(place, work, options.jobs, options.repeats):
                print(line, flush=True)


if __name__ == "__main__":
    main()
