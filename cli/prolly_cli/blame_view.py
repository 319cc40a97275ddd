"""What a blame tells of a record: its commits, each with the fields it wrote last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import visible

if TYPE_CHECKING:
    from prolly import Blame, LogEntry


def commits_of(found: Blame) -> list[tuple[LogEntry, list[str]]]:
    """Return the commits of a record, newest first, with the names of the fields."""
    grouped: dict[bytes, tuple[LogEntry, list[str]]] = {}
    for name, entry in found.fields.items():
        grouped.setdefault(bytes(entry.id), (entry, []))[1].append(visible(name))
    return sorted(grouped.values(), key=lambda one: -one[0].commit.generation)
