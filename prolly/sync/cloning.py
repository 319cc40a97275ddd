"""Clone: a repository in a directory that has what another replica has.

A clone whose line broke is gone on with by the next one of the same URL, which first
takes a lock: two at once would fetch everything twice, and one that fails would remove
what the other made. What somebody did meanwhile in the half of a clone is theirs: no
branch of theirs moves, and nothing is removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prolly.chunks import COVERAGE_REF, KeptFiles, LocalStore, RefMove
from prolly.codec import Coverage, encode_coverage
from prolly.errors import AlreadyExists, Error, RemoteFailed
from prolly.history import BRANCHES
from prolly.repo import (
    STORE_DIRECTORY,
    Repository,
    create_store,
    open_store,
    read_coverage,
)

from .connection import connect, scheme_of
from .quarantine import transfer_busy
from .remote import Remote
from .remote_refs import RemoteRefs, read_remote_refs
from .replication import DEFAULT_REMOTE
from .report import Progress, SyncReport, no_progress
from .scope import ALL, Wish
from .transfer import Transfer

# Names the URL of a clone that is not whole yet.
CLONING_SETTING = "cloning"
# The kept file whose lock a clone holds.
CLONING_LOCK = "cloning"


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
    gone on with; where somebody worked in it, its branches stay as they are. ``opened``
    makes the repository of a store and a directory. Raises AlreadyExists
    ``repository-exists``, Stale ``upload-busy`` while another process clones into the
    directory, Invalid ``clone-depth`` and ``clone-prefix``, NotFound
    ``no-such-dataset``, and as ``fetch``; then there is no repository, but after
    RemoteFailed, or where somebody worked in it.
    """
    coverage = wish.coverage(DEFAULT_REMOTE)
    line = connect(url) if remote is None else remote
    try:
        theirs = read_remote_refs(line)
        with _begun((url, wish), coverage, Path(path)) as (store, directory):
            report = SyncReport()
            repo = opened(store, directory)
            try:
                _fetch(repo, (url, wish), line, theirs, (report, progress))
            except BaseException:
                repo.close()
                raise
            report.count(line.traffic)
        return repo, report
    finally:
        if remote is None:
            line.close()


def _fetch(
    repo: Repository,
    asked: tuple[str, Wish],
    line: Remote,
    theirs: RemoteRefs,
    told: tuple[SyncReport, Progress],
) -> None:
    url, wish = asked
    repo.remotes[DEFAULT_REMOTE] = url if scheme_of(url) else os.path.abspath(url)
    names = [(name, wish.prefix) for name in wish.datasets]
    Transfer(repo, line, *told).fetch(theirs, DEFAULT_REMOTE, names, is_clone=True)
    repo.store.write_setting(CLONING_SETTING, None)


@contextmanager
def _begun(
    asked: tuple[str, Wish], coverage: Coverage | None, path: Path
) -> Iterator[tuple[LocalStore, Path]]:
    """Make the store, or open that of a clone that broke; what fails, goes.

    What a broken line left behind stays, and what somebody worked in.
    """
    url, wish = asked
    subject = (url if wish == ALL else f"{url} {wish}").encode()
    is_new_directory = not path.exists()
    is_void = False
    try:
        with _held(path, subject) as (store, directory):
            try:
                _begin(store, subject, coverage)
                yield store, directory
            except BaseException as error:
                if not isinstance(error, (RemoteFailed, KeyboardInterrupt)):
                    is_void = _is_untouched(path)
                raise
    finally:
        if is_void:
            shutil.rmtree(path / STORE_DIRECTORY, ignore_errors=True)
            if is_new_directory:
                with suppress(OSError):
                    path.rmdir()


@contextmanager
def _held(path: Path, subject: bytes) -> Iterator[tuple[LocalStore, Path]]:
    """Open a store that no other clone takes up meanwhile; an error closes it."""
    store, directory, is_new = _opened(path, subject)
    lock = KeptFiles(store).open(CLONING_LOCK)
    try:
        if lock is None:
            raise transfer_busy()
        if not is_new and store.read_setting(CLONING_SETTING) != subject:
            # It became whole while we came.
            raise _already_there(directory)
        yield store, directory
    except BaseException:
        store.close()
        raise
    finally:
        if lock is not None:
            lock.remove()


def _opened(path: Path, subject: bytes) -> tuple[LocalStore, Path, bool]:
    """Return a store, its directory, and whether it is new."""
    try:
        return create_store(path)[0], path.absolute(), True
    except AlreadyExists:
        store, directory = open_store(path)
        if store.read_setting(CLONING_SETTING) != subject:
            store.close()
            raise
    return store, Path(directory), False


def _begin(store: LocalStore, subject: bytes, coverage: Coverage | None) -> None:
    store.write_setting(CLONING_SETTING, subject)
    if coverage is not None and read_coverage(store) is None:
        # From the first byte on it says that nothing has to be here.
        with store.writer() as writer:
            begun = writer.put(encode_coverage(coverage))
            writer.commit([RefMove(COVERAGE_REF, None, begun)])


def _is_untouched(path: Path) -> bool:
    """Tell whether nobody worked in a clone that is not whole."""
    try:
        store, directory = open_store(path)
        with Repository(store, directory) as repo:
            commits = repo.storage.commits
            return all(
                name == COVERAGE_REF
                or (name.startswith(BRANCHES) and not commits.read(tip).generation)
                for name, tip in store.iter_refs()
            )
    except Error:
        # What cannot be read may hold anything.
        return False


def _already_there(directory: Path) -> AlreadyExists:
    return AlreadyExists(
        f"there is a repository in {directory} already",
        code="repository-exists",
        hint="Open it, or choose another directory.",
        path=str(directory),
    )
