"""Making and opening the repository of a directory."""

from __future__ import annotations

import os

from prolly.chunks import Durability, LocalStore, RefMove, RefNote, Store
from prolly.codec import FORMAT_PARAMETERS, first_commit
from prolly.env import SYSTEM, Environment
from prolly.errors import AlreadyExists, Stale
from prolly.history import BRANCHES

from .location import (
    STORE_DIRECTORY,
    is_repository,
    missing_repository,
    new_store_directory,
    refuse_address,
    repository_exists,
)
from .repository import DEFAULT_BRANCH, Repository


def begin_history(store: Store, environment: Environment) -> None:
    """Write the constant first commit and the default branch into an empty store."""
    from prolly.tree import build

    with store.writer() as writer:
        root = build(writer, [], FORMAT_PARAMETERS)
        commit_id = writer.put(first_commit(root))
        move = RefMove(BRANCHES + DEFAULT_BRANCH, None, commit_id)
        writer.commit([move], RefNote(environment.user(), "init", environment.now_us()))


def create_store(
    path: str | os.PathLike[str], *, environment: Environment = SYSTEM
) -> tuple[LocalStore, str]:
    """Make the store of a repository in a directory; return it and the directory.

    The directory is created when it is not there. The repository has the branch
    ``main`` at the constant empty first commit. Raises AlreadyExists
    ``repository-exists``.
    """
    place = new_store_directory(path)
    directory = os.path.dirname(place)
    try:
        store = LocalStore.create(place)
    except AlreadyExists as error:
        if error.code != "store-exists":
            raise
        raise repository_exists(directory) from error
    _begin_or_close(store, environment)
    return store, directory


def _begin_or_close(store: LocalStore, environment: Environment) -> None:
    """Write the first commit, unless another process is faster."""
    try:
        begin_history(store, environment)
    except Stale:
        # Who came first wrote the same constant commit.
        return
    except BaseException:
        store.close()
        raise


def create_repository(
    path: str | os.PathLike[str], *, environment: Environment = SYSTEM
) -> Repository:
    """Make a repository in a directory and open it. Raises as ``create_store``."""
    store, directory = create_store(path, environment=environment)
    return Repository(store, directory, environment=environment)


def open_store(
    path: str | os.PathLike[str],
    *,
    writable: bool = True,
    durability: Durability = "full",
    environment: Environment = SYSTEM,
) -> tuple[LocalStore, str]:
    """Open the store of the repository in a directory; return it and the directory.

    ``durability`` ``"scratch"`` skips the fsync of each commit: a power failure may
    then lose or corrupt the repository. Raises NotFound ``no-repository``, Invalid
    ``file-path`` for an address, Unsupported ``format-version``.
    """
    refuse_address(path)
    directory = os.path.abspath(path)
    if not is_repository(directory):
        raise missing_repository(directory, is_search=False)
    store = LocalStore.open(
        os.path.join(directory, STORE_DIRECTORY),
        writable=writable,
        durability=durability,
    )
    try:
        is_empty = writable and store.sequence() == 0
    except BaseException:
        store.close()
        raise
    if is_empty:
        # A crash between creating the store and its first commit leaves it empty.
        _begin_or_close(store, environment)
    return store, directory


def open_repository(
    path: str | os.PathLike[str],
    *,
    writable: bool = True,
    durability: Durability = "full",
    environment: Environment = SYSTEM,
) -> Repository:
    """Open the repository in a directory. Raises as ``open_store``."""
    store, directory = open_store(
        path, writable=writable, durability=durability, environment=environment
    )
    return Repository(store, directory, environment=environment)
