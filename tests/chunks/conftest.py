"""What the tests of local stores share."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prolly.chunks import LocalStore

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("store_child.py")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    """A new local store."""
    store = LocalStore.create(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def forget() -> Callable[[LocalStore, list[bytes]], int]:
    """Sweep chunks away whatever names them; return how many were there."""

    def sweep(store: LocalStore, addresses: list[bytes]) -> int:
        condemned = bytearray(b"".join(sorted(addresses)))
        return store.maintenance().sweep(condemned, lambda _: lambda _: False)

    return sweep


@pytest.fixture
def run_child() -> Callable[..., int]:
    """Run an action of ``store_child.py`` to its end; return its exit code."""

    def run(*arguments: str | Path) -> int:
        return start_child(*arguments).wait()

    return run


@pytest.fixture
def start_children() -> Callable[..., subprocess.Popen[bytes]]:
    """Start an action of ``store_child.py`` in a process of its own."""
    return start_child


def start_child(*arguments: str | Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.Popen(command, env=environment)


@pytest.fixture
def in_fork() -> Callable[[Callable[[], object]], int]:
    """Run a function in a forked child; return 0 when it raised nothing."""

    def run(function: Callable[[], object]) -> int:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                function()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return run
