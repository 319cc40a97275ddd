"""The facade: what ``import prolly`` offers, as thin doors to the rooms below."""

from __future__ import annotations

import os

from prolly.chunks import Durability
from prolly.repo import Repository, create_repository, open_repository


def init(path: str | os.PathLike[str]) -> Repository:
    """Make a repository in the directory ``path`` and open it.

    The directory may not exist yet. It has one branch, ``main``, at the constant empty first commit. Raises
    AlreadyExists (``repository-exists``), StorageFailed.
    """
    return create_repository(path)


def open(
    path: str | os.PathLike[str],
    *,
    writable: bool = True,
    durability: Durability = "full",
) -> Repository:
    """Open the repository in the directory ``path``.

    ``durability`` is ``"full"`` (each commit is on disk when it returns) or
    ``"scratch"`` (no fsync: a power failure may lose or corrupt the repository).
    Raises NotFound (``no-repository``), Unsupported (``format-version``), ReadOnly.
    """
    return open_repository(path, writable=writable, durability=durability)
