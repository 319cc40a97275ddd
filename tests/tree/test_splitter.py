"""The windowed minimum, against the rule read aloud."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.tree import cut_ends, level_seed, priorities_of

MIN, MAX = 40, 120
entries = st.lists(
    st.tuples(st.integers(1, 20), st.integers(0, 5) | st.integers(0, 2**64 - 1)),
    max_size=120,
)


def read_aloud(weights: list[int], priorities: list[int]) -> list[int]:
    """The rule of the design, word for word and slow."""
    ends, start = [], 0
    while start < len(weights):
        if sum(weights[start:]) <= MAX:
            ends.append(len(weights))
            break
        inside, total = [], 0
        for index in range(start, len(weights)):
            total += weights[index]
            if MIN <= total <= MAX:
                inside.append(index)
        best = min(inside, key=lambda index: (priorities[index], index))
        ends.append(best + 1)
        start = best + 1
    return ends


@given(entries)
def test_cuts_follow_the_rule(drawn: list[tuple[int, int]]) -> None:
    """Cuts equal those of the naive rule, ties included."""
    weights = [weight for weight, _ in drawn]
    priorities = [priority for _, priority in drawn]
    assert cut_ends(weights, priorities, MIN, MAX) == read_aloud(weights, priorities)


@given(entries, entries)
def test_open_ends_are_settled(
    drawn: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    """Ends given before the end of the level do not move, whatever follows."""
    weights = [weight for weight, _ in drawn + more]
    priorities = [priority for _, priority in drawn + more]
    size = len(drawn)
    early = cut_ends(weights[:size], priorities[:size], MIN, MAX, final=False)
    assert cut_ends(weights, priorities, MIN, MAX)[: len(early)] == early


@given(entries)
def test_every_node_but_the_last_keeps_its_bounds(drawn: list[tuple[int, int]]) -> None:
    """Nodes weigh between MIN and MAX and hold two entries, all but the last."""
    weights = [weight for weight, _ in drawn]
    ends = cut_ends(weights, [priority for _, priority in drawn], MIN, MAX)
    starts = [0, *ends][: len(ends)]
    for start, end in list(zip(starts, ends, strict=True))[:-1]:
        assert MIN <= sum(weights[start:end]) <= MAX
        assert end - start >= 2
    if ends:
        assert sum(weights[starts[-1] :]) <= MAX
        assert ends[-1] == len(weights)


def test_levels_have_unlike_priorities() -> None:
    """The order of keys by priority on one level says nothing of the next level's."""
    keys = [b"%d" % number for number in range(1000)]
    low = priorities_of(keys, level_seed(0, 0))
    high = priorities_of(keys, level_seed(0, 1))
    smaller = sum(a < 2**63 and b < 2**63 for a, b in zip(low, high, strict=True))
    assert 180 < smaller < 320
