"""Applying a patch to a branch: a merge of what it says into what stands there."""

from __future__ import annotations

from prolly.chunks import ChunkWriter
from prolly.codec.patch import PATCH_BYTES_MAX, Patch, decode_patch
from prolly.errors import LimitExceeded
from prolly.tree import NodeReader

from .merge_request import Attended
from .patch_sides import PatchSides
from .replay_result import ReplayResult
from .replay_steps import Begun, Step
from .replaying import begin_replay
from .storage import Storage

# What the commit says where nothing is given.
MESSAGE = "Apply a patch"


def apply_patch(storage: Storage, asked: Attended, data: bytes) -> ReplayResult:
    """Apply a patch. An error changes nothing.

    Raises Corrupt ``patch``, Unsupported ``patch-version``, LimitExceeded
    ``patch-too-long``; NotFound ``no-such-dataset``, ``patch-content-missing``, Invalid
    ``patch-schema``, and as ``begin_replay``.
    """
    if len(data) > PATCH_BYTES_MAX:
        raise LimitExceeded(
            f"a patch of {len(data):,} bytes is too long",
            code="patch-too-long",
            hint="Send the commits as a bundle: `prolly bundle create`.",
            limit=PATCH_BYTES_MAX,
            actual=len(data),
        )
    patch = decode_patch(data)

    def plan(head: bytes, reader: NodeReader, writer: ChunkWriter) -> Begun:
        ours = storage.commits.read(head).root
        step = _step(PatchSides(reader, writer, patch), patch, ours)
        return Begun(head, step, ())

    return begin_replay(storage, asked, "apply", plan)


def _step(sides: PatchSides, patch: Patch, ours: bytes) -> Step:
    """Return the merge that applies a patch; one of nothing where that is done."""
    if patch.new == ours or sides.is_applied(ours):
        return Step(ours, ours, None, MESSAGE, {})
    old, new = sides.known() if sides.has_old() else sides.assumed(ours)
    return Step(old, new, None, MESSAGE, {})
