"""Working states: what a branch holds that is not yet committed.

    06 | CBOR [ base, manifest, merge_parents, conflicts, message ]

``base`` is the commit that the state was made on, ``manifest`` the root as it stands,
``merge_parents`` the commits of a merge under way, ``conflicts`` the root of the tree
of open conflicts, or null, ``message`` what the commit of the merge is to say, empty
without one. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from prolly.errors import Corrupt, LimitExceeded

from . import cbor
from .address import ADDRESS_BYTES, ChunkType, require_type
from .commit import COMMIT_MESSAGE_BYTES_MAX, COMMIT_PARENTS_MAX

_HEAD = bytes((ChunkType.WORKING,))


@dataclass(frozen=True, slots=True)
class WorkingState:
    """The state of one branch's working data; all addresses are plain bytes."""

    base: bytes
    manifest: bytes
    merge_parents: tuple[bytes, ...] = ()
    conflicts: bytes | None = None
    message: str = ""


def encode_working(state: WorkingState) -> bytes:
    """Return the chunk of a working state.

    Raises LimitExceeded ``commit-too-long`` for a message that no commit takes.
    """
    fault = _fault(state)
    assert not fault, fault
    size = _message_bytes(state)
    if size > COMMIT_MESSAGE_BYTES_MAX:
        raise LimitExceeded(
            f"a commit cannot hold {size} bytes of message, the limit is "
            f"{COMMIT_MESSAGE_BYTES_MAX}",
            code="commit-too-long",
            hint="Keep long texts and data in a dataset.",
        )
    parents = list(state.merge_parents)
    return _HEAD + cbor.encode(
        [state.base, state.manifest, parents, state.conflicts, state.message]
    )


def decode_working(chunk: bytes) -> WorkingState:
    """Return the state that a chunk spells.

    Raises Corrupt ``chunk-type``, ``value-spelling`` or ``working-state``.
    """
    require_type(chunk, ChunkType.WORKING)
    value = cbor.decode(chunk[1:])
    if type(value) is not list or len(value) != 5 or type(value[2]) is not list:
        raise _bad_state("it is no array of five")
    base, manifest, merge_parents, conflicts, message = value
    state = WorkingState(base, manifest, tuple(merge_parents), conflicts, message)
    fault = _fault(state)
    if not fault and _message_bytes(state) > COMMIT_MESSAGE_BYTES_MAX:
        fault = f"a message of over {COMMIT_MESSAGE_BYTES_MAX} bytes"
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
    if type(state.message) is not str:
        return "its message is no text"
    if state.message and not state.merge_parents:
        return "a message without a merge"
    return ""


def _message_bytes(state: WorkingState) -> int:
    return len(state.message.encode("utf-8", "surrogatepass"))


def _bad_state(reason: str) -> Corrupt:
    return Corrupt(
        f"not a working state: {reason}",
        code="working-state",
        hint="`prolly reset --hard` starts again from the branch's commit.",
    )
