"""Fetch, pull, push and clone: operations on a repository and another replica.

Each moves refs last, by compare-and-set, together with everything that they reach; done
twice it changes nothing the second time. ``name`` is that of a remote of the repository
or, where there is none of that name, a URL.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prolly.chunks import COVERAGE_REF, RefMove
from prolly.codec import Coverage, encode_coverage
from prolly.errors import AlreadyExists, NotFound, RemoteFailed
from prolly.history import BRANCHES
from prolly.repo import (
    STORE_DIRECTORY,
    Repository,
    create_store,
    open_store,
    read_coverage,
)

from .connection import connect, scheme_of
from .pushing import Lease, Push
from .remote import Remote
from .remote_refs import read_remote_refs
from .report import Progress, SyncReport, no_progress
from .scope import ALL, Wish
from .transfer import CLONING_SETTING, Transfer

DEFAULT_REMOTE = "origin"


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
        theirs = read_remote_refs(line)
        tracked = name if name in repo.remotes else None
        transfer = Transfer(repo, line, report, progress)
        transfer.fetch(theirs, tracked)
        if depth is not None or unshallow:
            transfer.deepen(None if unshallow else depth)
        report.count(line.traffic)
    return report


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


def clone(
    url: str,
    path: str | os.PathLike[str],
    *,
    wish: Wish = ALL,
    remote: Remote | None = None,
    progress: Progress = no_progress,
    opened: Callable[..., Repository] = Repository,
) -> tuple[Repository, SyncReport]:
    """Make a repository in a directory that has all that another one has.

    Its remote is called ``origin``, its one branch is the current one of the other
    side. With ``wish`` it is a partial replica. One that a broken line left behind is
    gone on with. ``opened`` makes the repository of a store and a directory. Raises
    AlreadyExists ``repository-exists``, Invalid ``clone-depth`` and ``clone-prefix``,
    NotFound ``no-such-dataset``, and as ``fetch``; then there is no repository, but
    after RemoteFailed.
    """
    report = SyncReport()
    coverage = wish.coverage(DEFAULT_REMOTE)
    line = connect(url) if remote is None else remote
    try:
        theirs = read_remote_refs(line)
        repo = _begin_clone((url, wish), coverage, Path(path), opened)
        try:
            repo.remotes[DEFAULT_REMOTE] = (
                url if scheme_of(url) else os.path.abspath(url)
            )
            names = [(name, wish.prefix) for name in wish.datasets]
            transfer = Transfer(repo, line, report, progress)
            transfer.fetch(theirs, DEFAULT_REMOTE, names)
            repo.store.write_setting(CLONING_SETTING, None)
        except (RemoteFailed, KeyboardInterrupt):
            repo.close()
            raise
        except BaseException:
            repo.close()
            shutil.rmtree(Path(path) / STORE_DIRECTORY, ignore_errors=True)
            raise
        report.count(line.traffic)
        return repo, report
    finally:
        if remote is None:
            line.close()


def _begin_clone(
    asked: tuple[str, Wish],
    coverage: Coverage | None,
    path: Path,
    opened: Callable[..., Repository],
) -> Repository:
    """Make the repository, or open the one of a clone that broke."""
    url, wish = asked
    subject = (url if wish == ALL else f"{url} {wish}").encode()
    try:
        store, directory = create_store(path)
    except AlreadyExists:
        store, directory = open_store(path)
        if store.read_setting(CLONING_SETTING) != subject:
            store.close()
            raise
    store.write_setting(CLONING_SETTING, subject)
    if coverage is not None and read_coverage(store) is None:
        # From the first byte on it says that nothing has to be here.
        with store.writer() as writer:
            begun = writer.put(encode_coverage(coverage))
            writer.commit([RefMove(COVERAGE_REF, None, begun)])
    return opened(store, directory)


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


def url_of(repo: Repository, name: str) -> str:
    """Return the URL of a remote, or what is one itself.

    Raises NotFound ``no-such-remote``.
    """
    known = repo.remotes.get(name)
    if known is not None:
        return known
    if scheme_of(name) or os.sep in name or name in (".", ".."):
        return name
    there = ", ".join(list(repo.remotes)[:10])
    raise NotFound(
        f"no remote {name!r}",
        code="no-such-remote",
        hint=f"There is: {there}."
        if there
        else "`prolly remote add NAME URL` adds one.",
        name=name,
    )
