"""Base, ours and theirs beside each other: widths, and what is cut where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from prolly.repo import SIDES

from .display_width import ELLIPSIS, GAP, cut, padded, width
from .output import visible

# What is narrower shows nothing of most values.
CELL_CHARS_LEAST = 8
# So much of what two long values have in common stays before where they differ.
COMMON_CHARS = 8


def fits(cells: list[tuple[str, list[str]]], widths: list[int]) -> bool:
    """Tell whether no cell is cut."""
    return all(
        width(visible(cell)) <= columns
        for _, row in cells
        for cell, columns in zip(row, widths, strict=True)
    )


def column_widths(room: int, rows: list[list[str]]) -> list[int]:
    """Return the widths of the three columns: what they need, or an equal share."""
    wanted = [
        max(width(visible(cell)) for cell in (name, *column))
        for name, column in zip(SIDES, zip(*rows, strict=True), strict=True)
    ]
    room -= len(GAP) * len(SIDES)
    widths = [0] * len(wanted)
    # Who needs less than an equal share leaves the rest to the others.
    places = sorted(range(len(wanted)), key=wanted.__getitem__)
    for left, place in zip(range(len(wanted), 0, -1), places, strict=True):
        share = max(room // left, CELL_CHARS_LEAST)
        widths[place] = min(wanted[place], share)
        room -= widths[place]
    return widths


def _common(texts: Sequence[str]) -> int:
    """Return how many characters texts begin with alike."""
    alike = takewhile(lambda place: len(set(place)) == 1, zip(*texts, strict=False))
    return sum(1 for _ in alike)


def fitted_row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return base, ours and theirs in exactly so many characters each.

    Of long ones that begin alike the beginning is left out, so that it is seen where
    they differ: ours and theirs above all.
    """
    shown = [visible(one) for one in row]
    is_long = [width(one) > room for one, room in zip(shown, widths, strict=True)]
    long = [one for one, is_cut in zip(shown, is_long, strict=True) if is_cut]
    if all(is_long[1:]) and shown[1] != shown[2]:
        long = shown[1:]
    common = _common(long) if len(set(long)) > 1 else 0
    cells = []
    for text, room, is_cut in zip(shown, widths, is_long, strict=True):
        # No more is left out than must be.
        start = min(
            common - min(COMMON_CHARS, room // 2 - 1),
            max(map(len, long), default=0) - min(widths) + 1,
        )
        is_hidden = is_cut and common >= min(widths) - 1
        if is_hidden and start > 1 and text.startswith(long[0][:start]):
            text = ELLIPSIS + text[start:]
        cells.append(fitted(text, room))
    return cells


def fitted(text: str, columns: int) -> str:
    """Return text in exactly so many columns of a terminal."""
    return padded(cut(visible(text), columns), columns)
