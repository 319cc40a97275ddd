"""The stash: uncommitted changes put aside, to be taken up again on any branch.

A stashed change is a commit whose parent is the one that it was made on, under a ref
``stash/NUMBER``; its metadata tells the branch. So it survives, is collected only when
it is dropped, and can be read like any version. The newest has the index 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from prolly.chunks import RefMove, RefNote
from prolly.codec import Address, Commit, WorkingState, encode_commit, shown
from prolly.errors import Invalid, NotFound, Stale
from prolly.history import STASH, WORKING
from prolly.tree import NodeReader

from .branch_moves import first_line, retried
from .carry import Roots, carry_over
from .storage import Storage
from .working_area import WorkingArea

# Digits of the number in a ref, so that refs sort as numbers do.
NUMBER_DIGITS = 10

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class StashEntry:
    """One change put aside; ``branch`` is where it was made."""

    index: int
    id: Address
    commit: Commit
    ref: str

    @property
    def branch(self) -> str:
        """The branch whose working state it was."""
        return str(self.commit.metadata.get("branch", ""))


class Stash:
    """The changes put aside, newest first. ``branch`` is the current one by default."""

    def __init__(self, storage: Storage, current: Callable[[], str]) -> None:
        self._storage = storage
        self._current = current

    def __iter__(self) -> Iterator[StashEntry]:
        found = list(self._storage.store.iter_refs(STASH))
        for index, (name, address) in enumerate(reversed(found)):
            commit = self._storage.commits.read(address)
            yield StashEntry(index, Address(address), commit, name)

    def __len__(self) -> int:
        return sum(1 for _ in self._storage.store.iter_refs(STASH))

    def __getitem__(self, index: int) -> StashEntry:
        """Return the change of an index; NotFound ``no-such-stash``."""
        for entry in self:
            if entry.index == index:
                return entry
        raise _no_such_stash(index)

    def push(self, message: str = "", *, branch: str | None = None) -> StashEntry:
        """Put the uncommitted changes of a branch aside; it is clean then.

        Invalid ``nothing-to-stash``, or ``merging`` while a merge is not finished;
        Stale ``contended`` when others were faster again and again.
        """
        area = WorkingArea(self._storage, branch or self._current())
        return self._retried(area, lambda: self._push_once(message, area))

    def _push_once(self, message: str, area: WorkingArea) -> StashEntry:
        storage = self._storage
        before, state = area.read()
        _check_stashable(before, state)
        now_us = storage.environment.now_us()
        who = storage.environment.user()
        base = storage.commits.read(state.base)
        commit = Commit(
            parents=(state.base,),
            root=state.manifest,
            author=who,
            time_us=now_us,
            message=message,
            metadata={"branch": area.branch},
            generation=base.generation + 1,
        )
        with storage.store.writer() as writer:
            commit_id = writer.put(encode_commit(commit))
            name = self._free_name()
            moves = [
                RefMove(name, None, commit_id),
                RefMove(WORKING + area.branch, before, None),
            ]
            writer.commit(moves, RefNote(who, f"stash: {first_line(message)}", now_us))
        return StashEntry(0, Address(commit_id), commit, name)

    def _retried(self, area: WorkingArea, attempt: Callable[[], Result]) -> Result:
        what = f"the stash or the working state of {area.branch!r}"
        return retried(attempt, what, WORKING + area.branch)

    def _free_name(self) -> str:
        names = [name for name, _ in self._storage.store.iter_refs(STASH)]
        number = int(names[-1][len(STASH) :]) + 1 if names else 1
        return f"{STASH}{number:0{NUMBER_DIGITS}}"

    def apply(self, index: int = 0, *, branch: str | None = None) -> StashEntry:
        """Bring a change into the working state of a branch; it stays in the stash.

        Changes of other records stay. Stale ``write-conflict`` when a record was
        changed since in another way: nothing is changed then; ``contended`` when others
        were faster again and again. NotFound ``no-such-stash``, ``no-such-branch``.
        """
        return self._apply(index, branch, keep=True)

    def pop(self, index: int = 0, *, branch: str | None = None) -> StashEntry:
        """Do as ``apply``, and drop the change from the stash in the same step."""
        return self._apply(index, branch, keep=False)

    def _apply(self, index: int, branch: str | None, *, keep: bool) -> StashEntry:
        entry = self[index]
        area = WorkingArea(self._storage, branch or self._current())
        try:
            self._retried(area, lambda: self._apply_once(entry, area, keep=keep))
        except Stale as error:
            if error.code != "contended":
                error.hint = _elsewhere(entry, *area.read())
            raise
        return entry

    def _apply_once(self, entry: StashEntry, area: WorkingArea, *, keep: bool) -> None:
        storage = self._storage
        before, state = area.read()
        base_root = storage.commits.read(entry.commit.parents[0]).root
        with storage.store.writer() as writer:
            reader = NodeReader(writer.get, storage.reader.cache)
            roots = Roots(base_root, entry.commit.root, state.manifest)
            changed = state._replace(manifest=carry_over(writer, reader, roots))
            after = area.put(writer, changed, storage.commits.read(state.base).root)
            stored = bytes(entry.id)
            if storage.store.read_ref(entry.ref) != stored:
                # Somebody else took it up or dropped it: no further attempt helps.
                raise _no_such_stash(entry.index)
            moves = [
                RefMove(entry.ref, stored, stored if keep else None),
                RefMove(WORKING + area.branch, before, after),
                area.stays(),
            ]
            writer.commit(moves, self._note("stash: applied"))

    def drop(self, index: int = 0) -> StashEntry:
        """Forget a change; NotFound ``no-such-stash``."""
        entry = self[index]
        move = RefMove(entry.ref, bytes(entry.id), None)
        self._storage.store.move_refs([move], self._note("stash: dropped"))
        return entry

    def _note(self, why: str) -> RefNote:
        environment = self._storage.environment
        return RefNote(environment.user(), why, environment.now_us())


def _elsewhere(entry: StashEntry, before: bytes | None, state: WorkingState) -> str:
    """Return where a change that does not fit here can be taken up."""
    made_on = entry.commit.parents[0].hex()[:12]
    number = f" {entry.index}" if entry.index else ""
    way = (
        f"`prolly branch NAME {made_on}`, `prolly switch NAME`, "
        f"`prolly stash pop{number}`, then commit and merge."
    )
    if state.is_merging:
        from .waiting_merge import WAITING

        what = WAITING[state.verb].capitalize()
        return (
            f"{what} waits here: end it first (`prolly {state.verb} --continue`, or "
            f"--abort), or take the change up where it was made: {way}"
        )
    if before is None:
        return f"Take it up where it was made: {way}"
    return f"Reset what is uncommitted, or take it up where it was made: {way}"


def _no_such_stash(index: int) -> NotFound:
    return NotFound(
        f"there is no stashed change {shown(index)}",
        code="no-such-stash",
        hint="`prolly stash list` shows what there is.",
        index=index,
    )


def _check_stashable(before: bytes | None, state: WorkingState) -> None:
    if before is None:
        raise Invalid(
            "nothing to stash: the working state equals the last commit",
            code="nothing-to-stash",
            hint="`prolly status` shows what is uncommitted.",
        )
    if state.is_merging:
        from .waiting_merge import still_waits

        raise still_waits(state, "and cannot be put aside")
