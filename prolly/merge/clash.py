"""A clash as a resolver sees it, and what comes of asking one.

A resolver is a function of one :class:`Clash`. It answers what is to stand, ``ABSENT``
for nothing, or ``UNRESOLVED`` to leave the conflict. A resolver that raises leaves it
too, and so does an answer that cannot stand there: nothing that an application does
here stops a merge.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from prolly.errors import Error, Invalid, LimitExceeded
from prolly.maps import ABSENT

from .values import UNRESOLVED, Outcome

# A reason is stored with its conflict: one line on a screen or two that find the fault.
# What a program raised may be of any length.
REASON_CHARS_MAX = 500

_VALUES = ("base", "ours", "theirs", "merged")


@dataclass(frozen=True, slots=True)
class Clash:
    """One record, or one cell, that both sides changed and no policy settles.

    ``base``, ``ours`` and ``theirs`` are values of a map, rows of a table as dicts,
    entries of files, or content and size of a blob, whose key is (); ``ABSENT`` where
    there is none. In a table ``fields`` names the columns that clash, none where a row
    was deleted on one side, and ``merged`` is the row with all else merged and ours in
    these columns. A resolver that a policy names for a column gets cells in place of
    rows, and ``column`` is its name. ``snapshots`` is what the caller of the merge gave
    to look further, for example the three versions.
    """

    dataset: str
    key: Any
    base: Any
    ours: Any
    theirs: Any
    fields: tuple[str, ...] = ()
    column: str | None = None
    merged: Any = ABSENT
    snapshots: Any = None


Resolve = Callable[[Clash], Any]


def ask(resolve: Resolve, clash: Clash) -> Outcome:
    """Return what a resolver answers; ``UNRESOLVED`` with the reason where it
    raises.

    It gets copies: what it does to them changes no record but by its answer.
    """
    values = {name: deepcopy(getattr(clash, name)) for name in _VALUES}
    try:
        return Outcome(resolve(replace(clash, **values)))
    except (Exception, SystemExit) as error:
        # Code of the application may raise anything, or try to end the program: the
        # merge goes on.
        return Outcome(UNRESOLVED, reason_of(error))


def storable(store: Callable[[], Outcome]) -> Outcome:
    """Return what comes of storing an answer; ``UNRESOLVED`` where it cannot stand.

    What is wrong with the store itself is raised: Corrupt, StorageFailed and others.
    """
    try:
        return store()
    except (Invalid, LimitExceeded) as error:
        return Outcome(UNRESOLVED, shortened(error.message))
    except Error:
        raise
    except (Exception, SystemExit) as error:
        # An answer is an object of the application: its methods may raise anything.
        return Outcome(UNRESOLVED, reason_of(error))


def reason_of(error: BaseException) -> str:
    """Return an exception as a reason; by its type alone where it does not print."""
    kind = type(error).__name__
    try:
        return shortened(f"{kind}: {error}")
    except (Exception, SystemExit):
        # Its text is made by code of the application, too.
        return shortened(kind)


def shortened(reason: str) -> str:
    """Return a reason as it is stored: without surrogates, of bounded length."""
    clean = reason.encode(errors="replace").decode()
    if len(clean) <= REASON_CHARS_MAX:
        return clean
    return clean[: REASON_CHARS_MAX - 3] + "..."
