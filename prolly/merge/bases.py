"""The base of a merge: what both sides had in common, as one manifest.

Where several best common ancestors exist (a criss-cross), the base is virtual: they are
merged with each other first, by the same rules, with bases of their own, and so on
down. The commits of these merges are only thought of. They have the form and the ids
that unattended merges have, so everything here is a function of the two commits alone.

Why a virtual base and not any one of the common ancestors: what a commit holds is the
sum of the changes below it, and what two sides have in common is the sum of the changes
below *all* their best common ancestors. Only with this sum as the base does a counter
count each change once (proof in docs/design/0009-convergent-head.md).

Several commits are merged along the bits of their ids: those that begin with 0 give one
merge, those with 1 the other, each split in the same way. One more or one less commit
changes a path of these merges, not all of them. `ours` is the side of the smaller ids.

This module knows graphs. What a manifest holds only the ``merge`` handed in knows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prolly.codec import (
    ADDRESS_BYTES,
    COMMIT_PARENTS_MAX,
    Commit,
    address_of,
    encode_commit,
)
from prolly.history import Commits, merge_bases
from prolly.tree import Versions

from .unattended import unattended_merge

# What is remembered of merges made, about 1 kB each; past it all is forgotten at the
# next question, and made again where it is needed.
VIRTUAL_MERGES_MAX = 16384

Merge = Callable[[Versions], bytes]
_Pair = tuple[bytes, bytes]
_Antichain = tuple[bytes, ...]


class Base(NamedTuple):
    """The base of a merge: its manifest, ``None`` without one, and whence it comes.

    ``commits`` are the best common ancestors, sorted: several, where ``root`` is that
    of a virtual base; none where the sides are unrelated.
    """

    root: bytes | None
    commits: tuple[bytes, ...]


class VirtualCommits(Commits):
    """The commits of a store, and some that are only thought of."""

    def __init__(self, commits: Commits) -> None:
        self._stored = commits
        self._thought: dict[bytes, Commit] = {}

    def get(self, commit_id: bytes) -> Commit | None:
        """Return the commit, stored or thought of, or ``None``."""
        return self._thought.get(commit_id) or self._stored.get(commit_id)

    def read(self, commit_id: bytes) -> Commit:
        """Return the commit; else as the stored ones raise."""
        return self._thought.get(commit_id) or self._stored.read(commit_id)

    def parents(self, commit_id: bytes) -> tuple[bytes, ...]:
        """Return the parents of a commit; else as the stored ones raise."""
        thought = self._thought.get(commit_id)
        return self._stored.parents(commit_id) if thought is None else thought.parents

    def think(self, commit: Commit) -> bytes:
        """Hold a commit, and return the id that it would have in a store."""
        commit_id = address_of(encode_commit(commit))
        self._thought[commit_id] = commit
        return commit_id

    def chunk(self, commit_id: bytes) -> bytes | None:
        """Return the chunk of a commit that is thought of, or ``None``."""
        commit = self._thought.get(commit_id)
        return None if commit is None else encode_commit(commit)

    def forget(self) -> None:
        """Let go of all that is thought of."""
        self._thought.clear()


class VirtualMerges:
    """Merges of several commits and bases of two, each made once.

    ``merge`` gives the manifest root of three; it must be a pure function. What it
    writes must stay readable to it while this object is in use: whoever discards those
    nodes discards this object with them. Not for use from several threads.
    """

    def __init__(self, commits: Commits, merge: Merge) -> None:
        self.commits = VirtualCommits(commits)
        self._merge = merge
        self._merged: dict[_Antichain, bytes] = {}
        self._bases: dict[_Pair, _Antichain] = {}

    def base_of(self, ours: bytes, theirs: bytes) -> Base:
        """Return the base of two commits; its root is ``None`` when they share nothing.

        NotFound ``no-such-commit`` when history is missing that it takes to find it.
        """
        self._make_room()
        bases = tuple(merge_bases(self.commits, ours, theirs))
        if not bases:
            return Base(None, ())
        return Base(self.commits.read(self._merge_all(bases)).root, bases)

    def merge_of(self, heads: Sequence[bytes]) -> bytes:
        """Return the id of the merge of commits, none an ancestor of another.

        Of one it is that one. NotFound ``no-such-commit`` as above.
        """
        assert heads
        self._make_room()
        return self._merge_all(tuple(sorted(heads)))

    def _make_room(self) -> None:
        """Forget when too much is remembered: between questions, never within one."""
        if len(self._merged) > VIRTUAL_MERGES_MAX:
            self._merged.clear()
            self._bases.clear()
            self.commits.forget()

    def _merge_all(self, wanted: _Antichain) -> bytes:
        # A stack of our own: a ladder of criss-crosses is as deep as history is long.
        waiting = [wanted]
        while waiting:
            missing = self._step(waiting[-1])
            if missing:
                waiting.extend(missing)
            else:
                waiting.pop()
        return self._known(wanted)

    def _known(self, ids: _Antichain) -> bytes:
        return ids[0] if len(ids) == 1 else self._merged[ids]

    def _missing(self, *wanted: _Antichain) -> list[_Antichain]:
        return [ids for ids in wanted if len(ids) > 1 and ids not in self._merged]

    def _step(self, ids: _Antichain) -> list[_Antichain]:
        """Merge some commits, or return what must be merged before."""
        if not self._missing(ids):
            return []
        low, high = _halves(ids)
        missing = self._missing(low, high)
        if missing:
            return missing
        ours, theirs = self._known(low), self._known(high)
        bases = self._bases.get((ours, theirs))
        if bases is None:
            bases = tuple(merge_bases(self.commits, ours, theirs))
            self._bases[ours, theirs] = bases
        missing = self._missing(bases) if bases else []
        if missing:
            return missing
        roots = [self.commits.read(one).root for one in (ours, theirs)]
        base = self.commits.read(self._known(bases)).root if bases else None
        root = self._merge(Versions(base, *roots))
        parents = ids if len(ids) <= COMMIT_PARENTS_MAX else (ours, theirs)
        commit = unattended_merge(self.commits, parents, root)
        self._merged[ids] = self.commits.think(commit)
        return []


def base_of(commits: Commits, merge: Merge, ours: bytes, theirs: bytes) -> Base:
    """Return the base of one merge; see ``VirtualMerges``, which remembers several."""
    return VirtualMerges(commits, merge).base_of(ours, theirs)


def only_first_commit_shared(commits: Commits, ours: bytes, theirs: bytes) -> bool:
    """Tell whether two histories have at most the constant first commit in common.

    Every repository begins with it, so sharing it says nothing. Not so when one of the
    two is that commit: the other then just goes on from it.
    """
    bases = merge_bases(commits, ours, theirs)
    if not bases:
        return True
    if len(bases) > 1 or bases[0] in (ours, theirs):
        return False
    base = commits.read(bases[0])
    return base == Commit(parents=(), root=base.root, author="", time_us=0, message="")


def _halves(ids: _Antichain) -> tuple[_Antichain, _Antichain]:
    """Split sorted ids at the first bit in which they differ."""
    first, last = int.from_bytes(ids[0]), int.from_bytes(ids[-1])
    bit = (first ^ last).bit_length() - 1
    middle = (last >> bit << bit).to_bytes(ADDRESS_BYTES)
    cut = bisect_left(ids, middle)
    return ids[:cut], ids[cut:]
