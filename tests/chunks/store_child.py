"""Actions on a local store in a process of their own.

store_child.py kill DIR POINT SIZE    die at a point of a commit of SIZE chunks
store_child.py race DIR COUNT TAG     move one ref COUNT times, retrying when Stale
store_child.py fill DIR COUNT MAP     commit COUNT chunks inline, in a map of MAP
store_child.py full DIR LIMIT         write while no file may pass LIMIT bytes
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

from prolly.chunks import LocalStore, RefMove, local_journal
from prolly.chunks.local_index import LocalIndex
from prolly.errors import Stale, StorageFailed

CHUNK_BYTES = 4096


def chunk_of(seed: int, size: int = CHUNK_BYTES) -> bytes:
    """Return a chunk that only this number makes."""
    return seed.to_bytes(8, "big") * (size // 8)


def die(*_arguments: Any, **_options: Any) -> None:
    """End as a power switch would: no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)


def dying_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, with death right after it."""

    def call(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        die()

    return call


def arm(point: str) -> None:
    """Set the trap that a commit runs into."""
    when, _, name = point.partition("-")
    owner: Any = LocalIndex if name in ("_apply", "_append") else os
    if name == "_apply":
        # Past the journal, into the tables.
        local_journal.JOURNAL_BYTES_MAX = 0
    original = getattr(owner, name)
    setattr(owner, name, die if when == "before" else dying_after(original))


def kill(path: str, point: str, size: str) -> None:
    store = LocalStore.open(path)
    old = store.read_ref("main")
    writer = store.writer()
    addresses = writer.put_many(chunk_of(1000 + n) for n in range(int(size)))
    if point != "after-commit":
        arm(point)
    writer.commit([RefMove("main", old, addresses[-1])])
    die()


def race(path: str, count: str, tag: str) -> None:
    store = LocalStore.open(path)
    for number in range(int(count)):
        while True:
            old = store.read_ref("main")
            with store.writer() as writer:
                new = writer.put(b"%s %d after %s" % (tag.encode(), number, old or b""))
                try:
                    writer.commit([RefMove("main", old, new)])
                except Stale:
                    continue
                break
    store.close()


def fill(path: str, count: str, map_size: str) -> None:
    store = LocalStore.open(path, map_size=int(map_size))
    for number in range(int(count)):
        with store.writer() as writer:
            writer.put(chunk_of(number, 16384))
            writer.commit()
    store.close()


def full(path: str, limit: str) -> None:
    store = LocalStore.open(path)
    before = list(store.iter_addresses())
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for count in (40, 400):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), hard))
        try:
            with store.writer() as writer:
                last = writer.put_many(chunk_of(n) for n in range(count))[-1]
                writer.commit([RefMove("full", None, last)])
        except StorageFailed as error:
            assert error.code == "disk-full", error.code
        else:
            raise AssertionError("the limit was not reached")
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert list(store.iter_addresses()) == before
        assert store.read_ref("full") is None
        assert os.listdir(os.path.join(path, "tmp")) == []
        with store.writer() as writer:
            writer.put_many(chunk_of(n) for n in range(count))
            writer.commit()
        before = list(store.iter_addresses())
        assert len(before) == count
    store.close()


ACTIONS: dict[str, Callable[..., None]] = {
    "kill": kill,
    "race": race,
    "fill": fill,
    "full": full,
}

if __name__ == "__main__":
    ACTIONS[sys.argv[1]](*sys.argv[2:])
