"""Collections beside writers and readers lose nothing and disturb nobody."""

from __future__ import annotations

import os
import random
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import prolly
from prolly.errors import Stale
from prolly.ops import GcReport
from prolly.testing.upkeep_model import content, require_sound

NOW = timedelta()


class Traffic:
    """A writer and a reader of one repository, in processes of their own."""

    KEYS = 300

    def __init__(self, path: Path, commits: int) -> None:
        self.path = path
        self.commits = commits
        with prolly.init(path) as repo:
            repo.run("main", lambda tx: tx.map("m").update(self.version(0)))

    def version(self, number: int) -> dict[str, Any]:
        """Return what commit ``number`` sets: keys, large values, the number."""
        source = random.Random(number)
        picked = source.sample(range(self.KEYS), 20) if number else range(self.KEYS)
        changes: dict[str, Any] = {f"k{n:05d}": [number, b"v" * 300] for n in picked}
        changes["large"] = bytes([number % 7]) * 3000
        changes["number"] = number
        return changes

    @staticmethod
    def commit(repo: prolly.Repository, changes: dict[str, Any]) -> None:
        """Commit records, again when the collection was in the way."""
        repo.run("main", lambda tx: tx.map("m").update(changes), attempts=50)

    def write(self) -> None:
        """Commit again and again, with a working state in between now and then."""
        with prolly.open(self.path) as repo:
            for number in range(1, self.commits + 1):
                changes = self.version(number)
                self.commit(repo, changes)
                while number % 5 == 0:
                    # Each makes the chunks of the one before, which may be going.
                    with suppress(Stale):
                        with repo.working_area("main").edit("test") as workspace:
                            workspace.map("m")["uncommitted"] = b"u" * 2000
                        break
                repo.working_area("main").discard()

    def read(self) -> None:
        """Read whole versions until the last is there; each must be as committed."""
        number = 0
        while number < self.commits:
            with prolly.open(self.path, writable=False) as repo:
                snapshot = repo.at("main").map("m")
                found = dict(snapshot.items())
                number = found["number"]
                assert found == self.model(number)

    def model(self, number: int) -> dict[str, Any]:
        """Return the records after a commit."""
        records: dict[str, Any] = {}
        for one in range(number + 1):
            records.update(self.version(one))
        return records

    def fork(self, function: Callable[[], None]) -> int:
        """Run a function in a child; return its process id."""
        child = os.fork()
        if child == 0:
            try:
                function()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        return child

    def run(self) -> list[GcReport]:
        """Let both run beside collections; return what these did."""
        children = {self.fork(self.write), self.fork(self.read)}
        reports = []
        with prolly.open(self.path) as repo:
            while children:
                reports.append(repo.gc(grace=NOW if len(reports) % 2 else None))
                done, status = os.waitpid(-1, os.WNOHANG)
                if done:
                    assert status == 0
                    children.remove(done)
            for age in range(self.commits + 1):
                assert content(repo, f"main~{age}") == self.model(self.commits - age)
            require_sound(repo)
        return reports


def test_beside_a_writer_and_a_reader(tmp_path: Path) -> None:
    """Collections beside other processes lose nothing, and no reader notices."""
    reports = Traffic(tmp_path / "r", 40).run()
    assert len(reports) >= 2


@pytest.mark.long
@pytest.mark.parametrize("turn", range(5))
def test_beside_a_writer_and_a_reader_for_long(tmp_path: Path, turn: int) -> None:
    """The same for longer, again and again."""
    reports = Traffic(tmp_path / "r", 300).run()
    assert sum(report.removed for report in reports) > 0


def test_beside_threads_of_this_process(tmp_path: Path) -> None:
    """A writing and a reading thread go on while the same store is collected."""
    repo = prolly.init(tmp_path / "r")
    failures: list[BaseException] = []
    is_over = threading.Event()

    def guard(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
            is_over.set()

    def write() -> None:
        for number in range(40):
            Traffic.commit(repo, {"n": number})
        is_over.set()

    def read() -> None:
        while not is_over.is_set():
            content(repo, "main")

    threads = [threading.Thread(target=guard, args=(work,)) for work in (write, read)]
    for thread in threads:
        thread.start()
    while not is_over.is_set():
        repo.gc(grace=NOW)
    for thread in threads:
        thread.join()
    assert failures == []
    assert content(repo, "main") == {"n": 39}
    require_sound(repo)
    repo.close()
