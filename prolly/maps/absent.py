"""The value that stands where a key has none: not null, not there."""

from __future__ import annotations

from enum import Enum


class Absent(Enum):
    """The type of :data:`ABSENT`, its one member; false as a truth value."""

    ABSENT = "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT
