"""How a revert, a cherry-pick, a rebase or a patch ended, or where it waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prolly.codec import Address

from .changes import Comparison
from .merge_result import Merged, MergeResult, MergeStatus
from .open_conflicts import OpenConflicts


class Progress(NamedTuple):
    """What a replay did until it ended or stopped: commits made, those of which nothing
    was left, and those that somebody left out; how many are still to come after the one
    that waits."""

    made: tuple[bytes, ...] = ()
    dropped: tuple[bytes, ...] = ()
    skipped: tuple[bytes, ...] = ()
    todo: int = 0


class Stop(NamedTuple):
    """Where a replay ended or stopped. ``tip`` is the newest commit that it stands on.

    ``head`` is where the branch stood.
    """

    status: MergeStatus
    head: bytes
    tip: bytes
    progress: Progress
    merged: Merged | None = None


Resume = Callable[[str | None, str | None], "ReplayResult"]


class ReplayResult(MergeResult):
    """How commits were made again, as a :class:`MergeResult`.

    ``status`` is ``replayed``, ``up-to-date`` (nothing was left to change),
    ``fast-forward``, ``prepared`` (asked not to commit) or ``conflicts``. ``made`` are
    the commits that came of it, ``dropped`` those that change nothing here, ``skipped``
    the one that was to be left out, ``todo`` how many are still to come after the one
    that waits. ``commit`` goes on, and may stop at the next conflicts: look at
    ``status`` again.
    """

    def __init__(
        self, stop: Stop, conflicts: OpenConflicts, changes: Comparison, resume: Resume
    ) -> None:
        ended = stop.status not in ("conflicts", "prepared")
        super().__init__(
            stop.status, stop.tip if ended else None, conflicts, changes, stop.merged
        )
        self.made = tuple(map(Address, stop.progress.made))
        self.dropped = tuple(map(Address, stop.progress.dropped))
        self.skipped = tuple(map(Address, stop.progress.skipped))
        self.todo = stop.progress.todo
        self._tip = Address(stop.tip)
        self._resume = resume

    def commit(
        self, message: str | None = None, *, author: str | None = None
    ) -> Address:
        """Commit the step that waits, all conflicts settled, and go on.

        Returns the newest commit; the branch stands there when all is done. Raises as
        ``MergeResult.commit``, and Stale ``branch-moved`` where the branch got other
        commits and some of the replay are made already.
        """
        if self.commit_id is None:
            result = self._resume(message, author)
            made, dropped = self.made + result.made, self.dropped + result.dropped
            skipped = self.skipped
            self.__dict__.update(result.__dict__)
            self.made, self.dropped, self.skipped = made, dropped, skipped
        return self._tip

    def __repr__(self) -> str:
        return f"<ReplayResult {self.status}>"
