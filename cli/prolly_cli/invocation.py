"""One run of the program: where it works, how it prints, the repository it opens."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import Output

if TYPE_CHECKING:
    from prolly import App, Repository
    from prolly.repo import Workspace


class Invocation:
    """What the global options say, and what a command gets from it.

    The repository is opened on demand and closed at the end of the run.
    """

    def __init__(self) -> None:
        self.directory = Path()
        self.output = Output()
        self.app: str | None = None
        self.profile = False
        self._began = time.perf_counter()
        self._repository: Repository | None = None
        self._interrupt: Any = None

    def enter(self, directory: str) -> None:
        """Work in another directory: ``-C``, relative to those given before."""
        self.directory /= directory

    def set_flag(self, name: str) -> None:
        """Take note of ``--json``, ``--quiet``, ``--no-color`` or ``--profile``."""
        if name == "json":
            self.output.json = True
        elif name == "quiet":
            self.output.quiet = True
        elif name == "profile":
            self.profile = True
        else:
            self.output.allow_color = False

    def repository(self, *, writable: bool = False) -> Repository:
        """Open the repository here or in the nearest directory above.

        Raises NotFound ``no-such-directory`` and ``no-repository``, Invalid ``app``.
        """
        from prolly.repo import find_repository

        if self._repository is None:
            self._require_directory()
            path = find_repository(self.directory)
            self._repository = self._opened(path, writable=writable)
            config = self._repository.config
            self.output.pager_setting = lambda: config.value("pager")
        return self._repository

    def _opened(self, path: Path, *, writable: bool) -> Repository:
        import prolly

        app, count = self._loaded_app(), self.profile
        how: dict[str, Any] = {"auto_gc": True, "app": app, "count": count}
        opened = prolly.open(path, writable=writable, **how)
        if writable or not opened.is_partial:
            return opened
        # What is absent comes when it is read, and stays: that is written, too.
        opened.close()
        try:
            return prolly.open(path, **how)
        except prolly.ReadOnly:
            return prolly.open(path, writable=False, **how)

    def _loaded_app(self) -> App | None:
        if self.app is None:
            return None
        from .application import load_app

        return load_app(self.app)

    def report_costs(self) -> None:
        """Print on standard error what the run cost, if ``--profile`` asked for it."""
        if self.profile:
            from .profile_text import profile_text

            seconds = time.perf_counter() - self._began
            costs = None if self._repository is None else self._repository.costs
            text = profile_text(seconds, costs, as_json=self.output.json)
            print(text, file=sys.stderr, flush=True)

    def _require_directory(self) -> None:
        """Refuse a ``-C`` that leads nowhere: the search would begin above it."""
        if not self.directory.is_dir():
            from prolly import NotFound

            raise NotFound(
                f"{self.directory} is no directory",
                code="no-such-directory",
                hint="Check the name behind -C.",
                path=str(self.directory),
            )

    @contextmanager
    def editing(self, repository: Repository, why: str) -> Iterator[Workspace]:
        """Edit the working state of the current branch; the block's end stores it."""
        with repository.working_area().edit(why) as workspace:
            yield workspace
            self.no_way_back()

    def no_way_back(self) -> None:
        """Let Ctrl-C pass from here on: the change is about to become durable.

        Were it to stop the command behind that, its exit code would say that nothing
        was changed.
        """
        if self._interrupt is None:
            self._interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def path(self, name: str) -> str:
        """Return a path that was typed, as seen from ``-C``; ``-`` stays."""
        return name if name == "-" else str(self.directory / name)

    def close(self) -> None:
        """Close what was opened and let Ctrl-C stop again; twice is fine."""
        if self._interrupt is not None:
            signal.signal(signal.SIGINT, self._interrupt)
            self._interrupt = None
        if self._repository is not None:
            self._repository.close()
            self._repository = None
