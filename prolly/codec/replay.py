"""What a working state knows of commits that are being made again elsewhere.

    [ verb, theirs, picked, began, author, time, todo ]

``verb`` says what is under way, ``theirs`` is the manifest that the step which waits
brings in, ``picked`` the commit that it is about, or null, ``began`` where the branch
stood at the beginning, ``author`` and ``time`` what the commit of this step is to have,
null for whoever makes it and when, ``todo`` the ids of the commits still to come, the
next one first, back to back. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .address import ADDRESS_BYTES

# Each takes 32 bytes of one chunk, which is written at every stop: 320 kB. Whoever has
# more to do does it in parts.
REPLAY_COMMITS_MAX = 10_000

REPLAY_VERBS = ("revert", "cherry-pick", "rebase", "apply")

_FIELDS = 7


@dataclass(frozen=True, slots=True)
class Replay:
    """One step of a replay that waits, and the steps still to come."""

    verb: str
    theirs: bytes
    picked: bytes | None
    began: bytes
    author: str | None = None
    time_us: int | None = None
    todo: tuple[bytes, ...] = ()

    @property
    def commits(self) -> tuple[bytes, ...]:
        """The commits that it names."""
        picked = () if self.picked is None else (self.picked,)
        return (*picked, self.began, *self.todo)


def replay_value(replay: Replay) -> list[Any]:
    """Return a replay as an array of plain values."""
    return [
        replay.verb,
        replay.theirs,
        replay.picked,
        replay.began,
        replay.author,
        replay.time_us,
        b"".join(replay.todo),
    ]


def replay_of(value: Any) -> Replay | None:
    """Return the replay that an array spells, or ``None`` for another shape."""
    if type(value) is not list or len(value) != _FIELDS:
        return None
    todo = value[-1]
    if type(todo) is not bytes or len(todo) % ADDRESS_BYTES:
        return None
    starts = range(0, len(todo), ADDRESS_BYTES)
    commits = tuple([todo[at : at + ADDRESS_BYTES] for at in starts])
    verb, theirs, picked, began, author, time_us, _ = value
    return Replay(verb, theirs, picked, began, author, time_us, commits)


def replay_fault(replay: Replay) -> str:
    """Return what is wrong with the parts of a replay; empty for nothing."""
    if replay.verb not in REPLAY_VERBS:
        return "it is of a kind that is not known here"
    for address in (replay.theirs, *replay.commits):
        if type(address) is not bytes or len(address) != ADDRESS_BYTES:
            return "a part of it is no address"
    if type(replay.author) not in (str, type(None)):
        return "its author is no text"
    if type(replay.time_us) not in (int, type(None)):
        return "its time is no integer"
    if len(replay.todo) > REPLAY_COMMITS_MAX:
        return f"{len(replay.todo)} commits to come"
    return ""
