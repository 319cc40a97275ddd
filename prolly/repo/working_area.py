"""The working state of a branch: edits that gather until somebody commits them.

It is one ref, ``working/BRANCH``, to a chunk that names the commit it stands on and its
own manifest. There is none while nothing is uncommitted. Every change of it is a
compare-and-set, so two processes that edit one branch never overwrite each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prolly.chunks import RefMove, RefNote
from prolly.codec import (
    Address,
    Commit,
    WorkingState,
    decode_working,
    encode_commit,
    encode_working,
)
from prolly.errors import Invalid, Stale
from prolly.history import BRANCHES, WORKING
from prolly.tree import NodeReader

from .carry import Roots, carry_over
from .storage import Storage
from .transaction import COMMIT_ATTEMPTS_MAX, first_line, missing_branch
from .workspace import Workspace


class WorkingArea:
    """Reads and changes the working state of one branch."""

    def __init__(self, storage: Storage, branch: str) -> None:
        self._storage = storage
        self.branch = branch

    def _read(self) -> tuple[bytes | None, WorkingState]:
        """Return the ref's value and the state; a clean one stands on the head."""
        address = self._storage.store.read_ref(WORKING + self.branch)
        if address is not None:
            chunk = self._storage.reader.read_chunk(address)
            return address, decode_working(chunk)
        head = self.head
        return None, WorkingState(head, self._storage.commits.read(head).root)

    @property
    def head(self) -> bytes:
        """The id of the branch's newest commit; NotFound when there is no branch."""
        head = self._storage.store.read_ref(BRANCHES + self.branch)
        if head is None:
            raise missing_branch(self.branch)
        return head

    @property
    def state(self) -> WorkingState:
        """The state as it stands: its base commit and its manifest."""
        return self._read()[1]

    @property
    def base_root(self) -> bytes:
        """The manifest root of the commit that the state stands on."""
        return self._storage.commits.read(self.state.base).root

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing is uncommitted."""
        return self._read()[0] is None

    @contextmanager
    def edit(self, why: str) -> Iterator[Workspace]:
        """Edit the datasets; the block's end stores the new working state.

        An exception in the block discards the edits. Raises Stale ``working-moved``
        when another process edited the state meanwhile and both touched one record.
        """
        before, state = self._read()
        workspace = Workspace(self._storage, state.manifest)
        try:
            yield workspace
            self._store(workspace, before, state, why)
        finally:
            workspace.close()

    def _store(
        self,
        workspace: Workspace,
        before: bytes | None,
        state: WorkingState,
        why: str,
    ) -> None:
        writer = workspace.writer
        reader = NodeReader(writer.get, self._storage.reader.cache)
        ours, base = workspace.write(), state.manifest
        if ours == base:
            return
        for _ in range(COMMIT_ATTEMPTS_MAX):
            root = carry_over(writer, reader, Roots(base, ours, state.manifest))
            clean = root == self._storage.commits.read(state.base).root
            after = None
            if not clean:
                changed = WorkingState(
                    state.base, root, state.merge_parents, state.conflicts
                )
                after = writer.put(encode_working(changed))
            try:
                moves = [RefMove(WORKING + self.branch, before, after)]
                writer.commit(moves, self._note(why))
            except Stale as error:
                if error.code != "ref-moved":
                    raise
                before, state = self._read()
                continue
            return
        raise Stale(
            f"the working state of {self.branch!r} moved again and again",
            code="contended",
            hint="try again when fewer writers are at work",
            ref=WORKING + self.branch,
        )

    def commit(
        self, message: str, *, author: str | None = None, why: str = "commit"
    ) -> Address:
        """Make the working state a commit on its branch; the state is clean then.

        When the branch moved since, changes of other records are carried over; Stale
        ``write-conflict`` when both changed one. Invalid ``nothing-to-commit``.
        """
        storage = self._storage
        before, state = self._read()
        if before is None:
            raise Invalid(
                "nothing to commit: the working state equals the last commit",
                code="nothing-to-commit",
                hint="change something first; `prolly status` shows the working state",
            )
        head = self.head
        parent = storage.commits.read(head)
        name = storage.environment.user() if author is None else author
        base_root = storage.commits.read(state.base).root
        with storage.store.writer() as writer:
            reader = NodeReader(writer.get, storage.reader.cache)
            roots = Roots(base_root, state.manifest, parent.root)
            now_us = storage.environment.now_us()
            commit = Commit(
                parents=(head, *state.merge_parents),
                root=carry_over(writer, reader, roots),
                author=name,
                time_us=now_us,
                message=message,
                generation=parent.generation + 1,
            )
            commit_id = writer.put(encode_commit(commit))
            moves = [
                RefMove(BRANCHES + self.branch, head, commit_id),
                RefMove(WORKING + self.branch, before, None),
            ]
            note = RefNote(name, f"{why}: {first_line(message)}", now_us)
            writer.commit(moves, note)
        return Address(commit_id)

    def discard(self, why: str = "reset") -> None:
        """Forget everything uncommitted."""
        before, _ = self._read()
        if before is not None:
            moves = [RefMove(WORKING + self.branch, before, None)]
            self._storage.store.move_refs(moves, self._note(why))

    def move_head(self, target: bytes, *, keep: bool, why: str) -> None:
        """Move the branch to another commit.

        With ``keep`` the datasets stay as they are, so what differs from ``target``
        becomes uncommitted; else the working state is discarded with the old head.
        """
        storage = self._storage
        before, state = self._read()
        with storage.store.writer() as writer:
            after = None
            if keep and state.manifest != storage.commits.read(target).root:
                kept = WorkingState(bytes(target), state.manifest)
                after = writer.put(encode_working(kept))
            moves = [RefMove(BRANCHES + self.branch, self.head, bytes(target))]
            if before != after:
                moves.append(RefMove(WORKING + self.branch, before, after))
            writer.commit(moves, self._note(why))

    def _note(self, why: str) -> RefNote:
        environment = self._storage.environment
        return RefNote(environment.user(), why, environment.now_us())
