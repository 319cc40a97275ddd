"""One record that differs between two versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prolly.maps import ABSENT


@dataclass(frozen=True, slots=True)
class Change:
    """One record that differs.

    ``old`` and ``new`` are a map's value or a table's row (a dict); ``ABSENT`` where
    there is none. ``fields`` names the columns that differ in a modified row; ``old``
    has the names that its columns have in the new version.

    A file's ``old`` and ``new`` are a dict of content (the address of its blob, in
    hexadecimal), size, mode (octal text) and mtime (nanoseconds, or None); ``fields``
    are those of content, mode and mtime that differ. A blob dataset that differs is one
    change with the key ``()`` and a dict of content and size.
    """

    dataset: str
    key: Any
    old: Any
    new: Any
    fields: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``modified``."""
        if self.old is ABSENT:
            return "added"
        return "removed" if self.new is ABSENT else "modified"


def is_restored(change: Change, kind: str) -> bool:
    """Tell whether a row is only stored in another way: no field of it differs."""
    return kind == "table" and change.kind == "modified" and not change.fields
