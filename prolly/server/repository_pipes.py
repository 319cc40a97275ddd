"""The repository of a directory, served over standard input and output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from prolly.codec.wire_messages import encode_wire_error
from prolly.errors import Error, NotFound
from prolly.repo import open_repository
from prolly.sync import Service

from .answering import Answer
from .pipe_serving import serve_pipes


def serve_repository_pipes(
    path: str | os.PathLike[str],
    source: BinaryIO,
    target: BinaryIO,
    *,
    read_only: bool = False,
) -> None:
    """Answer for the repository in a directory until ``source`` ends.

    A repository that cannot be opened is told to whoever asks, as the error that it is.
    Raises as ``serve_pipes``.
    """
    try:
        repository = open_repository(path, writable=not read_only)
    except Error as error:
        serve_pipes(_refusing(_as_seen_from_afar(error)), source, target)
        return
    with repository:
        service = Service(repository, read_only=read_only)
        serve_pipes(service.answer, source, target)


def _as_seen_from_afar(error: Error) -> Error:
    """Return the error with a hint for whoever asks from another machine."""
    if error.code != "no-repository":
        return error
    return NotFound(
        f"{error.message} on the other machine",
        code=error.code,
        hint="Check the path of the address; below the home it is /~/PATH.",
        **error.facts,
    )


def _refusing(error: Error) -> Answer:
    def answer(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield encode_wire_error(error)

    return answer
