"""What a branch holds now: its head, and the state of what is uncommitted."""

from __future__ import annotations

from prolly.codec import WorkingState, decode_working, shown
from prolly.errors import NotFound
from prolly.history import BRANCHES, WORKING

from .storage import Storage


def missing_branch(name: object) -> NotFound:
    """Return the error for a branch that is not there."""
    return NotFound(
        f"no branch {shown(name)}",
        code="no-such-branch",
        hint="`prolly branch` lists the branches; `prolly branch NAME` makes one.",
        ref=f"{BRANCHES}{name if isinstance(name, str) else shown(name)}",
    )


def read_head(storage: Storage, branch: str) -> bytes:
    """Return the id of a branch's newest commit; NotFound when there is no branch."""
    if not isinstance(branch, str):
        raise missing_branch(branch)
    head = storage.store.read_ref(BRANCHES + branch)
    if head is None:
        raise missing_branch(branch)
    return head


def read_state(storage: Storage, branch: str) -> tuple[bytes | None, WorkingState]:
    """Return the ref's value and the state; a clean one stands on the head."""
    if not isinstance(branch, str):
        raise missing_branch(branch)
    address = storage.store.read_ref(WORKING + branch)
    if address is not None:
        return address, decode_working(storage.reader.read_chunk(address))
    head = read_head(storage, branch)
    return None, WorkingState(head, storage.commits.read(head).root)
