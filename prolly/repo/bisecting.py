"""The search for the commit that broke something: bisection over the graph of commits.

Marks are refs: ``bisect/start`` the head at the beginning, ``bisect/bad`` the lowest
commit known to be bad, ``bisect/top`` the first one that was, ``bisect/good/ID`` and
``bisect/skip/ID`` those that are good and that cannot be tested. The first bad one is
looked for among all commits that the bad one reaches and no good one does. The next to
test is the one whose answer leaves the fewest, whatever it is. A search survives
restarts and moves no branch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from prolly.chunks import RefMove, RefNote
from prolly.codec import Address, shown
from prolly.errors import Invalid
from prolly.history import BISECT, BISECT_START, Commits, beyond, is_ancestor

from .storage import Storage

BisectMark = Literal["good", "bad", "skip"]
BisectStatus = Literal["waiting", "testing", "found", "undecided"]

_BAD, _TOP = BISECT + "bad", BISECT + "top"
_GOOD, _SKIP = BISECT + "good/", BISECT + "skip/"


@dataclass(frozen=True)
class BisectState:
    """How far a search is.

    ``status`` is ``waiting`` (for a good and a bad commit), ``testing`` (``candidate``
    is to be marked), ``found`` (``candidate`` is the first bad one) or ``undecided``
    (all that is left to test was skipped; the first bad one is among ``left``).
    ``left`` are the commits among which it is.
    """

    status: BisectStatus
    candidate: Address | None
    left: tuple[Address, ...]
    bad: Address | None
    good: tuple[Address, ...]
    skipped: tuple[Address, ...]

    @property
    def steps(self) -> int:
        """How many more tests it takes, about."""
        return max(len(self.left) - 1, 0).bit_length()


class Bisect:
    """The search of a repository; there is one at a time."""

    def __init__(
        self,
        storage: Storage,
        resolve: Callable[[str | bytes], Address],
    ) -> None:
        self._storage = storage
        self._resolve = resolve

    @property
    def state(self) -> BisectState:
        """How far it is; Invalid ``no-bisect`` where none was started."""
        refs = self._require()
        return self._state(refs)

    def start(
        self, bad: str | bytes | None = None, good: Sequence[str | bytes] = ()
    ) -> BisectState:
        """Begin a search; one that was under way is forgotten.

        Raises as ``mark``.
        """
        refs = {BISECT_START: bytes(self._resolve("HEAD"))}
        if bad is not None:
            self._add(refs, "bad", bytes(self._resolve(bad)))
        for one in good:
            self._add(refs, "good", bytes(self._resolve(one)))
        self._check(refs)
        state = self._state(refs)
        self._store(self._refs(), refs, "bisect: started")
        return state

    def mark(self, mark: BisectMark, *revisions: str | bytes) -> BisectState:
        """Mark commits ``good``, ``bad`` or ``skip``; by default the one to be tested.

        A commit that was skipped may be marked after all. Raises Invalid ``no-bisect``,
        ``bisect-marks`` for marks that contradict each other, or where nothing is to be
        tested and nothing is named; ``not-an-ancestor`` for a good commit below which
        the bad one does not lie, and as ``resolve``.
        """
        known = self._require()
        refs = dict(known)
        commit_ids = [bytes(self._resolve(one)) for one in revisions]
        if not commit_ids:
            state = self._state(refs)
            if state.status != "testing" or state.candidate is None:
                raise _contradiction("there is no commit to be tested: name one")
            commit_ids = [bytes(state.candidate)]
        for commit_id in commit_ids:
            self._add(refs, mark, commit_id)
        self._check(refs)
        state = self._state(refs)
        self._store(known, refs, f"bisect: {mark}")
        return state

    def reset(self) -> None:
        """End the search and forget its marks; nothing to do where none is."""
        self._store(self._refs(), {}, "bisect: ended")

    def run(self, test: Callable[[Address], bool | None]) -> BisectState:
        """Test commits until the search has an end.

        ``test`` says whether one is good, None for one that cannot be tested. What it
        raises ends the run; the marks made so far stay. Raises Invalid ``no-bisect``,
        ``bisect-marks`` where no good or no bad commit is known.
        """
        state = self.state
        if state.status == "waiting":
            raise _contradiction("a good and a bad commit are to be marked first")
        while state.status == "testing":
            assert state.candidate is not None
            answer = test(state.candidate)
            mark: BisectMark = "skip" if answer is None else "good" if answer else "bad"
            state = self.mark(mark, bytes(state.candidate))
        return state

    def _refs(self) -> dict[str, bytes]:
        return dict(self._storage.store.iter_refs(BISECT))

    def _require(self) -> dict[str, bytes]:
        refs = self._refs()
        if BISECT_START not in refs:
            raise Invalid(
                "no search is under way",
                code="no-bisect",
                hint="Start one: `prolly bisect start BAD GOOD`.",
            )
        return refs

    def _add(self, refs: dict[str, bytes], mark: str, commit_id: bytes) -> None:
        name = commit_id.hex()
        if mark not in ("good", "bad", "skip"):
            raise _contradiction(f"there is no mark {shown(mark)}")
        if mark == "skip":
            if refs.get(_BAD) == commit_id or _GOOD + name in refs:
                raise _contradiction(f"commit {name[:12]} was tested already")
            refs[_SKIP + name] = commit_id
            return
        refs.pop(_SKIP + name, None)
        if mark == "good":
            refs[_GOOD + name] = commit_id
            return
        before = refs.get(_BAD)
        commits = self._storage.commits
        # What comes after a bad commit says nothing new.
        if before is None or not is_ancestor(commits, before, commit_id):
            if before is not None and not is_ancestor(commits, commit_id, before):
                raise _apart(commit_id, before)
            refs[_BAD] = commit_id
            refs.setdefault(_TOP, commit_id)

    def _check(self, refs: dict[str, bytes]) -> None:
        """Refuse marks that cannot all be true."""
        bad, commits = refs.get(_BAD), self._storage.commits
        if bad is None or _TOP not in refs:
            return
        for good in _marked(refs, _GOOD):
            if is_ancestor(commits, bad, good):
                raise _contradiction(
                    f"commit {good.hex()[:12]} is good, and {bad.hex()[:12]}, which "
                    "it holds, is bad"
                )
            # Beside a lower bad commit found since there may be good ones.
            if not is_ancestor(commits, good, refs[_TOP]):
                raise _apart(good, refs[_TOP])

    def _state(self, refs: dict[str, bytes]) -> BisectState:
        bad, good = refs.get(_BAD), _marked(refs, _GOOD)
        skipped = _marked(refs, _SKIP)
        status: BisectStatus = "waiting"
        candidate, left = None, list[bytes]()
        if bad is not None and good:
            left = list(beyond(self._storage.commits, [bad], good))
            candidate = best(self._storage.commits, left, {bad, *skipped})
            status = "testing"
            if len(left) == 1:
                status, candidate = "found", bad
            elif candidate is None:
                status = "undecided"
        return BisectState(
            status,
            None if candidate is None else Address(candidate),
            tuple(map(Address, left)),
            None if bad is None else Address(bad),
            tuple(map(Address, good)),
            tuple(map(Address, skipped)),
        )

    def _store(self, old: dict[str, bytes], new: dict[str, bytes], why: str) -> None:
        names = sorted(old.keys() | new.keys())
        moves = [RefMove(name, old.get(name), new.get(name)) for name in names]
        environment = self._storage.environment
        if any(one.old != one.new for one in moves):
            note = RefNote(environment.user(), why, environment.now_us())
            self._storage.store.move_refs(moves, note)


def best(
    commits: Commits, left: Sequence[bytes], without: Iterable[bytes]
) -> bytes | None:
    """Return the commit whose answer leaves the fewest, either way; None for none.

    ``left`` has children before parents; ``without`` cannot be asked about. Each commit
    has as many bits as there are commits, set for those that it holds, and forgotten
    when its children are done.
    """
    among, barred = set(left), set(without)
    parents = {one: [up for up in commits.parents(one) if up in among] for one in left}
    children = Counter(up for ups in parents.values() for up in ups)
    held: dict[bytes, int] = {}
    found, found_least = None, 0
    for place, one in enumerate(reversed(left)):
        mask = 1 << place
        for up in parents[one]:
            mask |= held[up]
            children[up] -= 1
            if not children[up]:
                del held[up]
        held[one] = mask
        count = mask.bit_count()
        least = min(count, len(left) - count)
        if least > found_least and one not in barred:
            found, found_least = one, least
    return found


def _marked(refs: dict[str, bytes], prefix: str) -> list[bytes]:
    return [one for name, one in sorted(refs.items()) if name.startswith(prefix)]


def _contradiction(problem: str) -> Invalid:
    return Invalid(
        problem,
        code="bisect-marks",
        hint="`prolly bisect` shows the marks; `prolly bisect start BAD GOOD` begins "
        "anew.",
    )


def _apart(one: bytes, bad: bytes) -> Invalid:
    return Invalid(
        f"commit {one.hex()[:12]} is no ancestor of the bad commit {bad.hex()[:12]}",
        code="not-an-ancestor",
        hint="Take a good commit that the bad one was made on, such as what the two "
        "branches have in common: `prolly diff A...B` compares with it.",
    )
