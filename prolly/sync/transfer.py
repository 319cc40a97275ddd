"""One fetch from a remote: what is wanted and held, which refs move, what is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prolly.chunks import COVERAGE_REF, RefMove, RefNote
from prolly.codec import Address, Coverage, encode_coverage
from prolly.history import BRANCHES, REMOTES, TAGS
from prolly.repo import Repository, coverage_at

from .fetching import Fetch
from .landing import Landing
from .remote import Remote
from .remote_refs import RemoteRefs
from .report import Progress, SyncReport
from .scope import Scope, check_depth
from .settlement import Moves

# Branches of ours that are named as held: more than people have, and 8 kB.
HELD_TIPS_MAX = 256


class Transfer:
    """What one line brings to a repository."""

    def __init__(
        self, repo: Repository, line: Remote, report: SyncReport, progress: Progress
    ) -> None:
        self._repo = repo
        self._store = repo.store
        self._line = line
        self._report = report
        self._progress = progress

    def fetch(
        self,
        theirs: RemoteRefs,
        tracked: str | None,
        names: Sequence[tuple[str, Any]] = (),
        *,
        is_clone: bool = False,
    ) -> None:
        """Fetch all branches and tags of a remote, and move refs of ours.

        ``names`` are datasets, with a prefix or None, that are to be covered from now
        on. Of a clone the one branch is the remote's current one.
        """
        store = self._store
        branches, tags = theirs.named(BRANCHES), theirs.named(TAGS)
        tips = {name: Address(one) for name, one in branches.items()}
        self._report.tips.update(tips)
        tracking = {
            f"{REMOTES}{tracked}/{name}": tip
            for name, tip in branches.items()
            if tracked
        }
        before = {name: store.read_ref(name) for name in tracking}
        new_tags = {
            TAGS + name: tip
            for name, tip in tags.items()
            if store.read_ref(TAGS + name) is None
        }
        moves = [
            RefMove(name, before[name], tip)
            for name, tip in tracking.items()
            if before[name] != tip
        ]
        moves += [RefMove(name, None, tip) for name, tip in new_tags.items()]
        if is_clone:
            moves += _first_branch(self._repo, theirs)
        wants = [*branches.values(), *new_tags.values()]
        if not moves and all(store.contains_many(wants)) and not names:
            return
        haves = _held(self._repo, before)
        # Where one of ours stands is as good a version to compare stamps with as any.
        known = haves[0] if haves else None

        def checked(landing: Landing) -> Sequence[RefMove]:
            landing.require_stamps([(known, tip) for tip in dict.fromkeys(wants)])
            return moves

        old, scope = self._scope(names)
        self._run(wants, haves, self._covering(checked, old, scope), scope)
        for move in moves:
            self._report.note(move.name, move.old, move.new)

    def deepen(self, depth: int | None) -> None:
        """Fetch more history: of so many commits of each branch, or all for None.

        Invalid ``clone-depth``. Where all of it is here nothing happens.
        """
        if depth is not None:
            check_depth(depth)
        old, scope = self._scope()
        if scope is None or (depth is None and scope.coverage.depth is None):
            return
        commits, shallow = self._repo.storage.commits, scope.coverage.shallow
        haves = _held(self._repo, dict(self._store.iter_refs(REMOTES)))
        steps = _steps(self._repo, haves)
        ends = [
            one for one in shallow if depth is None or steps.get(one, 0) + 1 < depth
        ]
        wants = [
            parent
            for one in ends
            for parent in commits.read(one).parents
            if commits.get(parent) is None
        ]
        more = None
        if depth is not None and ends:
            more = depth - 1 - min(steps.get(one, 0) for one in ends)
        after = replace(scope.coverage, depth=depth)
        scope.coverage = replace(scope.coverage, depth=more)
        moves = self._covering(lambda _: (), old, scope, after)
        self._run(wants, haves, moves, scope)

    def _scope(
        self, names: Sequence[tuple[str, Any]] = ()
    ) -> tuple[bytes | None, Scope | None]:
        """Return what is covered now, with its address; None if all is."""
        address = self._store.read_ref(COVERAGE_REF)
        if address is None:
            return None, None
        return address, Scope(coverage_at(self._store, address), names)

    def _covering(
        self,
        moves: Moves,
        old: bytes | None,
        scope: Scope | None,
        after: Coverage | None = None,
    ) -> Moves:
        """Return moves with that of the coverage, as it is once all has landed.

        ``after`` is what it is to be but for the shallow commits.
        """
        if scope is None:
            return moves

        def covering(landing: Landing) -> Sequence[RefMove]:
            chosen = scope.coverage if after is None else after
            new = replace(chosen, shallow=landing.cut_commits())
            address = None if new.is_whole else landing.put(encode_coverage(new))
            return [*moves(landing), RefMove(COVERAGE_REF, old, address)]

        return covering

    def _run(
        self,
        wants: Sequence[bytes],
        haves: Sequence[bytes],
        moves: Moves,
        scope: Scope | None,
    ) -> None:
        storage, environment = self._repo.storage, self._repo.storage.environment
        why = f"fetch: {self._line.url}"
        note = RefNote(environment.user(), why, environment.now_us())
        fetch = Fetch(storage, self._line, self._report, self._progress, scope=scope)
        fetch.run(wants, haves, moves, note)


def _steps(repo: Repository, tips: Sequence[bytes]) -> dict[bytes, int]:
    """Return how far below a tip each commit stands that is here."""
    commits = repo.storage.commits
    steps = dict.fromkeys(tips, 0)
    front = list(steps)
    while front:
        below: list[bytes] = []
        for commit_id in front:
            for parent in commits.parents(commit_id):
                if parent not in steps:
                    steps[parent] = steps[commit_id] + 1
                    below.append(parent)
        front = below
    return steps


def _held(repo: Repository, tracking: dict[str, bytes | None]) -> list[bytes]:
    """Return commits that are here: where the remote stood, and our own branches."""
    seen = [one for one in tracking.values() if one is not None]
    held = dict.fromkeys([*map(bytes, repo.branches.values()), *seen])
    return list(held)[:HELD_TIPS_MAX]


def _first_branch(repo: Repository, theirs: RemoteRefs) -> list[RefMove]:
    """Return the moves that make the remote's current branch the one of a clone.

    None where somebody has worked in what a broken clone left: what they committed
    stays where it is, for them to merge.
    """
    head = theirs.head
    tip = theirs.refs.get(BRANCHES + head)
    commits = repo.storage.commits
    is_used = any(commits.read(one).generation for one in repo.branches.values())
    if tip is None or is_used:
        return []
    repo.store.write_setting("head", head.encode())
    moves = [
        RefMove(BRANCHES + name, bytes(address), None)
        for name, address in repo.branches.items()
        if name != head
    ]
    old = repo.store.read_ref(BRANCHES + head)
    return [*moves, RefMove(BRANCHES + head, old, tip)]
