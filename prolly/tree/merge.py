"""Merge three trees: what one side changed is taken, what both did is settled.

Leaves that one side alone changed are put into the other side's tree by their address,
unread, wherever that is what a rebuild would give; the records of all others are merged
one by one. The root is always that of a rebuild from the merged records, whichever side
is called ours. O(changes x depth) nodes in expectation; memory for the addresses of
changed leaves, and for the records of a few.
"""

from __future__ import annotations

from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters

from .edit import LeafChanges, apply_to_leaves
from .merge_clusters import PatchQueue
from .merge_patches import OURS, THEIRS
from .merge_pieces import Host
from .merge_records import PatchMerge, Settle
from .merge_seams import Seams, leaves_changed
from .merge_walk import find_patches
from .operations import encode
from .reader import NodeReader


class Versions(NamedTuple):
    """Three roots of one tree; ``None`` where there is no tree."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


class TreeMerge(NamedTuple):
    """The merged root, and how it came about.

    ``from_ours`` and ``from_theirs`` count leaves that one side alone had changed and
    that stand in the result as they are. ``both`` counts the records that went to
    ``settle``; ``patches_merged`` the stretches whose records had to be compared, and
    ``leaves_cut`` the leaves that were written anew. All are 0 when ours or theirs is
    the result as a whole.
    """

    root: bytes
    from_ours: int
    from_theirs: int
    both: int
    patches_merged: int
    leaves_cut: int


def merge(
    reader: NodeReader,
    writer: ChunkWriter,
    versions: Versions,
    parameters: TreeParameters,
    settle: Settle,
    *,
    equal_too: bool = False,
) -> TreeMerge:
    """Merge ``ours`` and ``theirs``, both made from ``base``; the root is a rebuild's.

    A key that one side changed takes that side's value, and one that both changed to
    the same value keeps it. Those that both changed differently go to ``settle``, in
    batches in key order; what it answers (``None`` for absent) stands in the result.
    With ``equal_too`` it is asked of those changed to the same value, too. All three
    trees must have been made under ``parameters``; ``None`` stands for an empty tree.
    """
    base, ours, theirs = versions
    if theirs == base or (ours == theirs and not equal_too):
        return _whole(writer, ours)
    if ours == base:
        return _whole(writer, theirs)
    reach = parameters.weight_max
    patches = find_patches(reader, versions, reach, equal_too=equal_too)
    few = leaves_changed(patches, OURS) < leaves_changed(patches, THEIRS)
    side, root = (THEIRS, theirs) if few else (OURS, ours)
    if root is None:
        root = writer.put(encode(0, [], []))
    records = PatchMerge(reader, settle, equal_too=equal_too)
    queue = PatchQueue(reader, records, reach, patches)
    seams = Seams(writer, parameters, queue, Host(reader, root, side))
    seams.run()
    counts = seams.counts
    leaves = LeafChanges(seams.changes, seams.renewals)
    return TreeMerge(
        apply_to_leaves(reader, writer, root, leaves, parameters),
        counts.from_ours,
        counts.from_theirs,
        records.both,
        counts.merged,
        counts.cut,
    )


def _whole(writer: ChunkWriter, root: bytes | None) -> TreeMerge:
    if root is None:
        root = writer.put(encode(0, [], []))
    return TreeMerge(root, 0, 0, 0, 0, 0)
