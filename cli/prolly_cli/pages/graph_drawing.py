"""Which commit follows which, as a strip of SVG for each row of a table."""

from __future__ import annotations

from collections.abc import Sequence

# A row is as high as a line of the table, and lanes stand as far apart as reads well.
ROW_HEIGHT = 30
LANE_WIDTH = 16
DOT_RADIUS = 5
# As many as page.css has colours for.
LANE_COLORS = 6


class GraphDrawing:
    """Lanes of commits that are still to come; children must come before parents."""

    def __init__(self) -> None:
        self._lanes: list[bytes] = []

    def row(self, commit_id: bytes, parents: Sequence[bytes]) -> str:
        """Return the strip of one commit."""
        before = list(self._lanes)
        if commit_id not in self._lanes:
            self._lanes.append(commit_id)
        lanes = self._lanes
        place = lanes.index(commit_id)
        known = dict.fromkeys(parents)
        new = [parent for parent in known if parent not in lanes]
        after = [*lanes[:place], *new, *lanes[place + 1 :]]
        middle = ROW_HEIGHT // 2
        paths = [_line(at, 0, at, middle, at) for at in range(len(before))]
        for at, lane in enumerate(lanes):
            if at != place:
                end = after.index(lane)
                paths.append(_line(at, middle, end, ROW_HEIGHT, end))
        for parent in known:
            end = after.index(parent)
            paths.append(_line(place, middle, end, ROW_HEIGHT, end))
        self._lanes = after
        columns = max(len(lanes), len(after)) * LANE_WIDTH + 4
        dot = (
            f'<circle class="lane{place % LANE_COLORS}" cx="{_x(place)}" '
            f'cy="{middle}" r="{DOT_RADIUS}"/>'
        )
        return (
            f'<svg class="graph" aria-hidden="true" width="{columns}" '
            f'height="{ROW_HEIGHT}">{"".join(paths)}{dot}</svg>'
        )


def _x(lane: int) -> int:
    return lane * LANE_WIDTH + LANE_WIDTH // 2 + 2


def _line(start: int, top: int, end: int, bottom: int, color: int) -> str:
    x, y, half = _x(start), _x(end), (top + bottom) // 2
    path = f"M{x} {top}C{x} {half} {y} {half} {y} {bottom}"
    return f'<path class="lane{color % LANE_COLORS}" d="{path}"/>'
