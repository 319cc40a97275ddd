"""A change of local datasets, made ready to be stored.

Every change is a compare-and-set of ``local/datasets``, in one step with the branch or
working state that it was made with. What others did to other records since is kept, as
for a branch that moved.
"""

from __future__ import annotations

from collections.abc import Callable

from prolly.chunks import RefMove
from prolly.codec import FORMAT_PARAMETERS, Commit, encode_commit
from prolly.datasets import verify_references
from prolly.history import LOCAL_DATASETS
from prolly.tree import NodeReader, build

from .carry import Roots
from .local_datasets import LocalState
from .storage import Storage
from .workspace import Workspace

Combine = Callable[[NodeReader, Roots], bytes]


def local_move(
    storage: Storage,
    workspace: Workspace,
    now: LocalState,
    combine: Combine,
    author: str,
) -> RefMove | None:
    """Return the move to what a written workspace made of the local datasets.

    It must have changed them; None where others made the same of them since. ``now`` is
    how they stand, and ``combine`` joins the change with what others did since. Raises
    what that raises, and as ``verify_references``: local tables refer to local ones.
    """
    base, ours = workspace.local_base, workspace.local_root
    assert ours is not None, "there is a change of them"
    writer = workspace.writer
    reader = NodeReader(writer.get, storage.reader.cache)
    empty = build(writer, [], FORMAT_PARAMETERS)
    stands = now.root or empty
    root = combine(reader, Roots(base or empty, ours, stands))
    if root == stands:
        return None
    verify_references(reader, stands, root)
    commit = Commit((), root, author, storage.environment.now_us(), "")
    return RefMove(LOCAL_DATASETS, now.commit_id, writer.put(encode_commit(commit)))
