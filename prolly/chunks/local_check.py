"""Looking for damage in a local store: entries of its index, and its packs.

What chunks mean, and whether they have the bytes that their addresses promise, is for
the rooms above to check. Every fault is found; none ends the search.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from blake3 import blake3

from prolly.codec import ADDRESS_BYTES
from prolly.codec.pack import IndexEntry
from prolly.codec.store_entry import INLINE, decode_location
from prolly.errors import Corrupt, Error

from .local_directory import StoreDirectory, open_pack
from .local_index import LocalIndex
from .local_repack import LOOKUP_ENTRIES, read_pack_index
from .local_tables import CHUNKS, PACKS, REFS
from .ref_rules import fault_of_ref
from .storage_failures import unreadable

# Bytes of a pack that are hashed at once.
HASH_BLOCK_BYTES = 4 * 1024 * 1024


def iter_store_faults(
    directory: StoreDirectory, index: LocalIndex, *, full: bool
) -> Iterator[Error]:
    """Yield what is wrong, as errors that carry ``address`` or ``path``."""
    numbers: dict[int, bytes] = {}
    for key, value in index.iter_items(PACKS, b""):
        if len(key) == ADDRESS_BYTES and len(value) == 4:
            continue
        if len(key) != 4 or len(value) != ADDRESS_BYTES:
            yield Corrupt(f"a row of packs under {key.hex()}", code="store-entry")
        else:
            numbers[int.from_bytes(key, "big")] = value
    for stored, address in index.iter_items(REFS, b""):
        fault = fault_of_ref(stored, address)
        if fault is not None:
            yield fault
    yield from _entry_faults(index, numbers)
    for number, name in numbers.items():
        yield from _pack_faults(directory.pack_path(name), index, number, full)


def _entry_faults(index: LocalIndex, numbers: dict[int, bytes]) -> Iterator[Error]:
    for address, entry in index.iter_items(CHUNKS, b""):
        if len(address) != ADDRESS_BYTES:
            yield Corrupt(f"a chunk under {address.hex()}", code="store-entry")
        elif not entry or (entry[0] == INLINE and len(entry) < 2):
            yield _bad_entry(address, "an empty entry")
        elif entry[0] != INLINE:
            try:
                number = decode_location(entry)[0]
            except Corrupt as error:
                yield _bad_entry(address, error.message)
                continue
            if number not in numbers:
                yield _bad_entry(address, f"pack {number}, which has no name")


def _pack_faults(
    path: str, index: LocalIndex, number: int, full: bool
) -> Iterator[Error]:
    try:
        descriptor = open_pack(path)
    except FileNotFoundError:
        yield Corrupt("the file of a pack is missing", code="pack-missing", path=path)
        return
    except Corrupt as error:
        yield error
        return
    except OSError as error:
        yield unreadable(error, path)
        return
    try:
        yield from _open_pack_faults(descriptor, path, index, number)
        if full:
            yield from _name_faults(descriptor, path)
    finally:
        os.close(descriptor)


def _open_pack_faults(
    descriptor: int, path: str, index: LocalIndex, number: int
) -> Iterator[Error]:
    """Yield where the pack's own index is wrong, or the store's differs from it."""
    try:
        entries = read_pack_index(descriptor)
    except Error as error:
        error.facts["path"] = path
        yield error
        return
    for start in range(0, len(entries), LOOKUP_ENTRIES):
        yield from _misplaced(entries[start : start + LOOKUP_ENTRIES], index, number)


def _misplaced(
    block: list[IndexEntry], index: LocalIndex, number: int
) -> Iterator[Error]:
    found = index.chunk_entries([entry.address for entry in block])
    for address, offset, length in block:
        entry = found.get(address)
        if entry is None or len(entry) < 2 or entry[0] == INLINE:
            continue
        try:
            stands = decode_location(entry)
        except Corrupt:
            continue
        if stands[0] == number and stands != (number, offset, length):
            yield _bad_entry(address, "a place that the pack does not have")


def _name_faults(descriptor: int, path: str) -> Iterator[Error]:
    hasher = blake3()
    offset = 0
    try:
        while block := os.pread(descriptor, HASH_BLOCK_BYTES, offset):
            hasher.update(block)
            offset += len(block)
    except OSError as error:
        yield unreadable(error, path)
        return
    if os.path.basename(path) != f"{hasher.hexdigest()}.pack":
        yield Corrupt(
            "a pack does not have the bytes that its name promises",
            code="pack-name",
            path=path,
        )


def _bad_entry(address: bytes, what: str) -> Corrupt:
    return Corrupt(
        f"the index of the store says of chunk {address.hex()}: {what}",
        code="store-entry",
        address=address,
    )
