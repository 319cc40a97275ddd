"""Fetch, pull and push: operations on a repository and another replica.

Each moves refs last, by compare-and-set, together with everything that they reach; done
twice it changes nothing the second time. ``name`` is that of a remote of the repository
or, where there is none of that name, a URL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prolly.codec import shown
from prolly.errors import Invalid, NotFound, Stale
from prolly.history import BRANCHES
from prolly.repo import Repository

from .connection import connect, scheme_of
from .pushing import Lease, Push
from .remote import Remote
from .remote_refs import read_remote_refs
from .report import Progress, SyncReport, no_progress
from .transfer import Transfer

DEFAULT_REMOTE = "origin"

# Each time that another process moved our refs meanwhile, it brought what we came for.
FETCH_RACES_MAX = 8


def fetch(
    repo: Repository,
    name: str = DEFAULT_REMOTE,
    *,
    depth: int | None = None,
    unshallow: bool = False,
    remote: Remote | None = None,
    progress: Progress = no_progress,
) -> SyncReport:
    """Get what a remote has and we lack; move its tracking refs, add its new tags.

    A partial replica gets what it has of everything; with ``depth`` its history reaches
    back so far from now on, with ``unshallow`` to the beginning.

    Of a URL without a name only tags are kept, and ``tips`` of the report tell what
    came. ``remote`` is a line that is open already, and stays so. Raises NotFound
    ``no-such-remote``, Invalid ``remote-url`` and ``clone-depth``, RemoteFailed,
    Corrupt and Invalid for what came and is not right: then nothing is changed.
    """
    report = SyncReport()
    with remote_line(repo, name, remote) as line:
        tracked = name if name in repo.remotes else None
        transfer = Transfer(repo, line, report, progress)
        _fetch_all(transfer, line, tracked)
        if depth is not None or unshallow:
            transfer.deepen(None if unshallow else depth)
        report.count(line.traffic)
    return report


def _fetch_all(transfer: Transfer, line: Remote, tracked: str | None) -> None:
    """Fetch, and once more where another fetch moved refs of ours meanwhile."""
    for left in reversed(range(FETCH_RACES_MAX)):
        try:
            transfer.fetch(read_remote_refs(line), tracked)
            return
        except Stale as error:
            if error.code != "ref-moved" or not left:
                raise


def pull(
    repo: Repository,
    name: str = DEFAULT_REMOTE,
    branch: str | None = None,
    *,
    remote: Remote | None = None,
    progress: Progress = no_progress,
    **merging: Any,
) -> SyncReport:
    """Fetch, then merge the remote's branch into ours of that name (the current one).

    ``merge`` of the report tells how that ended, conflicts included. A branch that is
    not here yet begins where the remote's stands. ``merging`` is handed to
    ``Repository.merge``. Raises NotFound ``no-such-branch`` when the remote has none,
    and as ``fetch`` and ``Repository.merge``.
    """
    chosen = branch or repo.head
    report = fetch(repo, name, remote=remote, progress=progress)
    tip = report.tips.get(chosen)
    if tip is None:
        raise NotFound(
            f"{name} has no branch {chosen!r}",
            code="no-such-branch",
            hint=f"It has: {', '.join(list(report.tips)[:10]) or 'none'}.",
            ref=BRANCHES + chosen,
        )
    before = repo.branches.get(chosen)
    if before is None:
        repo.branches.create(chosen, tip, why=f"pull: from {name}")
    else:
        merging.setdefault("message", f"Merge {chosen} of {name}")
        report.merge = repo.merge(tip, into=chosen, **merging)
    after = repo.branches.require(chosen)
    if before != after:
        report.note(BRANCHES + chosen, before, after)
    return report


def push(
    repo: Repository,
    name: str = DEFAULT_REMOTE,
    branch: str | None = None,
    *,
    force_with_lease: Lease = False,
    remote: Remote | None = None,
    progress: Progress = no_progress,
) -> SyncReport:
    """Send a branch (the current one) and what it reaches; move the remote's there.

    With ``force_with_lease`` the remote's branch may leave commits behind, if it stands
    where it was last seen (or at the commit given). Raises Stale ``not-fast-forward``,
    ``lease``, ``ref-moved`` and NotFound ``no-such-branch``; ReadOnly, Denied and
    whatever the other side raises; RemoteFailed. The refs of ``updated`` are those of
    the other side.
    """
    report = SyncReport()
    with remote_line(repo, name, remote) as line:
        tracked = name if name in repo.remotes else None
        sending = Push(repo.storage, line, tracked, report, progress)
        sending.run(branch or repo.head, force_with_lease)
        report.count(line.traffic)
    return report


@contextmanager
def remote_line(repo: Repository, name: str, remote: Remote | None) -> Iterator[Remote]:
    """Open the line to a remote, unless one is open already."""
    if remote is not None:
        before = remote.traffic
        remote.traffic = type(before)()
        try:
            yield remote
        finally:
            remote.traffic = before
        return
    line = connect(url_of(repo, name))
    try:
        yield line
    finally:
        line.close()


def url_of(repo: Repository, name: str | os.PathLike[str]) -> str:
    """Return the URL of a remote, or what is one itself, as a path always is.

    Raises NotFound ``no-such-remote``, Invalid ``remote-url`` for what is no text.
    """
    if isinstance(name, os.PathLike):
        return os.fspath(name)
    if not isinstance(name, str):
        raise Invalid(
            f"neither a remote nor an address: {shown(name)}",
            code="remote-url",
            hint="Give the name of a remote, a path or a URL.",
        )
    known = repo.remotes.get(name)
    if known is not None:
        return known
    is_address = scheme_of(name) or os.sep in name or name in (".", "..")
    return name if is_address else repo.remotes.require(name)
