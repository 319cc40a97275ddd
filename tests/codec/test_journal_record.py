"""Records of the journal: what is written comes back, and nothing else is one."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.journal_record import (
    JOURNAL_BODY_BYTES_MAX,
    JOURNAL_HEAD_BYTES,
    JournalMove,
    JournalRecord,
    decode_journal_body,
    encode_journal_body,
    encode_journal_record,
    is_whole_record,
    journal_body_bytes,
    journal_mark,
)
from prolly.errors import Corrupt

entries = st.binary(min_size=1, max_size=50)
addresses = st.binary(min_size=32, max_size=32)
records = st.builds(
    JournalRecord,
    st.integers(1, 2**63),
    st.lists(st.tuples(addresses, entries), max_size=4),
    st.lists(st.tuples(st.binary(min_size=4, max_size=4), addresses), max_size=2),
    st.lists(
        st.builds(JournalMove, entries, entries, st.none() | addresses), max_size=3
    ),
)


def spelt(record: JournalRecord, generation: int, place: int) -> tuple[bytes, bytes]:
    data = encode_journal_record(encode_journal_body(record), generation, place)
    return data[:JOURNAL_HEAD_BYTES], data[JOURNAL_HEAD_BYTES:]


@given(records, st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_a_record_comes_back(
    record: JournalRecord, generation: int, place: int
) -> None:
    """Head and body tell where the record stands, that it is whole, and what it is."""
    head, body = spelt(record, generation, place)
    assert journal_body_bytes(head, generation, place) == len(body)
    assert head.startswith(journal_mark(generation))
    assert is_whole_record(head, body)
    assert decode_journal_body(body) == record


@given(records, st.data())
def test_a_changed_byte_is_seen(record: JournalRecord, data: st.DataObject) -> None:
    """A record with another byte anywhere, or cut off, is none of this place."""
    head, body = spelt(record, 3, 100)
    whole = bytearray(head + body)
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    head, body = bytes(whole[:JOURNAL_HEAD_BYTES]), bytes(whole[JOURNAL_HEAD_BYTES:])
    size = journal_body_bytes(head, 3, 100)
    assert size is None or not is_whole_record(head, body[:size])
    head, body = spelt(record, 3, 100)
    assert not is_whole_record(head, body[:-1])


def test_what_was_left_behind_is_no_record_of_now() -> None:
    """Another generation, another place and a part of a head are no record."""
    head, _ = spelt(JournalRecord(1, [], [], []), 3, 100)
    assert journal_body_bytes(head, 4, 100) is None
    assert journal_body_bytes(head, 3, 101) is None
    assert journal_body_bytes(head[:-1], 3, 100) is None
    assert journal_body_bytes(b"", 3, 100) is None


def test_the_limit_of_a_body() -> None:
    """A body at the limit is told by its head, one past it is none."""
    head = encode_journal_record(bytes(JOURNAL_BODY_BYTES_MAX), 1, 0)
    assert journal_body_bytes(head, 1, 0) == JOURNAL_BODY_BYTES_MAX
    past = (JOURNAL_BODY_BYTES_MAX + 1).to_bytes(4, "little")
    assert journal_body_bytes(head[:20] + past + head[24:], 1, 0) is None
    with pytest.raises(AssertionError):
        encode_journal_record(bytes(JOURNAL_BODY_BYTES_MAX + 1), 1, 0)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1, [], []],
        [0, [], [], []],
        [True, [], [], []],
        ["1", [], [], []],
        [1, [bytes(32)], [], []],
        [1, [bytes(31), b"e"], [], []],
        [1, [bytes(32), b""], [], []],
        [1, [bytes(32), 5], [], []],
        [1, [], [bytes(3), bytes(32)], []],
        [1, [], [], [b"name", b"entry"]],
        [1, {}, [], []],
    ],
)
def test_a_body_of_another_form_is_corrupt(value: object) -> None:
    """What has a right checksum and is no record is Corrupt."""
    with pytest.raises(Corrupt) as caught:
        decode_journal_body(cbor2.dumps(value))
    assert caught.value.code == "store-entry"
    with pytest.raises(Corrupt):
        decode_journal_body(b"\xff")
