"""What a working state knows of a merge that waits, and what its commit says of it.

The metadata of a merge commit: ``merge`` with ``policy`` (that one merge was made
with), ``answers`` (how many a resolver gave, by its name), ``settled`` (how many
conflicts were settled which way) and ``conflicts``, the first of them as (dataset id,
kind, key, how). What is empty is left out. The first two are known when the merge
begins, and wait in the working state. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import COMMIT_METADATA_BYTES_MAX, Commit, WorkingState, cbor
from prolly.errors import Conflicted, Invalid, Stale
from prolly.merge import ConflictTree, bad_conflict_tree, is_unattended
from prolly.tree import NodeReader

# A commit is read whole by `log`: the first hundred are what a person looks through,
# and the counts tell of all.
SETTLED_LISTED_MAX = 100

# What waits, by the verb of the command that ends it.
WAITING = {
    "merge": "a merge",
    "revert": "a revert",
    "cherry-pick": "a cherry-pick",
    "rebase": "a rebase",
    "apply": "a patch",
}


class MergeSides(NamedTuple):
    """Which merge it is: the commit that it was begun on, and those it brings in.

    Who looked at one merge must not end or settle another that waits by now: ours is
    another there, even where theirs is the same.
    """

    ours: bytes
    theirs: tuple[bytes, ...]

    @classmethod
    def of(cls, state: WorkingState) -> MergeSides:
        """Return the sides of the merge that waits in a state."""
        replay = state.replay
        if replay is None:
            return cls(state.base, state.merge_parents)
        return cls(state.base, (replay.picked or replay.theirs,))


def require_merge(
    state: WorkingState, branch: str, sides: MergeSides | None = None
) -> MergeSides:
    """Return the sides of the merge that waits in a state.

    Raises Invalid ``no-merge`` where none waits, and Stale ``merge-ended`` where it is
    another one than that of ``sides``.
    """
    if not state.is_merging:
        raise no_merge(branch)
    found = MergeSides.of(state)
    if sides not in (None, found):
        raise merge_ended()
    return found


class Settlement(NamedTuple):
    """Conflicts to be marked with an edit of the working state.

    ``sides`` tell the merge that they were found in; ``mark`` marks them in a tree and
    returns the root of the new one.
    """

    sides: MergeSides
    mark: Callable[[ConflictTree, ChunkWriter], bytes]


def marked(
    reader: NodeReader, writer: ChunkWriter, state: WorkingState, settlement: Settlement
) -> bytes:
    """Return the root of the conflicts of a state with those settled marked.

    Raises Stale ``merge-ended`` when the state holds another merge, or none.
    """
    if state.conflicts is None or MergeSides.of(state) != settlement.sides:
        raise merge_ended()
    return settlement.mark(ConflictTree(reader, state.conflicts), writer)


def merge_ended() -> Stale:
    """Return (not raise) the error for a merge that is over, or another by now."""
    return Stale(
        "the merge was committed or given up by another process meanwhile",
        code="merge-ended",
        hint="`prolly status` shows what stands now.",
    )


def not_clean(branch: str, state: WorkingState) -> Invalid:
    """Return (not raise) the error for a branch with something uncommitted."""
    if state.is_merging:
        verb = state.verb
        return Invalid(
            f"{WAITING[verb]} waits on branch {branch!r} already",
            code="merging",
            hint=f"Settle and commit it (`prolly conflicts`, `prolly {verb} "
            f"--continue`), or give it up (`prolly {verb} --abort`).",
            branch=branch,
        )
    return Invalid(
        f"branch {branch!r} has uncommitted changes, which a merge would mix with",
        code="uncommitted",
        hint="Commit them, put them aside (`prolly stash`), or drop them "
        "(`prolly reset --hard`).",
        branch=branch,
    )


def still_waits(state: WorkingState, problem: str, hint: str = "") -> Invalid:
    """Return (not raise) the error for what cannot be done to what waits in a state.

    ``problem`` goes on behind its name; ``hint`` takes the place of how to end it.
    """
    verb = state.verb
    way = f"Settle and commit it (`prolly {verb} --continue`), or give it up"
    return Invalid(
        f"{WAITING[verb]} waits, {problem}",
        code="merging",
        hint=hint or f"{way} (`prolly {verb} --abort`).",
    )


def no_merge(branch: str) -> Invalid:
    """Return (not raise) the error where no merge waits."""
    return Invalid(
        f"no merge waits on branch {branch!r}",
        code="no-merge",
        hint="Begin one: `prolly merge REV`.",
        branch=branch,
    )


def require_settled(reader: NodeReader, state: WorkingState) -> None:
    """Raise Conflicted ``open-conflicts`` (``count``) while conflicts are open."""
    if state.conflicts is None:
        return
    count = ConflictTree(reader, state.conflicts).open_count
    if count:
        raise Conflicted(
            f"{count} conflict{'s are' if count > 1 else ' is'} not settled",
            code="open-conflicts",
            hint="`prolly conflicts` lists them, `prolly resolve` settles them; "
            f"`prolly {state.verb} --abort` gives it up.",
            count=count,
        )


def require_authored(commit: Commit) -> None:
    """Raise Invalid ``unattended-form`` for a merge that could be nobody's.

    Replicas take what has that form for their own work, and what it holds beyond its
    parents for what they would have made of these.
    """
    if is_unattended(commit):
        raise Invalid(
            "a merge without an author, in these words, is one that replicas make by "
            "themselves",
            code="unattended-form",
            hint="Name an author (`prolly config user.name NAME`), or use other words.",
        )


def merge_metadata(reader: NodeReader, state: WorkingState) -> Mapping[str, Any]:
    """Return the metadata of the commit of a merge: how it was made, and settled.

    Raises Corrupt ``conflict-tree`` for a tree that says it is settled, and is not.
    """
    if state.conflicts is None:
        return state.metadata
    counts: Counter[str] = Counter()
    first: list[Any] = []
    for one in ConflictTree(reader, state.conflicts).entries():
        how = one.entry.settled
        if how is None:
            raise bad_conflict_tree("more are open than it says")
        counts[how] += 1
        if len(first) < SETTLED_LISTED_MAX:
            first.append([one.dataset, int(one.kind), one.key, how])
    known = state.metadata.get("merge")
    told = {**(known if type(known) is dict else {}), "settled": dict(counts)}
    room = COMMIT_METADATA_BYTES_MAX - len(cbor.encode(_of_merge(told, first[:0])))
    return _of_merge(told, _fitting(first, room))


def _of_merge(told: dict[str, Any], listed: list[Any]) -> dict[str, Any]:
    return {"merge": {**told, "conflicts": listed}}


def _fitting(listed: list[Any], room: int) -> list[Any]:
    """Return the first of a list, as far as their encodings fit into so many bytes."""
    # An array of 24 or more spells its length in one byte more.
    room -= 1
    for number, one in enumerate(listed):
        room -= len(cbor.encode(one))
        if room < 0:
            return listed[:number]
    return listed
