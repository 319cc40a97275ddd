"""The working state of a branch: edits that gather until somebody commits them.

It is one ref, ``working/BRANCH``, to a chunk that names the commit it stands on and its
own manifest. There is none while nothing is uncommitted. Every change of it is a
compare-and-set, so two processes that edit one branch never overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from prolly.chunks import ChunkWriter, RefMove, RefNote
from prolly.codec import (
    Address,
    Commit,
    WorkingState,
    encode_commit,
    encode_working,
)
from prolly.datasets import verify_references
from prolly.errors import Invalid
from prolly.history import BRANCHES, WORKING
from prolly.tree import NodeReader

from .branch_moves import first_line, retried
from .carry import Roots, carry_over
from .selection import Selection, select
from .storage import Storage
from .working_state import read_head, read_state
from .workspace import Workspace

if TYPE_CHECKING:
    from .waiting_merge import Settlement

# What the ref of a working state is moved to; there is none for a clean state.
Moved = bytes | None
Result = TypeVar("Result")


class WorkingArea:
    """Reads and changes the working state of one branch."""

    def __init__(self, storage: Storage, branch: str) -> None:
        self._storage = storage
        self.branch = branch

    def read(self) -> tuple[bytes | None, WorkingState]:
        """Return the ref's value and the state; a clean one stands on the head."""
        return read_state(self._storage, self.branch)

    def put(self, writer: ChunkWriter, state: WorkingState, base_root: bytes) -> Moved:
        """Write a state; return what its ref is to be: ``None`` for a clean one."""
        if state.manifest == base_root and not state.merge_parents:
            return None
        return writer.put(encode_working(state))

    @property
    def head(self) -> bytes:
        """The id of the branch's newest commit; NotFound when there is no branch."""
        return read_head(self._storage, self.branch)

    @property
    def state(self) -> WorkingState:
        """The state as it stands: its base commit and its manifest."""
        return self.read()[1]

    @property
    def base_root(self) -> bytes:
        """The manifest root of the commit that the state stands on."""
        return self._storage.commits.read(self.state.base).root

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing is uncommitted."""
        return self.read()[0] is None

    @contextmanager
    def edit(
        self, why: str, settlement: Settlement | None = None
    ) -> Iterator[Workspace]:
        """Edit the datasets; the block's end stores the new working state.

        With a ``settlement`` conflicts of a merge are marked in the same step; Stale
        ``merge-ended`` when that merge is over.

        An exception in the block discards the edits. Raises Stale ``write-conflict``
        when another process edited the state meanwhile and both touched one record,
        ``contended`` when others were faster again and again.
        """
        before, state = self.read()
        # While a merge waits, who settles a conflict as ours has it has decided that.
        origin = None
        if not state.merge_parents:
            origin = self._storage.commits.read(state.base).root
        workspace = Workspace(self._storage, state.manifest, origin=origin)
        try:
            yield workspace
            self._store(workspace, (before, state), why, settlement)
        finally:
            workspace.close()

    def _store(
        self,
        workspace: Workspace,
        found: tuple[bytes | None, WorkingState],
        why: str,
        settlement: Settlement | None,
    ) -> None:
        writer = workspace.writer
        reader = NodeReader(writer.get, self._storage.reader.cache)
        ours, base = workspace.write(), found[1].manifest
        if ours == base and settlement is None:
            return
        known = [found]

        def store_once() -> None:
            # What stood at the beginning saves the first attempt a look.
            before, state = known.pop() if known else self.read()
            root = carry_over(writer, reader, Roots(base, ours, state.manifest))
            changed = replace(state, manifest=root)
            if settlement is not None:
                from .waiting_merge import marked

                conflicts = marked(reader, writer, state, settlement)
                changed = replace(changed, conflicts=conflicts)
            base_root = self._storage.commits.read(state.base).root
            after = self.put(writer, changed, base_root)
            moves = [RefMove(WORKING + self.branch, before, after), self.stays()]
            writer.commit(moves, self._note(why))

        self._retried(store_once)

    def commit(
        self,
        message: str | None,
        *,
        author: str | None = None,
        why: str = "commit",
        only: Selection | None = None,
        amend: bool = False,
    ) -> Address:
        """Make the working state a commit on its branch; the state is clean then.

        With ``only`` (dataset -> ``None`` for all of it, or keys) the rest stays
        uncommitted. With ``amend`` the commit takes the place of the newest one, with
        its parents, and its message and author where none is given (``None``).

        When the branch moved since, changes of other records are carried over; Stale
        ``write-conflict`` when both changed one, ``contended`` when others were faster
        again and again. Invalid ``nothing-to-commit``, ``first-commit`` (it cannot be
        amended), as :func:`select`, ``merging`` (a merge is committed whole, and not
        amended), ``unattended-form`` (a merge must be somebody's),
        ``reference-missing`` or ``reference-in-use``; Conflicted ``open-conflicts``
        while a merge waits for them.
        """
        return self._retried(
            lambda: self._commit_once(
                message, author=author, why=why, only=only, amend=amend
            )
        )

    def _retried(self, attempt: Callable[[], Result]) -> Result:
        what = f"branch {self.branch!r} or its working state"
        return retried(attempt, what, WORKING + self.branch)

    def stays(self) -> RefMove:
        """Return the move that checks that the branch still stands where it stands.

        NotFound when there is no branch: a working state wants one.
        """
        head = self.head
        return RefMove(BRANCHES + self.branch, head, head)

    def _commit_once(
        self,
        message: str | None,
        *,
        author: str | None,
        why: str,
        only: Selection | None,
        amend: bool,
    ) -> Address:
        """Commit, unless branch or working state move meanwhile (``ref-moved``)."""
        storage = self._storage
        before, state = self.read()
        if state.merge_parents:
            self._require_committable(state, amend=amend)
        head = self.head
        base_root = storage.commits.read(state.base).root
        with closing(Workspace(storage, base_root)) as workspace:
            chosen = state.manifest
            if only is not None:
                chosen = self._chosen(workspace, state, only)
            is_nothing = before is None if only is None else chosen == base_root
            rewords = amend and (message, author) != (None, None)
            if is_nothing and not rewords:
                raise nothing_to_commit(chosen_only=only is not None)
            writer = workspace.writer
            reader = NodeReader(writer.get, storage.reader.cache)
            head_root = storage.commits.read(head).root
            root = carry_over(writer, reader, Roots(base_root, chosen, head_root))
            verify_references(reader, head_root, root)
            if amend:
                commit = self._amended(head, root, message)
            else:
                commit = self._commit_of(head, root, state, message)
            if author is not None:
                commit = replace(commit, author=author)
            if len(commit.parents) > 1:
                from .waiting_merge import require_authored

                require_authored(commit)
            commit_id = writer.put(encode_commit(commit))
            rest = carry_over(writer, reader, Roots(chosen, state.manifest, root))
            after = self.put(writer, WorkingState(commit_id, rest), root)
            moves = [RefMove(BRANCHES + self.branch, head, commit_id)]
            if before != after:
                moves.append(RefMove(WORKING + self.branch, before, after))
            why += " (amend)" if amend else ""
            text = f"{why}: {first_line(commit.message)}"
            writer.commit(moves, RefNote(commit.author, text, commit.time_us))
        return Address(commit_id)

    def _require_committable(self, state: WorkingState, *, amend: bool) -> None:
        """Refuse to end a merge with open conflicts, or as another commit."""
        from .waiting_merge import require_settled

        if amend:
            raise Invalid(
                "a merge waits, and it is a commit of its own",
                code="merging",
                hint="Commit without --amend, or give it up: `prolly merge --abort`.",
            )
        require_settled(self._storage.reader, state)

    def _chosen(
        self, workspace: Workspace, state: WorkingState, only: Selection
    ) -> bytes:
        """Return the manifest with just the chosen changes."""
        if state.merge_parents:
            raise Invalid(
                "a merge is committed whole",
                code="merging",
                hint="Commit without --dataset and --key.",
            )
        select(workspace, self._storage.reader, state.manifest, only)
        return workspace.write()

    def _commit_of(
        self, head: bytes, root: bytes, state: WorkingState, message: str | None
    ) -> Commit:
        """Return the commit over a manifest, on top of the head."""
        environment = self._storage.environment
        # The branch may have been moved to what is merged meanwhile.
        parents = tuple(dict.fromkeys((head, *state.merge_parents)))
        return Commit(
            parents=parents,
            root=root,
            author=environment.user(),
            time_us=environment.now_us(),
            message=state.message if message is None else message,
            metadata=self._metadata(state),
            generation=self._generation(parents),
        )

    def _metadata(self, state: WorkingState) -> dict[str, Any]:
        """Return what the commit says beside its message: how a merge was settled."""
        if not state.merge_parents:
            return {}
        from .waiting_merge import settled_metadata

        return settled_metadata(self._storage.reader, state)

    def _amended(self, head: bytes, root: bytes, message: str | None) -> Commit:
        """Return the commit over a manifest, in the place of the head."""
        before = self._storage.commits.read(head)
        if not before.parents:
            raise Invalid(
                "the first, empty commit is the same everywhere and stays",
                code="first-commit",
                hint="Commit without --amend.",
            )
        now_us = self._storage.environment.now_us()
        text = before.message if message is None else message
        return replace(before, root=root, time_us=now_us, message=text)

    def _generation(self, parents: tuple[bytes, ...]) -> int:
        commits = self._storage.commits
        return 1 + max(commits.read(parent).generation for parent in parents)

    def discard(self, why: str = "reset") -> None:
        """Forget everything uncommitted."""
        before, _ = self.read()
        if before is not None:
            moves = [RefMove(WORKING + self.branch, before, None)]
            self._storage.store.move_refs(moves, self._note(why))

    def move_head(self, target: bytes, *, keep: bool, why: str) -> None:
        """Move the branch to another commit.

        With ``keep`` the datasets stay as they are, so what differs from ``target``
        becomes uncommitted; else the working state is discarded with the old head.
        Invalid ``merging`` with ``keep`` while a merge waits: what it brought would
        stay as edits of one's own.
        """
        storage = self._storage
        before, state = self.read()
        if keep and state.merge_parents:
            raise Invalid(
                "a merge waits, and its data would stay without its other parent",
                code="merging",
                hint="Give it up (`prolly merge --abort`), or drop the data too "
                "(`prolly reset --hard`).",
            )
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


def nothing_to_commit(*, chosen_only: bool = False) -> Invalid:
    """Return (not raise) the error for a working state that equals its commit."""
    if chosen_only:
        return Invalid(
            "nothing to commit: what was chosen equals the last commit",
            code="nothing-to-commit",
            hint="`prolly status` shows what differs.",
        )
    return Invalid(
        "nothing to commit: the working state equals the last commit",
        code="nothing-to-commit",
        hint="Change something first; `prolly status` shows the working state.",
    )
