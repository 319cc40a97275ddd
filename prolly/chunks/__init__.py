"""Where bytes live: the contracts of a store, and the stores.

A store keeps immutable chunks by address and names (refs) that move by compare-and-set.
This room knows bytes, addresses and names. It must not know what a chunk means: nodes,
commits and datasets belong to the rooms above. Caching, verifying and counting are
wrappers around any store.
"""

from __future__ import annotations

import typing as _typing

from .caching_store import CachingStore
from .contract import (
    CHUNK_BYTES_MAX,
    REF_NAME_BYTES_MAX,
    ChunkStore,
    ChunkWriter,
    RefLogEntry,
    RefMove,
    RefNote,
    RefStore,
    Store,
)
from .counting_store import CountingStore, StoreCounts
from .local_store import FORMAT_VERSION, Durability, LocalStore
from .memory_store import MemoryStore
from .notifying_store import NotifyingStore
from .scratch_writer import ScratchWriter
from .spill_file import SpillFile
from .verifying_store import VerifyingStore
from .wrapping_store import WrappingStore, WrappingWriter

if _typing.TYPE_CHECKING:
    from .local_maintenance import LocalMaintenance, PackFile, SweepView

__all__ = [
    "CHUNK_BYTES_MAX",
    "FORMAT_VERSION",
    "REF_NAME_BYTES_MAX",
    "CachingStore",
    "ChunkStore",
    "ChunkWriter",
    "CountingStore",
    "Durability",
    "LocalMaintenance",
    "LocalStore",
    "MemoryStore",
    "NotifyingStore",
    "PackFile",
    "RefLogEntry",
    "RefMove",
    "RefNote",
    "RefStore",
    "ScratchWriter",
    "SpillFile",
    "Store",
    "StoreCounts",
    "SweepView",
    "VerifyingStore",
    "WrappingStore",
    "WrappingWriter",
]

_LATE = ("LocalMaintenance", "PackFile", "SweepView")


def __getattr__(name: str) -> _typing.Any:
    """Load what only jobs over a whole store use: it is felt when a program starts."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import local_maintenance

    return getattr(local_maintenance, name)
