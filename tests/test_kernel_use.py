"""The compiled kernel is used where it can be built, and nothing depends on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from prolly.codec.kernel import kernel

# Loads, edits, diffs and merges a table under a clock of its own, and prints each
# commit and each difference.
WORK = """
from prolly.codec.kernel import kernel
from prolly.testing.repositories import memory_repository, write_on

ROWS = [
    {"id": n, "name": f"n\\u00e4me {n}", "size": n / 3, "on": n < 9, "more": [n, {}]}
    for n in range(600)
]
LONG = {"id": 7, "name": "x" * 3000, "size": -0.0, "on": None, "more": 2**70}
repo = memory_repository()
write_on(repo, "main", lambda tx: tx.table("t", key="id").load(ROWS))
repo.create_branch("side", "main")
print(write_on(repo, "main", lambda tx: tx.table("t").upsert(LONG)))
print(write_on(repo, "side", lambda tx: [tx.table("t").delete(n) for n in (5, 9, 300)]))
print(repo.merge("side").commit_id)
for change in repo.compare("main~1", "main"):
    print(repr(change))
print([repr(repo.at("main").table("t").get(n)) for n in (5, 6, 7, 299, 301)])
print(kernel is not None)
"""


def _printed(kernel_setting: str) -> list[str]:
    environment = {**os.environ, "PROLLY_KERNEL": kernel_setting}
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_kernel_is_there_where_it_can_be_built() -> None:
    """With a C compiler and Python's headers an install has it; else install anew."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    can_be_built = shutil.which("cc") is not None and headers.exists()
    is_off = os.environ.get("PROLLY_KERNEL") == "off"
    assert kernel is not None or is_off or not can_be_built, "run pip install -e . anew"


def test_commits_are_the_same_without_the_kernel() -> None:
    """Loading, editing, merging, comparing, reading: every id and record is equal."""
    *compiled, is_compiled = _printed("")
    *interpreted, is_interpreted = _printed("off")
    assert len(compiled) >= 6
    assert compiled == interpreted
    assert is_interpreted == "False"
    assert kernel is None or is_compiled == "True"
