"""Blobs under edit: a bytearray's content, the root of a fresh write, few chunks."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from prolly.chunks import MemoryStore
from prolly.errors import Invalid, LimitExceeded
from prolly.maps import BlobEdit, blob_edit, read_blob, write_blob
from prolly.maps.blob_edit import BLOB_BYTES_MAX, SPANS_MAX

FILLER = random.Random(11).randbytes(3_000_000)


class EditMachine(RuleBasedStateMachine):
    """Writes, insertions, cuts and appends, beside a bytearray."""

    bound = blob_edit.WAITING_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self.writer = MemoryStore().writer()
        self.edit = BlobEdit(self.writer, None)
        self.model = bytearray()

    @rule(at=st.floats(0, 1), size=st.integers(0, 200_000))
    def write(self, at: float, size: int) -> None:
        """Write over what stands somewhere."""
        place = int(at * len(self.model))
        self.edit.write(place, FILLER[:size])
        self.model[place : place + size] = FILLER[:size]

    @rule(size=st.integers(1, 400_000), times=st.integers(1, 8))
    def append(self, size: int, times: int) -> None:
        """Write at the end, several times."""
        for _ in range(times):
            self.edit.write(len(self.model), FILLER[-size:])
            self.model += FILLER[-size:]

    @rule(at=st.floats(0, 1), width=st.integers(0, 300_000), size=st.integers(0, 9))
    def replace(self, at: float, width: int, size: int) -> None:
        """Put something of another length in a place."""
        start = int(at * len(self.model))
        stop = min(start + width, len(self.model))
        self.edit.replace(start, stop, FILLER[:size])
        self.model[start:stop] = FILLER[:size]

    @rule(less=st.integers(0, 3) | st.integers(0, 500_000))
    def cut_off(self, less: int) -> None:
        """Cut the end off."""
        size = max(len(self.model) - less, 0)
        self.edit.resize(size)
        del self.model[size:]

    @rule(more=st.integers(0, 100_000))
    def grow(self, more: int) -> None:
        """Fill the end with zeros."""
        self.edit.resize(len(self.model) + more)
        self.model += bytes(more)

    @rule(at=st.floats(0, 1), size=st.integers(0, 300_000))
    def read(self, at: float, size: int) -> None:
        """A range reads as the model's."""
        start = int(at * len(self.model))
        stop = min(start + size, len(self.model))
        found = b"".join(self.edit.iter_range(start, stop))
        assert found == self.model[start:stop]

    @rule()
    def store(self) -> None:
        """What is stored is what a fresh write stores, and all of it is there."""
        reference = self.edit.store()
        assert reference == write_blob(MemoryStore().writer(), bytes(self.model))
        assert read_blob(self.writer.get, reference) == self.model

    @invariant()
    def has_length(self) -> None:
        """The length is always known."""
        assert self.edit.length == len(self.model)

    def teardown(self) -> None:
        """Every history ends with a look at the root."""
        self.store()


class CrampedMachine(EditMachine):
    """The same with a bound so low that waiting bytes become a base all the time."""

    bound = 70_000

    def __init__(self) -> None:
        super().__init__()
        blob_edit.WAITING_BYTES_MAX = self.bound

    def teardown(self) -> None:
        """Give the bound back."""
        super().teardown()
        blob_edit.WAITING_BYTES_MAX = EditMachine.bound


TestEdits = EditMachine.TestCase
TestEdits.settings = settings(max_examples=40, stateful_step_count=20)
TestCrampedEdits = CrampedMachine.TestCase
TestCrampedEdits.settings = settings(max_examples=60, stateful_step_count=20)


@settings(max_examples=10)
@given(st.lists(st.integers(0, 2_999_999), max_size=30), st.booleans())
def test_scattered_writes_equal_a_fresh_write(places: list[int], cramped: bool) -> None:
    """Writes all over a stored value, with few and with many spans waiting."""
    writer = MemoryStore().writer()
    edit = BlobEdit(writer, write_blob(writer, FILLER))
    model = bytearray(FILLER)
    for place in places:
        edit.write(place, b"here")
        model[place : place + 4] = b"here"
    assert edit.store() == write_blob(writer, bytes(model))


def test_many_small_writes_stay_bounded() -> None:
    """More places than spans may wait: they become a base, and nothing is lost."""
    writer = MemoryStore().writer()
    edit = BlobEdit(writer, write_blob(writer, FILLER))
    model = bytearray(FILLER)
    for place in range(0, 2_000_000, 2_000_000 // (SPANS_MAX * 2)):
        edit.write(place, b"?")
        model[place] = ord("?")
    assert edit.store() == write_blob(writer, bytes(model))


def test_a_long_append_writes_each_piece_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Streaming in leaves no garbage: what was written is what can be reached."""
    monkeypatch.setattr(blob_edit, "TAIL_PIECES_MAX", 20)
    store, plain = MemoryStore(), MemoryStore()
    value = FILLER * 6
    with store.writer() as writer, plain.writer() as other:
        edit = BlobEdit(writer, None)
        for at in range(0, len(value), 100_000):
            edit.write(at, value[at : at + 100_000])
        assert edit.store() == write_blob(other, value)
        writer.commit()
        other.commit()
    assert set(store.iter_addresses()) == set(plain.iter_addresses())


def test_a_gap_is_zeros() -> None:
    """Writing behind the end fills what is between."""
    edit = BlobEdit(MemoryStore().writer(), None)
    edit.write(3_000_000, b"end")
    assert b"".join(edit.iter_range(0, edit.length)) == bytes(3_000_000) + b"end"


def test_one_byte_past_the_longest_blob_is_refused() -> None:
    """LimitExceeded blob-too-long, and nothing changes."""
    edit = BlobEdit(MemoryStore().writer(), None)
    for change in (
        lambda: edit.write(BLOB_BYTES_MAX + 1, b"x"),
        lambda: edit.resize(BLOB_BYTES_MAX + 1),
    ):
        with pytest.raises(LimitExceeded) as caught:
            change()
        assert caught.value.code == "blob-too-long"
    assert edit.length == 0


def test_a_closed_edit_refuses_everything() -> None:
    """Invalid closed, from each method."""
    edit = BlobEdit(MemoryStore().writer(), None)
    edit.close()
    edit.close()
    calls: list[Any] = [
        lambda: edit.write(0, b"x"),
        lambda: edit.resize(1),
        lambda: edit.replace(0, 0, b"x"),
        lambda: list(edit.iter_range(0, 0)),
        edit.store,
    ]
    for call in calls:
        with pytest.raises(Invalid) as caught:
            call()
        assert caught.value.code == "closed"
