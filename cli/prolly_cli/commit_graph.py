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
        place = lanes.index(commit_id)
        bars = ["|"] * len(lanes)
        bars[place] = "*"
        drawn = [" ".join(bars) + " " + lines[0]]
        right = len(lanes) - place - 1
        new = [parent for parent in parents if parent not in lanes]
        known = [parent for parent in parents[:1] if parent in lanes]
        lanes[place : place + 1] = new
        if len(new) > 1:
            # The other parents open lanes to the right of the first.
            drawn.append("| " * place + "|" + "\\" * (len(new) - 1) + " \\" * right)
        rest = " ".join("|" * len(lanes))
        drawn += [f"{rest} {line}".rstrip() for line in lines[1:]]
        if known and not new:
            # This lane ends in that of its parent.
            joint = max(place, lanes.index(known[0]) + 1)
            drawn.append("| " * (joint - 1) + "|/" + " /" * (len(lanes) - joint))
        return drawn
