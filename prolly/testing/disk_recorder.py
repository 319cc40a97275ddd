"""What a local store does to the disk, written down call by call.

While a recorder is at work, the calls of ``os`` that change files below its directory
make events of ``disk_model``, and are carried out. LMDB makes its own calls, out of
sight. They are known: it writes pages that its last commit does not use, syncs, then
writes the page that names them, and waits for that too. So after each write transaction
the file of the index is compared with what it was, and those events are added.

A recorder can also end the process that it watches, as far as that goes in one: behind
a chosen event every call raises ``Killed``, and what handlers would tidy away stays.
In a child of a test it can be ended for good. For one thread, and one recorder at a
time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from unittest.mock import patch

import lmdb

from prolly.chunks.lmdb_environment import META_PAGES, SharedEnvironment
from prolly.chunks.lmdb_opening import DATA_FILE, LOCKS_FILE

from .disk_model import (
    ABSENT,
    ROOT,
    DirectorySynced,
    Event,
    Marked,
    Named,
    Resized,
    Synced,
    Written,
)

T = TypeVar("T")

# What LMDB compares and writes: pages of the system.
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Killed(BaseException):
    """The process that is watched is over. No handler of errors is to catch it."""


class DiskRecorder:
    """The events below a directory, from its making on.

    Events tell of nothing that is there at that time, so only of a directory that is
    empty then do they make what is found later.
    """

    def __init__(self, directory: Path) -> None:
        self.events: list[Event] = []
        self._root = os.path.realpath(directory)
        self._nodes: dict[str, int] = {self._root: ROOT}
        self._directories = {ROOT}
        self._descriptors: dict[int, int] = {}
        self._indexes: dict[str, bytes] = {}
        self._last_node = ROOT
        self._drawn = 0
        self._left: int | None = None
        self._is_dead = False
        self._for_good = False
        self._real = {name: getattr(os, name) for name in _CALLS}
        for path in Path(self._root).rglob("*"):
            node = self._new_node(str(path))
            if path.is_dir():
                self._directories.add(node)
            elif path.name == DATA_FILE:
                self._indexes[str(path)] = path.read_bytes()

    def mark(self, facts: object) -> None:
        """Write down that somebody was told something."""
        self.events.append(Marked(facts))

    def kill_after(self, events: int, *, for_good: bool = False) -> None:
        """Let the process die behind so many more events; ``for_good`` by SIGKILL."""
        self._left = events
        self._for_good = for_good

    def start_again(self) -> None:
        """Let the next process begin: calls are carried out again."""
        self._left = None
        self._is_dead = False

    @contextmanager
    def at_work(self) -> Iterator[DiskRecorder]:
        """Write down what is done inside the block."""
        with ExitStack() as patches:
            for name in _CALLS:
                call = getattr(self, f"_{name}")
                patches.enter_context(patch.object(os, name, call))
            for name in ("_open", "write"):
                call = self._watching_index(getattr(SharedEnvironment, name))
                patches.enter_context(patch.object(SharedEnvironment, name, call))
            # Temporary files draw their names: equal seeds are to make equal events.
            patches.enter_context(patch.object(os, "urandom", self._draw_bytes))
            yield self

    def _draw_bytes(self, size: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(size, "big")

    # The calls, as ``os`` has them.

    def _open(self, path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        place = self._place(path)
        is_new = place is not None and not os.path.lexists(place)
        if place is not None and flags & os.O_CREAT and is_new:
            self._require_alive()
        descriptor: int = self._real["open"](path, flags, mode, **options)
        if place is None:
            return descriptor
        if is_new:
            self._add(self._named(place, self._new_node(place)))
        elif flags & os.O_TRUNC:
            self._add(Resized(self._nodes[place], 0))
        if place in self._nodes:
            self._descriptors[descriptor] = self._nodes[place]
        return descriptor

    def _close(self, descriptor: int) -> None:
        self._descriptors.pop(descriptor, None)
        self._real["close"](descriptor)

    def _write(self, descriptor: int, data: Any) -> int:
        node = self._node_of(descriptor)
        offset = 0 if node is None else os.lseek(descriptor, 0, os.SEEK_CUR)
        size: int = self._real["write"](descriptor, data)
        if node is not None:
            self._add(Written(node, offset, bytes(data)[:size]))
        return size

    def _pwrite(self, descriptor: int, data: Any, offset: int, *rest: int) -> int:
        node = self._node_of(descriptor)
        size: int = self._real["pwrite"](descriptor, data, offset, *rest)
        if node is not None:
            self._add(Written(node, offset, bytes(data)[:size]))
        return size

    def _ftruncate(self, descriptor: int, size: int) -> None:
        node = self._node_of(descriptor)
        self._real["ftruncate"](descriptor, size)
        if node is not None:
            self._add(Resized(node, size))

    def _fsync(self, descriptor: int) -> None:
        self._sync(descriptor)

    def _fdatasync(self, descriptor: int) -> None:
        self._sync(descriptor)

    def _sync(self, descriptor: int) -> None:
        # Nothing is waited for: whether the disk of the tests has it does not matter.
        node = self._node_of(descriptor)
        if node is not None:
            is_directory = node in self._directories
            self._add(DirectorySynced(node) if is_directory else Synced(node))

    def _mkdir(self, path: Any, mode: int = 0o777, **options: Any) -> None:
        place = self._place(path)
        if place is not None:
            self._require_alive()
        self._real["mkdir"](path, mode, **options)
        if place is not None:
            node = self._new_node(place)
            self._directories.add(node)
            self._add(self._named(place, node)._replace(is_directory=True))

    def _rmdir(self, path: Any, **options: Any) -> None:
        self._remove("rmdir", path, options)

    def _unlink(self, path: Any, **options: Any) -> None:
        self._remove("unlink", path, options)

    def _remove(self, call: str, path: Any, options: dict[str, Any]) -> None:
        place = self._place(path)
        if place is not None and self._is_dead:
            # Handlers of errors tidy up; a process that is over does not.
            return
        self._real[call](path, **options)
        if place is not None:
            del self._nodes[place]
            self._add(self._named(place, ABSENT))

    def _rename(self, source: Any, target: Any, **options: Any) -> None:
        self._move("rename", source, target, options)

    def _replace(self, source: Any, target: Any, **options: Any) -> None:
        self._move("replace", source, target, options)

    def _move(
        self, call: str, source: Any, target: Any, options: dict[str, Any]
    ) -> None:
        old, new = self._place(source), self._place(target)
        if old is None or new is None:
            self._real[call](source, target, **options)
            return
        self._require_alive()
        self._real[call](source, target, **options)
        node = self._nodes[new] = self._nodes.pop(old)
        # One step of the program, and two of names that a power cut may tell apart.
        given = self._named(new, node)
        where = (given.directory, given.name)
        self._add(given, self._named(old, ABSENT)._replace(moved_to=where))

    # What LMDB does.

    def _watching_index(self, call: Callable[..., T]) -> Callable[..., T]:
        def watched(environment: SharedEnvironment, *arguments: Any) -> T:
            is_here = self._place(environment.directory) is not None
            if is_here:
                self._require_alive()
            try:
                return call(environment, *arguments)
            finally:
                if is_here and not self._is_dead:
                    self._look_at_index(environment.directory)

        return watched

    def _look_at_index(self, directory: str) -> None:
        path = os.path.join(os.path.realpath(directory), DATA_FILE)
        with suppress(FileNotFoundError):
            now = Path(path).read_bytes()
            events: list[Event] = []
            if path not in self._nodes:
                events += self._begun_index(path)
            old, self._indexes[path] = self._indexes[path], now
            events += index_events(self._nodes[path], old, now)
            if events:
                self._add(*events)

    def _begun_index(self, path: str) -> list[Event]:
        """Return what making an environment does: its names, and two pages unsynced."""
        locks = os.path.join(os.path.dirname(path), LOCKS_FILE)
        named = [self._named(one, self._new_node(one)) for one in (locks, path)]
        with TemporaryDirectory() as empty:
            lmdb.open(empty).close()
            self._indexes[path] = Path(empty, DATA_FILE).read_bytes()
        return [*named, Written(self._nodes[path], 0, self._indexes[path])]

    # Names and nodes.

    def _place(self, path: Any) -> str | None:
        """Return the real path of what lies below the directory."""
        if isinstance(path, int):
            return None
        given = os.fsdecode(path)
        directory, name = os.path.split(os.path.abspath(given))
        place = os.path.join(os.path.realpath(directory), name)
        is_below = place == self._root or place.startswith(self._root + os.sep)
        return place if is_below else None

    def _new_node(self, place: str) -> int:
        self._last_node += 1
        self._nodes[place] = self._last_node
        return self._last_node

    def _named(self, place: str, node: int) -> Named:
        directory, name = os.path.split(place)
        return Named(self._nodes[directory], name, node)

    def _node_of(self, descriptor: int) -> int | None:
        node = self._descriptors.get(descriptor)
        if node is not None:
            self._require_alive()
        return node

    def _require_alive(self) -> None:
        if self._is_dead:
            raise Killed

    def _add(self, *events: Event) -> None:
        """Write down events between which the process does not die."""
        self.events += events
        if self._left is not None:
            self._left -= len(events)
            if self._left <= 0:
                if self._for_good:
                    os.kill(os.getpid(), signal.SIGKILL)
                self._is_dead = True
                raise Killed


def index_events(node: int, old: bytes, new: bytes) -> list[Event]:
    """Return what LMDB did to make one file of the other: pages, then their names."""
    starts = range(0, len(new), PAGE_BYTES)
    pages = ((at, new[at : at + PAGE_BYTES]) for at in starts)
    changed = [(at, page) for at, page in pages if old[at : at + len(page)] != page]
    heads = META_PAGES * PAGE_BYTES
    events: list[Event] = [Written(node, *one) for one in changed if one[0] >= heads]
    for at, page in changed:
        if at < heads:
            events += [Synced(node), Written(node, at, page), Synced(node)]
    return events


# What changes files; ``os.makedirs`` calls ``os.mkdir``.
_CALLS = (
    "open",
    "close",
    "write",
    "pwrite",
    "ftruncate",
    "fsync",
    "fdatasync",
    "mkdir",
    "rmdir",
    "unlink",
    "rename",
    "replace",
)
