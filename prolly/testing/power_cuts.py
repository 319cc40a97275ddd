"""Power cuts in the life of a repository: what was acknowledged is there afterwards.

A ``Life`` makes a repository and works with it on a recorded disk: small commits, which
go to the journal, large ones, which go to packs, moves of branches, collections, and
processes that are killed. ``iter_cuts`` then gives what a power cut may have left at
any instant of it, and ``require_survivor`` opens that and looks:

- The refs, all together, are those that somebody was told last, or those of the step
  that was under way.
- A full check finds no fault, so no ref leads to what is not there.
- The store takes a commit, a large one, a collection, and has them when opened again.
- A repository whose making was not acknowledged can be made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from prolly.chunks import local_journal, local_repack, local_writer
from prolly.errors import Corrupt, NotFound
from prolly.ops import check_repository, collect_garbage, garbage
from prolly.repo import Repository, create_repository, open_repository

from .disk_model import (
    EVERYTHING,
    NOTHING,
    Choice,
    DiskModel,
    Event,
    Marked,
    Tree,
    at_random,
)
from .disk_recorder import DiskRecorder, Killed
from .repositories import ticking_environment
from .upkeep_model import put

# Bounds as small as that let a short life have many packs and generations.
INLINE_BYTES = 8 * 1024
PACK_BYTES = 24 * 1024
JOURNAL_BYTES = 24 * 1024

VALUE_BYTES = 100
LARGE_RECORDS = 150
KEYS = 300

# A killed process dies behind so many events of a step, if it has as many: a small
# commit has two, a collection some dozens.
EVENTS_TO_LIVE = (1, 1, 2, 3, 5, 8, 13, 21, 34)


class Told(NamedTuple):
    """What somebody was told: the refs, and the number of the last commit.

    It was acknowledged by a step, or read by whoever came after a killed process: both
    are not to be taken back.
    """

    refs: dict[str, bytes]
    sequence: int


class Cut(NamedTuple):
    """A power cut: what it left, and what may be found there.

    ``event`` tells behind how many events it came. Without ``allowed`` not even the
    making of the repository was acknowledged.
    """

    event: int
    tree: Tree
    allowed: list[Told]


@contextmanager
def small_bounds() -> Iterator[None]:
    """Let little be much, so that few records make packs and fill the journal."""
    bounds = (
        (local_writer, "INLINE_BYTES_MAX", INLINE_BYTES),
        (local_repack, "INLINE_BYTES_MAX", INLINE_BYTES),
        (local_writer, "PUT_BYTES_MAX", INLINE_BYTES),
        (local_writer, "PACK_BYTES_TARGET", PACK_BYTES),
        (local_repack, "PACK_BYTES_TARGET", PACK_BYTES),
        (local_journal, "JOURNAL_BYTES_MAX", JOURNAL_BYTES),
        (garbage, "INLINE_KEPT_BYTES", INLINE_BYTES),
    )
    with ExitStack() as patches:
        for module, name, value in bounds:
            patches.enter_context(patch.object(module, name, value))
        yield


class Life:
    """A repository under ``directory``, which is empty at first, and what it does."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.recorder = DiskRecorder(directory)
        # As `prolly init` does it, with directories above that are not there either.
        self._place = directory / "home" / "data"
        self._random = random.Random(seed)
        self._steps = (
            [self._put_little] * 6
            + [self._put_much, self._branch, self._reset, self._drop, self._set]
            + [self._take_in, self._collect, self._collect]
        )

    def run(self, steps: int, *, kills: float = 0.0) -> list[Event]:
        """Make the repository, work, and return the events.

        ``kills`` is the share of steps in which the process is to die.
        """
        with small_bounds(), self.recorder.at_work():
            repo = create_repository(self._place, environment=ticking_environment())
            self._tell(repo)
            for _ in range(steps):
                dies = self._random.random() < kills
                repo = self._step(repo, dies=dies)
            repo.close()
        return self.recorder.events

    def _step(self, repo: Repository, *, dies: bool) -> Repository:
        if dies:
            self.recorder.kill_after(self._random.choice(EVENTS_TO_LIVE))
        try:
            self._random.choice(self._steps)(repo)
        except Killed:
            repo.close()
            self.recorder.start_again()
            repo = open_repository(self._place, environment=ticking_environment())
        self.recorder.start_again()
        self._tell(repo)
        return repo

    def _tell(self, repo: Repository) -> None:
        self.recorder.mark(told_by(repo))

    def _branch_of(self, repo: Repository) -> str:
        return self._random.choice(sorted(repo.branches))

    def _put_little(self, repo: Repository) -> None:
        count = self._random.randint(1, 4)
        put(repo, self._records(count), self._branch_of(repo))

    def _put_much(self, repo: Repository) -> None:
        put(repo, self._records(LARGE_RECORDS), self._branch_of(repo))

    def _records(self, count: int) -> dict[str, bytes]:
        keys = self._random.sample(range(KEYS), count)
        return {f"k{key:04d}": self._random.randbytes(VALUE_BYTES) for key in keys}

    def _branch(self, repo: Repository) -> None:
        name = f"b{self._random.randrange(10**9)}"
        repo.create_branch(name, self._branch_of(repo))

    def _reset(self, repo: Repository) -> None:
        one, other = self._branch_of(repo), self._branch_of(repo)
        repo.branches[one] = repo.branches[other]

    def _drop(self, repo: Repository) -> None:
        others = sorted(set(repo.branches) - {"main"})
        if others:
            repo.delete_branch(self._random.choice(others), force=True)

    def _set(self, repo: Repository) -> None:
        repo.store.write_setting("color", self._random.randbytes(8))

    def _take_in(self, repo: Repository) -> None:
        garbage.local_store_of(repo.store).maintenance().release_free_pages()

    def _collect(self, repo: Repository) -> None:
        collect_garbage(repo.store, grace_us=0)


def told_by(repo: Repository) -> Told:
    """Return what a repository tells of its refs."""
    return Told(dict(repo.store.iter_refs()), repo.store.sequence())


def iter_cuts(
    events: Sequence[Event],
    source: random.Random,
    *,
    share: float = 1.0,
    draws: int = 2,
) -> Iterator[Cut]:
    """Yield what power cuts leave: at a share of the instants, each kind once.

    At an instant all that was not synced is lost, or none of it, or some, as often as
    ``draws`` says. What leaves the same as another cut is not given again.
    """
    model = DiskModel()
    seen: set[bytes] = set()
    allowed = _allowed(events)
    for number in range(len(events) + 1):
        if number:
            model.apply(events[number - 1])
        if source.random() >= share:
            continue
        choices: list[Choice] = [NOTHING, EVERYTHING]
        choices += [at_random(source) for _ in range(draws)]
        for choice in choices:
            tree = model.after_power_cut(choice)
            key = _digest(tree, allowed[number])
            if key not in seen:
                seen.add(key)
                yield Cut(number, tree, allowed[number])


def _allowed(events: Sequence[Event]) -> list[list[Told]]:
    """Return what may be found behind each number of events.

    That is what was told last, and what comes next: a step may be there unacknowledged.
    """
    told = [
        (number, event.facts)
        for number, event in enumerate(events)
        if isinstance(event, Marked) and isinstance(event.facts, Told)
    ]
    found: list[list[Told]] = []
    for number in range(len(events) + 1):
        before = [fact for at, fact in told if at < number]
        after = [fact for at, fact in told if at >= number]
        found.append(before[-1:] + after[:1] if before else [])
    return found


def _digest(tree: Tree, allowed: list[Told]) -> bytes:
    hasher = blake2b(repr([sorted(one.refs.items()) for one in allowed]).encode())
    for path, data in sorted(tree.items()):
        hasher.update(f"{path}\0{-1 if data is None else len(data)}\0".encode())
        hasher.update(data or b"")
    return hasher.digest()


def lay_out(tree: Tree, directory: Path) -> None:
    """Make the directories and files of a tree below a new directory."""
    directory.mkdir()
    for path, data in tree.items():
        if data is None:
            (directory / path).mkdir()
        else:
            (directory / path).write_bytes(data)


def require_survivor(cut: Cut, directory: Path, source: random.Random) -> None:
    """Assert that a repository outlives a power cut, in a new directory."""
    lay_out(cut.tree, directory)
    place = directory / "home" / "data"
    with small_bounds():
        repo = _opened(place, must_be_there=bool(cut.allowed))
        try:
            told = told_by(repo)
            if cut.allowed:
                assert told in cut.allowed, "a commit is lost"
            _require_sound(repo, full=True)
            after = _go_on(repo, source)
        finally:
            repo.close()
        repo = _opened(place, must_be_there=True)
        try:
            assert told_by(repo) == after, "what came after the power cut is lost"
            _require_sound(repo, full=False)
        finally:
            repo.close()


def _opened(place: Path, *, must_be_there: bool) -> Repository:
    try:
        return open_repository(place, environment=ticking_environment())
    except (NotFound, Corrupt):
        if must_be_there:
            raise
    return create_repository(place, environment=ticking_environment())


def _require_sound(repo: Repository, *, full: bool) -> None:
    assert list(check_repository(repo.store, full=full)) == [], "a check finds faults"


def _go_on(repo: Repository, source: random.Random) -> Told:
    """Commit something, and perhaps collect; return what is told then."""
    before = repo.store.sequence()
    count = source.choice((1, LARGE_RECORDS))
    put(repo, {f"new{n}": source.randbytes(VALUE_BYTES) for n in range(count)})
    assert repo.store.sequence() == before + 1
    if source.random() < 0.3:
        collect_garbage(repo.store, grace_us=0)
    return told_by(repo)
