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

from .advice import hint_of
from .conflict_columns import fitted
from .conflict_text import ConflictText, conflict_lines
from .conflict_values import typed_value
from .output import Output, visible

# The answers, spelt out, and what each does.
HELP = {
    "ours": "what this branch has stands",
    "theirs": "what is merged into it stands",
    "base": "what both began with stands",
    "keep": "what stands now stays, edited or not",
    "edit": "type what is to stand, as JSON; columns that it leaves out stay",
    "delete": "the record goes",
    "full": "show it once more, with no value cut",
    "skip": "leave it open, and go on",
    "quit": "leave this one and all that follow open",
}
TAKES: dict[str, Choice] = {
    "o": "ours",
    "t": "theirs",
    "b": "base",
    "k": "keep",
}
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

    def run(self, asked: Iterable[Conflict], total: int) -> None:
        """Ask about each of so many, until the end of them or of the input."""
        try:
            for number, conflict in enumerate(asked, start=1):
                self._output.line(f"{number:,} of {total:,}")
                self._show(conflict)
                self._settle(conflict)
        except (_LeaveError, KeyboardInterrupt):
            return

    def _show(self, conflict: Conflict, *, full: bool = False) -> None:
        output = self._output
        for line in conflict_lines(output, self._text, conflict, full=full):
            output.line(line)
        beside = visible(self._text.beside(conflict))
        if beside and output.is_terminal and not full:
            beside = fitted(beside, min(len(beside), output.width - 2))
        if beside:
            output.line(output.style(f"  {beside}", "faint"))

    def _words(self, conflict: Conflict) -> list[str]:
        """Return the answers that settle a conflict, or go on without."""
        choices = self._conflicts.choices(conflict)
        words: list[str] = [word for word in TAKES.values() if word in choices]
        if conflict.kind != "schema":
            words += ["edit", "delete"]
        return [*words, "full", "skip", "quit"]

    def _settle(self, conflict: Conflict) -> None:
        words = self._words(conflict)
        letters = {word[0] for word in words}
        question = ", ".join(f"[{word[0]}]{word[1:]}" for word in words) + ", [?]: "
        while True:
            word = self._ask(question).lower()
            # Whole words are understood, too: "ours" as well as "o".
            word = word[:1] if word in HELP else word
            if word in ("?", "help"):
                for one in words:
                    self._tell(f"{one:6}  {HELP[one]}", "  ")
                continue
            if word not in letters:
                self._tell(_no_answer(word, conflict))
                continue
            if word == "s":
                return
            if word == "f":
                self._show(conflict, full=True)
                continue
            try:
                self._conflicts.settle_each([self._take(conflict, word)])
                self.settled += 1
                return
            except Stale as error:
                self._complain(error)
                return
            except _MENDABLE as error:
                self._complain(error)

    def _take(self, conflict: Conflict, word: str) -> Take:
        name = conflict.dataset, conflict.key
        if word == "q":
            raise _LeaveError
        if word in TAKES:
            return Take(*name, TAKES[word], kind=conflict.kind)
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
        hint = hint_of(error)
        if hint:
            self._tell(hint, "hint: ")

    def _tell(self, text: str, before: str = "prolly: ") -> None:
        self._output.flush()
        print(f"{before}{visible(text)}", file=sys.stderr, flush=True)


def _no_answer(word: str, conflict: Conflict) -> str:
    """Return what to say of a word that is no answer here."""
    known = {one[0] for one in HELP}
    if word in known and conflict.kind == "schema":
        return (
            f"{word!r} does not settle this part of a description: alter the dataset "
            "(prolly schema --set), then keep it"
        )
    return f"{word!r} is no answer: type the letter in brackets"
