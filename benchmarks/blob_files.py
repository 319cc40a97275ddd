"""One large file in and out of a repository, and what an insertion in front costs.

    python -m benchmarks.blob_files [--megabytes 1000] [--seed 1] [--directory DIR]

Workload ``blob``: a file of random bytes is added to a files dataset in one durable
commit, checked out again, and added once more with one byte in front. Each step runs in
a process of its own; memory is the peak of its anonymous pages. The pages of the file
are in the cache, so the disk is asked for writing alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import prolly

MEGABYTE = 1_000_000
# How often memory is looked at while a step runs.
SAMPLE_SECONDS = 0.01


def make_file(path: Path, megabytes: int, seed: int) -> None:
    """Write a file of random bytes."""
    generator = random.Random(seed)
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(generator.randbytes(MEGABYTE))


def put_in_front(source: Path, target: Path) -> None:
    """Copy a file with one byte in front."""
    with open(source, "rb") as old, open(target, "wb") as new:
        new.write(b"x")
        shutil.copyfileobj(old, new, MEGABYTE)


def anonymous_bytes() -> int:
    """Return the anonymous memory of this process now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell anonymous memory")


class Measured:
    """A block's seconds and its peak of anonymous memory."""

    def __enter__(self) -> Measured:
        self.peak = anonymous_bytes()
        self._is_over = threading.Event()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        self._begin = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._begin
        self._is_over.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._is_over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, anonymous_bytes())


def stored_bytes(repository: Path) -> int:
    """Return the bytes of all files of a repository."""
    return sum(
        path.stat().st_blocks * 512 for path in repository.rglob("*") if path.is_file()
    )


def add(repository: Path, source: Path) -> None:
    """Add the file in one durable commit."""
    with prolly.open(repository) as repo, repo.transaction("main", message="add") as tx:
        tx.files("large").add_file(source, "file")


def check_out(repository: Path, target: Path) -> None:
    """Check the file out."""
    with prolly.open(repository, writable=False) as repo:
        repo.at("main").files("large").checkout(target)


STEPS: dict[str, Callable[[Path, Path], None]] = {"add": add, "check_out": check_out}


def run_step(name: str, repository: Path, place: Path) -> dict[str, float]:
    """Run a step in a new process; return its seconds and peak of memory."""
    command = [sys.executable, "-m", "benchmarks.blob_files", "--step", name]
    done = subprocess.run(
        [*command, str(repository), str(place)], stdout=subprocess.PIPE, check=True
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def digest(path: Path) -> bytes:
    """Return a hash of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def compare(megabytes: int, seed: int, directory: Path) -> None:
    """Run all steps and print what they cost."""
    repository, source = directory / "repository", directory / "file"
    prolly.init(repository).close()
    make_file(source, megabytes, seed)
    print(f"{megabytes} MB of random bytes, seed {seed}, {os.cpu_count()} cores")
    report("in", megabytes, run_step("add", repository, source))
    before = stored_bytes(repository)
    out = directory / "out"
    report("out", megabytes, run_step("check_out", repository, out))
    assert digest(out / "file") == digest(source)
    shutil.rmtree(out)
    edited = directory / "edited"
    put_in_front(source, edited)
    report("in again", megabytes, run_step("add", repository, edited))
    fresh = stored_bytes(repository) - before
    print(f"stored anew after one byte in front: {fresh / 1000:.0f} kB")


def report(name: str, megabytes: int, measured: dict[str, float]) -> None:
    """Print one step."""
    speed = megabytes / measured["seconds"]
    peak = measured["peak"] / MEGABYTE
    print(f"{name:9} {speed:6.0f} MB/s, peak of anonymous memory {peak:.0f} MB")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", default=None, help="where to work")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        name, repository, place = chosen.step
        with Measured() as measured:
            STEPS[name](Path(repository), Path(place))
        print(json.dumps({"seconds": measured.seconds, "peak": measured.peak}))
        return
    with tempfile.TemporaryDirectory(dir=chosen.directory) as directory:
        compare(chosen.megabytes, chosen.seed, Path(directory))


if __name__ == "__main__":
    main()
