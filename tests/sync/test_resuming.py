"""A transfer that is cut again and again, killed, or out of room: gone on with."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import prolly
from prolly.errors import RemoteFailed, StorageFailed
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.sync import PathRemote, Remote, SyncReport, clone, fetch, push
from prolly.sync.conversation import FRUITLESS_ATTEMPTS_MAX
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_lines import line_to

VALUE_BYTES = 400
# So many cuts, then one that lasts until the operation gives up and is begun anew.
GIVE_UP_EVERY = 20


class CutLine(Remote):
    """A line that is cut where so many bytes have passed, both ways together."""

    def __init__(self, line: Remote, places: Iterable[int]) -> None:
        super().__init__(line.url)
        self._line = line
        self._places = sorted(places, reverse=True)
        self._silent = 0
        self.passed = 0
        self.cuts = 0

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        self.passed += len(request)
        if self._silent:
            self._silent -= 1
            raise RemoteFailed("silent", code="line-broken", hint="Go on.")
        yield from self._cut(self._line.ask(request, self._cut(body)))

    def _cut(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if not self._places or self.passed + len(piece) <= self._places[-1]:
                self.passed += len(piece)
                yield piece
                continue
            head = piece[: max(self._places.pop() - self.passed, 0)]
            self.passed += len(head)
            self.cuts += 1
            if self.cuts % GIVE_UP_EVERY == 0:
                self._silent = FRUITLESS_ATTEMPTS_MAX
            yield head
            raise RemoteFailed("cut", code="line-broken", hint="Go on.")

    def close(self) -> None:
        """Release the line behind."""
        self._line.close()


def fill(repo: Repository, seed: int, size: int, *, step: int = 1) -> None:
    """Write about so many bytes of records that do not deflate."""
    source = random.Random(seed)
    numbers = range(0, step * (size // VALUE_BYTES), step)
    new = {number: source.randbytes(VALUE_BYTES) for number in numbers}
    write_on(repo, "main", lambda tx: tx.map("m").update(new))


def replica() -> Repository:
    """Return an empty repository that has a remote."""
    repo = memory_repository()
    repo.remotes["origin"] = "test:"
    return repo


def cut_and_resumed(
    act: Callable[[Remote], SyncReport], line: Remote, uncut: int, cuts: int
) -> SyncReport:
    """Do it over a line with cuts at random places; check the bytes that passed."""
    source = random.Random(cuts)
    broken = CutLine(line, (source.randrange(uncut) for _ in range(cuts)))
    for _ in range(cuts):
        try:
            report = act(broken)
            break
        except RemoteFailed:
            continue
    assert broken.cuts == cuts
    assert broken.passed <= 1.2 * uncut
    return report


def moved(report: SyncReport) -> int:
    """Return the bytes of a transfer."""
    return report.bytes_received + report.bytes_sent


SIZES = [(1_500_000, 15), pytest.param(20_000_000, 200, marks=pytest.mark.long)]


@pytest.mark.parametrize(("size", "cuts"), SIZES)
def test_a_clone_is_cut_and_resumed(tmp_path: Path, size: int, cuts: int) -> None:
    """Of nodes: all bytes together are within 1.2 of those of one go."""
    theirs = memory_repository()
    fill(theirs, 1, size)
    whole, report = clone("test:x", tmp_path / "whole", remote=line_to(theirs))
    assert report.mode == "ops+nodes"
    whole.close()

    def act(line: Remote) -> SyncReport:
        repo, found = clone("test:x", tmp_path / "cut", remote=line)
        with repo:
            assert repo.resolve("main") == theirs.resolve("main")
            assert not list(check_repository(repo.store, full=True))
        return found

    cut_and_resumed(act, line_to(theirs), moved(report), cuts)


# Each time that it goes on, the other side makes all that went before again.
EDIT_SIZES = [(1_000_000, 15), pytest.param(4_000_000, 200, marks=pytest.mark.long)]


@pytest.mark.parametrize(("size", "cuts"), EDIT_SIZES)
def test_a_pull_of_edits_is_cut_and_resumed(size: int, cuts: int) -> None:
    """So are the bytes of edits, in one stream."""
    theirs, ours, whole = memory_repository(), replica(), replica()
    fill(theirs, 1, 2 * size)
    for repo in (ours, whole):
        fetch(repo, remote=line_to(theirs))
    fill(theirs, 2, size, step=2)
    report = fetch(whole, remote=line_to(theirs))
    assert report.mode == "ops"

    def act(line: Remote) -> SyncReport:
        return fetch(ours, remote=line)

    cut_and_resumed(act, line_to(theirs), moved(report), cuts)
    assert ours.tracking["origin/main"] == theirs.resolve("main")
    assert not list(check_repository(ours.store, full=True))


@pytest.mark.parametrize(("size", "cuts"), SIZES)
def test_a_push_is_cut_and_resumed(size: int, cuts: int) -> None:
    """And so are those of the body of a push."""
    theirs, ours, other = memory_repository(), replica(), memory_repository()
    fill(ours, 1, size)
    report = push(ours, remote=line_to(other))

    def act(line: Remote) -> SyncReport:
        return push(ours, remote=line)

    cut_and_resumed(act, line_to(theirs), moved(report), cuts)
    assert theirs.resolve("main") == ours.resolve("main")
    assert not list(check_repository(theirs.store, full=True))


CHILD = """
import os, signal, sys
import prolly
verb, source, target, kill_after = *sys.argv[1:4], int(sys.argv[4])
def kill(progress):
    if progress.bytes > kill_after:
        os.kill(os.getpid(), signal.SIGKILL)
if verb == "clone":
    prolly.clone(source, target, progress=kill)
else:
    prolly.open(source).push(target, progress=kill)
"""


def killed(verb: str, source: Path, target: Path, after: int) -> None:
    """Let another process do it, and be killed when so many bytes have passed."""
    arguments = [sys.executable, "-c", CHILD, verb, str(source), str(target)]
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([*arguments, str(after)], env=environment)
    assert done.returncode == -signal.SIGKILL


def test_a_killed_clone_goes_on(tmp_path: Path) -> None:
    """After kill -9 the same command asks for what is lacking, and ends it."""
    size = 2_000_000
    with prolly.init(tmp_path / "a") as theirs:
        fill(theirs, 1, size)
        killed("clone", tmp_path / "a", tmp_path / "b", size // 2)
        with prolly.clone(str(tmp_path / "a"), tmp_path / "b") as ours:
            assert ours.resolve("main") == theirs.resolve("main")
            assert ours.cloned is not None
            assert ours.cloned.bytes_received < 0.75 * size
            assert not list(ours.fsck(full=True))


def test_a_killed_push_goes_on(tmp_path: Path) -> None:
    """What the other side kept of a push does not go there again."""
    size = 2_000_000
    with prolly.init(tmp_path / "a") as ours, prolly.init(tmp_path / "b") as theirs:
        fill(ours, 1, size)
        tip = theirs.resolve("main")
        killed("push", tmp_path / "a", tmp_path / "b", size // 2)
        with prolly.open(tmp_path / "b") as before:
            assert before.resolve("main") == tip
        report = push(ours, remote=PathRemote(tmp_path / "b"))
        assert report.bytes_sent < 0.75 * size
        with prolly.open(tmp_path / "b") as after:
            assert after.resolve("main") == ours.resolve("main")
            assert not list(after.fsck(full=True))


STEADY_CHILD = """
import os, signal, sys
from prolly import open
from prolly.sync import PathRemote, clone, push
verb, place, other, kill_after = *sys.argv[1:4], int(sys.argv[4])
line = PathRemote(place)
def passed():
    return line.traffic.bytes_received + line.traffic.bytes_sent
def kill(progress):
    if passed() > kill_after:
        os.write(1, b"%d" % passed())
        os.kill(os.getpid(), signal.SIGKILL)
if verb == "clone":
    clone(place, other, remote=line, progress=kill)[0].close()
else:
    push(open(other), remote=line, progress=kill)
os.write(1, b"%d" % passed())
"""


@pytest.mark.long
@pytest.mark.parametrize("verb", ["clone", "push"])
def test_many_kills_cost_little(tmp_path: Path, verb: str) -> None:
    """With one every half megabyte all bytes are within 1.2 of those of one go."""
    size, kill_after = 20_000_000, 500_000
    fills = tmp_path / ("there" if verb == "clone" else "here")
    with prolly.init(fills) as repo:
        fill(repo, 1, size)
        tip = repo.resolve("main")
    if verb == "push":
        prolly.init(tmp_path / "there").close()
    places = [str(tmp_path / "there"), str(tmp_path / "here")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", STEADY_CHILD, verb, *places, str(kill_after)]
    passed = kills = 0
    while True:
        done = subprocess.run(command, env=environment, capture_output=True)
        passed += int(done.stdout)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        kills += 1
    assert kills > 30
    assert passed <= 1.2 * size
    target = tmp_path / ("here" if verb == "clone" else "there")
    with prolly.open(target) as repo:
        assert repo.resolve("main") == tip
        assert not list(repo.fsck(full=True))


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow past a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def stored(repo: Repository) -> tuple[list[bytes], dict[str, bytes]]:
    """Return the addresses and refs of a store."""
    return list(repo.store.iter_addresses()), dict(repo.store.iter_refs())


@pytest.mark.parametrize("verb", ["fetch", "push"])
def test_a_full_disk_changes_nothing(tmp_path: Path, verb: str) -> None:
    """It is told as what it is, wherever it happens; with room it is done again."""
    size = 3_000_000
    with prolly.init(tmp_path / "a") as one, prolly.init(tmp_path / "b") as other:
        fill(one, 1, size)
        other.remotes["origin"] = str(tmp_path / "a")

        def act() -> SyncReport:
            if verb == "fetch":
                return other.fetch()
            return push(one, remote=line_to(other))

        before = stored(other)
        for room in (size // 3, size - 100_000):
            with file_size_limit(room), pytest.raises(StorageFailed) as caught:
                act()
            assert caught.value.code == "disk-full"
            assert stored(other) == before
        act()
        assert list(other.store.iter_addresses()) == list(one.store.iter_addresses())
        assert not list(other.fsck(full=True))
