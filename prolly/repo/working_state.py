"""What a branch holds now: its head, and the state of what is uncommitted."""

from __future__ import annotations

from prolly.codec import WorkingState, decode_working
from prolly.history import BRANCHES, WORKING

from .ref_names import missing_branch
from .storage import Storage


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
