"""A disk that forgets what was not synced: what a power cut may leave of some files.

A log of events goes in, a tree of directories and files comes out. The model is that of
POSIX, no kinder:

- Bytes that were written since the last sync of their file may be there or not, sector
  by sector, in any order; each sector is as it was after one of the writes, or before
  them all. So a write may be torn.
- The size of a file goes its own way: it may have grown without its bytes, which are
  zero then, or bytes may be lost since the size did not grow.
- A name that was given, taken or moved since the last sync of its directory may be so
  or not, name by name; the sync of a file does nothing for its name. Only a file that
  is moved never loses both of its names.
- What was synced is there.

Nothing here touches a disk. The events are made by ``disk_recorder``, or by hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

# The directory that all names are under. It is there before the first event.
ROOT = 0

# Nothing has this name: what a name pointed at before it was given.
ABSENT = -1


class Written(NamedTuple):
    """Bytes were written to a file."""

    file: int
    offset: int
    data: bytes


class Resized(NamedTuple):
    """A file was cut off, or made longer with zeros."""

    file: int
    size: int


class Synced(NamedTuple):
    """Bytes and size of a file are on the disk."""

    file: int


class Named(NamedTuple):
    """A name points at another node: a file, a new directory, or nothing.

    ``moved_to`` is the directory and name that a rename gave the node in return.
    """

    directory: int
    name: str
    node: int
    moved_to: tuple[int, str] | None = None
    is_directory: bool = False


class DirectorySynced(NamedTuple):
    """The names in a directory are on the disk."""

    directory: int


class Marked(NamedTuple):
    """Whoever wrote was told something: a note in the log, and nothing to the disk."""

    facts: object


Event = Written | Resized | Synced | Named | DirectorySynced | Marked
Tree = dict[str, bytes | None]


@dataclass
class _File:
    """Bytes on the disk, and what was done since."""

    durable: bytes = b""
    waiting: list[Written | Resized] = field(default_factory=list)


@dataclass
class _Directory:
    """Names on the disk, and what was done since."""

    durable: dict[str, int] = field(default_factory=dict)
    waiting: list[Named] = field(default_factory=list)


class Choice(NamedTuple):
    """What a power cut lets through: ``draw(n)`` gives how many of n steps.

    It is asked anew for each sector of ``sector_bytes``, for each size and each name.
    """

    draw: Callable[[int], int]
    sector_bytes: int = 512


# Nothing that was not synced is there, and all of it is, as when a process is killed.
NOTHING = Choice(lambda _steps: 0)
EVERYTHING = Choice(lambda steps: steps)


def at_random(source: random.Random) -> Choice:
    """Return a choice of a random kind: sectors large or small, much or little."""
    sector_bytes = source.choice((512, 4096))
    share = source.choice((0.1, 0.5, 0.9))

    def draw(steps: int) -> int:
        if not steps or source.random() >= share:
            return 0
        return steps if source.random() < share else source.randint(0, steps)

    return Choice(draw, sector_bytes)


class DiskModel:
    """What is on a disk for sure, and what may be."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._directories = {ROOT: _Directory()}

    def apply(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, (Written, Resized)):
            self._file(event.file).waiting.append(event)
        elif isinstance(event, Synced):
            file = self._file(event.file)
            file.durable = _bytes_of(file, EVERYTHING)
            file.waiting = []
        elif isinstance(event, Named):
            if event.is_directory:
                self._directories[event.node] = _Directory()
            self._directories[event.directory].waiting.append(event)
        elif isinstance(event, DirectorySynced):
            directory = self._directories[event.directory]
            directory.durable = _latest(directory)
            directory.waiting = []

    def after_power_cut(self, choice: Choice) -> Tree:
        """Return a tree that may be left: bytes by path; ``None`` for a directory."""
        tree: Tree = {}
        self._walk(ROOT, "", self._names(choice), choice, tree)
        return tree

    def _file(self, node: int) -> _File:
        return self._files.setdefault(node, _File())

    def _walk(
        self,
        node: int,
        path: str,
        names: dict[int, dict[str, int]],
        choice: Choice,
        tree: Tree,
    ) -> None:
        for name, child in sorted(names[node].items()):
            place = f"{path}{name}"
            if child in self._directories:
                tree[place] = None
                self._walk(child, f"{place}/", names, choice, tree)
            else:
                tree[place] = _bytes_of(self._file(child), choice)

    def _names(self, choice: Choice) -> dict[int, dict[str, int]]:
        """Return the names of each directory, each as after some of its changes."""
        found: dict[int, dict[str, int]] = {}
        given: set[tuple[int, str, int]] = set()
        for node, directory in self._directories.items():
            names = dict(directory.durable)
            for name, changes in _by_name(directory.waiting).items():
                count = choice.draw(len(changes))
                given.update((node, name, change.node) for change in changes[:count])
                if count:
                    names[name] = changes[count - 1].node
            found[node] = names
        self._keep_moved(found, given)
        return {
            node: {name: one for name, one in names.items() if one != ABSENT}
            for node, names in found.items()
        }

    def _keep_moved(
        self,
        found: dict[int, dict[str, int]],
        given: set[tuple[int, str, int]],
    ) -> None:
        """Leave a moved file its old name where its new one was not let through."""
        for node, directory in self._directories.items():
            before = dict(directory.durable)
            for change in directory.waiting:
                old = before.get(change.name, ABSENT)
                before[change.name] = change.node
                if change.moved_to is None or found[node].get(change.name) != ABSENT:
                    continue
                target, name = change.moved_to
                durable = self._directories[target].durable.get(name)
                if (target, name, old) not in given and durable != old:
                    found[node][change.name] = old


def _by_name(changes: list[Named]) -> dict[str, list[Named]]:
    named: dict[str, list[Named]] = {}
    for change in changes:
        named.setdefault(change.name, []).append(change)
    return named


def _latest(directory: _Directory) -> dict[str, int]:
    names = dict(directory.durable)
    for change in directory.waiting:
        names[change.name] = change.node
    return {name: node for name, node in names.items() if node != ABSENT}


def _bytes_of(file: _File, choice: Choice) -> bytes:
    """Return what a file may have, each sector as after so many steps as are drawn."""
    if not file.waiting:
        return file.durable
    steps = len(file.waiting)
    sector_bytes = choice.sector_bytes
    content = bytearray(file.durable)
    sizes = [len(content)]
    drawn: dict[int, int] = {}

    def is_through(sector: int, step: int) -> bool:
        if sector not in drawn:
            drawn[sector] = choice.draw(steps)
        return drawn[sector] >= step

    for step, change in enumerate(file.waiting, 1):
        if isinstance(change, Written):
            start, data = change.offset, change.data
            # Nothing written behind the end does not make a file longer.
            size = max(sizes[-1], start + len(data) if data else 0)
        else:
            # What is cut off is zero if the file grows over it again.
            start, size = change.size, change.size
            data = bytes(max(0, len(content) - start))
        sizes.append(size)
        end = start + len(data) if data else 0
        content.extend(bytes(max(0, end - len(content))))
        for sector in range(start // sector_bytes, -(-end // sector_bytes)):
            if is_through(sector, step):
                low = max(start, sector * sector_bytes)
                high = min(end, (sector + 1) * sector_bytes)
                content[low:high] = data[low - start : high - start]
    size = sizes[choice.draw(steps)]
    return bytes(content[:size]).ljust(size, b"\0")
