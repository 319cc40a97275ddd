"""The tables of a local store's index, and the settings that are the store's own.

    chunks     address -> inline chunk, or pack number, offset and length
    packs      pack number (u32 big-endian) -> hash, and hash -> number
    refs       name -> address
    log        sequence and position -> one move of one ref
    log-names  name, 00, sequence and position -> nothing
    settings   name -> bytes

The bytes of entries are those of ``prolly.codec.store_entry``.
"""

from __future__ import annotations

from prolly.errors import Corrupt

CHUNKS = b"chunks"
PACKS = b"packs"
REFS = b"refs"
LOG = b"log"
LOG_NAMES = b"log-names"
SETTINGS = b"settings"
TABLES = (CHUNKS, PACKS, REFS, LOG, LOG_NAMES, SETTINGS)

FORMAT = b"store.format"
GC_EPOCH = b"store.gc-epoch"
# The generation of the journal: how many times it was taken into the index.
JOURNAL = b"store.journal"
NEXT_PACK = b"store.next-pack"
SEQUENCE = b"store.sequence"

# Commits that brought chunks and pointed no ref at anything: gc notices them by it.
UNNAMED = b"store.unnamed"


def pack_key(number: int) -> bytes:
    """Return the key of a pack's number in the table of packs."""
    if not 0 < number < 2**32:
        raise Corrupt(f"pack number {number}", code="store-entry")
    return number.to_bytes(4, "big")
