"""A pager for long output on a terminal: a setting, ``$PAGER``, else ``less``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import BinaryIO

# Quit if it fits one screen, pass colours through, leave the screen as it is.
LESS_OPTIONS = "FRX"


class Pager:
    """A running pager; what is written to ``stream`` shows in it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        self.stream: BinaryIO = process.stdin  # type: ignore[assignment]  # It is one.
        self._process = process

    def close(self) -> None:
        """End the input and wait until the reader is done."""
        with suppress(BrokenPipeError):
            self.stream.close()
        # Ctrl-C belongs to the pager now, as in any program that pages.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def pager_command(setting: str = "") -> list[str] | str | None:
    """Return what to run: a shell command, or a list; ``None`` for no pager.

    ``setting`` goes before ``$PAGER``.
    """
    if setting == "off":
        return None
    named = setting or os.environ.get("PAGER")
    if named is not None:
        return None if named.strip() in ("", "cat") else named
    if os.environ.get("TERM") == "dumb":
        return None
    found = shutil.which("less")
    return [found] if found else None


def start_pager(setting: str = "") -> Pager | None:
    """Start the pager; ``None`` when there is none or it does not start."""
    command = pager_command(setting)
    if command is None:
        return None
    environment = {"LESS": LESS_OPTIONS, **os.environ}
    try:
        process = subprocess.Popen(
            command,
            shell=isinstance(command, str),
            stdin=subprocess.PIPE,
            env=environment,
        )
    except OSError:
        return None
    return Pager(process)
