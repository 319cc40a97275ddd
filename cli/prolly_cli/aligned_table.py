"""Aligned columns that stream: widths come from the first rows.

Where the line has a width, a cell that is longer than its column is cut. Else it pushes
what follows: nothing is lost in a pipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from .display_width import cut, width
from .output import Output

GAP = "  "
# Enough rows to guess good widths from, few enough to begin at once.
WIDTH_ROWS = 100
# A column takes no more than this of a line that others want, too.
USUAL_COLUMNS = 40
# What is narrower shows nothing of most texts.
COLUMNS_LEAST = 6

# A text that may be printed, and a style of ``output.STYLES`` or none.
Cell = tuple[str, str]


def print_aligned(
    output: Output,
    titles: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    firm: frozenset[int] = frozenset(),
) -> bool:
    """Print titles and rows; return whether there was a row. Without any, nothing.

    ``firm`` are columns that give way last: of an id or a date a part says little.
    """
    left = iter(rows)
    first = list(islice(left, WIDTH_ROWS))
    if not first:
        return False
    limit = output.line_limit
    texts = [[cell[0] for cell in row] for row in first]
    widths = [
        min(max(map(width, column)), USUAL_COLUMNS)
        for column in zip(titles, *texts, strict=True)
    ]
    if limit is not None:
        widths = fitting(widths, limit, firm)
    head = [(title, "faint") for title in titles]
    for row in chain([head], first, left):
        output.line(_line(output, row, widths, limit))
    return True


def fitting(widths: Sequence[int], limit: int, firm: frozenset[int]) -> list[int]:
    """Return widths that fit a line: the widest column gives way first."""
    found = list(widths)
    excess = sum(found) + len(GAP) * (len(found) - 1) - limit
    soft = [place for place in range(len(found)) if place not in firm]
    for places in (soft, range(len(found))):
        while places and excess > 0:
            widest = max(places, key=found.__getitem__)
            if found[widest] <= COLUMNS_LEAST:
                break
            found[widest] -= 1
            excess -= 1
    return found


def _line(
    output: Output, row: Sequence[Cell], widths: Sequence[int], limit: int | None
) -> str:
    parts: list[str] = []
    used = 0
    for place, ((text, style), columns) in enumerate(zip(row, widths, strict=True)):
        is_last = place == len(row) - 1
        if limit is not None:
            # The last may take all that is left of the line.
            room = limit - used if is_last else min(columns, limit - used)
            text = cut(text, max(room, 0))
        parts.append(output.style(text, style) if style and text else text)
        more = max(columns - width(text), 0)
        used += width(text) + more + len(GAP)
        if not is_last:
            parts.append(" " * more + GAP)
        if limit is not None and used >= limit:
            break
    return "".join(parts).rstrip()
