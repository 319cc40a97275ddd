"""Merges of whole manifests, beside a merge of plain dictionaries."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec import key as key_codec
from prolly.datasets import Manifest, verify_references
from prolly.maps import OrderedMap
from prolly.merge import (
    LOSERS_NAME,
    ConflictTree,
    ManifestMerge,
    Rules,
    merge_manifests,
)
from prolly.repo import Transaction
from prolly.tables import Trees
from prolly.testing.merge_model import (
    NAMES,
    State,
    empty_state,
    is_valid,
    merge_states,
    read_state,
    rebuilt_roots,
    write_state,
)
from prolly.testing.repositories import diverged, memory_repository, write_on
from prolly.testing.waiting_merges import sets
from prolly.tree import NodeReader, Versions

Edit = tuple[str, int, Any]

KEYS = st.integers(0, 4)
NUMBERS = st.sampled_from([None, 1, 50, 95])
PARENT = st.fixed_dictionaries(
    {"tag": st.sampled_from([None, "a", "b", "c"]), "number": NUMBERS}
)
CHILD = st.fixed_dictionaries(
    {
        "parent": st.one_of(st.none(), KEYS),
        "number": NUMBERS,
        "note": st.sampled_from(["x", "y"]),
    }
)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("parents"), KEYS, st.one_of(st.none(), PARENT)),
        st.tuples(st.just("children"), KEYS, st.one_of(st.none(), CHILD)),
        st.tuples(st.just("map"), KEYS, st.one_of(st.none(), st.integers(1, 3))),
    ),
    max_size=12,
)
POLICIES = st.sampled_from([None, "ours", "theirs"])


def edited(state: State, edits: list[Edit]) -> State:
    """Return a state after those edits that leave it valid."""
    for name, key, value in edits:
        tried = deepcopy(state)
        if value is None:
            tried[name].pop(key, None)
        else:
            tried[name][key] = value
        if is_valid(tried):
            state = tried
    return state


class Merging:
    """Three states written as commits, to be merged again and again."""

    def __init__(self, base: State, ours: State, theirs: State) -> None:
        repo = memory_repository()
        self.base = write_state(repo, "main", base)
        for name in ("ours", "theirs"):
            repo.branches[name] = repo.branches["main"]
        self.ours = write_state(repo, "ours", ours)
        self.theirs = write_state(repo, "theirs", theirs)
        self.writer = repo.store.writer()
        self.reader = NodeReader(self.writer.get)

    def merge(self, rules: Rules, versions: Versions | None = None) -> ManifestMerge:
        """Merge the three, or others."""
        if versions is None:
            versions = Versions(self.base, self.ours, self.theirs)
        return merge_manifests(self.reader, self.writer, versions, rules)

    def conflicts(self, merge: ManifestMerge) -> dict[str, set[Any]]:
        """Return the keys in conflict by dataset."""
        found: dict[str, set[Any]] = {name: set() for name in NAMES}
        if merge.conflicts is None:
            return found
        names = {
            identity: entry.name
            for identity, entry in Manifest(self.reader, merge.root).by_id.items()
        }
        tree = ConflictTree(self.reader, merge.conflicts)
        for one in tree.entries():
            found[names[one.dataset]].add(key_codec.decode_key(one.key))
        assert len(tree) == tree.open_count == merge.conflict_count
        assert tree.base == self.base
        return found

    def assert_whole(self, root: bytes) -> None:
        """Fail unless a manifest is valid, and every tree is that of a rebuild."""
        verify_references(self.reader, self.ours, root)
        state = read_state(self.reader, root)
        trees = Trees(self.reader, self.writer, DEFAULT_PARAMETERS)
        for entry in Manifest(self.reader, root).by_id.values():
            roots = tuple(one.address for one in entry.roots)
            assert roots == rebuilt_roots(trees, entry, state[entry.name])


@settings(max_examples=150)
@given(EDITS, EDITS, EDITS, POLICIES)
def test_a_merge_equals_the_model(
    base: list[Edit], ours: list[Edit], theirs: list[Edit], policy: str | None
) -> None:
    """Records, conflicts and every root are those of a merge of dictionaries."""
    before = edited(empty_state(), base)
    states = before, edited(before, ours), edited(before, theirs)
    merging = Merging(*states)
    merge = merging.merge(Rules(policy=policy))
    expected = merge_states(*states, policy or "conflict")
    assert read_state(merging.reader, merge.root) == expected.state
    assert merging.conflicts(merge) == expected.conflicts
    merging.assert_whole(merge.root)


@settings(max_examples=60)
@given(EDITS, EDITS, EDITS, st.sampled_from(["ours", "base", "keep-both"]))
def test_a_side_that_changed_nothing_gives_way(
    base: list[Edit], ours: list[Edit], theirs: list[Edit], mode: Any
) -> None:
    """merge(x, x, x), (b, x, b), (b, b, x), (b, x, x) and (none, x, x) are x."""
    before = edited(empty_state(), base)
    merging = Merging(before, edited(before, ours), edited(before, theirs))
    b, o, t = merging.base, merging.ours, merging.theirs
    for versions, expected in [
        (Versions(o, o, o), o),
        (Versions(b, o, b), o),
        (Versions(b, b, t), t),
        (Versions(b, o, o), o),
        (Versions(None, o, o), o),
    ]:
        merge = merging.merge(Rules(on_conflict=mode), versions)
        assert merge[:3] == (expected, None, 0)


@settings(max_examples=60)
@given(EDITS, EDITS, EDITS)
def test_sides_may_be_swapped_where_nothing_conflicts(
    base: list[Edit], ours: list[Edit], theirs: list[Edit]
) -> None:
    """Without a conflict, ours into theirs is theirs into ours."""
    before = edited(empty_state(), base)
    merging = Merging(before, edited(before, ours), edited(before, theirs))
    merge = merging.merge(Rules())
    versions = Versions(merging.base, merging.theirs, merging.ours)
    swapped = merging.merge(Rules(), versions)
    if not merge.conflict_count and not swapped.conflict_count:
        assert merge.root == swapped.root


@settings(max_examples=60)
@given(EDITS, EDITS, EDITS)
def test_keep_both_settles_all(
    base: list[Edit], ours: list[Edit], theirs: list[Edit]
) -> None:
    """An unattended merge leaves no conflict, is valid, and keeps what lost."""
    before = edited(empty_state(), base)
    states = before, edited(before, ours), edited(before, theirs)
    merging = Merging(*states)
    merge = merging.merge(Rules(on_conflict="keep-both"))
    assert merge.conflicts is None
    merging.assert_whole(merge.root)
    state = read_state(merging.reader, merge.root)
    lost = {
        (one["dataset"], one["key"][0] if isinstance(one["key"], list) else one["key"])
        for one in state.get("prolly/conflicts", {}).values()
    }
    for name in NAMES:
        for side in states[1:]:
            for key, value in side[name].items():
                if value != before[name].get(key) and name == "map":
                    assert state[name].get(key) == value or (name, key) in lost


@pytest.mark.parametrize("mode", ["ours", "base", "keep-both"])
def test_histories_without_a_base_merge(mode: Any) -> None:
    """Without a base, equal records are one and all others are there."""
    ours, theirs = empty_state(), empty_state()
    ours["map"] |= {1: "x", 2: "same"}
    theirs["map"] |= {2: "same", 3: "y"}
    merging = Merging(empty_state(), ours, theirs)
    versions = Versions(None, merging.ours, merging.theirs)
    merge = merging.merge(Rules(on_conflict=mode), versions)
    state = read_state(merging.reader, merge.root)
    assert state["map"] == {1: "x", 2: "same", 3: "y"}
    assert merge.conflicts is None


def test_losers_that_one_side_dropped_stay_away() -> None:
    """Whichever side dropped them: what loses now stands alone, and alike."""
    repo = diverged(sets(k=0), sets(k=1), sets(k=2))
    repo.merge("feature", policy="keep-both")
    assert len(repo.at("main").map(LOSERS_NAME)) == 1
    repo.create_branch("other")
    base = repo.at("main").root

    def drop(tx: Transaction) -> None:
        tx.map("m")["k"] = 4
        tx.drop(LOSERS_NAME)

    write_on(repo, "main", sets(k=3))
    write_on(repo, "other", drop)
    sides = [repo.at(one).root for one in ("main", "other")]
    writer = repo.store.writer()
    reader = NodeReader(writer.get)
    rules = Rules(on_conflict="keep-both")
    made = [
        merge_manifests(reader, writer, Versions(base, *order), rules)
        for order in (sides, sides[::-1])
    ]
    assert made[0].root == made[1].root
    entry = Manifest(reader, made[0].root).require(LOSERS_NAME)
    losers = OrderedMap(reader, entry.roots[0].address)
    assert [one["value"] for one in losers.values()] == [3]
