"""Plain files without a repository: ``python -m benchmarks.plain_files``.

Two CSV files of 300,000 rows and 11 columns, of which one row in 300 differs, are
compared by ``prolly diff``; three of 28,000 rows, 1,000 of them edited on each side in
other columns, are merged by ``prolly merge-file``. Each run is a process of its own,
with everything that it loads; the peak is its resident memory.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

DIFF_ROWS = 300_000
MERGE_ROWS = 28_000
MERGE_EDITS = 1_000
ROWS_A_DIFFERENCE = 300
REPEATS = 5
SEED = 1

COLUMNS = [
    "id",
    "name",
    "group",
    "value",
    "note",
    "count",
    "part",
    "words",
    "code",
    "none",
    "number",
]
# Those that either side of the merge edits.
OURS_COLUMN, THEIRS_COLUMN = 7, 8

_PROGRAM = "import sys; from prolly_cli.main import main; sys.exit(main())"

Edits = Mapping[int, tuple[int, str]]


def rows(count: int, seed: int, edits: Edits) -> Iterator[list[str]]:
    """Yield rows of 100 bytes or so; ``edits`` give a row another cell."""
    draw = random.Random(seed)
    for number in range(count):
        row = [
            str(number),
            f"name {number}",
            f"group, {number % 50}",
            repr(draw.random()),
            f"{draw.getrandbits(64):016x}",
            str(number * 7),
            str(number % 13),
            "some words here",
            f"x{number % 999}",
            "",
            str(draw.randrange(10**6)),
        ]
        if number in edits:
            place, cell = edits[number]
            row[place] = cell
        yield row


def write_rows(path: Path, count: int, seed: int, edits: Edits) -> None:
    """Write a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(count, seed, edits))


def run(words: Sequence[str]) -> tuple[float, float]:
    """Run the program; return its seconds and its peak of memory in MB."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "cli")])
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *words],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"prolly {' '.join(words)}: exit {process.returncode}")
    return seconds, used.ru_maxrss / 1000


def measure(name: str, words: Sequence[str], repeats: int) -> str:
    """Return a line with the median, the range and the peak of some runs."""
    run(words)
    found = [run(words) for _ in range(repeats)]
    seconds = [one for one, _ in found]
    peak = max(megabytes for _, megabytes in found)
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    median = statistics.median(seconds)
    return f"{name:<42} {median:6.2f} s  ({spread})  peak {peak:.0f} MB"


def measurements(place: Path, scale: int, repeats: int) -> Iterator[str]:
    """Make the files, ``scale`` times smaller than said above, and measure."""
    old, new = place / "old.csv", place / "new.csv"
    count = DIFF_ROWS // scale
    changed = dict.fromkeys(range(0, count, ROWS_A_DIFFERENCE), (3, "0.5"))
    write_rows(old, count, SEED, {})
    write_rows(new, count, SEED, changed)
    words = ["diff", str(old), str(new), "--key", "id"]
    yield measure(f"diff, {count:,} rows a side", words, repeats)

    base, ours, theirs = (place / f"{one}.csv" for one in ("base", "ours", "theirs"))
    count, edits = MERGE_ROWS // scale, MERGE_EDITS // scale
    write_rows(base, count, SEED, {})
    for number, (path, column) in enumerate(
        ((ours, OURS_COLUMN), (theirs, THEIRS_COLUMN))
    ):
        chosen = random.Random(SEED + number).sample(range(count), edits)
        write_rows(path, count, SEED, dict.fromkeys(chosen, (column, "other")))
    out = str(place / "out.csv")
    words = ["merge-file", str(ours), str(base), str(theirs), "--key", "id", "-o", out]
    name = f"merge, {count:,} rows, {edits:,} edits a side"
    yield measure(name, words, repeats)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--scale", type=int, default=1, help="so many times smaller")
    options = parser.parse_args(arguments)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, seed {SEED}")
    with tempfile.TemporaryDirectory() as place:
        for line in measurements(Path(place), options.scale, options.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
