"""Where a repository lives on disk: a directory that holds ``.prolly``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prolly.codec import shown
from prolly.errors import (
    AlreadyExists,
    Denied,
    Error,
    Invalid,
    NotFound,
    StorageFailed,
)

STORE_DIRECTORY = ".prolly"

# An address as of a remote: a scheme of two letters and more, and two slashes.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def find_repository(start: str | os.PathLike[str]) -> Path:
    """Return the nearest directory from ``start`` upwards that holds a repository.

    Raises NotFound ``no-repository``.
    """
    origin = Path(start).absolute()
    for directory in (origin, *origin.parents):
        if is_repository(directory):
            return directory
    raise missing_repository(origin)


def is_repository(directory: Path) -> bool:
    """Tell whether a directory holds a store.

    Raises Denied ``unreadable`` or StorageFailed ``io-error`` where the system does not
    tell, as for a name that is too long.
    """
    try:
        return (directory / STORE_DIRECTORY).is_dir()
    except OSError as error:
        raise _unreachable(directory, error) from error


def _unreachable(directory: Path, error: OSError) -> Error:
    place = shown(str(directory))
    if isinstance(error, PermissionError):
        return Denied(
            f"{place} may not be read",
            code="unreadable",
            hint="Check the permissions of the directory and those above it.",
            path=str(directory),
        )
    return StorageFailed(
        f"{place} cannot be looked into: {error.strerror}",
        code="io-error",
        hint="Name another directory.",
        path=str(directory),
    )


def missing_repository(path: Path, *, is_search: bool = True) -> NotFound:
    """Return the error for a place without a repository.

    With ``is_search`` the directories above it were looked into, too.
    """
    return NotFound(
        f"no repository in {path}" + (" or above it" if is_search else ""),
        code="no-repository",
        hint="`prolly init` makes one here; -C DIR names another place.",
        path=str(path),
    )


def refuse_address(path: str | os.PathLike[str]) -> None:
    """Raise Invalid ``file-path`` for the address of a server or another machine.

    Without this a directory called ``http:`` would be made, or looked for.
    """
    text = os.fspath(path)
    if isinstance(text, str) and _ADDRESS.match(text):
        raise Invalid(
            f"{shown(text)} is the address of a replica, and no directory",
            code="file-path",
            hint="`prolly clone` makes a replica of it in a directory; open that.",
        )


def _is_there(directory: Path) -> bool:
    try:
        return directory.exists()
    except OSError as error:
        raise _unreachable(directory, error) from error


def new_store_directory(path: str | os.PathLike[str]) -> Path:
    """Return the store directory to create under ``path``, which may not exist yet.

    Raises AlreadyExists ``repository-exists`` when there is one, Invalid ``file-path``
    for a NUL in its name and for an address, and as ``is_repository``.
    """
    refuse_address(path)
    directory = Path(path).absolute() / STORE_DIRECTORY
    if chr(0) in str(directory):
        raise Invalid(
            f"no path of a directory: {shown(str(path))} has a NUL character",
            code="file-path",
            hint="Choose another directory.",
        )
    if _is_there(directory):
        raise AlreadyExists(
            f"there is a repository in {directory.parent} already",
            code="repository-exists",
            hint="Open it, or choose another directory.",
            path=str(directory.parent),
        )
    return directory
