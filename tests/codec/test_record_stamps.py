"""Stamps of records: order, joining, and their one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.record_stamps import (
    NO_STAMP,
    STAMP_BYTES,
    UNSTAMPED,
    RecordStamps,
    decode_stamps,
    encode_stamps,
    joined_stamps,
    later_stamp,
    stamp_at,
    stamp_ms,
)
from prolly.errors import Corrupt

REPLICA = b"replica1"


def stamps() -> st.SearchStrategy[bytes]:
    """Stamps of few times and replicas, so that many are equal."""
    times = st.sampled_from([0, 1, 2, 70_000, (1 << 48) - 1])
    counters = st.sampled_from([b"\0\0", b"\0\1", b"\xff\xff"])
    replicas = st.sampled_from([b"replica1", b"replica2"])
    return st.builds(
        lambda ms, counter, replica: stamp_at(ms, replica)[:6] + counter + replica,
        times,
        counters,
        replicas,
    )


def records() -> st.SearchStrategy[RecordStamps]:
    """Stamps and tags of records, some without any."""
    columns = st.dictionaries(st.integers(0, 3), stamps(), max_size=4)
    tag = st.builds(bytes.__add__, st.sampled_from([b"a" * 16, b"b" * 16]), stamps())
    tags = st.dictionaries(
        st.none() | st.integers(0, 3), st.frozensets(tag), max_size=2
    )
    record = st.one_of(st.just(NO_STAMP), stamps())
    return st.builds(
        lambda one, many, tags: joined_stamps(
            RecordStamps(one), RecordStamps(NO_STAMP, many, tags)
        ),
        record,
        columns,
        tags,
    )


@given(records(), records(), records())
def test_joining_is_a_least_upper_bound(
    one: RecordStamps, other: RecordStamps, third: RecordStamps
) -> None:
    """In any order and grouping, and as often as one likes, it gives the same."""
    assert joined_stamps(one, one) == one
    assert joined_stamps(one, other) == joined_stamps(other, one)
    left = joined_stamps(joined_stamps(one, other), third)
    assert left == joined_stamps(one, joined_stamps(other, third))
    assert joined_stamps(one, UNSTAMPED) == one


@given(records(), records())
def test_joining_keeps_the_later_stamp_of_each_cell(
    one: RecordStamps, other: RecordStamps
) -> None:
    """Also of the record as a whole, which is the latest of all."""
    joined = joined_stamps(one, other)
    for column in (None, 0, 1, 2, 3, 4):
        assert joined.of(column) == max(one.of(column), other.of(column))


@given(records().filter(lambda one: one != UNSTAMPED))
def test_stamps_have_one_spelling(one: RecordStamps) -> None:
    """What is encoded reads back, and is what its value spells."""
    data = encode_stamps(one)
    assert decode_stamps(data) == one
    assert encode_stamps(decode_stamps(data)) == data


@given(
    st.binary(max_size=80)
    | st.lists(
        st.binary(max_size=40)
        | st.lists(st.none() | st.integers(-1, 2) | st.binary(max_size=64), max_size=3),
        max_size=3,
    )
)
def test_anything_else_is_corrupt(data: object) -> None:
    """A value either is the spelling of what it decodes to, or refused."""
    try:
        found = decode_stamps(data)
    except Corrupt as error:
        assert error.code == "stamps"
    else:
        assert encode_stamps(found) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        None,
        NO_STAMP,
        b"\1" * (STAMP_BYTES + 1),
        b"\1" * STAMP_BYTES + b"\0\0\0\1" + b"\1" * STAMP_BYTES,
        NO_STAMP + (b"\0\0\0\1" + b"\1" * STAMP_BYTES) * 2,
    ],
)
def test_stamps_that_say_nothing_are_corrupt(data: object) -> None:
    """Nothing at all, a column no later than the record, a column twice."""
    with pytest.raises(Corrupt):
        decode_stamps(data)


@given(stamps(), stamps())
def test_a_later_stamp_is_later_and_of_its_replica(new: bytes, known: bytes) -> None:
    """It is the new one where that is later; only at the end of time it cannot be."""
    later = later_stamp(new, known)
    if later != known:
        assert later > known and later[8:] == new[8:]
        assert later == new or stamp_ms(later) - stamp_ms(known) in (0, 1)
    else:
        assert known[:8] == b"\xff" * 8


def test_a_stamp_is_milliseconds_counter_and_replica() -> None:
    """48 and 16 bits, then eight bytes; times outside are the nearest there are."""
    assert stamp_at(1, REPLICA) == bytes.fromhex("000000000001 0000") + REPLICA
    assert stamp_at(-1, REPLICA) == bytes(8) + REPLICA
    assert stamp_ms(stamp_at(1 << 60, REPLICA)) == (1 << 48) - 1
    assert later_stamp(stamp_at(1, REPLICA), stamp_at(2, b"replica2")) == (
        bytes.fromhex("000000000002 0001") + REPLICA
    )
