"""Draw which commit follows which, one lane for each line of history."""

from __future__ import annotations

from collections.abc import Sequence


class Graph:
    """Lanes of commits that are still to come, drawn as commits are met.

    Commits must come children before parents. Example of a merge::

        *   c3 merge
        |\\
        * | c2 ours
        | * c1 theirs
        |/
        * c0
    """

    def __init__(self) -> None:
        self._lanes: list[bytes] = []

    def draw(
        self, commit_id: bytes, parents: Sequence[bytes], lines: Sequence[str]
    ) -> list[str]:
        """Return the lines of a commit with the graph in front."""
        lanes = self._lanes
        if commit_id not in lanes:
            lanes.append(commit_id)
        place, width = lanes.index(commit_id), len(lanes)
        bars = ["|"] * width
        bars[place] = "*"
        drawn = [" ".join(bars) + " " + lines[0]]
        new = [parent for parent in dict.fromkeys(parents) if parent not in lanes]
        known = [parent for parent in dict.fromkeys(parents) if parent in lanes]
        if new:
            lanes[place : place + 1] = new
        if len(new) > 1:
            # The other parents open lanes to the right of the first.
            right = " \\" * (width - place - 1)
            drawn.append("| " * place + "|" + "\\" * (len(new) - 1) + right)
        ends = sorted(
            [lanes.index(one) for one in known], key=lambda at: -abs(at - place)
        )
        closing = ends.pop() if ends and not new else None
        drawn += [_edge(place, end, len(lanes)) for end in ends]
        rest = " ".join("|" * len(lanes))
        drawn += [f"{rest} {line}".rstrip() for line in lines[1:]]
        if closing is not None:
            drawn += _closed(place, closing, len(lanes))
        if not new:
            del lanes[place]
        return drawn


def _edge(place: int, end: int, width: int) -> str:
    """Return a row that joins two lanes, both of which go on."""
    gaps = [" "] * (width - 1)
    for gap in range(min(place, end), max(place, end)):
        gaps[gap] = "_"
    # The slash stands beside the commit, so the line leads down from it.
    gaps[place - 1 if end < place else place] = "/" if end < place else "\\"
    return "".join(f"|{gap}" for gap in [*gaps, ""]).rstrip()


def _closed(place: int, end: int, width: int) -> list[str]:
    """Return the rows in which a lane ends in another; those to its right move up."""
    right = width - place - 1
    if end < place:
        gaps = ["_" if gap >= end else " " for gap in range(place)]
        gaps[-1] = "/"
        return ["".join(f"|{gap}" for gap in gaps) + " /" * right]
    if end == place + 1:
        return ["| " * place + "|/" + " /" * (right - 1)]
    return [_edge(place, end, width), "| " * place + " /" * right]
