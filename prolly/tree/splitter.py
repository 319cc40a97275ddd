"""Where nodes end: the windowed minimum.

The rule, for one level whose entries have weights and priorities:

- From a node's first entry, sum the weights, each sum including its entry.
- If all that is left on the level sums to ``weight_max`` or less, it is the last node.
- Otherwise the node ends with the entry of smallest priority among those whose sum
  lies in [weight_min, weight_max]; the first of equals.

A cut depends on what lies up to ``weight_max`` behind a node's start and on nothing
before it, so two sequences that share a cut and what follows share all later cuts.
Parameters hold ``weight_min`` at twice the largest weight and ``weight_max`` at 1.5
times that, so the window always holds an entry and every node but the last at least
two. Why this rule and not a rolling hash: ``docs/design/0002-splitter.md``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, repeat

from xxhash import xxh3_64_intdigest

# 2**64 / golden ratio: seeds of neighbouring levels share no low bits.
LEVEL_STRIDE = 0x9E3779B97F4A7C15
SEED_MASK = 0xFFFFFFFFFFFFFFFF


def level_seed(seed: int, level: int) -> int:
    """Return the seed of one level's priorities, so that levels do not correlate."""
    return (seed + level * LEVEL_STRIDE) & SEED_MASK


def priorities_of(keys: Sequence[bytes], seed: int) -> list[int]:
    """Return XXH3-64 of each key under a level's seed."""
    return list(map(xxh3_64_intdigest, keys, repeat(seed)))


def window(
    sums: Sequence[int], start: int, weight_min: int, weight_max: int
) -> tuple[int, int]:
    """Return the half-open range of entries at which the node from ``start`` may end.

    ``sums[i]`` is the weight of all entries up to and including entry i; sums before
    the sequence's first entry count as zero.
    """
    before = sums[start - 1] if start else 0
    low = bisect_left(sums, before + weight_min, start)
    return low, bisect_right(sums, before + weight_max, low)


def cut_ends(
    weights: Sequence[int],
    priorities: Sequence[int],
    weight_min: int,
    weight_max: int,
    *,
    final: bool = True,
) -> list[int]:
    """Return the exclusive end of every node of a sequence of entries.

    Without ``final`` more entries may follow, and the list stops at the last end that
    they cannot move. O(n) with a few C calls a node.
    """
    sums = list(accumulate(weights))
    total = sums[-1] if sums else 0
    ends: list[int] = []
    start = 0
    while total - (sums[start - 1] if start else 0) > weight_max:
        low, high = window(sums, start, weight_min, weight_max)
        choices = priorities[low:high]
        start = low + choices.index(min(choices)) + 1
        ends.append(start)
    if final and start < len(sums):
        ends.append(len(sums))
    return ends
