"""Everything that is printed goes through here: data, notes, colour, pager.

Data goes to standard output, in UTF-8, through one buffer; notes go to standard error.
Colour and pager are for terminals alone, so a pipe always gets the same bytes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from .pager import Pager

# Written at once: few system calls for a long scan, and `prolly diff | head` ends soon.
BUFFER_CHARS = 32 * 1024

STYLES = {
    "added": "32",
    "removed": "31",
    "modified": "33",
    "added-word": "1;32",
    "removed-word": "1;31",
    "name": "1",
    "id": "33",
    "ref": "36",
    "faint": "2",
}

# The lanes of a graph, side by side in different colours.
LANES = 5
STYLES.update({f"lane{n}": f"{32 + n}" for n in range(LANES)})

# How wide a line is meant to be where no terminal says so.
LINE_CHARS = 80
# On a terminal that is narrower than this, lines wrap: nothing could be told otherwise.
LINE_CHARS_LEAST = 24

# Characters that would move the cursor, forge a line, turn the direction of writing or
# hide a letter when data reaches a terminal or a page. The joiners of scripts and emoji
# (200c, 200d) are none of them.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0xAD)}
_CONTROLS.update({9: "\\t", 10: "\\n", 13: "\\r"})
_UNSEEN = (0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF, 0xFFFC)
_UNSEEN_RANGES = (range(0x2028, 0x202F), range(0x2060, 0x2070), range(0xFFF9, 0xFFFC))
for _codes in (_UNSEEN, *_UNSEEN_RANGES):
    _CONTROLS.update({code: f"\\u{code:04x}" for code in _codes})
_CONTROLS.update({code: f"\\U{code:08x}" for code in range(0xE0000, 0xE0080)})

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


def json_text(value: Any) -> str:
    """Return a document as JSON on one line."""
    return _dumps(value)


def visible(text: str) -> str:
    """Return text with its control characters spelt out."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def number(count: int) -> str:
    """Return a count with thousands separators."""
    return f"{count:,}"


def plural(count: int, noun: str, several: str = "") -> str:
    """Return a count with its noun: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"


class Output:
    """Where a command prints. ``json``: standard output is to be JSON alone."""

    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self.allow_color = True
        self.pager_setting: Callable[[], str] = str
        self._parts: list[str] = []
        self._chars = 0
        self._pager: Pager | None = None
        self._file: BinaryIO | None = None

    @property
    def is_terminal(self) -> bool:
        """Tell whether a person reads the output as it comes."""
        return self._file is None and sys.stdout.isatty()

    @property
    def width(self) -> int:
        """How many characters fit on a line."""
        return self.line_limit or LINE_CHARS

    @property
    def line_limit(self) -> int | None:
        """How long a line may be; ``None`` where nothing is to be cut.

        A terminal says how wide it is. A pipe or a file has no width, unless
        ``COLUMNS`` gives it one.
        """
        if self.is_terminal:
            from shutil import get_terminal_size

            return max(get_terminal_size((LINE_CHARS, 0)).columns, LINE_CHARS_LEAST)
        given = "" if self._file is not None else os.environ.get("COLUMNS", "")
        is_number = given.isascii() and given.isdecimal() and int(given) > 0
        return max(int(given), LINE_CHARS_LEAST) if is_number else None

    @property
    def color(self) -> bool:
        """Tell whether to colour: on a terminal that can, unless somebody said no."""
        return (
            self.allow_color
            and not self.json
            and self.is_terminal
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )

    def style(self, text: str, name: str) -> str:
        """Return text in a style of ``STYLES`` where colour is on."""
        return f"\x1b[{STYLES[name]}m{text}\x1b[0m" if self.color else text

    def write(self, text: str) -> None:
        """Print text as it is."""
        self._parts.append(text)
        self._chars += len(text)
        if self._chars >= BUFFER_CHARS:
            self.flush()

    def line(self, text: str = "") -> None:
        """Print one line."""
        self.write(text + "\n")

    def document(self, value: Mapping[str, Any]) -> None:
        """Print a JSON document, or one of several, on a line of its own."""
        self.write(_dumps(value) + "\n")

    def say(self, text: str) -> None:
        """Print a line that tells a person what was done; not in JSON, not if quiet."""
        if not self.json and not self.quiet:
            self.line(text)

    def note(self, text: str) -> None:
        """Print a remark on standard error; not if quiet."""
        if not self.quiet:
            self.flush()
            print(f"prolly: {text}", file=sys.stderr, flush=True)

    def stream(self) -> BinaryIO:
        """Return the stream behind the buffer, for a writer of whole files."""
        self.flush()
        return self._target

    @property
    def _target(self) -> BinaryIO:
        if self._file is not None:
            return self._file
        return sys.stdout.buffer if self._pager is None else self._pager.stream

    @contextmanager
    def into(self, path: str | None) -> Iterator[None]:
        """Write the block's output to a file, which appears when the block ends well.

        ``None`` and ``-`` are standard output.
        """
        if path is None or path == "-":
            yield
            return
        from prolly.ops import replacement

        with replacement(path) as file:
            self._file = file
            try:
                yield
                self.flush()
            finally:
                self._file = None
                self._parts, self._chars = [], 0

    def flush(self) -> None:
        """Hand on what was printed. BrokenPipeError when nobody reads any more."""
        parts, self._parts, self._chars = self._parts, [], 0
        if parts:
            stream = self._target
            stream.write("".join(parts).encode("utf-8", "surrogateescape"))
            stream.flush()

    @contextmanager
    def paged(self) -> Iterator[None]:
        """Print the block's output through a pager, on a terminal and not as JSON.

        BrokenPipeError when the pager is left before the end.
        """
        if self.json or not self.is_terminal or self._pager is not None:
            yield
            return
        from .pager import start_pager

        self._pager = start_pager(self.pager_setting())
        try:
            yield
            self.flush()
        finally:
            pager, self._pager = self._pager, None
            if pager is not None:
                pager.close()
