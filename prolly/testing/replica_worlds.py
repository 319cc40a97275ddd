"""What replicas edit and merge in simulations: plain counters and registers, and trees.

A world gives roots, edits them for an author, and merges them by a pure function that
settles everything. It also knows what must come out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Protocol

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, address_of
from prolly.tree import Both, NodeReader, Versions, apply, build, iter_batches, merge

# Enough to make a tree of several leaves, few enough that edits often meet.
TREE_RECORDS = 150
_PADDING_BYTES = 100


class World(Protocol):
    """What roots stand for."""

    def first(self) -> bytes:
        """Return the root without any content."""

    def edit(self, root: bytes, source: random.Random, time: int) -> bytes:
        """Return the root of an authored change; ``time`` differs for each."""

    def merge(self, versions: Versions) -> bytes:
        """Return the root of a merge that settles everything; a pure function."""


class _PlainWorld:
    """Roots that stand for dictionaries, kept beside."""

    def __init__(self) -> None:
        self._states: dict[bytes, dict[str, list[int]]] = {}

    def first(self) -> bytes:
        return self._root({})

    def state(self, root: bytes | None) -> dict[str, list[int]]:
        """Return what a root stands for; nothing for ``None``."""
        return {} if root is None else self._states[root]

    def _root(self, state: dict[str, list[int]]) -> bytes:
        root = address_of(json.dumps(state, sort_keys=True).encode())
        self._states[root] = state
        return root

    def _merge_by(
        self,
        versions: Versions,
        settle: Callable[[list[int], list[int], list[int]], list[int]],
    ) -> bytes:
        base, ours, theirs = map(self.state, versions)
        keys = base.keys() | ours.keys() | theirs.keys()
        return self._root(
            {
                key: settle(base.get(key, []), ours.get(key, []), theirs.get(key, []))
                for key in keys
            }
        )


class CounterWorld(_PlainWorld):
    """Counters: a merge adds what both sides added. Remembers what was ever added."""

    def __init__(self) -> None:
        super().__init__()
        self.added: dict[str, list[int]] = {}

    def edit(self, root: bytes, source: random.Random, time: int) -> bytes:
        """Add to one of three counters."""
        key, delta = source.choice("abc"), source.randrange(-9, 10)
        state = dict(self.state(root))
        for counters in (state, self.added):
            counters[key] = [sum(counters.get(key, [])) + delta]
        return self._root(state)

    def merge(self, versions: Versions) -> bytes:
        """Add both deltas to the base."""
        return self._merge_by(versions, _counted)


class RegisterWorld(_PlainWorld):
    """Registers: of two new values the greater stays, and every loser is kept.

    A state is the winner, then the losers in order. Remembers each write by its time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[int, tuple[str, int]] = {}

    def edit(self, root: bytes, source: random.Random, time: int) -> bytes:
        """Write one of three registers; who writes has seen what stood there."""
        state = dict(self.state(root))
        key, value = source.choice("abc"), source.randrange(10**9)
        self.written[time] = key, value
        state[key] = [value, *state.get(key, [])[1:]]
        return self._root(state)

    def merge(self, versions: Versions) -> bytes:
        """Take what one side changed; of two changes the greater, and keep both."""
        return self._merge_by(versions, _greater)


def _counted(base: list[int], ours: list[int], theirs: list[int]) -> list[int]:
    return [sum(ours) + sum(theirs) - sum(base)]


def _greater(base: list[int], ours: list[int], theirs: list[int]) -> list[int]:
    winners = base[:1], ours[:1], theirs[:1]
    lost = {*ours[1:], *theirs[1:]}
    if winners[1] in (winners[0], winners[2]):
        winner = winners[2]
    elif winners[2] == winners[0]:
        winner = winners[1]
    else:
        loser, winner = sorted(winners[1:])
        lost.update(loser)
    return [*winner, *sorted(lost)]


class TreeCounterWorld:
    """Counters in a record tree, merged by the tree's own merge."""

    def __init__(self) -> None:
        self._writer = MemoryStore().writer()
        self._reader = NodeReader(self._writer.get)
        self.added = {b"%04d" % number: 0 for number in range(TREE_RECORDS)}

    def first(self) -> bytes:
        """Return the tree of counters at 0."""
        return self._build(dict.fromkeys(self.added, 0))

    def edit(self, root: bytes, source: random.Random, time: int) -> bytes:
        """Add to some counters that lie together."""
        start = source.randrange(TREE_RECORDS)
        keys = sorted(self.added)[start : start + source.randint(1, 20)]
        counts = self.counts(root)
        for key in keys:
            delta = source.randrange(1, 3)
            counts[key] += delta
            self.added[key] += delta
        values = [_stored(counts[key]) for key in keys]
        edits = keys, [*values]
        return apply(self._reader, self._writer, root, edits, DEFAULT_PARAMETERS)

    def merge(self, versions: Versions) -> bytes:
        """Add both deltas to the base, equal ones too."""
        return merge(
            self._reader,
            self._writer,
            versions,
            DEFAULT_PARAMETERS,
            _added_both,
            equal_too=True,
        ).root

    def counts(self, root: bytes) -> dict[bytes, int]:
        """Return the counters of a tree."""
        found: dict[bytes, int] = {}
        for keys, values in iter_batches(self._reader, root):
            found.update(zip(keys, map(_count, values), strict=True))
        return found

    def expected(self) -> bytes:
        """Return the root of what was ever added, each once, built from nothing."""
        return self._build(self.added)

    def _build(self, counts: dict[bytes, int]) -> bytes:
        keys = sorted(counts)
        batch = keys, [_stored(counts[key]) for key in keys]
        return build(self._writer, [batch], DEFAULT_PARAMETERS)


def _stored(count: int) -> bytes:
    return count.to_bytes(_PADDING_BYTES)


def _count(stored: bytes | None) -> int:
    return int.from_bytes(stored or b"")


def _added_both(batch: Sequence[Both]) -> list[bytes | None]:
    return [
        _stored(_count(one.ours) + _count(one.theirs) - _count(one.base))
        for one in batch
    ]
