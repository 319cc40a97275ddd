"""Where a repository lives on disk: a directory that holds ``.prolly``."""

from __future__ import annotations

import os
import re
import stat
from errno import ELOOP
from typing import TYPE_CHECKING

from prolly.codec import shown
from prolly.errors import (
    AlreadyExists,
    Denied,
    Error,
    Invalid,
    NotFound,
    StorageFailed,
)

if TYPE_CHECKING:
    from pathlib import Path

STORE_DIRECTORY = ".prolly"

# An address as of a remote: a scheme of two letters and more, and two slashes.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def find_repository(start: str | os.PathLike[str]) -> Path:
    """Return the nearest directory from ``start`` upwards that holds a repository.

    Raises NotFound ``no-repository``.
    """
    # Opening does without: it takes longer to load than a repository to open.
    from pathlib import Path

    origin = Path(start).absolute()
    for directory in (origin, *origin.parents):
        if is_repository(directory):
            return directory
    raise missing_repository(origin)


def is_repository(directory: str | os.PathLike[str]) -> bool:
    """Tell whether a directory holds a store.

    Raises Denied ``unreadable`` or StorageFailed ``io-error`` where the system does not
    tell, as for a name that is too long.
    """
    mode = _mode_of(os.path.join(directory, STORE_DIRECTORY))
    return mode is not None and stat.S_ISDIR(mode)


def _mode_of(path: str) -> int | None:
    """Return the mode of what is at a path in a directory; None where nothing is."""
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        # The last is of a NUL in the name.
        return None
    except OSError as error:
        if error.errno == ELOOP:
            return None
        raise _unreachable(os.path.dirname(path), error) from error


def _unreachable(directory: str, error: OSError) -> Error:
    place = shown(directory)
    if isinstance(error, PermissionError):
        return Denied(
            f"{place} may not be read",
            code="unreadable",
            hint="Check the permissions of the directory and those above it.",
            path=directory,
        )
    return StorageFailed(
        f"{place} cannot be looked into: {error.strerror}",
        code="io-error",
        hint="Name another directory.",
        path=directory,
    )


def missing_repository(
    path: str | os.PathLike[str], *, is_search: bool = True
) -> NotFound:
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


def new_store_directory(path: str | os.PathLike[str]) -> str:
    """Return the store directory to create under ``path``, which may not exist yet.

    What a creation left that a crash cut short is none. Raises AlreadyExists
    ``repository-exists`` when there is one, Invalid ``file-path`` for a NUL in its name
    and for an address, and as ``is_repository``.
    """
    refuse_address(path)
    parent = os.path.abspath(path)
    directory = os.path.join(parent, STORE_DIRECTORY)
    if chr(0) in directory:
        raise Invalid(
            f"no path of a directory: {shown(str(path))} has a NUL character",
            code="file-path",
            hint="Choose another directory.",
        )
    if _mode_of(directory) is not None and not _is_unfinished(directory):
        raise repository_exists(parent)
    return directory


def _is_unfinished(directory: str) -> bool:
    # Whoever only looks for a repository has no use for it, and starting is felt.
    from prolly.chunks import LocalStore

    try:
        return LocalStore.is_unfinished(directory)
    except OSError:
        return False


def repository_exists(directory: str) -> AlreadyExists:
    """Return what to raise where one is to be made, and one is."""
    return AlreadyExists(
        f"there is a repository in {directory} already",
        code="repository-exists",
        hint="Open it, or choose another directory.",
        path=directory,
    )
