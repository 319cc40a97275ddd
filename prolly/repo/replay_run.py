"""One attempt at a replay: steps taken one after the other, and stored at once.

All that it reads of refs it reads at the beginning, so where they move meanwhile it
fails with Stale ``ref-moved``, and another attempt begins anew. Nothing is stored but
by one commit of its writer, at the end or where a step has to wait.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from prolly.chunks import ChunkWriter, RefMove, RefNote
from prolly.codec import Commit, Replay, WorkingState, encode_commit, encode_working
from prolly.datasets import verify_references
from prolly.errors import Stale
from prolly.history import BRANCHES, WORKING
from prolly.merge import Base, merge_manifests, require_stamps_in_time
from prolly.tree import NodeReader, Versions

from .branch_moves import first_line
from .carry import Roots, carry_over
from .merge_request import Answers, Attended
from .merge_result import Merged, MergeStatus
from .replay_result import Progress, Stop
from .replay_steps import Begun, Plan, RebaseSteps, Step, pick_step
from .restamping import stamped_now
from .storage import Storage
from .waiting_merge import (
    MergeSides,
    merge_metadata,
    not_clean,
    require_merge,
    require_settled,
)
from .working_state import read_head, read_state


class _Tip(NamedTuple):
    """The commit that the next step is made on; it may not be stored yet."""

    id: bytes
    commit: Commit


class ReplayRun:
    """Begins a replay on a branch, or goes on with the one that waits there."""

    def __init__(self, storage: Storage, asked: Attended) -> None:
        self._storage = storage
        self._asked = asked
        # The branch first: where the state is clean it is that of the head.
        self._head = read_head(storage, asked.branch)
        self.before, self.state = read_state(storage, asked.branch)
        self._made: list[bytes] = []
        self._dropped: list[bytes] = []
        self._skipped: list[bytes] = []

    def begin(self, verb: str, plan: Plan) -> Stop:
        """Begin what ``plan`` says; Invalid for a state that is not clean."""
        if self.before is not None:
            raise not_clean(self._asked.branch, self.state)
        with self._storage.store.writer() as writer:
            self._open(writer)
            begun = plan(self._head, self._reader, writer)
            return self._go_on(verb, begun)

    def resume(self, sides: MergeSides | None) -> Stop:
        """Commit the step that waits, and go on."""
        state, replay = self.state, self._require(sides)
        require_settled(self._storage.reader, state)
        with self._storage.store.writer() as writer:
            self._open(writer)
            tip, root = self._on_branch(replay, state)
            verify_references(self._reader, tip.commit.root, root)
            metadata = merge_metadata(self._storage.reader, state)
            message = self._asked.message
            waited = Step(
                base=None,
                theirs=replay.theirs,
                picked=replay.picked,
                message=state.message if message is None else message,
                metadata={**state.metadata, **metadata},
                author=self._asked.author or replay.author,
                time_us=replay.time_us,
            )
            # What was asked was asked of this step, not of those to come.
            self._asked = replace(self._asked, message=None, author=None)
            tip = self._commit(replay.verb, tip, waited, root)
            return self._advance(replay.verb, tip, replay.todo)

    def skip(self) -> Stop:
        """Leave out the step that waits, and go on."""
        replay = self._require(None)
        picked = replay.picked
        self._skipped += [] if picked is None else [picked]
        with self._storage.store.writer() as writer:
            self._open(writer)
            tip, _ = self._on_branch(replay, self.state._replace(manifest=self._base))
            return self._advance(replay.verb, tip, replay.todo)

    @property
    def _base(self) -> bytes:
        return self._storage.commits.read(self.state.base).root

    def _open(self, writer: ChunkWriter) -> None:
        cache = self._storage.reader.cache
        self._writer = writer
        self._reader = NodeReader(writer.get, cache, writer.get_many)

    def _require(self, sides: MergeSides | None) -> Replay:
        require_merge(self.state, self._asked.branch, sides)
        if self.state.replay is None:
            raise not_clean(self._asked.branch, self.state)
        return self.state.replay

    def _on_branch(self, replay: Replay, state: WorkingState) -> tuple[_Tip, bytes]:
        """Return what the step that waits stands on, and its data.

        A branch that got commits meanwhile carries a first step over to them; with some
        steps made that would leave these behind.
        """
        base = self._tip(state.base)
        if self._head == replay.began:
            return base, state.manifest
        if state.base != replay.began:
            raise Stale(
                f"branch {self._asked.branch!r} got other commits since this was begun",
                code="branch-moved",
                hint=f"Give it up (`prolly {replay.verb} --abort`), and begin again.",
                branch=self._asked.branch,
            )
        tip = self._tip(self._head)
        roots = Roots(base.commit.root, state.manifest, tip.commit.root)
        return tip, carry_over(self._writer, self._reader, roots)

    def _tip(self, commit_id: bytes) -> _Tip:
        return _Tip(commit_id, self._storage.commits.read(commit_id))

    def _go_on(self, verb: str, begun: Begun) -> Stop:
        tip = self._tip(begun.tip)
        if begun.first is None:
            return self._advance(verb, tip, begun.todo)
        stop = self._merge(verb, tip, begun.first, begun.todo)
        if isinstance(stop, Stop):
            return stop
        return self._advance(verb, stop, begun.todo)

    def _advance(self, verb: str, tip: _Tip, todo: tuple[bytes, ...]) -> Stop:
        """Take one step after the other; store what came of it at the end."""
        commits = self._storage.commits
        # What the tip is made on is stored, and all that a merge may have brought.
        steps = RebaseSteps(commits, tip.id, self._reader, self._writer)
        for place, commit_id in enumerate(todo):
            if verb == "rebase":
                step = steps(commit_id)
            else:
                step = pick_step(commits, commit_id)
            stop = self._merge(verb, tip, step, todo[place + 1 :])
            if isinstance(stop, Stop):
                return stop
            tip = stop
        return self._end(verb, tip)

    def _merge(
        self, verb: str, tip: _Tip, step: Step, todo: tuple[bytes, ...]
    ) -> _Tip | Stop:
        """Take one step: return the new tip, or where it stops."""
        ours = tip.commit.root
        now_us = self._storage.environment.now_us
        require_stamps_in_time(self._reader, ours, step.theirs, now_us)
        answers = Answers(self._asked)
        versions = Versions(step.base, ours, step.theirs)
        rules = answers.rules(self._asked.snapshots(self._reader, versions))
        manifest = merge_manifests(self._reader, self._writer, versions, rules)
        step = step._replace(metadata={**step.metadata, **answers.metadata()})
        waits = manifest.conflict_count or not self._asked.commit
        if waits and not (manifest.root == ours and not manifest.conflict_count):
            merged = Merged(Base(step.base, ()), manifest, answers.missing)
            return self._wait(verb, tip, (step, merged), todo)
        return self._commit(verb, tip, step, manifest.root)

    def _commit(self, verb: str, tip: _Tip, step: Step, root: bytes) -> _Tip:
        """Return the tip with the commit of a step on it; the same one for nothing."""
        if root == tip.commit.root:
            self._dropped += [] if step.picked is None else [step.picked]
            return tip
        if verb == "revert":
            root = stamped_now(
                self._storage, (self._reader, self._writer), tip.commit.root, root
            )
        asked, environment = self._asked, self._storage.environment
        author = asked.author if asked.author is not None else step.author
        commit = Commit(
            parents=(tip.id,),
            root=root,
            author=environment.user() if author is None else author,
            time_us=environment.now_us() if step.time_us is None else step.time_us,
            message=step.message if asked.message is None else asked.message,
            metadata=step.metadata,
            generation=tip.commit.generation + 1,
        )
        commit_id = self._writer.put(encode_commit(commit))
        self._made.append(commit_id)
        return _Tip(commit_id, commit)

    def _wait(
        self,
        verb: str,
        tip: _Tip,
        waiting: tuple[Step, Merged],
        todo: tuple[bytes, ...],
    ) -> Stop:
        """Leave a step in the working state."""
        step, merged = waiting
        message = self._asked.message
        replay = Replay(
            verb=verb,
            theirs=step.theirs,
            picked=step.picked,
            began=self._head,
            author=step.author if self._asked.author is None else self._asked.author,
            time_us=step.time_us,
            todo=todo,
        )
        state = WorkingState(
            base=tip.id,
            manifest=merged.manifest.root,
            conflicts=merged.manifest.conflicts,
            message=step.message if message is None else message,
            metadata=step.metadata,
            replay=replay,
        )
        stored = self._writer.put(encode_working(state))
        self._move(self._head, stored, f"{verb}: waits")
        status: MergeStatus = "prepared"
        if merged.manifest.conflict_count:
            status = "conflicts"
        progress = self._progress(len(todo))
        return Stop(status, self._head, tip.id, progress, merged)

    def _end(self, verb: str, tip: _Tip) -> Stop:
        """Move the branch to what came of it."""
        if tip.id != self._head or self.before is not None:
            self._move(tip.id, None, f"{verb}: {first_line(tip.commit.message)}")
        status: MergeStatus = "replayed"
        if tip.id == self._head:
            status = "up-to-date"
        elif not self._made and not self._dropped and not self._skipped:
            status = "fast-forward"
        return Stop(status, self._head, tip.id, self._progress(0))

    def _progress(self, todo: int) -> Progress:
        left_out = tuple(self._dropped), tuple(self._skipped)
        return Progress(tuple(self._made), *left_out, todo)

    def _move(self, head: bytes, working: bytes | None, why: str) -> None:
        """Move branch and working state from where they were found, at once."""
        self._asked.before_moving()
        branch, environment = self._asked.branch, self._storage.environment
        moves = [RefMove(BRANCHES + branch, self._head, head)]
        if self.before != working:
            moves.append(RefMove(WORKING + branch, self.before, working))
        note = RefNote(environment.user(), why, environment.now_us())
        self._writer.commit(moves, note)
