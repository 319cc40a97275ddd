"""Moving the refs of a branch beside others: what lost a race is done again.

Every move is a compare-and-set, so whoever prepared one on what has changed since
learns it (Stale ``ref-moved``), reads the refs anew, and prepares it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from prolly.codec import shown
from prolly.errors import Invalid, Stale

# How often a change is prepared anew for refs that move between reading and moving
# them. Each loss is somebody else's success, so few writers never come near it.
COMMIT_ATTEMPTS_MAX = 20

# What a reflog entry wants of a message: a line that fits a screen or two.
LINE_CHARACTERS = 200

Result = TypeVar("Result")


def check_words(**words: object) -> None:
    """Raise Invalid ``value-type`` for a message or an author that is not text.

    Asked for when a commit is begun: at its end the work would be lost.
    """
    for name, given in words.items():
        if given is not None and not isinstance(given, str):
            raise Invalid(
                f"the {name} of a commit is text, not {shown(given)}",
                code="value-type",
                hint=f"Give the {name} as a str.",
                expected="text",
                value=shown(given),
            )


def retried(attempt: Callable[[], Result], what: str, ref: str) -> Result:
    """Return what ``attempt`` returns; it is called again while refs move under it.

    Each call must read the refs anew. ``what`` names the thing that moves, in words.
    Raises Stale ``contended`` (field ``ref``) in the end, and every other error of an
    attempt at once.
    """
    for _ in range(COMMIT_ATTEMPTS_MAX):
        try:
            return attempt()
        except Stale as error:
            if error.code != "ref-moved":
                raise
    raise Stale(
        f"{what} moved {COMMIT_ATTEMPTS_MAX} times meanwhile",
        code="contended",
        hint="Try again when fewer writers are at work.",
        ref=ref,
    )


def first_line(message: str) -> str:
    """Return the first line of a message, cut to what a reflog entry wants."""
    return message.split("\n", 1)[0][:LINE_CHARACTERS]
