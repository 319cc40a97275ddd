r"""Three texts merged by lines, as ``diff3`` does.

A line ends behind each ``\n``, which belongs to it, as a ``\r`` before it does; the
last line may have no end. The changes of a side against the base are those of the
greedy algorithm of Myers (1986), after the lines that both have at their beginning,
then those at their end, are set aside. A change takes out lines [start, stop) of the
base and puts lines in their place.

Changes of the two sides that have at least one line of the base between them are both
made. Those that overlap or touch, also by a third one, are one region: where both sides
have the same lines for it, these stand; else the texts do not merge. Touching is
enough, since a line next to one that was changed is the context of that change.

More changed lines than ``TEXT_EDITS_MAX`` on a side are taken as one change, from the
first line to the last: what overlaps it does not merge. All of this is symmetric.
Page: docs/spec/policies.md.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

# Lines taken out and put in by one side. The work grows with its square: some 0.5 s
# here.
TEXT_EDITS_MAX = 1000


class Change(NamedTuple):
    """Lines of the base, by number from 0, that became other lines; either may be none.

    ``added`` are the lines that stand there now.
    """

    start: int
    stop: int
    added: Sequence[str]


class LineClash(NamedTuple):
    """Lines of the base, by number from 0, that both sides changed differently."""

    start: int
    stop: int


def merge_texts(base: str, ours: str, theirs: str) -> str | LineClash:
    """Return the merged text, or the first region that does not merge."""
    lines = split_lines(base)
    mine = changes_of(lines, split_lines(ours))
    other = changes_of(lines, split_lines(theirs))
    merged: list[str] = []
    done = 0
    for region in _regions(mine, other):
        start = min(one[0].start for one in region if one)
        stop = max(one[-1].stop for one in region if one)
        first, second = (_applied(lines, start, stop, one) for one in region)
        if region[0] and region[1] and first != second:
            return LineClash(start, stop)
        merged += lines[done:start]
        merged += first if region[0] else second
        done = stop
    return "".join(merged + lines[done:])


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text, each with its ``\n``; of the empty text none."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def changes_of(base: Sequence[str], side: Sequence[str]) -> list[Change]:
    """Return what a side changed, in order; between two changes a line of the base."""
    head = 0
    shorter = min(len(base), len(side))
    while head < shorter and base[head] == side[head]:
        head += 1
    tail = 0
    while tail < shorter - head and base[-1 - tail] == side[-1 - tail]:
        tail += 1
    old = base[head : len(base) - tail]
    new = side[head : len(side) - tail]
    if not old and not new:
        return []
    kept = _kept_lines(old, new) if old and new else []
    return _between(kept, (old, new), head)


def _between(
    kept: list[tuple[int, int]], texts: tuple[Sequence[str], Sequence[str]], head: int
) -> list[Change]:
    """Return the changes between the pairs of lines that are kept."""
    old, new = texts
    found = []
    left = right = 0
    for at, place in [*kept, (len(old), len(new))]:
        if left < at or right < place:
            found.append(Change(head + left, head + at, new[right:place]))
        left, right = at + 1, place + 1
    return found


def _kept_lines(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of equal lines on the shortest path of edits, in order.

    None at all where that path takes more than ``TEXT_EDITS_MAX`` edits.
    """
    trace: list[array[int]] = []
    for edits in range(min(len(old) + len(new), TEXT_EDITS_MAX) + 1):
        # The furthest line of ``old`` on each diagonal -edits, 2 - edits ... edits.
        reached = array("q")
        for index in range(edits + 1):
            at = _step(trace[-1], index)[0] if trace else 0
            place = at - 2 * index + edits
            while at < len(old) and place < len(new) and old[at] == new[place]:
                at += 1
                place += 1
            reached.append(at)
            if at >= len(old) and place >= len(new):
                return _walk_back(trace, len(old), len(new))
        trace.append(reached)
    return []


def _step(before: array[int], index: int) -> tuple[int, bool]:
    """Return where one more edit leads to on a diagonal, and whether it puts in."""
    puts_in = index == 0
    if 0 < index < len(before):
        puts_in = before[index - 1] < before[index]
    return (before[index], True) if puts_in else (before[index - 1] + 1, False)


def _walk_back(trace: list[array[int]], at: int, place: int) -> list[tuple[int, int]]:
    """Return the pairs of lines on the way back from the end."""
    pairs = []
    for edits in range(len(trace), -1, -1):
        index = (at - place + edits) // 2
        begin, puts_in = _step(trace[edits - 1], index) if edits else (0, False)
        while at > begin:
            at -= 1
            place -= 1
            pairs.append((at, place))
        at, place = (at, place - 1) if puts_in else (at - 1, place)
    return pairs[::-1]


def _regions(
    ours: list[Change], theirs: list[Change]
) -> list[tuple[list[Change], list[Change]]]:
    """Return changes in groups, by side, that no line of the base divides."""
    sides = [(change, 0) for change in ours] + [(change, 1) for change in theirs]
    sides.sort(key=lambda one: (one[0].start, one[0].stop))
    regions: list[tuple[list[Change], list[Change]]] = []
    stop = -1
    for change, side in sides:
        if not regions or change.start > stop:
            regions.append(([], []))
        regions[-1][side].append(change)
        stop = max(stop, change.stop)
    return regions


def _applied(
    lines: Sequence[str], start: int, stop: int, changes: Sequence[Change]
) -> list[str]:
    """Return what a side has in place of lines [start, stop)."""
    found: list[str] = []
    for change in changes:
        found += lines[start : change.start]
        found += change.added
        start = change.stop
    return found + list(lines[start:stop])
