"""The doors of a repository to what makes commits again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prolly.codec import Address
from prolly.history import BISECT_START

from .storage import Storage

# What a program that only reads does not need is loaded by the methods that use it.
if TYPE_CHECKING:
    from prolly.merge import Resolve

    from .app import App
    from .bisecting import Bisect
    from .merge_request import Attended
    from .replay_result import ReplayResult
    from .repository import Revision
    from .snapshot import Snapshot

Ready = Callable[[], object] | None
# Neither a message nor an author is given.
NOBODY = (None, None)


class RewritingDoors:
    """What a repository offers to take back, repeat and fold commits."""

    _storage: Storage
    app: App | None
    head: Any
    resolve: Callable[[Revision], Address]
    at: Callable[..., Snapshot]

    def revert(
        self,
        revision: Revision,
        branch: str | None = None,
        *,
        mainline: int | None = None,
        message: str | None = None,
        author: str | None = None,
        policy: str | None = None,
        resolve: Resolve | None = None,
        commit: bool = True,
        before_moving: Ready = None,
    ) -> ReplayResult:
        """Take back what a commit of a branch (the current one) changed.

        That is a merge of the commit's parent into the branch, over the commit: what
        was changed since stays, or is in conflict. ``mainline`` says, from 1, to which
        parent of a merge. The new commit is a new write: its stamps are of now. The
        other arguments are as of ``merge``, and so is what waits with conflicts.

        Raises Invalid ``not-an-ancestor``, ``first-commit``, ``merge-commit`` (say
        ``mainline``), ``mainline``, and as ``merge``.
        """
        from dataclasses import replace

        from .rewriting import revert

        asked = self._attended(
            branch, (message, author), before_moving, policy, resolve
        )
        asked = replace(asked, commit=commit)
        commit_id = bytes(self.resolve(revision))
        return revert(self._storage, asked, commit_id, mainline)

    def cherry_pick(
        self,
        revisions: Revision | Sequence[Revision],
        branch: str | None = None,
        *,
        mainline: int | None = None,
        message: str | None = None,
        author: str | None = None,
        policy: str | None = None,
        resolve: Resolve | None = None,
        before_moving: Ready = None,
    ) -> ReplayResult:
        """Make the changes of commits again on a branch (the current one).

        One after the other, each as a commit with its author, time and message. Those
        that change nothing here are ``dropped``. Where one leaves conflicts it waits,
        and those behind it, as a merge does; the branch moves when all are made. Of one
        merge ``mainline`` says, from 1, against which parent. The other arguments are
        as of ``merge``.

        Raises Invalid ``merge-commit`` (say ``mainline``), ``mainline``,
        ``first-commit``, ``one-message``, LimitExceeded ``too-many-commits``, and as
        ``merge``.
        """
        from .rewriting import cherry_pick

        several = isinstance(revisions, Sequence) and not isinstance(
            revisions, (str, bytes)
        )
        listed: Any = revisions if several else [revisions]
        asked = self._attended(
            branch, (message, author), before_moving, policy, resolve
        )
        picked = [bytes(self.resolve(one)) for one in listed]
        return cherry_pick(self._storage, asked, picked, mainline)

    def rebase(
        self,
        onto: Revision,
        branch: str | None = None,
        *,
        policy: str | None = None,
        resolve: Resolve | None = None,
        before_moving: Ready = None,
    ) -> ReplayResult:
        """Make the commits of a branch (the current one) again on top of a version.

        Those that the version has not, along first parents, with author, time, message
        and metadata of each. A merge among them becomes a commit of one parent. Else as
        ``cherry_pick``; the old tip is ``BRANCH@{1}``. Raises Invalid ``unrelated``,
        LimitExceeded ``too-many-commits``, and as ``merge``.
        """
        from .rewriting import rebase

        asked = self._attended(branch, NOBODY, before_moving, policy, resolve)
        return rebase(self._storage, asked, bytes(self.resolve(onto)))

    def squash(
        self,
        since: Revision,
        branch: str | None = None,
        *,
        message: str | None = None,
        author: str | None = None,
        before_moving: Ready = None,
    ) -> Address:
        """Make one commit of all that a branch (the current one) has since a version.

        Its data is that of the newest, its message by default names those of all. The
        old tip is ``BRANCH@{1}``; what is uncommitted stays. Returns where the branch
        stands: at ``since`` where nothing is left. Raises Invalid ``not-an-ancestor``,
        ``nothing-to-squash``, ``merging``, NotFound ``no-such-branch``, Stale
        ``contended``.
        """
        from .squashing import squash

        asked = self._attended(branch, (message, author), before_moving)
        return squash(self._storage, asked, bytes(self.resolve(since)))

    def patch(
        self, old: Revision, new: Revision, dataset: str | None = None
    ) -> Iterator[str]:
        """Yield the lines of a patch that leads from one version to another.

        They are JSON, each without its line end, and can be read; what differs is
        listed record by record, with the descriptions of the datasets. With a dataset
        just that of what differs. Raises NotFound ``no-such-dataset``; LimitExceeded
        ``patch-content`` for a blob or file that is too large for one, when it comes to
        that.
        """
        from .patch_making import patch_lines

        old_root, new_root = (self.at(one, local=False).root for one in (old, new))
        return patch_lines(self._storage.reader, old_root, new_root, dataset)

    def apply(
        self,
        patch: bytes | str | Iterable[str],
        branch: str | None = None,
        *,
        message: str | None = None,
        author: str | None = None,
        policy: str | None = None,
        resolve: Resolve | None = None,
        commit: bool = True,
        before_moving: Ready = None,
    ) -> ReplayResult:
        """Apply a patch to a branch (the current one), in one commit.

        Where the version that it was made of stands, the result is that which it leads
        to. Else it is merged: what is not as the patch says that it was is in conflict,
        and waits as in ``merge``. The status is ``up-to-date`` where all of it stands
        already. The other arguments are as of ``merge``.

        Raises Corrupt ``patch``, Unsupported ``patch-version``, LimitExceeded
        ``patch-too-long``, NotFound ``no-such-dataset``, ``patch-content-missing``,
        Invalid ``patch-schema``, and as ``merge``.
        """
        from dataclasses import replace

        from .patching import apply_patch

        if isinstance(patch, str):
            patch = patch.encode()
        elif not isinstance(patch, bytes):
            patch = "".join(f"{line}\n" for line in patch).encode()
        asked = self._attended(
            branch, (message, author), before_moving, policy, resolve
        )
        asked = replace(asked, commit=commit)
        return apply_patch(self._storage, asked, patch)

    @property
    def is_bisecting(self) -> bool:
        """Tell whether a search for a bad commit was started and not ended."""
        return self._storage.store.read_ref(BISECT_START) is not None

    @property
    def bisect(self) -> Bisect:
        """The search for the first bad commit."""
        from .bisecting import Bisect

        return Bisect(self._storage, self.resolve)

    def resume(
        self,
        branch: str | None = None,
        *,
        message: str | None = None,
        author: str | None = None,
        policy: str | None = None,
        resolve: Resolve | None = None,
        before_moving: Ready = None,
    ) -> ReplayResult:
        """Commit the step that waits on a branch, all settled, and go on behind it.

        For what ``revert``, ``cherry_pick``, ``rebase`` or ``apply`` left; ``policy``
        and ``resolve`` are for the steps to come. Raises
        Invalid ``no-merge``, ``merging`` (a merge waits), Conflicted
        ``open-conflicts``, Stale ``branch-moved`` (the branch got other commits since).
        """
        from .replaying import continue_replay

        asked = self._attended(
            branch, (message, author), before_moving, policy, resolve
        )
        return continue_replay(self._storage, asked)

    def skip(
        self,
        branch: str | None = None,
        *,
        policy: str | None = None,
        before_moving: Ready = None,
    ) -> ReplayResult:
        """Leave out the step that waits on a branch, and go on; it is ``skipped``.

        Raises as ``resume``.
        """
        from .replaying import skip_replay

        asked = self._attended(branch, NOBODY, before_moving, policy)
        return skip_replay(self._storage, asked)

    def _attended(
        self,
        branch: str | None,
        words: tuple[str | None, str | None],
        before_moving: Ready,
        policy: str | None = None,
        resolve: Resolve | None = None,
    ) -> Attended:
        from .merge_request import Attended, no_action
        from .merging import snapshots_of

        return Attended(
            branch=branch or self.head,
            message=words[0],
            author=words[1],
            resolve=resolve,
            policy=policy,
            resolvers={} if self.app is None else self.app.resolvers,
            snapshots=snapshots_of(self._storage),
            before_moving=before_moving or no_action,
        )
