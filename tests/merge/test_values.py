"""Values merged by a policy: the table of cases, and the laws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.maps import ABSENT
from prolly.merge import POLICIES, UNRESOLVED, Unresolved, merge_value, values
from prolly.merge.value_order import order_key
from prolly.testing import strategies

SYMMETRIC = sorted(set(POLICIES) - {"ours", "theirs"})
COLUMNS = (
    "conflict",
    "ours",
    "theirs",
    "keep-both",
    "counter",
    "max",
    "min",
    "set",
    "map",
    "text",
)
# What b, x and y stand for, by policy; all differ and none is null.
COLUMN_OF = {
    "last-writer-wins": "keep-both",
    "set:add-wins": "set",
    "text:characters": "text",
}
SAMPLES: dict[str, dict[str, Any]] = {
    "set": {"b": ["a", "z"], "x": ["a", "b"], "y": ["c", "z"]},
    "map": {"b": {"k": 2}, "x": {"k": 2, "p": 1}, "y": {"k": 2, "q": 1}},
    "text": {"b": "1\n2\n", "x": "0\n1\n2\n", "y": "1\n2\n3\n"},
}
NUMBERS = {"b": 10, "x": 13, "y": 4}


def table() -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the table of the module's docstring: what stands for each case."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for line in (values.__doc__ or "").splitlines():
        left, bar, right = line.partition(" | ")
        if bar and len(left.split()) == 3 and len(right.split()) == len(COLUMNS):
            base, ours, theirs = left.split()
            rows[base, ours, theirs] = dict(zip(COLUMNS, right.split(), strict=True))
    assert rows.pop(("base", "ours", "theirs")) == dict(
        zip(COLUMNS, COLUMNS, strict=True)
    )
    return rows


def cases() -> Iterator[tuple[str, str, str]]:
    """Yield every case of absent, null, equal and different values."""
    for base in ("-", "null", "b"):
        for ours in ("-", "null", "x", *("b" if base == "b" else "")):
            for theirs in ("-", "null", "x", "y", *("b" if base == "b" else "")):
                if theirs != "y" or ours == "x":
                    yield base, ours, theirs


def expected(policy: str, case: tuple[str, str, str]) -> str:
    """Return what the docstring says of a case, in its words."""
    base, ours, theirs = case
    column = COLUMN_OF.get(policy, policy)
    rows = table()
    if case in rows:
        return rows[case][column]
    if (base, theirs, ours) in rows:
        other = {"ours": "theirs", "theirs": "ours"}
        return rows[base, theirs, ours][other.get(column, column)]
    assert ours == theirs or base in (ours, theirs), f"{case} is not in the table"
    return ours if ours == theirs or base == theirs else theirs


def meant(word: str, sample: dict[str, Any], case: tuple[str, str, str]) -> Any:
    """Return the value that a word of the table means."""
    known = {"!": UNRESOLVED, "-": ABSENT, "null": None, **sample}
    if word in known:
        return known[word]
    base, *sides = [known[one] for one in case]
    x, y = (sample["x"], sample["y"]) if "y" in case else (sample["x"], sample["x"])
    if word == ">":
        return max(sides, key=cbor.encode)
    if word in ("max", "min"):
        return {"max": max, "min": min}[word](x, y)
    if "+" in word:
        return x + y - (base if word.endswith("-b") else 0)
    if "|" in word:
        old = set(base if word.endswith("-b") else ())
        return sorted((set(x) & set(y)) | ((set(x) | set(y)) - old))
    return {"paths": {"k": 2, "p": 1, "q": 1}, "lines": "0\n1\n2\n3\n"}[word]


@pytest.mark.parametrize("policy", POLICIES)
def test_every_case_is_as_the_table_says(policy: str) -> None:
    """All cases of (base, ours, theirs), on both sides, under every policy."""
    sample = SAMPLES.get(COLUMN_OF.get(policy, policy), NUMBERS)
    known = {"-": ABSENT, "null": None, **sample}
    found = list(cases())
    assert len(found) == 37 and set(table()) <= set(found)
    for case in found:
        merged = merge_value(policy, *[known[one] for one in case])
        wanted = meant(expected(policy, case), sample, case)
        if policy == "text:characters" and {*case[1:]} == {"x", "y"}:
            # Texts always merge: into an empty base both go whole, the lesser first.
            wanted = meant("lines", sample, case)
            if case[0] != "b":
                wanted = sample["x"] + sample["y"]
        assert merged == wanted and type(merged) is type(wanted), case


def any_values() -> st.SearchStrategy[Any]:
    """Values and the absence of one; few, so that equal ones meet."""
    return st.one_of(
        st.just(ABSENT),
        strategies.values(4),
        st.sampled_from([None, True, 1, 1.0, 0.0, -0.0, math.nan, "", "a\n", [1], {}]),
    )


def spelt(value: Any) -> Any:
    """Return what tells values apart in the format."""
    return value if value in (ABSENT, UNRESOLVED) else cbor.encode(value)


@given(st.sampled_from(POLICIES), any_values(), any_values())
def test_what_one_side_changed_is_taken(policy: str, base: Any, changed: Any) -> None:
    """(b, x, b) and (b, b, x) give x under every policy, and (x, x, x) x."""
    assert spelt(merge_value(policy, base, changed, base)) == spelt(changed)
    assert spelt(merge_value(policy, base, base, changed)) == spelt(changed)
    assert spelt(merge_value(policy, base, base, base)) == spelt(base)


@given(st.sampled_from(SYMMETRIC), any_values(), any_values(), any_values())
def test_the_sides_do_not_matter(policy: str, base: Any, one: Any, other: Any) -> None:
    """Every policy that names no side gives the same with sides swapped."""
    merged = merge_value(policy, base, one, other)
    assert spelt(merge_value(policy, base, other, one)) == spelt(merged)


def merged_in_order(policy: str, base: Any, changes: Any) -> Any:
    """Merge changes one after another, each against the same base."""

    def step(merged: Any, change: Any) -> Any:
        if merged is UNRESOLVED:
            return merged
        return merge_value(policy, base, merged, change)

    return reduce(step, changes)


def plain_sets() -> st.SearchStrategy[list[int]]:
    """Lists without repeats, in the order of the format."""
    return st.sets(st.integers(0, 5)).map(lambda one: sorted(one, key=order_key))


def small_maps() -> st.SearchStrategy[Any]:
    """Maps in maps with few keys, so that changes meet."""
    leaves = st.sampled_from([None, 0, 1, [1]])
    keys = st.sampled_from("ab")
    inner = st.dictionaries(keys, leaves, max_size=2)
    return st.dictionaries(keys, leaves | inner, max_size=2)


ALGEBRAS: dict[str, st.SearchStrategy[Any]] = {
    "counter": st.none() | st.integers(-(2**70), 2**70),
    "max": strategies.values(3),
    "min": strategies.values(3),
    "set": plain_sets(),
    "set:add-wins": plain_sets(),
    "map": small_maps(),
    "keep-both": any_values(),
    "conflict": st.integers(0, 2),
}


@pytest.mark.parametrize("policy", ALGEBRAS)
@given(st.data())
def test_the_order_of_merging_does_not_matter(policy: str, data: st.DataObject) -> None:
    """Changes of several replicas, merged in any order, come to the same."""
    kind = ALGEBRAS[policy]
    base = data.draw(kind)
    changes = data.draw(st.lists(kind, min_size=2, max_size=4))
    if policy == "counter" and base is not None:
        changes = [0 if change is None else change for change in changes]
    found = {
        spelt(merged_in_order(policy, base, order)) for order in permutations(changes)
    }
    assert len(found) == 1


def test_merging_again_what_was_merged_adds_nothing() -> None:
    """For a counter base moves on: the merge of a merge counts each change once."""
    both = merge_value("counter", 10, 12, 15)
    assert both == 17
    assert merge_value("counter", 15, both, 15) == 17
    assert merge_value("counter", 15, both, 16) == 18


@given(
    st.lists(
        st.tuples(any_values(), st.binary(min_size=16, max_size=16)),
        min_size=2,
        max_size=4,
        unique_by=lambda one: one[1],
    )
)
def test_the_last_writer_wins_in_any_order(writes: list[tuple[Any, bytes]]) -> None:
    """The value of the greatest stamp stands, deletions included."""
    base = "the value before"
    last = max(writes, key=lambda one: one[1])[0]
    for order in permutations(writes):
        merged, stamp = order[0]
        for value, later in order[1:]:
            merged = merge_value(
                "last-writer-wins", base, merged, value, stamps=(stamp, later)
            )
            stamp = max(stamp, later)
        assert spelt(merged) == spelt(last)


def test_a_stamp_wins_over_none() -> None:
    """A side without a stamp loses; with equal stamps the greater encoding stands."""
    stamp = b"\1" * 16
    assert merge_value("last-writer-wins", 0, 1, 2, stamps=(stamp, None)) == 1
    assert merge_value("last-writer-wins", 0, 2, 1, stamps=(stamp, stamp)) == 2
    assert merge_value("last-writer-wins", 0, ABSENT, 1, stamps=(stamp, None)) is ABSENT


@pytest.mark.parametrize(
    ("policy", "base", "ours", "theirs"),
    [
        ("counter", 1, 2.0, 3),
        ("counter", 1, True, 3),
        ("counter", "1", 2, 3),
        ("set", ["a"], "b", ["c"]),
        ("set", {}, ["b"], ["c"]),
        ("set:add-wins", ["a"], "b", ["c"]),
        ("text:characters", "a", b"b", "a\nc"),
        ("map", {}, [1], {"a": 1}),
        ("map", [], {"b": 1}, {"a": 1}),
        ("text", "a", b"b", "a\nc"),
        ("text", 1, "a", "b"),
        ("app:sum", 1, 2, 3),
    ],
)
def test_what_a_policy_cannot_merge_is_unresolved(
    policy: str, base: Any, ours: Any, theirs: Any
) -> None:
    """A value of another type is a conflict, never converted."""
    assert merge_value(policy, base, ours, theirs) is UNRESOLVED


@pytest.mark.parametrize(("policy", "chosen"), [("max", 3), ("min", -7)])
@pytest.mark.parametrize("nothing", [None, math.nan])
def test_null_and_nan_are_neither_greatest_nor_least(
    policy: str, chosen: int, nothing: Any
) -> None:
    """Against null or NaN the other value stands, for max and for min."""
    assert merge_value(policy, 0, nothing, chosen) == chosen
    assert merge_value(policy, 0, chosen, nothing) == chosen
    assert merge_value(policy, 0, math.nan, None) is not None


def test_reasons_name_the_place() -> None:
    """What is unresolved says where: the path in a map, the line of a text."""

    def reason(policy: str, *three: Any) -> str:
        return values.weigh(policy, values.Values(*three)).reason

    def deep(one: int) -> Any:
        return {"a": {"b": one}}

    assert reason("map", deep(1), deep(2), deep(3)) == "both changed ['a']['b']"
    assert "line 2" in reason("text", "1\n2\n", "1\nx\n", "1\ny\n")
    assert "int and decimal" in reason("counter", 1, 2.5, 3)
    assert "deleted" in reason("max", 1, ABSENT, 3)
    assert reason("conflict", 1, 2, 3) == ""


def test_unresolved_is_no_value() -> None:
    """It is false, one of its kind, and says its name."""
    assert not UNRESOLVED
    assert repr(UNRESOLVED) == "UNRESOLVED"
    assert list(Unresolved) == [UNRESOLVED]
