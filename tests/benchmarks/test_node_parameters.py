"""Rules for where leaves end, measured on a plain model of one level."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.node_parameters import LibraryTree, fits, key_of, row_figures
from benchmarks.node_rules import Hazard, Rule, Window
from benchmarks.node_sequence import LeafRow
from prolly.tree import cut_ends, priorities_of

SMALL_WINDOW = Window(400, 1200)
SMALL_HAZARD = Hazard(400, 700, 1600, 0.2)
RULES: list[Rule] = [SMALL_WINDOW, SMALL_HAZARD]


@given(st.sets(st.integers(0, 400)), st.lists(st.integers(0, 400), max_size=20))
@pytest.mark.parametrize("rule", RULES)
def test_insertions_give_the_leaves_of_cutting_anew(
    rule: Rule, there: set[int], new: list[int]
) -> None:
    """Whatever is inserted in whatever order, the leaves are those of all the keys."""
    there.add(0)
    row = LeafRow(rule, [key_of(number) for number in sorted(there)], bytes(40))
    for number in dict.fromkeys(new):
        if number not in there:
            assert row.insert(key_of(number)).leaves >= 1
    assert row.is_as_cut_anew()


@given(st.lists(st.integers(20, 200), max_size=200))
def test_the_hazard_rule_keeps_its_bounds(weights: list[int]) -> None:
    """No leaf passes the upper bound, and all but the last reach the lower one."""
    keys = [key_of(number) for number in range(len(weights))]
    ends = SMALL_HAZARD.ends(weights, priorities_of(keys, 0), final=True)
    sizes = [sum(weights[low:high]) for low, high in pairwise([0, *ends])]
    assert sum(sizes) == sum(weights)
    assert all(size <= SMALL_HAZARD.weight_max for size in sizes)
    assert all(size >= SMALL_HAZARD.weight_min for size in sizes[:-1])


def test_the_window_is_that_of_the_library() -> None:
    """The rule in use is measured, and not a copy of it."""
    keys = [key_of(number) for number in range(500)]
    weights, priorities = [60] * 500, priorities_of(keys, 0)
    wanted = cut_ends(weights, priorities, 400, 1200)
    assert SMALL_WINDOW.ends(weights, priorities, final=True) == wanted


def test_a_rule_has_figures() -> None:
    """Sizes, what insertions rewrite, and what the library's trees cost."""
    figures = row_figures(Window(4080, 12_240), 100, 3000)
    assert 4080 <= figures["mean leaf, bytes"] <= 12_240
    assert 1 <= figures["leaves rewritten per insert"] < 2
    assert all(LibraryTree(Window(2040, 6120), 100, 2000).figures().values())


def test_caps_fall_with_the_lower_bound() -> None:
    """Half the bounds hold half the value at most, whatever the hazard rule does."""
    assert fits(Window(2040, 6120), 500) and not fits(Window(2040, 6120), 501)
    assert fits(SMALL_HAZARD, 980)
