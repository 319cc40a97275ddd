"""Making commits again elsewhere: revert, cherry-pick, rebase, and patches.

Each step is a merge like any other (``replay_steps`` says of what), but that its commit
has one parent. Steps run on until one leaves conflicts, or none is left. Then all that
came of it is stored in one step: the branch moves once, at the end of all, so that its
reflog has the old tip; a stop leaves the branch where it is, and the working state
names the commit made last as its base, the step that waits, and the commits to come. So
whoever is killed loses no decision, and to give all up is to forget the working state.

A step that changes nothing makes no commit. Stamps travel with what is picked or
rebased: that is no new write. What a revert changes is stamped as written now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from prolly.history import BRANCHES

from .branch_moves import check_words, retried
from .changes import Comparison
from .merge_request import Attended, require_policy
from .replay_result import ReplayResult, Stop
from .replay_run import ReplayRun
from .replay_steps import Plan
from .settling import Conflicts
from .storage import Storage
from .waiting_merge import MergeSides
from .working_area import WorkingArea

# Given one attempt at a replay, says how it went.
Attempt = Callable[[ReplayRun], Stop]


def begin_replay(
    storage: Storage, asked: Attended, verb: str, plan: Plan
) -> ReplayResult:
    """Begin a replay, and go on until it is done or waits. An error changes nothing.

    Raises Invalid ``uncommitted`` or ``merging`` when the working state is not clean,
    ``unknown-policy``, ``stamp-ahead``, what ``plan`` raises, NotFound
    ``no-such-branch``, Stale ``contended``.
    """
    return _result(storage, asked, lambda run: run.begin(verb, plan))


def continue_replay(
    storage: Storage, asked: Attended, sides: MergeSides | None = None
) -> ReplayResult:
    """Commit the step that waits, and go on. With ``sides`` just that one.

    Raises Invalid ``no-merge``, Stale ``merge-ended``, ``branch-moved``, Conflicted
    ``open-conflicts``, and as a commit does.
    """
    return _result(storage, asked, lambda run: run.resume(sides))


def skip_replay(storage: Storage, asked: Attended) -> ReplayResult:
    """Leave out the step that waits, and go on; raises as ``continue_replay``."""
    return _result(storage, asked, lambda run: run.skip())


def replay_once(storage: Storage, asked: Attended, sides: MergeSides | None) -> bytes:
    """Do as ``continue_replay``, in one attempt; return the newest commit."""
    return ReplayRun(storage, asked).resume(sides).tip


def _result(storage: Storage, asked: Attended, attempt: Attempt) -> ReplayResult:
    check_words(message=asked.message, author=asked.author)
    require_policy(asked)
    stop = retried(
        lambda: attempt(ReplayRun(storage, asked)),
        f"branch {asked.branch!r} or its working state",
        BRANCHES + asked.branch,
    )
    area = WorkingArea(storage, asked.branch)
    state = area.state
    sides = MergeSides.of(state) if state.is_merging else MergeSides(stop.tip, ())

    def resume(message: str | None, author: str | None) -> ReplayResult:
        again = replace(asked, message=message, author=author, commit=True)
        return continue_replay(storage, again, sides)

    waits = stop.status in ("conflicts", "prepared")
    old = storage.commits.read(stop.tip if waits else stop.head).root
    new = state.manifest if waits else storage.commits.read(stop.tip).root
    changes = Comparison(storage.reader, old, new, here=storage.partial_reader)
    return ReplayResult(stop, Conflicts(storage, area, sides), changes, resume)
