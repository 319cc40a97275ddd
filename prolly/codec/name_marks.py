"""Marks that no new name may have, since nobody sees them.

Two names that differ by a zero-width space look equal, and one with a mark that turns
the direction of writing looks like another. Names that are stored already are read as
they are: only whoever makes a name asks here.
"""

from __future__ import annotations

__all__ = ["hidden_mark"]

# Controls, marks of format (zero-width, direction), and separators of lines and
# paragraphs; the categories are those of Unicode.
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp"})


def hidden_mark(name: str) -> str:
    """Return the first mark of a name that cannot be seen, as ``U+200B``, or ``""``."""
    if name.isprintable():
        return ""
    # Few names come this far, so few programs load the tables of Unicode.
    from unicodedata import category

    for mark in name:
        if category(mark) in _HIDDEN:
            return f"U+{ord(mark):04X}"
    return ""
