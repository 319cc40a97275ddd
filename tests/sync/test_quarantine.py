"""Quarantine: what was received is kept, and given back as it came."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import KeptFiles, LocalStore, MemoryStore
from prolly.codec import address_of
from prolly.errors import Stale
from prolly.sync.quarantine import Quarantine


def opened(store: MemoryStore | LocalStore) -> Quarantine:
    """Return the quarantine of one upload."""
    return Quarantine.of_upload(store, b"upload")


@given(st.integers(0, 2**32), st.lists(st.integers(0, 299), max_size=60))
def test_chunks_come_back_in_the_order_asked(seed: int, asked: list[int]) -> None:
    """Whatever lies beside what in the file, written or not; unknown ones are None."""
    source = random.Random(seed)
    chunks = [source.randbytes(source.randrange(1, 3000)) for _ in range(200)]
    addresses = [address_of(chunk) for chunk in chunks]
    quarantine = opened(MemoryStore())
    for address, chunk in zip(addresses, chunks, strict=True):
        quarantine.put(address, chunk)
        quarantine.put(address, chunk)
    assert len(quarantine) == len(set(addresses))
    known = {number: (addresses[number], chunks[number]) for number in range(200)}
    wanted = [known.get(number, (bytes(32), None)) for number in asked]
    found = quarantine.get_many([address for address, _ in wanted])
    assert found == [chunk for _, chunk in wanted]
    assert quarantine.get(bytes(32)) is None
    assert quarantine.get(addresses[7]) == chunks[7]


def test_what_is_left_is_found_again(tmp_path: Path) -> None:
    """After a close all chunks, after a torn write all whole ones."""
    store = LocalStore.create(tmp_path / "store")
    chunks = [bytes([number]) * 5000 for number in range(50)]
    first = opened(store)
    for chunk in chunks:
        first.put(address_of(chunk), chunk)
    with pytest.raises(Stale) as caught:
        opened(store)
    assert caught.value.code == "upload-busy"
    first.close()
    (file,) = [
        one
        for one in (tmp_path / "store").glob("tmp/kept/*c")
        if one.stat().st_size > 50 * 5000
    ]
    with file.open("r+b") as torn:
        torn.truncate(file.stat().st_size - 17)
    again = opened(store)
    found = again.get_many([address_of(chunk) for chunk in chunks])
    assert found == [*chunks[:-1], None]
    again.put(address_of(chunks[-1]), chunks[-1])
    assert again.get(address_of(chunks[-1])) == chunks[-1]
    again.remove()
    assert KeptFiles(store).open("x") is not None
    assert len(opened(store)) == 0
    store.close()
