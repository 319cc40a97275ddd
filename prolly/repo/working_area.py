"""The working state of a branch: edits that gather until somebody commits them.

It is one ref, ``working/BRANCH``, to a chunk that names the commit it stands on and its
own manifest. There is none while nothing is uncommitted. Every change of it is a
compare-and-set, so two processes that edit one branch never overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from prolly.chunks import ChunkWriter, RefMove, RefNote
from prolly.codec import (
    Address,
    WorkingState,
    encode_working,
)
from prolly.history import BRANCHES, WORKING
from prolly.tree import NodeReader

from .branch_moves import check_words, retried
from .carry import Roots, carry_over
from .local_datasets import NO_LOCAL, read_beside, read_local
from .selection import Selection
from .storage import Storage
from .working_commit import CommitRequest, commit_once
from .working_state import read_head, read_state
from .workspace import Workspace

if TYPE_CHECKING:
    from .waiting_merge import MergeSides, Settlement

# What the ref of a working state is moved to; there is none for a clean state.
Moved = bytes | None
# Given the head of a branch and a writer: the commit it is to have, and its manifest.
MakeHead = Callable[[bytes, ChunkWriter], tuple[bytes, bytes]]
Result = TypeVar("Result")


class WorkingArea:
    """Reads and changes the working state of one branch."""

    def __init__(self, storage: Storage, branch: str) -> None:
        self._storage = storage
        self.branch = branch

    @property
    def storage(self) -> Storage:
        """What all objects of the repository share."""
        return self._storage

    def read(self) -> tuple[bytes | None, WorkingState]:
        """Return the ref's value and the state; a clean one stands on the head."""
        return read_state(self._storage, self.branch)

    def put(self, writer: ChunkWriter, state: WorkingState, base_root: bytes) -> Moved:
        """Write a state; return what its ref is to be: ``None`` for a clean one."""
        if state.manifest == base_root and not state.is_merging:
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
        self,
        why: str,
        settlement: Settlement | None = None,
        *,
        with_local: bool = True,
    ) -> Iterator[Workspace]:
        """Edit the datasets; the block's end stores the new working state.

        Local datasets are edited along, unless ``with_local`` is false or there is a
        settlement: then datasets are called as commits call them. What is written to
        local ones counts at once, in the same step, and never waits to be committed.

        With a ``settlement`` conflicts of a merge are marked in the same step; Invalid
        ``no-merge`` or Stale ``merge-ended`` when that merge is over.

        An exception in the block discards the edits. Raises Stale ``write-conflict``
        when another process edited the state meanwhile and both touched one record,
        ``contended`` when others were faster again and again.
        """
        if settlement is None and with_local:
            (before, state), local = read_beside(self._storage, self.read)
        else:
            (before, state), local = self.read(), NO_LOCAL
        if settlement is not None:
            self._require_merge(state, settlement.sides)
        # While a merge waits, who settles a conflict as ours has it has decided that.
        origin = None
        if not state.is_merging:
            origin = self._storage.commits.read(state.base).root
        workspace = Workspace(
            self._storage, state.manifest, origin=origin, local=local.root
        )
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
            self._store_local(workspace, why)
            return
        known = [found]

        def store_once() -> None:
            # What stood at the beginning saves the first attempt a look.
            before, state = known.pop() if known else self.read()
            changed = state
            if settlement is not None:
                from .waiting_merge import marked

                # First of all: into another merge nothing is carried.
                conflicts = marked(reader, writer, state, settlement)
                changed = state._replace(conflicts=conflicts)
            root = carry_over(writer, reader, Roots(base, ours, state.manifest))
            if settlement is not None:
                # Settled is what may stand: no row that refers to none is.
                from prolly.datasets import verify_references

                verify_references(reader, state.manifest, root)
            changed = changed._replace(manifest=root)
            base_root = self._storage.commits.read(state.base).root
            after = self.put(writer, changed, base_root)
            moves = [RefMove(WORKING + self.branch, before, after), self.stays()]
            moves += self._local_moves(workspace)
            writer.commit(moves, self._note(why))

        self._retried(store_once)

    def _store_local(self, workspace: Workspace, why: str) -> None:
        """Store what was done to local datasets alone, if anything was."""

        def store_once() -> None:
            moves = self._local_moves(workspace)
            if moves:
                workspace.writer.commit(moves, self._note(why))

        self._retried(store_once)

    def _local_moves(self, workspace: Workspace) -> list[RefMove]:
        """Return the move to what was made of the local datasets, if anything was."""
        if not workspace.alters_local:
            return []
        from .local_change import local_move

        def combine(reader: NodeReader, roots: Roots) -> bytes:
            return carry_over(workspace.writer, reader, roots)

        now = read_local(self._storage)
        author = self._storage.environment.user()
        move = local_move(self._storage, workspace, now, combine, author)
        return [] if move is None else [move]

    def commit(
        self,
        message: str | None,
        *,
        author: str | None = None,
        why: str = "commit",
        only: Selection | None = None,
        amend: bool = False,
        merge: MergeSides | None = None,
    ) -> Address:
        """Make the working state a commit on its branch; the state is clean then.

        With ``only`` (dataset -> ``None`` for all of it, or keys) the rest stays
        uncommitted. With ``amend`` the commit takes the place of the newest one, with
        its parents, and its message and author where none is given (``None``). With
        ``merge`` just that merge is committed: Invalid ``no-merge``, Stale
        ``merge-ended`` where it does not wait any more.

        When the branch moved since, changes of other records are carried over; Stale
        ``write-conflict`` when both changed one, ``contended`` when others were faster
        again and again. Invalid ``nothing-to-commit``, ``first-commit`` (it cannot be
        amended), as :func:`select`, ``merging`` (a merge is committed whole, and not
        amended), ``unattended-form`` (a merge must be somebody's), ``local-dataset``,
        ``reference-missing`` or ``reference-in-use``; Conflicted ``open-conflicts``
        while a merge waits for them.
        """
        check_words(message=message, author=author)
        request = CommitRequest(
            message=message,
            author=author,
            why=why,
            only=only,
            amend=amend,
            merge=merge,
        )
        return self._retried(lambda: commit_once(self._storage, self, request))

    def _retried(self, attempt: Callable[[], Result]) -> Result:
        what = f"branch {self.branch!r} or its working state"
        return retried(attempt, what, WORKING + self.branch)

    def stays(self) -> RefMove:
        """Return the move that checks that the branch still stands where it stands.

        NotFound when there is no branch: a working state wants one.
        """
        head = self.head
        return RefMove(BRANCHES + self.branch, head, head)

    def _require_merge(self, state: WorkingState, sides: MergeSides) -> None:
        """Refuse to go on with a state in which another merge waits, or none."""
        from .waiting_merge import require_merge

        require_merge(state, self.branch, sides)

    def discard(self, why: str = "reset", *, expected: bytes | None = None) -> None:
        """Forget everything uncommitted; nothing to do where nothing is.

        With ``expected``, what ``read`` gave as the ref's value, just that state: Stale
        ``ref-moved`` when another one stands by now.
        """
        before = self.read()[0] if expected is None else expected
        if before is not None:
            moves = [RefMove(WORKING + self.branch, before, None)]
            self._storage.store.move_refs(moves, self._note(why))

    def move_head(self, target: bytes, *, keep: bool, why: str) -> None:
        """Move the branch to another commit.

        With ``keep`` the datasets stay as they are, what the branch got since they were
        edited included, so what differs from ``target`` becomes uncommitted; else the
        working state is discarded with the old head. Stale ``write-conflict`` with
        ``keep`` where an edit and a commit since then changed one record. Invalid
        ``merging`` with ``keep`` while a merge waits: what it brought would
        stay as edits of one's own. Stale ``contended`` when others were faster again
        and again.
        """
        root = self._storage.commits.read(target).root

        def as_told(head: bytes, writer: ChunkWriter) -> tuple[bytes, bytes]:
            return bytes(target), root

        self.rewrite_head(as_told, keep=keep, why=why)

    def rewrite_head(self, make: MakeHead, *, keep: bool, why: str) -> Address:
        """Move the branch to the commit that ``make`` makes of its head; return it.

        Else as ``move_head``. What ``make`` writes is stored in the same step; when
        others are faster it is asked again.
        """
        return self._retried(lambda: self._rewrite_once(make, keep=keep, why=why))

    def _rewrite_once(self, make: MakeHead, *, keep: bool, why: str) -> Address:
        """Move it, unless branch or working state move meanwhile (``ref-moved``)."""
        storage = self._storage
        # Before the state, which may be that of the head: what is committed in between
        # moves the branch away from the head that was read.
        head = self.head
        before, state = self.read()
        if keep and state.is_merging:
            from .waiting_merge import still_waits

            raise still_waits(
                state,
                "and what it brought would stay as edits of one's own",
                f"Give it up (`prolly {state.verb} --abort`), or drop the data too "
                "(`prolly reset --hard`).",
            )
        with storage.store.writer() as writer:
            target, target_root = make(head, writer)
            after = None
            if keep:
                root = self._on_head(writer, state, head)
                after = self.put(writer, WorkingState(target, root), target_root)
            moves = [RefMove(BRANCHES + self.branch, head, target)]
            if before != after:
                moves.append(RefMove(WORKING + self.branch, before, after))
            writer.commit(moves, self._note(why))
        return Address(target)

    def _on_head(self, writer: ChunkWriter, state: WorkingState, head: bytes) -> bytes:
        """Return the manifest of a state with what the branch got since then."""
        base_root, head_root = (
            self._storage.commits.read(one).root for one in (state.base, head)
        )
        reader = NodeReader(writer.get, self._storage.reader.cache)
        return carry_over(writer, reader, Roots(base_root, state.manifest, head_root))

    def _note(self, why: str) -> RefNote:
        environment = self._storage.environment
        return RefNote(environment.user(), why, environment.now_us())
