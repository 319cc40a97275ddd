"""A collection that is killed at any point leaves a correct store."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import prolly
from prolly.chunks import LocalStore, RefMove
from prolly.chunks.local_index import LocalIndex
from prolly.testing.upkeep_model import (
    bulk,
    content,
    put,
    reachable_bytes,
    require_sound,
    size_on_disk,
)

NOW = timedelta()


def change_calls(repo: prolly.Repository) -> int:
    """Count the write transactions of a collection, in a copy of the repository."""
    calls = 0
    look = LocalIndex.change

    def counted(index: LocalIndex, function: Callable[[Any], Any]) -> Any:
        nonlocal calls
        calls += 1
        return look(index, function)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalIndex, "change", counted)
        repo.gc(grace=NOW)
    return calls


def die(*_arguments: Any, **_options: Any) -> None:
    """End as a power switch would."""
    os.kill(os.getpid(), 9)


def dying_collection(path: Path, owner: Any, name: str, after: int, late: bool) -> int:
    """Collect in a forked child that dies at the n-th call of a function.

    With ``late`` it dies behind that call. Returns how the child ended.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        left = after
        function = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and not late:
                die()
            try:
                return function(*arguments, **options)
            finally:
                if left == 0:
                    die()

        setattr(owner, name, call)
        with prolly.open(path) as repo:
            repo.gc(grace=NOW)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.fixture(scope="module")
def wasteful(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A repository with dead and live chunks inline and in packs; gc's transactions."""
    path = tmp_path_factory.mktemp("wasteful") / "r"
    repo = prolly.init(path)
    put(repo, bulk(1))
    put(repo, bulk(2))
    repo.branches["main"] = repo.resolve("main~1")
    source = random.Random(4)
    pieces = [b"\3" + source.randbytes(9000) for _ in range(60)]
    with repo.store.writer() as writer:
        named = writer.put_many(pieces)[::2]
        moves = [RefMove(f"kept/{n}", None, one) for n, one in enumerate(named)]
        writer.commit(moves)
    for _ in range(3):
        for _ in range(3):
            keys = source.choices(sorted(bulk(1)), k=12)
            put(repo, {key: source.randbytes(100) for key in keys})
        repo.branches["main"] = repo.resolve("main~1")
    repo.close()
    copy = path.parent / "copy"
    shutil.copytree(path, copy)
    repo = prolly.open(copy)
    calls = change_calls(repo)
    repo.close()
    assert calls >= 4
    return path, calls


KILLS = [
    *((LocalIndex, "change", n, late) for n in (1, 2, 3, 4) for late in (False, True)),
    *((os, "rename", n, late) for n in (1, 2) for late in (False, True)),
    *((os, "unlink", n, late) for n in (1, 2) for late in (False, True)),
    (os, "fdatasync", 1, True),
    (LocalStore, "maintenance", 1, True),
]


@pytest.mark.parametrize(("owner", "name", "after", "late"), KILLS)
def test_a_crash_at_any_point(
    tmp_path: Path,
    wasteful: tuple[Path, int],
    owner: Any,
    name: str,
    after: int,
    late: bool,
) -> None:
    """Killed anywhere, a collection leaves a correct store; the next one ends it."""
    path = tmp_path / "r"
    shutil.copytree(wasteful[0], path)
    with prolly.open(path) as repo:
        versions = [content(repo, f"main~{age}") for age in range(7)]
    assert dying_collection(path, owner, name, after, late) == -9
    with prolly.open(path) as repo:
        require_sound(repo)
        assert [content(repo, f"main~{age}") for age in range(7)] == versions
        put(repo, {"after": 1})
        repo.gc(grace=NOW)
        require_sound(repo)
        assert size_on_disk(repo) <= 1.15 * reachable_bytes(repo) + 200_000
        assert [content(repo, f"main~{age + 1}") for age in range(7)] == versions
        assert os.listdir(path / ".prolly" / "tmp") == []
