"""A working state made a commit: what it holds, on top of what the branch has now.

One attempt each: who calls it reads the refs anew and tries again when they moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prolly.chunks import RefMove, RefNote
from prolly.codec import Address, Commit, WorkingState, encode_commit
from prolly.datasets import verify_references
from prolly.errors import Invalid
from prolly.history import BRANCHES, WORKING
from prolly.tree import NodeReader

from .branch_moves import first_line
from .carry import Roots, carry_over
from .local_datasets import require_committed
from .selection import Selection, select
from .storage import Storage
from .workspace import Workspace

if TYPE_CHECKING:
    from .waiting_merge import MergeSides
    from .working_area import WorkingArea


@dataclass(frozen=True, kw_only=True)
class CommitRequest:
    """What is asked of a commit; see ``WorkingArea.commit``."""

    message: str | None
    author: str | None
    why: str
    only: Selection | None
    amend: bool
    merge: MergeSides | None

    @property
    def rewords(self) -> bool:
        """Tell whether a commit is amended even where its data stays."""
        return self.amend and (self.message, self.author) != (None, None)


def commit_once(storage: Storage, area: WorkingArea, request: CommitRequest) -> Address:
    """Commit, unless branch or working state move meanwhile (``ref-moved``)."""
    before, state = area.read()
    if request.merge is not None:
        from .waiting_merge import require_merge

        require_merge(state, area.branch, request.merge)
    if state.is_merging:
        _require_committable(storage, state, request)
    if state.replay is not None:
        return _commit_replay(storage, area, request)
    head = area.head
    base_root = storage.commits.read(state.base).root
    with closing(Workspace(storage, base_root)) as workspace:
        chosen = state.manifest
        if request.only is not None:
            require_committed(storage, state.manifest, request.only)
            select(workspace, storage.reader, state.manifest, request.only)
            chosen = workspace.write()
        is_part = request.only is not None
        is_nothing = chosen == base_root if is_part else before is None
        if is_nothing and not request.rewords:
            raise nothing_to_commit(chosen_only=is_part)
        writer = workspace.writer
        reader = NodeReader(writer.get, storage.reader.cache, writer.get_many)
        head_root = storage.commits.read(head).root
        root = carry_over(writer, reader, Roots(base_root, chosen, head_root))
        verify_references(reader, head_root, root)
        commit = _commit_of(storage, head, state, request)
        commit = commit._replace(root=root)
        if len(commit.parents) > 1:
            from .waiting_merge import require_authored

            require_authored(commit)
        commit_id = writer.put(encode_commit(commit))
        rest = carry_over(writer, reader, Roots(chosen, state.manifest, root))
        after = area.put(writer, WorkingState(commit_id, rest), root)
        moves = [RefMove(BRANCHES + area.branch, head, commit_id)]
        if before != after:
            moves.append(RefMove(WORKING + area.branch, before, after))
        why = f"{request.why} (amend)" if request.amend else request.why
        text = f"{why}: {first_line(commit.message)}"
        writer.commit(moves, RefNote(commit.author, text, commit.time_us))
    return Address(commit_id)


def _commit_replay(
    storage: Storage, area: WorkingArea, request: CommitRequest
) -> Address:
    """Commit the step of a replay that waits, and go on with the others."""
    from .merge_request import Attended
    from .replaying import replay_once

    asked = Attended(branch=area.branch, message=request.message, author=request.author)
    return Address(replay_once(storage, asked, request.merge))


def _require_committable(
    storage: Storage, state: WorkingState, request: CommitRequest
) -> None:
    """Refuse to end a merge with open conflicts, as another commit, or in part."""
    from .waiting_merge import require_settled, still_waits

    if request.amend:
        raise still_waits(
            state,
            "and it is a commit of its own",
            f"Commit without --amend, or give it up: `prolly {state.verb} --abort`.",
        )
    require_settled(storage.reader, state)
    if request.only is not None:
        raise still_waits(
            state, "and is committed whole", "Commit without --dataset and --key."
        )


def _commit_of(
    storage: Storage, head: bytes, state: WorkingState, request: CommitRequest
) -> Commit:
    """Return the commit to be made, but for its root."""
    if request.amend:
        commit = _amended(storage, head, request.message)
    else:
        commit = _on_top(storage, head, state, request.message)
    return commit if request.author is None else commit._replace(author=request.author)


def _on_top(
    storage: Storage, head: bytes, state: WorkingState, message: str | None
) -> Commit:
    """Return the commit on top of the head."""
    environment, commits = storage.environment, storage.commits
    # The branch may have been moved to what is merged meanwhile.
    parents = tuple(dict.fromkeys((head, *state.merge_parents)))
    return Commit(
        parents=parents,
        root=state.manifest,
        author=environment.user(),
        time_us=environment.now_us(),
        message=state.message if message is None else message,
        metadata=_metadata(storage, state),
        generation=1 + max(commits.read(parent).generation for parent in parents),
    )


def _metadata(storage: Storage, state: WorkingState) -> Mapping[str, Any]:
    """Return what the commit says beside its message: how a merge was made."""
    if not state.merge_parents:
        return {}
    from .waiting_merge import merge_metadata

    return merge_metadata(storage.reader, state)


def _amended(storage: Storage, head: bytes, message: str | None) -> Commit:
    """Return the commit in the place of the head."""
    before = storage.commits.read(head)
    if not before.parents:
        raise Invalid(
            "the first, empty commit is the same everywhere and stays",
            code="first-commit",
            hint="Commit without --amend.",
        )
    text = before.message if message is None else message
    return before._replace(time_us=storage.environment.now_us(), message=text)


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
