"""Words that name plain files: which must not be written over, and how hints say them.

``diff FILE FILE`` and ``merge-file`` call the format ``--input-format``, since the
``--format`` of ``diff`` is that of its answer; hints of the library say ``--format``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from .output import visible


def refuse_overwriting(option: str, target: str, others: Iterable[str]) -> None:
    """Raise UsageError where ``option`` would write ``target`` over one of ``others``.

    All are paths as the system knows them; a table of a database may stand behind a
    colon. What is no regular file (``/dev/null``, a pipe) may be named twice.
    """
    if any(_is_same_file(target, other) for other in others):
        raise click.UsageError(
            f"{option} {visible(target)} is a file of the same command, which would be "
            "lost"
        )


def _is_same_file(one: str, other: str) -> bool:
    found = _status(one)
    if found is not None and not stat.S_ISREG(found.st_mode):
        return False
    for path in (other, other.rpartition(":")[0]):
        status = _status(path) if path else None
        if found is not None and status is not None and os.path.samestat(found, status):
            return True
    return os.path.abspath(one) == os.path.abspath(other)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


@contextmanager
def hints_of_input_format() -> Iterator[None]:
    """Let errors of the block advise ``--input-format`` where they say ``--format``."""
    from prolly import Error

    try:
        yield
    except Error as error:
        error.hint = error.hint.replace("--format ", "--input-format ")
        raise
