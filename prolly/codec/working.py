"""Working states: what a branch holds that is not yet committed.

    06 | CBOR [ base, manifest, merge_parents, conflicts ]

``base`` is the commit that the state was made on, ``manifest`` the root as it stands,
``merge_parents`` the commits of a merge under way, ``conflicts`` the root of the tree
of open conflicts, or null. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from prolly.errors import Corrupt

from . import cbor
from .address import ADDRESS_BYTES, ChunkType, require_type
from .commit import COMMIT_PARENTS_MAX

_HEAD = bytes((ChunkType.WORKING,))


@dataclass(frozen=True, slots=True)
class WorkingState:
    """The state of one branch's working data; all addresses are plain bytes."""

    base: bytes
    manifest: bytes
    merge_parents: tuple[bytes, ...] = ()
    conflicts: bytes | None = None


def encode_working(state: WorkingState) -> bytes:
    """Return the chunk of a working state."""
    fault = _fault(state)
    assert not fault, fault
    return _HEAD + cbor.encode(
        [state.base, state.manifest, list(state.merge_parents), state.conflicts]
    )


def decode_working(chunk: bytes) -> WorkingState:
    """Return the state that a chunk spells.

    Raises Corrupt ``chunk-type``, ``value-spelling`` or ``working-state``.
    """
    require_type(chunk, ChunkType.WORKING)
    value = cbor.decode(chunk[1:])
    if type(value) is not list or len(value) != 4 or type(value[2]) is not list:
        raise _bad_state("it is no array of four")
    base, manifest, merge_parents, conflicts = value
    state = WorkingState(base, manifest, tuple(merge_parents), conflicts)
    fault = _fault(state)
    if fault:
        raise _bad_state(fault)
    return state


def _fault(state: WorkingState) -> str:
    addresses: list[object] = [state.base, state.manifest, *state.merge_parents]
    if state.conflicts is not None:
        addresses.append(state.conflicts)
    for address in addresses:
        if not isinstance(address, bytes) or len(address) != ADDRESS_BYTES:
            return "a part of it is no address"
    # The commit that ends the merge has the base as its first parent.
    if len(state.merge_parents) >= COMMIT_PARENTS_MAX:
        return f"{len(state.merge_parents)} parents of a merge"
    if len({state.base, *state.merge_parents}) <= len(state.merge_parents):
        return "a parent of the merge stands twice"
    return ""


def _bad_state(reason: str) -> Corrupt:
    return Corrupt(
        f"not a working state: {reason}",
        code="working-state",
        hint="`prolly reset --hard` starts again from the branch's commit.",
    )
