"""A line that breaks costs what was on its way, and no more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prolly
from prolly.errors import Invalid, RemoteFailed
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.sync import PathRemote, SyncReport, fetch, push
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_lines import BrokenLine, LyingLine, line_to

# A line that breaks more often than this many times is not the one that was made.
ATTEMPTS_MAX = 60


def persevere(act: Callable[[], SyncReport]) -> SyncReport:
    """Do it until it is through."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return act()
        except RemoteFailed:
            continue
    raise AssertionError("it never got through")


def fill(repo: Repository, seed: int, records: int) -> None:
    """Write incompressible records, changes of some, and a blob, in three commits."""
    source = random.Random(seed)
    keys = [f"key:{number:06d}" for number in range(records)]
    first = {key: source.randbytes(100) for key in keys}
    then = {key: source.randbytes(99) for key in keys[::9]}
    write_on(repo, "main", lambda tx: tx.map("m").update(first))
    write_on(repo, "main", lambda tx: tx.map("m").update(then))
    large = source.randbytes(300_000)
    write_on(repo, "main", lambda tx: tx.map("l").update(big=large))


def uncut_bytes(theirs: Repository) -> int:
    """Return what a fetch of everything moves when nothing breaks."""
    repo = memory_repository()
    repo.remotes["origin"] = "test:"
    report = fetch(repo, remote=line_to(theirs))
    return report.bytes_received + report.bytes_sent


@settings(max_examples=8)
@given(st.integers(0, 2**32), st.sampled_from([20_000, 100_000]))
def test_a_broken_fetch_goes_on(seed: int, bytes_mean: int) -> None:
    """Cut at random places again and again, it moves little more than in one go."""
    theirs, ours = memory_repository(), memory_repository()
    fill(theirs, seed, 4_000)
    ours.remotes["origin"] = "test:"
    broken = BrokenLine(line_to(theirs), random.Random(seed), bytes_mean)
    persevere(lambda: fetch(ours, remote=broken))
    assert ours.tracking["origin/main"] == theirs.resolve("main")
    assert list(check_repository(ours.store, full=True)) == []
    assert broken.breaks
    assert broken.passed <= 1.2 * uncut_bytes(theirs)


@settings(max_examples=8)
@given(st.integers(0, 2**32), st.sampled_from([20_000, 100_000]))
def test_a_broken_push_goes_on(seed: int, bytes_mean: int) -> None:
    """So does a push, whose body is kept over there."""
    theirs, ours, plain = (memory_repository() for _ in range(3))
    fill(ours, seed, 4_000)
    uncut = push(ours, remote=line_to(plain))
    broken = BrokenLine(line_to(theirs), random.Random(seed), bytes_mean)
    persevere(lambda: push(ours, remote=broken))
    assert theirs.resolve("main") == ours.resolve("main")
    assert list(check_repository(theirs.store, full=True)) == []
    assert broken.passed <= 1.2 * (uncut.bytes_received + uncut.bytes_sent)


def test_a_lost_reply_is_no_conflict() -> None:
    """A push whose reply never came stands, and doing it again changes nothing."""
    theirs, ours = memory_repository(), memory_repository()
    write_on(ours, "main", lambda tx: tx.map("m").update(a=1))

    def lose(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        lost = b"".join(reply)
        if b"push" in request and lost:
            raise RemoteFailed("lost", code="line-broken", hint="Go on.")
        yield lost

    with pytest.raises(RemoteFailed):
        push(ours, remote=LyingLine(line_to(theirs), lose))
    assert theirs.resolve("main") == ours.resolve("main")
    assert push(ours, remote=line_to(theirs)).updated == {}


def test_what_is_kept_is_compared() -> None:
    """Bytes that the other side would not send again are refused, and begun anew."""
    theirs, ours = memory_repository(), memory_repository()
    fill(theirs, 1, 500)
    ours.remotes["origin"] = "test:"
    state = {"asked": 0}

    def differ(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if b"fetch" not in request:
            yield from reply
            return
        state["asked"] += 1
        if state["asked"] == 1:
            # Part of a reply that will never be made again.
            yield next(reply) + next(reply)[:12] + b"?"
            raise RemoteFailed("broken", code="line-broken", hint="Go on.")
        yield from reply

    fetch(ours, remote=LyingLine(line_to(theirs), differ))
    assert state["asked"] == 3
    assert ours.tracking["origin/main"] == theirs.resolve("main")


CHILD = """
import os, signal, sys
import prolly
from prolly.sync import PathRemote, fetch
from prolly.testing.sync_lines import LyingLine
source, target, kill_after = sys.argv[1], sys.argv[2], int(sys.argv[3])
passed = 0
def killing(request, reply):
    global passed
    for piece in reply:
        for at in range(0, len(piece), 5000):
            passed += len(piece[at:at + 5000])
            if passed > kill_after:
                os.kill(os.getpid(), signal.SIGKILL)
            yield piece[at:at + 5000]
repo = prolly.open(target)
fetch(repo, remote=LyingLine(PathRemote(source), killing))
"""


def test_a_killed_fetch_goes_on(tmp_path: Path) -> None:
    """After kill -9 at some place, another process does not ask for the same again."""
    with prolly.init(tmp_path / "a") as theirs, prolly.init(tmp_path / "b") as ours:
        fill(theirs, 2, 6_000)
        ours.remotes["origin"] = str(tmp_path / "a")
        whole = uncut_bytes(theirs)
        paths = [str(tmp_path / "a"), str(tmp_path / "b")]
        arguments = [sys.executable, "-c", CHILD, *paths, str(whole // 2)]
        path = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(arguments, env={**os.environ, "PYTHONPATH": path})
        assert done.returncode == -signal.SIGKILL
        assert dict(ours.tracking) == {}
        with prolly.open(tmp_path / "b") as again:
            report = fetch(again, remote=PathRemote(tmp_path / "a"))
        assert report.bytes_received < 0.75 * whole
        assert list(ours.fsck(full=True)) == []
        kept = list((tmp_path / "b" / ".prolly" / "tmp" / "kept").iterdir())
        assert kept == []


def test_errors_come_as_they_were_raised() -> None:
    """The class, the code and the hint of an error over there are those of ours."""
    theirs, ours = memory_repository(), memory_repository()
    ours.remotes["origin"] = "test:"
    write_on(theirs, "main", lambda tx: tx.map("m").update(a=1))

    def garble(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if b"fetch" in request:
            reply = line_to(theirs).ask(request.replace(b"mode", b"Mode"))
        yield from reply

    with pytest.raises(Exception) as caught:
        fetch(ours, remote=LyingLine(line_to(theirs), garble))
    assert isinstance(caught.value, prolly.Corrupt | Invalid)
