"""Checking the conflicts of a merge that waits: entries, counts, and their datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prolly.codec import FORMAT_PARAMETERS, WorkingState, decode_commit
from prolly.datasets import Manifest
from prolly.errors import Corrupt, Error
from prolly.merge import ConflictTree, bad_conflict_tree
from prolly.tree import NodeReader, TreeCheck

# Reported where the chunk itself is looked at.
_REPORTED_ELSEWHERE = "chunk-missing"


def conflict_faults(
    read: Callable[[bytes], bytes | None], trees: TreeCheck, state: WorkingState
) -> Iterator[Error]:
    """Yield what is wrong with the conflicts that a working state refers to.

    A chunk that ``read`` has not is for the caller to report.
    """
    try:
        for error in _faults(NodeReader(read), trees, state):
            if error.code != _REPORTED_ELSEWHERE:
                yield error
    except Error as error:
        if error.code != _REPORTED_ELSEWHERE:
            yield error


def _faults(
    reader: NodeReader, trees: TreeCheck, state: WorkingState
) -> Iterator[Error]:
    assert state.conflicts is not None
    is_right = True
    for error in trees.faults(state.conflicts, FORMAT_PARAMETERS):
        is_right = False
        yield error
    if not is_right:
        return
    tree = ConflictTree(reader, state.conflicts)
    for root in tree.roots():
        yield from trees.faults(root, FORMAT_PARAMETERS)
    yield from tree.faults()
    yield from _unknown_datasets(reader, tree, state)


def _unknown_datasets(
    reader: NodeReader, tree: ConflictTree, state: WorkingState
) -> Iterator[Corrupt]:
    """Yield a fault for each dataset that none of the versions has."""
    roots = [state.manifest] if tree.base is None else [state.manifest, tree.base]
    for commit_id in (state.base, *state.merge_parents):
        roots.append(decode_commit(reader.read_chunk(commit_id)).root)
    if state.replay is not None:
        roots.append(state.replay.theirs)
    known = {one for root in roots for one in Manifest(reader, root).by_id}
    for identity in tree.datasets():
        if identity not in known:
            yield bad_conflict_tree(f"no version has a dataset {identity.hex()}")
