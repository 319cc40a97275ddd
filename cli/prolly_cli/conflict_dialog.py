"""Settling conflicts one after the other, with somebody who is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from prolly import (
    ABSENT,
    AlreadyExists,
    Conflict,
    Conflicts,
    Error,
    Invalid,
    LimitExceeded,
    NotFound,
    Stale,
    Unsupported,
)
from prolly.repo import Choice, Take

from .conflict_text import ConflictText, conflict_lines
from .conflict_values import typed_value
from .output import Output, visible

QUESTION = "[o]urs, [t]heirs, [b]ase, [k]eep, [e]dit, [d]elete, [s]kip, [q]uit? "
TAKES: dict[str, Choice] = {
    "o": "ours",
    "t": "theirs",
    "b": "base",
    "k": "keep",
}
# The answers, spelt out.
WORDS = ("ours", "theirs", "base", "keep", "edit", "delete", "skip", "quit")

# What the person who is asked can mend by another answer.
_MENDABLE = (Invalid, NotFound, AlreadyExists, LimitExceeded, Unsupported)


class _LeaveError(Exception):
    """Whoever is asked has had enough."""


class Dialog:
    """Shows conflicts and settles them as they are answered."""

    def __init__(self, conflicts: Conflicts, output: Output) -> None:
        self._conflicts = conflicts
        self._output = output
        self._text = ConflictText(conflicts)
        self.settled = 0

    def run(self, asked: Iterable[Conflict]) -> None:
        """Ask about each, until the end of them or of the input."""
        try:
            for conflict in asked:
                for line in conflict_lines(self._output, self._text, conflict):
                    self._output.line(line)
                self._settle(conflict)
        except (_LeaveError, KeyboardInterrupt):
            return

    def _settle(self, conflict: Conflict) -> None:
        while True:
            word = self._ask(QUESTION).lower()
            # Whole words are understood, too: "ours" as well as "o".
            word = word[:1] if word in WORDS else word
            if word == "s":
                return
            try:
                take = self._take(conflict, word)
                if take is not None:
                    self._conflicts.settle_each([take])
                    self.settled += 1
                    return
            except Stale as error:
                self._complain(error)
                return
            except _MENDABLE as error:
                self._complain(error)

    def _take(self, conflict: Conflict, word: str) -> Take | None:
        name = conflict.dataset, conflict.key
        if word == "q":
            raise _LeaveError
        if word in TAKES:
            return Take(*name, TAKES[word], kind=conflict.kind)
        if word not in ("e", "d"):
            self._tell(f"{word!r} is no answer: type the letter in brackets")
            return None
        if conflict.kind == "schema":
            self._tell("a part of a description has no value to edit or delete")
            return None
        value: Any = ABSENT
        if word == "e":
            text = self._ask("value (JSON): ")
            value = typed_value(self._conflicts, conflict, text)
        return Take(*name, None, (), value, conflict.kind)

    def _ask(self, question: str) -> str:
        """Return a line that was typed; the end of the input leaves."""
        self._output.flush()
        print(question, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise _LeaveError
        return line.strip()

    def _complain(self, error: Error) -> None:
        self._tell(f"{error.message} [{error.code}]")

    def _tell(self, text: str) -> None:
        print(f"prolly: {visible(text)}", file=sys.stderr, flush=True)
