"""Where no file may grow, merges end with a clear error, and change nothing."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import prolly

Run = Callable[..., Any]
Start = Callable[..., subprocess.Popen[bytes]]

RECORDS = 500


def full() -> None:
    """Let no file of this process grow."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.fixture
def refused(run: Run, start: Start, place: Path) -> Callable[..., None]:
    """Run a command on a full disk, which must change nothing; then with room again."""

    def state() -> Any:
        with prolly.open(place) as repo:
            return repo.store.sequence(), list(repo.store.iter_refs())

    def refused(*words: str, code: int) -> None:
        before = state()
        # Byte code would be written before Python looks after the signal.
        environment = {"PYTHONDONTWRITEBYTECODE": "1"}
        process = start(*words, "--json", preexec_fn=full, env=environment)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (7, b"")
        assert json.loads(err)["error"]["code"] == "disk-full"
        assert state() == before
        run(*words, code=code)
        assert state() != before

    return refused


def test_merges_on_a_full_disk(
    run: Run, repository: Path, refused: Callable[..., None]
) -> None:
    """Begun, settled and committed: each refused as a whole, and done when it fits."""
    with prolly.open(repository) as repo:
        for branch, mark in (("main", 0), ("main", 1), ("feature", 2)):
            with repo.transaction(branch, message=branch) as tx:
                # No text is like another: what is stored takes room.
                tx.map("m").update({n: f"{mark} {n}" for n in range(RECORDS)})
            if not mark:
                repo.create_branch("feature")
    refused("merge", "feature", code=1)
    refused("resolve", "--all", "--theirs", code=0)
    refused("merge", "--continue", code=0)
    assert run("get", "m", "[1]").out == '"2 1"\n'
    run("fsck", "--full")
