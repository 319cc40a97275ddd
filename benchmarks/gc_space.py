"""What a collection gives back: ``python -m benchmarks.gc_space [--count N]``.

N records are loaded as one commit, then 100 commits update 10 random records each; then
the repository is collected, and a second time with the older half of the history cut
off. Printed are the bytes on the disk over the reachable bytes, which the format's
promise bounds by 1.15 after a collection, and how long each step took.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import prolly

from .records import Records

COMMITS = 100
UPDATES = 10
SEED = 1
DATASET = "records"
# Updates of one record are told apart by the version of its value.
FIRST_VERSION = 1


def load(repo: prolly.Repository, records: Records) -> None:
    """Commit all records at once."""
    with repo.transaction("main", message="load") as tx:
        numbers = range(records.count)
        tx.map(DATASET).update(records.record(number) for number in numbers)


def update(repo: prolly.Repository, records: Records) -> None:
    """Make the small commits."""
    source = random.Random(SEED)
    for version in range(FIRST_VERSION, FIRST_VERSION + COMMITS):
        with repo.transaction("main", message="update") as tx:
            for _ in range(UPDATES):
                number = source.randrange(records.count)
                key, value = records.record(number, version)
                tx.map(DATASET)[key] = value


def ratio_text(repo: prolly.Repository) -> str:
    """Return what there is on the disk, and over what refs lead to."""
    found = repo.stats()
    ratio = found.disk_bytes / found.reachable_bytes
    return (
        f"disk {found.disk_bytes / 1e6:8.1f} MB, reachable "
        f"{found.reachable_bytes / 1e6:8.1f} MB, ratio {ratio:.3f}"
    )


def measure(count: int, directory: Path) -> None:
    """Run the steps and print what each left."""
    repo = prolly.init(directory / "repository")
    records = Records(SEED, count, "map")
    half = f"main~{COMMITS // 2}"

    def cut() -> None:
        """Let the branch begin anew at its middle: the newer half is garbage."""
        repo.branches["main"] = repo.resolve(half)

    steps = {
        f"load of {count:,} records": lambda: load(repo, records),
        f"{COMMITS} commits of {UPDATES} updates": lambda: update(repo, records),
        "gc": lambda: repo.gc(),
        "newer half of the history dropped": cut,
        "gc --prune-older 0": lambda: repo.gc(grace=timedelta()),
        "fsck": lambda: list(repo.fsck()),
    }
    for name, step in steps.items():
        started = time.perf_counter()
        step()
        seconds = time.perf_counter() - started
        print(f"{name:36} {seconds:7.2f} s  {ratio_text(repo)}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at most {peak:.0f} MB, statistics included")
    repo.close()


def main() -> None:
    """Read the command line and measure in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N")
    with tempfile.TemporaryDirectory(prefix="prolly-gc-") as directory:
        measure(parser.parse_args().count, Path(directory))


if __name__ == "__main__":
    main()
