"""The part of the store suite that is about chunks and writers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from prolly.chunks import CHUNK_BYTES_MAX, ChunkWriter, Store
from prolly.codec import address_of
from prolly.errors import Invalid, LimitExceeded

ABSENT = b"\xee" * 32


def add(store: Store, *chunks: bytes) -> list[bytes]:
    """Commit chunks and return their addresses."""
    with store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return addresses


def numbered(count: int, size: int = 40) -> list[bytes]:
    """Return distinct chunks of a size."""
    return [number.to_bytes(4, "big") * (size // 4) for number in range(1, count + 1)]


class ChunkChecks:
    """Chunks come back as they were written, and only after their commit."""

    def test_get_returns_what_was_put(self, store: Store) -> None:
        """A chunk comes back under the BLAKE3-256 of its bytes."""
        (address,) = add(store, b"a chunk")
        assert address == address_of(b"a chunk")
        assert store.get(address) == b"a chunk"

    def test_absent_chunk_is_none(self, store: Store) -> None:
        """What was never written is None, alone and among others."""
        (address,) = add(store, b"here")
        assert store.get(ABSENT) is None
        assert store.get_many([ABSENT, address]) == [None, b"here"]
        assert store.contains_many([ABSENT, address]) == [False, True]

    def test_many_keep_the_order_asked(self, store: Store) -> None:
        """get_many and contains_many answer in order, repetitions included."""
        one, two = add(store, b"one", b"two")
        asked = [two, ABSENT, one, two]
        assert store.get_many(asked) == [b"two", None, b"one", b"two"]
        assert store.contains_many(asked) == [True, False, True, True]
        assert store.get_many([]) == []
        assert store.contains_many([]) == []

    def test_put_many_is_put_for_each(self, store: Store) -> None:
        """put_many returns an address for each chunk, repetitions included."""
        chunks = [b"x", b"y", b"x"]
        with store.writer() as writer:
            assert writer.put_many(iter(chunks)) == [address_of(c) for c in chunks]
            assert [writer.put(chunk) for chunk in chunks] == writer.put_many(chunks)
            writer.commit()
        assert len(list(store.iter_addresses())) == 2

    def test_chunk_sizes(self, store: Store) -> None:
        """One byte and the limit are stored; none and one past it are refused."""
        largest = b"\7" * CHUNK_BYTES_MAX
        with store.writer() as writer:
            with pytest.raises(Invalid):
                writer.put(b"")
            with pytest.raises(LimitExceeded):
                writer.put(largest + b"\7")
            with pytest.raises(LimitExceeded):
                writer.put_many([largest + b"\7"])
            addresses = writer.put_many([b"\7", largest])
            assert writer.get(addresses[1]) == largest
            writer.commit()
        assert store.get_many(addresses) == [b"\7", largest]

    def test_batch_is_invisible_before_commit(self, store: Store) -> None:
        """The writer sees its own chunks and the store's; others see neither."""
        (old,) = add(store, b"old")
        with store.writer() as writer:
            new = writer.put(b"new")
            assert (writer.get(new), writer.get(old)) == (b"new", b"old")
            assert writer.get(ABSENT) is None
            assert store.get(new) is None
            assert store.contains_many([new]) == [False]
            writer.commit()
        assert store.get(new) == b"new"

    def test_abort_forgets(self, store: Store) -> None:
        """Neither abort nor leaving the block keeps anything."""
        with store.writer() as writer:
            left = writer.put(b"left")
        aborted_writer = store.writer()
        aborted = aborted_writer.put(b"aborted")
        aborted_writer.abort()
        aborted_writer.abort()
        assert store.get_many([left, aborted]) == [None, None]
        assert list(store.iter_addresses()) == []

    @pytest.mark.parametrize("ending", ["commit", "abort"])
    def test_ended_writer_is_closed(self, store: Store, ending: str) -> None:
        """After commit or abort every call but abort raises Invalid closed."""
        writer = store.writer()
        address = writer.put(b"x")
        getattr(writer, ending)()
        self._assert_closed(writer, address)
        writer.abort()

    @staticmethod
    def _assert_closed(writer: ChunkWriter, address: bytes) -> None:
        for call in (
            lambda: writer.put(b"y"),
            lambda: writer.put_many([b"y"]),
            lambda: writer.get(address),
            lambda: writer.commit(),
        ):
            with pytest.raises(Invalid) as caught:
                call()
            assert caught.value.code == "closed"

    def test_same_chunk_is_kept_once(self, store: Store) -> None:
        """Writing a chunk again, in one batch or another, changes nothing."""
        (first,) = add(store, b"same")
        assert add(store, b"same", b"same") == [first, first]
        assert list(store.iter_addresses()) == [first]

    def test_addresses_come_in_order(self, store: Store) -> None:
        """iter_addresses is sorted, and a prefix bounds it, in any number."""
        addresses = sorted(add(store, *numbered(2500)))
        assert list(store.iter_addresses()) == addresses
        for length in (1, 2, 32):
            prefix = addresses[1234][:length]
            chosen = [a for a in addresses if a.startswith(prefix)]
            assert list(store.iter_addresses(prefix)) == chosen
        assert list(store.iter_addresses(b"\xff" * 33)) == []

    def test_addresses_while_the_store_changes(self, store: Store) -> None:
        """An iterator survives commits made while it is advanced."""
        addresses = sorted(add(store, *numbered(1500)))
        iterator = store.iter_addresses()
        seen = [next(iterator)]
        add(store, b"meanwhile")
        seen += iterator
        assert set(addresses) <= set(seen)
        assert seen == sorted(seen)

    def test_large_batch(self, store: Store) -> None:
        """A batch of many megabytes can be read back, before and after its commit."""
        chunks = numbered(600, 8000)
        with store.writer() as writer:
            addresses = writer.put_many(chunks[:500])
            addresses += [writer.put(chunk) for chunk in chunks[500:]]
            assert [writer.get(address) for address in addresses] == chunks
            assert store.contains_many(addresses) == [False] * len(chunks)
            writer.commit()
        assert store.get_many(addresses) == chunks
        assert [store.get(address) for address in addresses[::50]] == chunks[::50]

    def test_threads_read_and_write_at_once(self, store: Store) -> None:
        """Each thread finds its own chunks and those of the others."""
        chunks = numbered(40)

        def work(part: int) -> list[bytes | None]:
            addresses = add(store, *chunks[part::4])
            return store.get_many(addresses)

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(work, range(4)))
        assert results == [chunks[part::4] for part in range(4)]
        assert len(list(store.iter_addresses())) == len(chunks)
