"""The steps of ``prolly demo``: what is said, and what is run."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .output import Output

DATA = Path(__file__).parent / "demo_data"


class Chapter(NamedTuple):
    """A part of the tour: a title, why one reads it, and command lines.

    A line may begin with the name of whoever types it, as ``Bob: prolly ...``.
    """

    title: str
    words: str
    lines: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "A table, and its next release",
        "Two releases of the airports of Iceland become two commits.",
        (
            "prolly init -q",
            "prolly import airports june.csv --key icao -m 'June 2025'",
            "prolly import airports september.csv -m 'September 2025'",
            "prolly log --oneline",
        ),
    ),
    Chapter(
        "What changed?",
        "Row by row and field by field; only what differs is read. Behind -- stands\n"
        "what to look at: keys that begin with BIH.",
        (
            "prolly diff --stat --fields HEAD~1 HEAD",
            "prolly diff HEAD~1 HEAD -- airports:BIH",
            "prolly get airports BIHU --at HEAD~1",
        ),
    ),
    Chapter(
        "Two people edit one row",
        "Ada corrects the elevation on main, Bob the name on a branch. Both change\n"
        "the row BIRK, in different fields: the merge takes both.",
        (
            "prolly branch bob",
            "Ada: prolly put airports BIRK '{\"elevation\": 45}' --update",
            "Ada: prolly commit -m 'Measured again'",
            "prolly switch bob",
            'Bob: prolly put airports BIRK \'{"name": "Reykjavík Airport (RKV)"}\''
            " --update",
            "Bob: prolly commit -m 'The name on the sign'",
            "prolly switch main",
            "Ada: prolly merge bob -m 'Both about BIRK'",
            "prolly diff HEAD^1 HEAD",
        ),
    ),
    Chapter(
        "Two people edit one field",
        "That is a conflict. It is data: main stays as it is, and the merge waits\n"
        "until somebody decides.",
        (
            'Ada: prolly put airports BIAR \'{"city": "Akureyrarbær"}\' --update',
            "Ada: prolly commit -m 'The municipality'",
            "prolly switch bob",
            'Bob: prolly put airports BIAR \'{"city": "Akureyri (Eyjafjörður)"}\''
            " --update",
            "Bob: prolly commit -m 'With the fjord'",
            "prolly switch main",
            "Ada: prolly merge bob",
            "prolly conflicts",
            "Ada: prolly resolve airports BIAR --theirs",
            "Ada: prolly merge --continue",
        ),
    ),
    Chapter(
        "Who did what?",
        "Every field knows its commit, and the log draws who followed whom.",
        ("prolly blame airports BIRK", "prolly log --graph"),
    ),
    Chapter(
        "Undo",
        "Nothing committed is lost: an edit is given up, and the branch goes back to\n"
        "before the merge. main@{1} is where it stood.",
        (
            "prolly delete airports BIRK",
            "prolly status",
            "prolly reset --hard",
            "prolly reset --hard HEAD^1",
            "prolly log -g -n 2",
            "prolly reset --hard main@{1}",
        ),
    ),
)


class Tour:
    """Runs the chapters in a directory, with what they print between them."""

    def __init__(self, output: Output, place: Path) -> None:
        self._output = output
        self._place = place
        self._asks = output.is_terminal and sys.stdin.isatty()

    def run(self, *, kept: str | None) -> int:
        """Run all chapters; stop early if whoever looks on has seen enough.

        Return 0, or the exit code of a command that failed, which ends the tour.
        """
        for name in ("june.csv", "september.csv"):
            (self._place / name).write_bytes((DATA / name).read_bytes())
        output = self._output
        with _environment():
            for place, chapter in enumerate(CHAPTERS, start=1):
                title = f"{place} of {len(CHAPTERS)}: {chapter.title}"
                output.line(output.style(title, "name"))
                for words in chapter.words.split("\n"):
                    output.line(output.style(words, "faint"))
                output.line()
                for line in chapter.lines:
                    code = self._type(line)
                    # A merge that waits for its conflicts answers with 1.
                    if code > 1:
                        return code
                if place < len(CHAPTERS) and not self._goes_on():
                    break
        if kept is not None:
            output.line(f"It is all in {kept}: go there and try `prolly status`.")
        else:
            output.line("`prolly demo --keep DIR` leaves it for you to play with.")
        output.line("Your own table: prolly init, prolly import NAME FILE --key COLUMN")
        return 0

    def _type(self, line: str) -> int:
        """Show a command line as it is typed, run it; return its exit code."""
        from .main import main

        who, _, rest = line.partition(": prolly ")
        author, shown = (who, f"prolly {rest}") if rest else ("", line)
        output = self._output
        variable = f"PROLLY_AUTHOR={author} " if author else ""
        mark = output.style("$", "faint")
        output.line(f"{mark} {output.style(variable, 'faint')}{shown}")
        output.flush()
        os.environ["PROLLY_AUTHOR"] = author or "Ada"
        words = ["-C", str(self._place), *shlex.split(shown)[1:]]
        code = main(words if output.allow_color else ["--no-color", *words])
        output.line()
        output.flush()
        return code

    def _goes_on(self) -> bool:
        """Wait for Enter on a terminal; False for q, or at the end of the input."""
        if not self._asks:
            return True
        self._output.write(self._output.style("Enter goes on, q ends: ", "faint"))
        self._output.flush()
        answer = sys.stdin.readline()
        self._output.line()
        return bool(answer) and not answer.strip().lower().startswith("q")


@contextmanager
def _environment() -> Iterator[None]:
    """Page nothing, and leave the environment as it was."""
    before = {name: os.environ.get(name) for name in ("PAGER", "PROLLY_AUTHOR")}
    os.environ["PAGER"] = ""
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
