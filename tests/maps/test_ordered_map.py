"""A stored map against a sorted dictionary, and the cost of its reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, TreeParameters, cbor
from prolly.codec import key as key_codec
from prolly.errors import Invalid, KeyNotFound, NotFound
from prolly.maps import OrderedMap, encode_value
from prolly.testing import strategies
from prolly.tree import NodeReader, build

RECORDS = st.dictionaries(
    strategies.keys().map(key_codec.encode_key), strategies.values(4), max_size=40
)


def make(
    records: Mapping[bytes, Any], parameters: TreeParameters = DEFAULT_PARAMETERS
) -> OrderedMap:
    """Build a map of encoded keys and values."""
    writer = MemoryStore().writer()
    keys = sorted(records)
    values = [encode_value(records[key], writer) for key in keys]
    root = build(writer, [(keys, values)], parameters)
    return OrderedMap(NodeReader(writer.get), root)


def of_texts(count: int, reads: list[bytes] | None = None) -> OrderedMap:
    """Build a map of "00000".. to numbers; ``reads`` gathers the addresses read."""
    writer = MemoryStore().writer()
    keys = [key_codec.encode_key(f"{number:05}") for number in range(count)]
    values = [cbor.encode([number] * 20) for number in range(count)]
    root = build(writer, [(keys, values)], DEFAULT_PARAMETERS)

    def get(address: bytes) -> bytes | None:
        if reads is not None:
            reads.append(address)
        return writer.get(address)

    return OrderedMap(NodeReader(get), root)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values of the format are the same, in type too."""
    return cbor.encode(left) == cbor.encode(right)


@settings(max_examples=60)
@given(RECORDS, strategies.keys())
def test_it_reads_as_the_dictionary_does(records: dict[bytes, Any], other: Any) -> None:
    """Keys, values, pairs, numbers, ranks and ends are those of the sorted records."""
    found = make(records)
    order = sorted(records)
    keys = [key_codec.decode_key(one) for one in order]
    assert len(found) == len(records) and bool(found) == bool(records)
    assert [key_codec.encode_key(one) for one in found] == order
    assert [key_codec.encode_key(one) for one in reversed(found)] == order[::-1]
    assert same(list(found.values()), [records[one] for one in order])
    assert [key_codec.encode_key(one) for one, _ in found.items()] == order
    for number, (raw, key) in enumerate(zip(order, keys, strict=True)):
        assert same(found[key], records[raw]) and key in found
        assert found.rank(key) == number
        assert key_codec.encode_key(found.nth(number)[0]) == raw
        assert key_codec.encode_key(found.nth(number - len(order))[0]) == raw
    encoded = key_codec.encode_key(other)
    assert (other in found) == (encoded in records)
    assert found.rank(other) == sum(one < encoded for one in order)
    assert (found.get(other, found) is found) == (encoded not in records)


@settings(max_examples=60)
@given(RECORDS, st.none() | strategies.keys(), st.none() | strategies.keys())
def test_bounds_choose_a_stretch(
    records: dict[bytes, Any], start: Any, stop: Any
) -> None:
    """Views within bounds hold start <= key < stop and know their length."""
    found = make(records)
    low = b"" if start is None else key_codec.encode_key(start)
    high = b"\xff" * 9 if stop is None else key_codec.encode_key(stop)
    order = [one for one in sorted(records) if low <= one < high]
    for view in (found.items, found.keys, found.values):
        assert len(view(start=start, stop=stop)) == len(order)
    keys = found.keys(start=start, stop=stop)
    assert [key_codec.encode_key(one) for one in keys] == order
    assert [key_codec.encode_key(one) for one in keys] == order, "a second time"
    backwards = found.keys(start=start, stop=stop, reverse=True)
    assert [key_codec.encode_key(one) for one in backwards] == order[::-1]
    assert [key_codec.encode_key(one) for one in reversed(backwards)] == order
    raw = [
        key for batch in found.raw_batches(start=start, stop=stop) for key in batch[0]
    ]
    assert raw == order
    for one in records:
        assert (key_codec.decode_key(one) in keys) == (one in order)


def test_prefixes_of_text_and_of_tuples() -> None:
    """Text matches the beginning of the first part, a tuple whole parts."""
    keys = ["a", "ab", "b", ("a", 1), ("a", 2), ("ab", 1), ("b", 1), b"a", 5]
    found = make({key_codec.encode_key(key): None for key in keys})
    assert set(found.keys(prefix="a")) == {"a", "ab", ("a", 1), ("a", 2), ("ab", 1)}
    assert list(found.keys(prefix=("a",))) == ["a", ("a", 1), ("a", 2)]
    assert list(found.keys(prefix=b"a")) == [b"a"]
    assert list(found.keys(prefix=("a",), start=("a", 2))) == [("a", 2)]
    assert list(found.keys(prefix="a", stop="ab")) == ["a", ("a", 1), ("a", 2)]
    assert len(found.keys(prefix=())) == len(keys)
    assert list(found.keys(start=("a",), stop=("b",))) == list(found.keys(prefix="a"))
    assert list(found.keys(start="b", stop="a")) == []
    assert len(found.keys(start="b", stop="a")) == 0


def test_keys_of_all_types_are_told_apart() -> None:
    """1, 1.0, True, "1" and b"1" are five keys; -0.0 and 0.0 are two."""
    keys = [1, 1.0, True, "1", b"1", 0.0, -0.0]
    found = make({key_codec.encode_key(key): repr(key) for key in keys})
    assert len(found) == len(keys)
    assert all(found[key] == repr(key) for key in keys)


def test_an_absent_key_is_named() -> None:
    """KeyNotFound is a KeyError and says which key."""
    found = of_texts(3)
    with pytest.raises(KeyNotFound) as caught:
        found["absent"]
    assert isinstance(caught.value, KeyError)
    assert (caught.value.code, caught.value.key) == ("key-not-found", "absent")
    assert found.get("absent", 7) == 7


def test_what_cannot_be_a_key_is_refused() -> None:
    """A list, a NaN or a one-part tuple raises Invalid."""
    found = of_texts(3)
    for bad in ([1], float("nan"), ("one",)):
        with pytest.raises(Invalid):
            found[bad]


def test_numbers_past_the_ends() -> None:
    """nth of no record raises NotFound, first and last of an empty map KeyNotFound."""
    found = of_texts(3)
    for index in (3, -4):
        with pytest.raises(NotFound) as caught:
            found.nth(index)
        assert (caught.value.code, caught.value.count) == ("no-such-index", 3)
    assert found.first()[0] == "00000" and found.last()[0] == "00002"
    for end in (make({}).first, make({}).last):
        with pytest.raises(KeyNotFound) as missing:
            end()
        assert missing.value.code == "empty"


def test_views_are_sets_of_pairs() -> None:
    """``in`` of a view looks one record up, within its bounds; set operations work."""
    found = of_texts(10)
    pairs = found.items(start="00002", stop="00005")
    assert ("00003", [3] * 20) in pairs
    assert ("00003", [4] * 20) not in pairs
    assert ("00005", [5] * 20) not in pairs
    assert "00003" not in pairs and ("absent", 1) not in pairs
    assert [3] * 20 in found.values() and [11] not in found.values()
    assert found.keys(start="00008") & {"00009", "x"} == {"00009"}


def test_equality_is_of_records() -> None:
    """Equal records are equal whatever cuts them, and equal a dictionary of them."""
    records = {key_codec.encode_key(f"{n:04}"): ["x" * 50, n] for n in range(500)}
    left, right = make(records), make(records, TreeParameters(seed=5))
    assert left.root != right.root and left == right
    assert left == {key_codec.decode_key(key): one for key, one in records.items()}
    other = make({**records, key_codec.encode_key("0250"): 0})
    assert left != other and left != make({}) and left != {"a": 1} and left != 5


def test_a_look_up_reads_only_the_path() -> None:
    """get, in, len, nth, rank and view lengths read at most one node a level."""
    reads: list[bytes] = []
    depth = 3
    for work in (
        lambda one: one["02500"],
        lambda one: "absent" in one,
        len,
        lambda one: one.nth(2500),
        lambda one: one.rank("02500"),
        lambda one: one.last(),
        lambda one: len(one.items(stop="02500")),
        lambda one: next(iter(one.items(start="02500"))),
    ):
        found = of_texts(5000, reads)
        reads.clear()
        work(found)
        assert 0 < len(reads) <= depth


def test_a_scan_reads_each_node_once() -> None:
    """Iterating all pairs reads every node of the tree once."""
    reads: list[bytes] = []
    found = of_texts(5000, reads)
    assert [value[0] for value in found.values()] == list(range(5000))
    assert len(reads) == len(set(reads))


def test_a_value_is_fresh_each_time() -> None:
    """Changing a value that was read changes nothing but that object."""
    found = of_texts(3)
    found["00001"].append("more")
    assert found["00001"] == [1] * 20
