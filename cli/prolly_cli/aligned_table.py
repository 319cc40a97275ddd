"""Aligned columns that stream: widths come from the first rows.

Where the line has a width, a cell that is longer than its column is cut, but no number
is: those that do not fit are left out from the right. Where the line has none, a longer
cell pushes what follows: nothing is lost in a pipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from .display_width import GAP, cut, padded, width
from .output import Output
from .styled_line import Styled, painted

# Enough rows to guess good widths from, few enough to begin at once.
WIDTH_ROWS = 100
# What one of the first rows has more than this says little of the others.
USUAL_COLUMNS = 40
# What is narrower shows nothing of most texts.
COLUMNS_LEAST = 6


def print_aligned(
    output: Output,
    titles: Sequence[str],
    rows: Iterable[Sequence[Styled]],
    *,
    firm: frozenset[int] = frozenset(),
    numbers: frozenset[int] = frozenset(),
) -> bool:
    """Print titles and rows; return whether there was a row. Without any, nothing.

    ``firm`` are columns that give way last: of an id or a date a part says little.
    ``numbers`` stand to the right. A list of rows is measured to its end.
    """
    left = iter(rows)
    is_known = isinstance(rows, list)
    first = list(left if is_known else islice(left, WIDTH_ROWS))
    if not first:
        return False
    limit = output.line_limit
    texts = [[cell[0] for cell in row] for row in first]
    wanted = [max(map(width, column)) for column in zip(titles, *texts, strict=True)]
    if not is_known:
        wanted = [min(columns, USUAL_COLUMNS) for columns in wanted]
    widths = wanted if limit is None else fitting(wanted, limit, firm, numbers)
    head = [(title, "faint") for title in titles]
    for row in chain([head], first, left):
        parts = _parts(row, widths, limit, numbers)
        output.line(painted(output, parts, limit))
    return True


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def fitting(
    widths: Sequence[int],
    limit: int,
    firm: frozenset[int],
    numbers: frozenset[int] = frozenset(),
) -> list[int]:
    """Return widths that fit a line: the widest column gives way first.

    ``numbers`` give way to nothing, so the line may still be too long.
    """
    found = list(widths)
    excess = _line_width(found) - limit
    texts = [place for place in range(len(found)) if place not in numbers]
    soft = [place for place in texts if place not in firm]
    for places in (soft, texts):
        while places and excess > 0:
            widest = max(places, key=found.__getitem__)
            if found[widest] <= COLUMNS_LEAST:
                break
            found[widest] -= 1
            excess -= 1
    return found


def _parts(
    row: Sequence[Styled],
    widths: Sequence[int],
    limit: int | None,
    numbers: frozenset[int],
) -> Iterator[Styled]:
    """Yield the cells of a row and the blanks between them."""
    used = 0
    for place, ((text, style), columns) in enumerate(zip(row, widths, strict=True)):
        if place:
            yield GAP, ""
            used += len(GAP)
        if place in numbers:
            shown = padded(text, columns, right=True)
            if limit is not None and used + width(shown) > limit:
                # Half a number would be another number.
                return
            yield shown, style
        else:
            if limit is not None:
                # The last may take all that is left of the line.
                is_last = place == len(row) - 1
                room = limit - used if is_last else min(columns, limit - used)
                text = cut(text, max(room, 0))
            yield text, style
            shown = padded(text, columns)
            yield shown[len(text) :], ""
        used += width(shown)
