"""From quarantine into the store: landing, once more if something came between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from prolly.chunks import RefMove, RefNote
from prolly.errors import Stale
from prolly.repo import Storage

from .intake import Intake
from .landing import Landing, Parts
from .node_walk import Role
from .tree_landing import OpsMismatch

# A sweep of garbage that comes between is rare; two in a row are none by chance.
SWEPT_ATTEMPTS_MAX = 3

Moves = Callable[[Landing], Sequence[RefMove]]
FetchTree = Callable[[bytes, Role], None]
"""Gets the nodes of a tree into the quarantine."""


class Settled(NamedTuple):
    """What a settlement did.

    ``used_edits`` tells whether trees were made from edits, ``fallbacks`` counts those
    whose edits led elsewhere; ``sequence`` is that of the store afterwards.
    """

    sequence: int
    commits: int
    used_edits: bool
    fallbacks: int


def settle(
    storage: Storage,
    intake: Intake,
    moves: Moves,
    note: RefNote,
    fetch_tree: FetchTree | None = None,
    *,
    parts: Parts | None = None,
) -> Settled:
    """Land what an intake has, and move refs, in one step.

    ``moves`` looks at what has landed, and says what is to move; whatever it raises
    leaves the store as it was. ``fetch_tree`` is None where nodes cannot be had.
    ``parts`` is what a partial replica gets. Raises
    Corrupt, Stale ``ops-mismatch`` where a tree would be wanted as nodes and cannot be
    had, and as ``ChunkWriter.commit``.
    """
    refused: set[bytes] = set()
    swept = 0
    while True:
        landing = Landing(storage, intake, refused, parts)
        try:
            landing.land_all()
            sequence = landing.commit(moves(landing), note)
            commits = len(intake.commits)
            return Settled(sequence, commits, landing.used_edits, len(refused))
        except OpsMismatch as mismatch:
            if fetch_tree is None:
                raise _ops_mismatch(mismatch.root) from None
            refused.add(mismatch.root)
            landing.close()
            fetch_tree(mismatch.root, mismatch.role)
        except Stale as error:
            swept += error.code == "gc-epoch"
            if error.code != "gc-epoch" or swept == SWEPT_ATTEMPTS_MAX:
                raise
        finally:
            landing.close()


def _ops_mismatch(root: bytes) -> Stale:
    return Stale(
        f"edits led to another root than {root.hex()}",
        code="ops-mismatch",
        hint="Send the nodes of the tree instead.",
        address=root,
    )
