"""Maps and files: records taken whole, by policy, by resolver, or left in conflict."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import (
    FileEntry,
    Reference,
    decode_file_entry,
    encode_file_entry,
)
from prolly.codec import key as key_codec
from prolly.maps import ABSENT, decode_value, encode_value
from prolly.merge import (
    UNRESOLVED,
    Clash,
    Policies,
    RecordConflict,
    RecordMerge,
    Terms,
    merge_value,
)
from prolly.testing import strategies
from prolly.tree import Both


class MapMerge:
    """The merge of records of a map, from values to values."""

    def __init__(self, policies: dict[str, str] | None = None, **options: Any) -> None:
        self.writer = MemoryStore().writer()
        self.reads = 0
        self.conflicts: list[RecordConflict] = []
        self.lost: list[tuple[Any, Any]] = []
        self.terms = Terms(
            Policies(policies or {}),
            self.read,
            self.writer,
            dataset="m",
            report=self.conflicts.append,
            lost=lambda key, stored: self.lost.append((key, self.shown(stored))),
            **options,
        )
        self.merge = RecordMerge("map", None, self.terms)

    def read(self, address: bytes) -> bytes | None:
        """Give a chunk, counted."""
        self.reads += 1
        return self.writer.get(address)

    def stored(self, value: Any) -> bytes | None:
        """Return what a leaf holds."""
        return None if value is ABSENT else encode_value(value, self.writer)

    def shown(self, stored: bytes | None) -> Any:
        """Return the value of what a leaf holds."""
        return ABSENT if stored is None else decode_value(stored, self.writer.get)

    def __call__(self, *cases: tuple[Any, Any, Any], keys: Any = None) -> list[Any]:
        """Settle a batch of (base, ours, theirs)."""
        keys = keys or [f"k{number:04d}" for number in range(len(cases))]
        batch = [
            Both(key_codec.encode_key(key), *map(self.stored, case))
            for key, case in zip(keys, cases, strict=True)
        ]
        return list(map(self.shown, self.merge.settle(batch)))


LONG = "long " * 400

some_values = st.one_of(
    st.just(ABSENT), strategies.values(3), st.sampled_from([None, 1, LONG, LONG + "x"])
)


def test_without_policies_ours_stands_and_it_is_told() -> None:
    """Every clash is reported by key; nothing is read or decoded for it."""
    merge = MapMerge()
    assert merge((1, 2, 3), (LONG, ABSENT, "x"), (1, LONG, 2)) == [2, ABSENT, LONG]
    assert merge.conflicts == [
        RecordConflict(key_codec.encode_key(f"k{number:04d}")) for number in range(3)
    ]
    assert merge.reads == 0 and not merge.merge.equal_too


def test_for_a_virtual_base_the_base_stands() -> None:
    """An unresolved key takes the value of the deeper base, absence included."""
    merge = MapMerge(on_conflict="base")
    assert merge((1, 2, 3), (ABSENT, 2, 3)) == [1, ABSENT]


def test_unattended_the_greater_value_stands_and_the_other_is_handed_on() -> None:
    """Nothing is in conflict, and nothing is lost; deletions lose."""
    merge = MapMerge(on_conflict="keep-both")
    found = merge((1, 2, 3), (1, ABSENT, 3), (1, 2, ABSENT), (0, LONG, "x"))
    assert found == [3, 3, 2, LONG]
    lost = [2, ABSENT, ABSENT, "x"]
    assert [value for _, value in merge.lost] == lost
    assert not merge.conflicts


@given(
    st.sampled_from(["max", "min", "keep-both", "set", "map", "counter", "ours"]),
    st.lists(st.tuples(some_values, some_values, some_values), max_size=5),
)
def test_a_policy_decides_as_it_does_on_values(
    policy: str, cases: list[tuple[Any, Any, Any]]
) -> None:
    """A batch of records comes to what merge_value says; the rest is reported."""
    merge = MapMerge({"/": policy})
    found = merge(*cases)
    wanted = [merge_value(policy, *case) for case in cases]
    conflicts = [one.key for one in merge.conflicts]
    for number, (value, want) in enumerate(zip(found, wanted, strict=True)):
        key = key_codec.encode_key(f"k{number:04d}")
        assert (key in conflicts) is (want is UNRESOLVED)
        expected = cases[number][1] if want is UNRESOLVED else want
        assert merge.stored(value) == merge.stored(expected)


def test_policies_hold_by_prefix() -> None:
    """Each key under its own policy, in one batch."""
    scope = "/" + key_codec.prefix_range("n:")[0].hex()
    merge = MapMerge({scope: "counter"})
    assert merge.merge.equal_too
    found = merge(
        (1, 3, 4), (1, 3, 4), (1, 2, 2), (1, 2, 2), keys=["a", "n:", "n:a", "z"]
    )
    assert found == [3, 6, 3, 2]
    assert [one.key for one in merge.conflicts] == [key_codec.encode_key("a")]


def test_a_sum_that_no_value_holds_is_a_conflict() -> None:
    """With the reason; ours stands."""
    merge = MapMerge({"/": "counter"})
    big = 2**8191
    assert merge((0, big, big), (Decimal(0), Decimal("1E+9000"), Decimal(1))) == [
        big,
        Decimal("1E+9000"),
    ]
    assert "too long" in merge.conflicts[0].reason
    assert "digits" in merge.conflicts[1].reason


def test_the_last_writer_wins_by_its_stamp() -> None:
    """The hook is asked for the key; without it the greater encoding stands."""
    asked = []

    def stamps(key: bytes, column: int | None) -> tuple[bytes, bytes]:
        asked.append((key, column))
        return b"\2" * 16, b"\1" * 16

    policies = {"/": "last-writer-wins"}
    assert MapMerge(policies, stamps=stamps)((1, ABSENT, 3)) == [ABSENT]
    assert asked == [(key_codec.encode_key("k0000"), None)]
    merge = MapMerge(policies)
    assert merge((1, ABSENT, 3)) == [3] and not merge.lost


def test_resolve_is_asked_for_what_remains() -> None:
    """It sees key and values, and its answer stands: a value, null or ABSENT."""
    answers: dict[str, Any] = {
        "a": 9,
        "b": None,
        "c": ABSENT,
        "d": UNRESOLVED,
        "e": LONG,
    }
    seen: list[Clash] = []

    def resolve(clash: Clash) -> Any:
        seen.append(clash)
        return answers[clash.key]

    merge = MapMerge(resolve=resolve, snapshots="views")
    case = (LONG, ABSENT, 3)
    found = merge(*[case] * 5, keys=list(answers))
    assert found == [9, None, ABSENT, ABSENT, LONG]
    assert seen[0] == Clash("m", "a", *case, snapshots="views")
    assert [one.key for one in merge.conflicts] == [key_codec.encode_key("d")]


@pytest.mark.parametrize("rubbish", [object(), {1: 2}, float, "\ud800", 1 << 9000])
def test_rubbish_from_a_resolver_leaves_the_conflict(rubbish: Any) -> None:
    """What is no value stays out, and the reason says why."""
    merge = MapMerge(resolve=lambda clash: rubbish)
    assert merge((1, 2, 3)) == [2]
    assert merge.conflicts[0].reason


def test_a_resolver_that_raises_leaves_the_conflict() -> None:
    """The others of the batch go on."""
    merge = MapMerge(resolve=lambda clash: 1 // clash.ours)
    assert merge((5, 0, 3), (5, 1, 3)) == [0, 1]
    assert merge.conflicts == [
        RecordConflict(
            key_codec.encode_key("k0000"),
            (),
            "ZeroDivisionError: integer division or modulo by zero",
        )
    ]


def test_an_edited_argument_is_an_answer() -> None:
    """A version edited in place and handed back stands as edited; else as it was."""

    def edit(clash: Clash) -> Any:
        clash.ours["tags"].extend(clash.theirs["tags"])
        return clash.ours

    case: tuple[Any, Any, Any] = ({"tags": []}, {"tags": ["o"]}, {"tags": ["t"]})
    assert MapMerge(resolve=edit)(case) == [{"tags": ["o", "t"]}]
    kept = MapMerge(resolve=lambda clash: edit(clash) and UNRESOLVED)
    assert kept(case) == [{"tags": ["o"]}]
    assert MapMerge(resolve=lambda clash: clash.theirs)(case) == [case[2]]


def test_a_policy_names_a_resolver() -> None:
    """By the name behind app:; one that is not there is the reason."""
    merge = MapMerge(
        {"/": "app:sum"}, resolvers={"sum": lambda one: one.ours + one.theirs}
    )
    assert merge((1, 2, 3)) == [5]
    merge = MapMerge({"/": "app:sum"})
    assert merge((1, 2, 3)) == [2]
    assert merge.conflicts[0].reason == "there is no resolver 'sum'"


def test_resolve_is_asked_behind_a_policy_that_gave_up() -> None:
    """What a policy cannot merge goes to resolve=, and its reason stays if that
    fails."""
    merge = MapMerge({"/": "counter"}, resolve=lambda clash: clash.key)
    assert merge((1, "a", 2), (1, 2, 3)) == ["k0000", 4]
    merge = MapMerge({"/": "counter"}, resolve=lambda clash: UNRESOLVED)
    assert merge((1, "a", 2)) == ["a"]
    assert "int and decimal" in merge.conflicts[0].reason


def entry(number: int) -> FileEntry:
    """Return an entry whose content is told by a number."""
    return FileEntry(number, 0o644, None, Reference(bytes([number]) * 32, 3))


def files_merge(policies: dict[str, str], **options: Any) -> Any:
    """Return a function from entries to the entry that stands, and what was told."""
    told: list[Any] = []
    terms = Terms(
        Policies(policies),
        lambda address: None,
        MemoryStore().writer(),
        report=told.append,
        lost=lambda key, stored: told.append(stored),
        **options,
    )
    merge = RecordMerge("files", None, terms)

    def settle(*case: FileEntry | None) -> tuple[Any, list[Any]]:
        stored = [None if one is None else encode_file_entry(one) for one in case]
        (found,) = merge.settle([Both(key_codec.encode_key("a.txt"), *stored)])
        return None if found is None else decode_file_entry(found), told

    return settle


def test_files_are_taken_whole() -> None:
    """A conflict, or the entry of the side that a policy names."""
    found, told = files_merge({})(entry(1), entry(2), entry(3))
    assert found == entry(2) and len(told) == 1
    assert files_merge({"/": "theirs"})(entry(1), entry(2), None) == (None, [])
    found, told = files_merge({"/": "keep-both"})(entry(1), entry(2), entry(3))
    assert found == entry(3) and told == [encode_file_entry(entry(2))]


def test_a_resolver_chooses_among_the_entries() -> None:
    """An entry made up is refused, since nothing vouches for its content."""
    choose = files_merge({}, resolve=lambda clash: clash.theirs)
    assert choose(entry(1), entry(2), entry(3)) == (entry(3), [])
    base = files_merge({}, resolve=lambda clash: clash.base)
    assert base(entry(1), entry(2), entry(3)) == (entry(1), [])
    make_up = files_merge({}, resolve=lambda clash: entry(9))
    found, told = make_up(entry(1), entry(2), entry(3))
    assert found == entry(2) and "no entry" in told[0].reason


@pytest.mark.parametrize("policy", ["max", "counter", "text", "set", "map"])
def test_a_policy_that_looks_inside_leaves_files_in_conflict(policy: str) -> None:
    """A policy given for one whole merge must not break on files."""
    found, told = files_merge({"/": policy})(entry(1), entry(2), entry(3))
    assert found == entry(2) and told == [RecordConflict(key_codec.encode_key("a.txt"))]
