"""The suite that every store passes: each line of the contract as a test.

A backend's test module defines a subclass named ``Test...``::

    class TestMyStore(StoreSuite):
        def make_store(self, directory):
            return MyStore(directory)

        def write_raw(self, store, address, chunk):
            ...

``write_raw`` is the way in that goes around the store: it leaves other bytes under an
address, as a failing disk would.
"""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from prolly.chunks import RefMove, RefNote, Store, VerifyingStore
from prolly.codec import address_of
from prolly.errors import Corrupt, Stale

from .chunk_checks import ChunkChecks, numbered
from .ref_checks import RefChecks

_Batch = tuple[list[bytes], dict[str, bytes | None]]

_NAMES = strategies.sampled_from(["a", "a/b", "ab", "branches/main", "ä"])
_CHUNKS = strategies.lists(strategies.binary(min_size=1, max_size=40), max_size=4)
_TARGETS = strategies.sampled_from([None, *(bytes([n]) * 32 for n in range(3))])
_BATCHES = strategies.lists(
    strategies.tuples(_CHUNKS, strategies.dictionaries(_NAMES, _TARGETS, max_size=3)),
    max_size=6,
)


class StoreSuite(ChunkChecks, RefChecks):
    """All checks of a store. Subclass it and say how a store is made."""

    @abstractmethod
    def make_store(self, directory: Path) -> Store:
        """Return a new, empty store; ``directory`` is empty and its own."""

    @abstractmethod
    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        """Put other bytes under an address, going around the store."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """A new store for one test."""
        store = self.make_store(tmp_path)
        yield store
        store.close()

    def test_equals_plain_dictionaries(self) -> None:
        """Any run of commits leaves what plain dictionaries would hold."""

        # Made anew for each subclass: one property may not belong to several.
        @settings(max_examples=20, deadline=None)
        @given(batches=_BATCHES)
        def law(batches: list[_Batch]) -> None:
            with tempfile.TemporaryDirectory() as directory:
                store = self.make_store(Path(directory))
                _compare_with_dictionaries(store, batches)
                store.close()

        law()

    @pytest.mark.parametrize("count", [1, 300])
    def test_lost_race_keeps_the_batch(self, store: Store, count: int) -> None:
        """After Stale for a moved ref the writer goes on, and may commit otherwise."""
        store.move_refs([RefMove("main", None, b"\1" * 32)])
        chunks = numbered(count, 4000)
        writer = store.writer()
        addresses = writer.put_many(chunks)
        for _ in range(2):
            with pytest.raises(Stale):
                writer.commit([RefMove("main", None, addresses[0])])
        assert [writer.get(address) for address in addresses] == chunks
        addresses.append(writer.put(b"one more"))
        writer.commit([RefMove("main", b"\1" * 32, addresses[0])])
        assert store.read_ref("main") == addresses[0]
        assert store.get_many(addresses) == [*chunks, b"one more"]

    def test_rejected_commit_leaves_no_chunk(self, store: Store) -> None:
        """Stale rejects the whole batch: its chunks and its other moves too."""
        writer = store.writer()
        address = writer.put(b"rejected")
        moves = [RefMove("good", None, address), RefMove("bad", b"\1" * 32, address)]
        with pytest.raises(Stale):
            writer.commit(moves)
        assert store.get(address) is None
        assert store.read_ref("good") is None
        assert store.sequence() == 0

    def test_chunk_and_ref_appear_together(self, store: Store) -> None:
        """One commit adds the chunk and moves the ref to it."""
        with store.writer() as writer:
            address = writer.put(b"commit")
            moves = [RefMove("branches/main", None, address)]
            assert writer.commit(moves, RefNote("ann", "first", 7)) == 1
        assert store.get(address) == b"commit"
        assert store.read_ref("branches/main") == address

    def test_damage_is_found_by_its_address(self, store: Store) -> None:
        """Other bytes under an address are refused by the verifying wrapper."""
        with store.writer() as writer:
            address = writer.put(b"as it was written")
            writer.commit()
        self.write_raw(store, address, b"as it was wrItten")
        with pytest.raises(Corrupt) as caught:
            VerifyingStore(store).get(address)
        assert address_of(b"as it was written") == address
        assert caught.value.address == address


def _compare_with_dictionaries(store: Store, batches: list[_Batch]) -> None:
    """Commit each batch, then compare everything that can be read."""
    chunks: dict[bytes, bytes] = {}
    refs: dict[str, bytes] = {}
    moved: list[tuple[int, str]] = []
    sequence = 0
    for added, targets in batches:
        moves = [RefMove(name, refs.get(name), new) for name, new in targets.items()]
        writer = store.writer()
        chunks.update(zip(writer.put_many(added), added, strict=True))
        changed = [move for move in moves if move.old != move.new]
        sequence += bool(changed)
        assert writer.commit(moves) == sequence
        for move in changed:
            moved.append((sequence, move.name))
            refs.pop(move.name, None)
            if move.new is not None:
                refs[move.name] = move.new
    assert list(store.iter_addresses()) == sorted(chunks)
    assert store.get_many(list(chunks)) == list(chunks.values())
    assert dict(store.iter_refs()) == refs
    log = [(entry.sequence, entry.name) for entry in store.iter_log()]
    assert log == moved[::-1]
