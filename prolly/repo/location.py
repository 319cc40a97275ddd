"""Where a repository lives on disk: a directory that holds ``.prolly``."""

from __future__ import annotations

import os
from pathlib import Path

from prolly.errors import AlreadyExists, NotFound

STORE_DIRECTORY = ".prolly"


def find_repository(start: str | os.PathLike[str]) -> Path:
    """Return the nearest directory from ``start`` upwards that holds a repository.

    Raises NotFound ``no-repository``.
    """
    origin = Path(start).absolute()
    for directory in (origin, *origin.parents):
        if (directory / STORE_DIRECTORY).is_dir():
            return directory
    raise missing_repository(origin)


def missing_repository(path: Path) -> NotFound:
    """Return the error for a place without a repository."""
    return NotFound(
        f"no repository in {path} or above it",
        code="no-repository",
        hint="`prolly init` makes one here; -C DIR names another place.",
        path=str(path),
    )


def new_store_directory(path: str | os.PathLike[str]) -> Path:
    """Return the store directory to create under ``path``, which may not exist yet.

    Raises AlreadyExists ``repository-exists`` when there is one.
    """
    directory = Path(path).absolute() / STORE_DIRECTORY
    if directory.exists():
        raise AlreadyExists(
            f"there is a repository in {directory.parent} already",
            code="repository-exists",
            hint="Open it, or choose another directory.",
            path=str(directory.parent),
        )
    return directory
