"""The line to a repository in a directory of this machine: no line at all.

A service of that repository answers in this very process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prolly.chunks import Store
from prolly.errors import NotFound, ReadOnly
from prolly.repo import Repository, open_repository

from .remote import Remote
from .service import Service


class PathRemote(Remote):
    """A repository by its directory. It is opened when first asked, for writing if
    that is possible.

    Raises NotFound ``no-repository`` when there is none.
    """

    def __init__(self, path: str | os.PathLike[str], url: str = "") -> None:
        self._path = Path(path).absolute()
        super().__init__(url or str(self._path))
        self._repository: Repository | None = None

    @property
    def store(self) -> Store:
        """The store over there."""
        return self._opened().store

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield from Service(self._opened()).answer(request, body)

    def _opened(self) -> Repository:
        if self._repository is None:
            try:
                self._repository = open_repository(self._path)
            except ReadOnly:
                self._repository = open_repository(self._path, writable=False)
            except NotFound as error:
                if error.code != "no-repository":
                    raise
                raise self._missing(error) from error
        return self._repository

    def _missing(self, error: NotFound) -> NotFound:
        """Return the error for an address that leads to no repository."""
        text = str(self._path)
        if self._path.is_file():
            hint = f"It is a file; a bundle is called bundle:{text}."
        elif ":" in text:
            hint = "Another machine is ssh://HOST/PATH, a server http://HOST:PORT/NAME."
        else:
            hint = "Check the path; `prolly remote list` shows those that have names."
        return NotFound(error.message, code=error.code, hint=hint, path=text)

    def close(self) -> None:
        if self._repository is not None:
            self._repository.close()
            self._repository = None
