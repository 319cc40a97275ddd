"""Branches and tags as mappings from name to commit id."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from prolly.chunks import RefMove, RefNote
from prolly.codec import Address, shown
from prolly.errors import AlreadyExists, Invalid, KeyNotFound, NotFound
from prolly.history import BRANCHES, TAGS, WORKING, check_name, check_new_name

from .storage import Storage


class RefNames(MutableMapping[str, Address]):
    """The refs of one kind. Reading sees the newest state; writing is one move each.

    Setting an existing name moves it, from what it was when read, by compare-and-set
    (Stale when another process was faster). Deleting a branch deletes its working
    state.
    """

    def __init__(self, storage: Storage, prefix: str) -> None:
        self._storage = storage
        self._prefix = prefix

    def __getitem__(self, name: str) -> Address:
        found = None
        if isinstance(name, str):
            found = self._storage.store.read_ref(self._prefix + name)
        if found is None:
            ref = self._prefix + (name if isinstance(name, str) else shown(name))
            raise KeyNotFound(
                f"no {ref}",
                code="no-such-ref",
                hint="`prolly branch` and `prolly tag` list what there is.",
                ref=ref,
            )
        return Address(found)

    def __iter__(self) -> Iterator[str]:
        size = len(self._prefix)
        return (name[size:] for name, _ in self._storage.store.iter_refs(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, name: str, commit_id: bytes) -> None:
        check_name(name)
        commit_id = as_address(commit_id)
        self._storage.commits.read(commit_id)
        old = self._storage.store.read_ref(self._prefix + name)
        if old is None:
            check_new_name(name)
        if old != commit_id:
            self._move([RefMove(self._prefix + name, old, bytes(commit_id))], "set")

    def create(self, name: str, commit_id: bytes, why: str = "created") -> None:
        """Add a name; AlreadyExists ``ref-exists`` when a branch or tag has it."""
        check_new_name(name)
        commit_id = as_address(commit_id)
        self._storage.commits.read(commit_id)
        # A branch and a tag of one name would make the bare name ambiguous.
        for prefix in {self._prefix, BRANCHES, TAGS}:
            if self._storage.store.read_ref(prefix + name) is not None:
                raise AlreadyExists(
                    f"{prefix}{name} is there already",
                    code="ref-exists",
                    hint="Choose another name, or delete that one first.",
                    ref=prefix + name,
                )
        self._move([RefMove(self._prefix + name, None, bytes(commit_id))], why)

    def __delitem__(self, name: str) -> None:
        self.delete(name, force=True)

    def delete(self, name: str, *, force: bool = False) -> None:
        """Delete a name; without ``force`` no branch that holds what is no commit.

        That are edits, or a merge that waits, with all that was settled of it: Invalid
        ``uncommitted`` (``branch``). KeyNotFound ``no-such-ref``, Stale ``ref-moved``.
        """
        old = bytes(self[name])
        moves = [RefMove(self._prefix + name, old, None)]
        if self._prefix == BRANCHES:
            uncommitted = self._storage.store.read_ref(WORKING + name)
            if uncommitted is not None and not force:
                raise Invalid(
                    f"branch {name!r} has uncommitted changes",
                    code="uncommitted",
                    hint="Switch to it and commit them, or drop them with force=True.",
                    branch=name,
                )
            # Edits that begin meanwhile are not dropped, either.
            moves.append(RefMove(WORKING + name, uncommitted, None))
        self._move(moves, "deleted")

    def require(self, name: str) -> Address:
        """Return the commit id; NotFound ``no-such-ref`` when there is no such name."""
        found = self.get(name)
        if found is None:
            there = ", ".join(list(self)[:10])
            raise NotFound(
                f"no {self._prefix}{name}",
                code="no-such-ref",
                hint=f"There is: {there}." if there else "There is none yet.",
                ref=self._prefix + name,
            )
        return found

    def _move(self, moves: list[RefMove], why: str) -> None:
        environment = self._storage.environment
        note = RefNote(environment.user(), why, environment.now_us())
        self._storage.store.move_refs(moves, note)


def as_address(value: object) -> Address:
    """Return 32 bytes as an address; Invalid ``address`` for anything else."""
    if not isinstance(value, bytes):
        raise Invalid(
            f"{shown(value)} is no commit id",
            code="address",
            hint="Give the 32 bytes of an id, for example repo.resolve(revision).",
        )
    return Address(value)


def missing_branch(name: object) -> NotFound:
    """Return the error for a branch that is not there."""
    return NotFound(
        f"no branch {shown(name)}",
        code="no-such-branch",
        hint="`prolly branch` lists the branches; `prolly branch NAME` makes one.",
        ref=f"{BRANCHES}{name if isinstance(name, str) else shown(name)}",
    )
