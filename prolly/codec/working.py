"""Working states: what a branch holds that is not yet committed.

    06 | CBOR [ base, manifest, merge_parents, conflicts, message, metadata, ?replay ]

``base`` is the commit that the state was made on, ``manifest`` the root as it stands,
``merge_parents`` the commits of a merge under way, ``conflicts`` the root of the tree
of open conflicts, or null, ``message`` and ``metadata`` what the commit of the merge is
to say, empty without one. ``replay`` stands only while a commit is made again here
(``replay``), which excludes other parents. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from prolly.errors import Corrupt, LimitExceeded

from . import cbor
from .address import ADDRESS_BYTES, ChunkType, require_type
from .commit import (
    COMMIT_MESSAGE_BYTES_MAX,
    COMMIT_METADATA_BYTES_MAX,
    COMMIT_PARENTS_MAX,
)

if TYPE_CHECKING:
    from .replay import Replay

_HEAD = bytes((ChunkType.WORKING,))
_FIELDS = 6


class WorkingState(NamedTuple):
    """The state of one branch's working data; all addresses are plain bytes."""

    base: bytes
    manifest: bytes
    merge_parents: tuple[bytes, ...] = ()
    conflicts: bytes | None = None
    message: str = ""
    metadata: Mapping[str, Any] = {}
    replay: Replay | None = None

    @property
    def is_merging(self) -> bool:
        """Tell whether a merge, or the step of a replay, waits to be committed."""
        return bool(self.merge_parents) or self.replay is not None

    @property
    def verb(self) -> str:
        """What waits to be committed: ``merge``, or the verb of a replay."""
        return "merge" if self.replay is None else self.replay.verb


def encode_working(state: WorkingState) -> bytes:
    """Return the chunk of a working state.

    Raises LimitExceeded ``commit-too-long`` for a message or metadata that no commit
    takes, and as ``cbor.encode`` for metadata.
    """
    fault = _fault(state)
    assert not fault, fault
    too_long = _size_fault(state)
    if too_long:
        raise LimitExceeded(
            f"a commit cannot hold {too_long}",
            code="commit-too-long",
            hint="Keep long texts and data in a dataset.",
        )
    value = [
        state.base,
        state.manifest,
        list(state.merge_parents),
        state.conflicts,
        state.message,
        state.metadata,
    ]
    if state.replay is not None:
        from .replay import replay_value

        value.append(replay_value(state.replay))
    return _HEAD + cbor.encode(value)


def decode_working(chunk: bytes) -> WorkingState:
    """Return the state that a chunk spells.

    Raises Corrupt ``chunk-type``, ``value-spelling`` or ``working-state``.
    """
    require_type(chunk, ChunkType.WORKING)
    value = cbor.decode(chunk[1:])
    if type(value) is not list or len(value) not in (_FIELDS, _FIELDS + 1):
        raise _bad_state("it is no array of six or seven")
    base, manifest, merge_parents, *rest = value
    if type(merge_parents) is not list:
        raise _bad_state("its parents are no array")
    if len(value) > _FIELDS:
        # Few states have one, and every program that writes loads this module.
        from .replay import replay_of

        rest[-1] = replay_of(rest[-1])
        if rest[-1] is None:
            raise _bad_state("what is under way is no array of seven")
    state = WorkingState(base, manifest, tuple(merge_parents), *rest)
    fault = _fault(state) or _size_fault(state)
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
    if type(state.metadata) is not dict:
        return "its metadata is no map"
    if (state.message or state.metadata) and not state.is_merging:
        return "a message or metadata without a merge"
    if state.replay is None:
        return ""
    if state.merge_parents:
        return "a merge and a replay at once"
    from .replay import replay_fault

    return replay_fault(state.replay)


def _size_fault(state: WorkingState) -> str:
    message = state.message.encode("utf-8", "surrogatepass")
    if len(message) > COMMIT_MESSAGE_BYTES_MAX:
        return (
            f"{len(message)} bytes of message, the limit is {COMMIT_MESSAGE_BYTES_MAX}"
        )
    metadata = cbor.encode(state.metadata)
    if len(metadata) > COMMIT_METADATA_BYTES_MAX:
        return (
            f"{len(metadata)} bytes of metadata, the limit is "
            f"{COMMIT_METADATA_BYTES_MAX}"
        )
    return ""


def _bad_state(reason: str) -> Corrupt:
    return Corrupt(
        f"not a working state: {reason}",
        code="working-state",
        hint="`prolly reset --hard` starts again from the branch's commit.",
    )
