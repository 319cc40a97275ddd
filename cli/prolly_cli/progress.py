"""A progress line on standard error, on a terminal alone: ``importing  45 %``."""

from __future__ import annotations

import sys
from types import TracebackType


class Progress:
    """Shows how far a job is; a context manager that wipes its line at the end."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title = title
        self._is_shown = not quiet and sys.stderr.isatty()
        self._percent = -1

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` is done; cheap when nothing changes."""
        percent = 100 * done // total if total else 100
        if self._is_shown and percent != self._percent:
            self._percent = percent
            filled = percent // 5
            bar = "█" * filled + "·" * (20 - filled)
            print(f"\r{self._title} {bar} {percent:3} %", end="", file=sys.stderr)
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._percent >= 0:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
