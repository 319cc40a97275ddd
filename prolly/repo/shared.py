"""Repositories opened on behalf of many, once a process: whoever reads holds them open.

Someone who unpickles a snapshot gets no repository to close. So all snapshots of one
repository share one, opened read-only, whose store is closed when the last of them, and
of what was opened through them, is gone.
"""

from __future__ import annotations

import gc
import os
import weakref
from collections import deque
from contextlib import suppress
from threading import RLock
from typing import Any

from prolly.chunks import LocalStore

from .location import STORE_DIRECTORY
from .opening import open_store
from .repository import Repository
from .snapshot import Snapshot

# By path and directory: one that was removed and made again is another.
_shared: weakref.WeakValueDictionary[tuple[str, int, int], Repository]
_shared = weakref.WeakValueDictionary()

# Held while a repository is looked up and opened, or two threads would open two. The
# collector may run meanwhile, and what it calls may ask here again in the same thread.
_opening = RLock()

# Stores whose last reader the garbage collector found. It may do so in the middle of
# anything, under the very locks that closing takes, so these are closed a little later.
_unread: deque[LocalStore] = deque()
_is_collecting = False


def shared_repository(path: str | os.PathLike[str]) -> Repository:
    """Return the repository in a directory, opened read-only for all who ask so.

    Nobody closes it: that happens by itself when nothing reads from it any more. Raises
    as ``open_repository``.
    """
    _close_unread()
    directory = os.path.abspath(path)
    try:
        status = os.stat(os.path.join(directory, STORE_DIRECTORY))
    except OSError:
        # What is wrong with it is told by opening it.
        name = (directory, 0, 0)
    else:
        name = (directory, status.st_dev, status.st_ino)
    with _opening:
        found = _shared.get(name)
        if found is None:
            store, place = open_store(directory, writable=False)
            found = _shared[name] = Repository(store, place)
            # Every reader holds the verifying store, some without the repository.
            weakref.finalize(found.store, _close, store)
    return found


def snapshot_of(path: str, commit_id: bytes, local_id: bytes | None = None) -> Snapshot:
    """Return the snapshot of a commit: what a pickled one becomes.

    ``local_id`` tells the local datasets beside it, as they were then.
    """
    return shared_repository(path).at_once(commit_id, local_id)


def _close_unread() -> None:
    """Close what nothing reads from any more."""
    while _unread:
        # Another thread may have taken the last one meanwhile.
        with suppress(IndexError):
            _unread.popleft().close()


def _close(store: LocalStore) -> None:
    if _is_collecting:
        _unread.append(store)
    else:
        store.close()


def _note_collection(phase: str, _: dict[str, Any]) -> None:
    global _is_collecting
    _is_collecting = phase == "start"


gc.callbacks.append(_note_collection)
