"""Commits as commands name them in their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import Output, visible
from .versions import short_id

if TYPE_CHECKING:
    from prolly import Repository


def title(repository: Repository, commit_id: bytes) -> str:
    """Return the first line of a commit's message, as it may be shown."""
    return visible(repository.commit_of(commit_id).message.partition("\n")[0])


def named(output: Output, repository: Repository, commit_id: bytes) -> str:
    """Return a commit's short id and the first line of its message."""
    shown = output.style(short_id(commit_id), "id")
    return f"{shown} {title(repository, commit_id)}".rstrip()


def made_line(output: Output, repository: Repository, commit_id: bytes) -> str:
    """Return the line that says what was committed to the current branch."""
    shown = output.style(short_id(commit_id), "id")
    place = f"[{visible(repository.head)} {shown}]"
    return f"{place} {title(repository, commit_id)}".rstrip()
