"""Bundles taken: what they hold comes in as from any replica, and branches move on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from prolly.chunks import RefMove, RefNote
from prolly.errors import Stale
from prolly.history import BRANCHES, TAGS, is_ancestor
from prolly.repo import Repository
from prolly.sync import (
    BundleRemote,
    Fetch,
    Progress,
    SyncReport,
    no_progress,
)

if TYPE_CHECKING:
    from prolly.codec.bundle import BundleHead
    from prolly.sync import Landing


def apply_bundle(
    repository: Repository,
    path: str | os.PathLike[str],
    *,
    progress: Progress = no_progress,
) -> SyncReport:
    """Take what a bundle holds, and move branches on to where they stand in it.

    A branch or a tag that is not here is made; a branch that has all of it already
    stays, and so does a tag that is here. Everything is checked before a ref moves, and
    all of them move in one step. Raises NotFound ``bundle-prerequisite`` where a commit
    that the bundle builds upon is not here, Stale ``not-fast-forward`` where a branch
    would lose commits of ours, Corrupt and what opening a bundle raises; then nothing
    is changed.
    """
    report = SyncReport()
    with closing(BundleRemote(path)) as remote:
        remote.require_prerequisites(repository.store)
        moves = _wanted_moves(repository, remote.head)
        moved = _fetch(repository, remote, moves, (report, progress)) if moves else ()
    for one in moved:
        report.note(one.name, one.old, one.new)
    return report


def _fetch(
    repository: Repository,
    remote: BundleRemote,
    moves: Sequence[RefMove],
    told: tuple[SyncReport, Progress],
) -> Sequence[RefMove]:
    """Take in what the moves lead to; return those that were made."""
    storage = repository.storage
    moved: list[RefMove] = []

    def checked(landing: Landing) -> Sequence[RefMove]:
        moved[:] = [one for one in moves if _is_forward(landing, one)]
        landing.require_stamps([(one.old, bytes(one.new or b"")) for one in moved])
        return moved

    environment = storage.environment
    why = f"bundle: {os.path.basename(remote.path)}"
    note = RefNote(environment.user(), why, environment.now_us())
    wants = [bytes(one.new) for one in moves if one.new is not None]
    haves = [bytes(one) for one in repository.branches.values()]
    Fetch(storage, remote, *told).run(wants, haves, checked, note)
    told[0].count(remote.traffic)
    return moved


def _wanted_moves(repository: Repository, head: BundleHead) -> list[RefMove]:
    """Return the moves to where refs stand in the bundle, where they do not here."""
    moves = []
    for name, new in head.refs.items():
        old = repository.store.read_ref(name)
        is_branch = name.startswith(BRANCHES) and old != new
        if is_branch or (name.startswith(TAGS) and old is None):
            moves.append(RefMove(name, old, new))
    return moves


def _is_forward(landing: Landing, move: RefMove) -> bool:
    """Tell whether a ref has to move; Stale where it would lose commits."""
    assert move.new is not None, "refs of a bundle stand somewhere"
    if move.old is None or is_ancestor(landing.commits, move.old, move.new):
        return True
    if is_ancestor(landing.commits, move.new, move.old):
        return False
    raise Stale(
        f"{move.name} has commits here that the bundle has not",
        code="not-fast-forward",
        hint="`prolly pull bundle:FILE` merges what the bundle has into it.",
        ref=move.name,
    )
