"""One run of the program: where it works, how it prints, the repository it opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .output import Output

if TYPE_CHECKING:
    from prolly import Repository


class Invocation:
    """What the global options say, and what a command gets from it.

    The repository is opened on demand and closed at the end of the run.
    """

    def __init__(self) -> None:
        self.directory = Path()
        self.output = Output()
        self._repository: Repository | None = None

    def enter(self, directory: str) -> None:
        """Work in another directory: ``-C``, relative to those given before."""
        self.directory /= directory

    def set_flag(self, name: str) -> None:
        """Take note of ``--json``, ``--quiet`` or ``--no-color``."""
        if name == "json":
            self.output.json = True
        elif name == "quiet":
            self.output.quiet = True
        else:
            self.output.allow_color = False

    def repository(self, *, writable: bool = False) -> Repository:
        """Open the repository here or in the nearest directory above.

        Raises NotFound ``no-such-directory`` and ``no-repository``.
        """
        import prolly
        from prolly.repo import find_repository

        if self._repository is None:
            self._require_directory()
            path = find_repository(self.directory)
            self._repository = prolly.open(path, writable=writable, auto_gc=True)
            config = self._repository.config
            self.output.pager_setting = lambda: config.value("pager")
        return self._repository

    def _require_directory(self) -> None:
        """Refuse a ``-C`` that leads nowhere: the search would begin above it."""
        if not self.directory.is_dir():
            from prolly import NotFound

            raise NotFound(
                f"{self.directory} is no directory",
                code="no-such-directory",
                hint="check the name behind -C",
                path=str(self.directory),
            )

    def path(self, name: str) -> str:
        """Return a path that was typed, as seen from ``-C``; ``-`` stays."""
        return name if name == "-" else str(self.directory / name)

    def close(self) -> None:
        """Close what was opened; twice is fine."""
        if self._repository is not None:
            self._repository.close()
            self._repository = None
