"""What a working state knows of a merge that waits, and what its commit says of it.

The metadata of a merge commit: ``merge`` with ``policy`` (that one merge was made
with), ``answers`` (how many a resolver gave, by its name), ``settled`` (how many
conflicts were settled which way) and ``conflicts``, the first of them as (dataset id,
kind, key, how). What is empty is left out. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import Commit, WorkingState
from prolly.errors import Conflicted, Invalid, Stale
from prolly.merge import ConflictTree, is_unattended
from prolly.tree import NodeReader

# A commit is read whole by `log`: the first hundred are what a person looks through,
# and the counts tell of all.
SETTLED_LISTED_MAX = 100


class Settlement(NamedTuple):
    """Conflicts to be marked with an edit of the working state.

    ``parents`` are those of the merge that they were found in; ``mark`` marks them in a
    tree and returns the root of the new one.
    """

    parents: tuple[bytes, ...]
    mark: Callable[[ConflictTree, ChunkWriter], bytes]


def marked(
    reader: NodeReader, writer: ChunkWriter, state: WorkingState, settlement: Settlement
) -> bytes:
    """Return the root of the conflicts of a state with those settled marked.

    Raises Stale ``merge-ended`` when the state holds another merge, or none.
    """
    if state.conflicts is None or state.merge_parents != settlement.parents:
        raise Stale(
            "the merge was committed or given up by another process meanwhile",
            code="merge-ended",
            hint="`prolly status` shows what stands now.",
        )
    return settlement.mark(ConflictTree(reader, state.conflicts), writer)


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
            "`prolly merge --abort` gives the merge up.",
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


def settled_metadata(reader: NodeReader, state: WorkingState) -> dict[str, Any]:
    """Return what the commit of a merge says of the conflicts that were settled."""
    if state.conflicts is None:
        return {}
    counts: Counter[str] = Counter()
    listed: list[Any] = []
    for one in ConflictTree(reader, state.conflicts).entries():
        how = str(one.entry.settled)
        counts[how] += 1
        if len(listed) < SETTLED_LISTED_MAX:
            listed.append([one.dataset, int(one.kind), one.key, how])
    return {"merge": {"settled": dict(counts), "conflicts": listed}}
