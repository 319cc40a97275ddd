"""Lines that mark a conflict in a plain file, and the refusal of a file that has any.

    <<<<<<< ours,<<<<<<<,       what stands below is ours; the marks are over the cells
    2,Bo,1.9                    that clash
    ||||||| base,<<<<<<<,
    2,Bob,1.8
    ||||||| theirs,<<<<<<<,
    2,Bobby,1.9
    >>>>>>> end,,

A marker is a row with as many cells as any other, so the file stays a CSV; no cell of
it begins with a sign that a spreadsheet takes for a formula (as ``=======`` does). In
JSON lines a marker is an object whose one name is the marker, over the names of the
fields. Where a side has no row, its marker says so and nothing stands below it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from prolly.errors import Invalid

OURS, BASE, THEIRS = "<<<<<<< ours", "||||||| base", "||||||| theirs"
END = ">>>>>>> end"
NO_ROW = ": no row"
# Under a marker, over each cell that clashes.
CLASHES = "<<<<<<<"

SIDE_MARKERS = (OURS, BASE, THEIRS)
MARKERS = frozenset([*SIDE_MARKERS, *(one + NO_ROW for one in SIDE_MARKERS), END])

# What git writes into a file that it merges by lines.
_GIT_MARKERS = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
_GIT_BETWEEN = "======="


def marker_cells(
    marker: str, columns: Sequence[str], fields: Collection[str]
) -> list[str]:
    """Return the cells of a marker row of CSV."""
    cells = [CLASHES if name in fields else "" for name in columns]
    cells[0] = marker
    return cells


def marker_object(marker: str, fields: Sequence[str]) -> str:
    """Return a marker line of JSON lines."""
    return json.dumps({marker: list(fields)}, ensure_ascii=False)


def is_marker_row(row: Sequence[str], width: int) -> bool:
    """Tell whether a row of CSV is a marker, ours or one of git's.

    ``width`` is how many cells a row has: in a file of one column ``=======`` is text.
    """
    if not row:
        return False
    if row[0] in MARKERS:
        return not any(cell and cell != CLASHES for cell in row[1:])
    if len(row) > 1 or (width == 1 and row[0] == _GIT_BETWEEN):
        return False
    return is_git_marker(row[0])


def is_git_marker(line: str) -> bool:
    """Tell whether a line is one of those that git writes around a conflict."""
    return line == _GIT_BETWEEN or line.startswith(_GIT_MARKERS)


def unsettled(source: str, line: int) -> Invalid:
    """Return (not raise) the error for a file with a marker in it."""
    return Invalid(
        f"{source} line {line}: the marker of a conflict that is not settled",
        code="conflict-markers",
        hint="Keep one of the rows between the markers and remove the rest, markers "
        "too.",
        source=source,
        line=line,
    )
