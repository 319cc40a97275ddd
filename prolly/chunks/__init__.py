"""Where bytes live: the contracts of a store, and the stores.

A store keeps immutable chunks by address and names (refs) that move by compare-and-set.
This room knows bytes, addresses and names. It must not know what a chunk means: nodes,
commits and datasets belong to the rooms above. Caching, verifying and counting are
wrappers around any store.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .caching_store import CachingStore
    from .contract import (
        CHUNK_BYTES_MAX,
        COVERAGE_REF,
        REF_NAME_BYTES_MAX,
        ChunkStore,
        ChunkWriter,
        RefLogEntry,
        RefMove,
        RefNote,
        RefStore,
        Store,
    )
    from .costs import Costs
    from .counting_store import CountingStore
    from .filling_store import Fill, FillingStore, what_is_here
    from .kept_files import KeptFile, KeptFiles
    from .local_directory import sync_directory
    from .local_maintenance import LocalMaintenance, PackFile, SweepView
    from .local_store import FORMAT_VERSION, Durability, LocalStore
    from .memory_store import MemoryStore
    from .notifying_store import NotifyingStore
    from .scratch_writer import ScratchWriter
    from .spill_file import SpillFile
    from .verifying_store import VerifyingStore
    from .wrapping_store import WrappingStore, WrappingWriter

__all__ = [
    "CHUNK_BYTES_MAX",
    "COVERAGE_REF",
    "FORMAT_VERSION",
    "REF_NAME_BYTES_MAX",
    "CachingStore",
    "ChunkStore",
    "ChunkWriter",
    "Costs",
    "CountingStore",
    "Durability",
    "Fill",
    "FillingStore",
    "KeptFile",
    "KeptFiles",
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
    "SweepView",
    "VerifyingStore",
    "WrappingStore",
    "WrappingWriter",
    "sync_directory",
    "what_is_here",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "caching_store": ("CachingStore",),
    "contract": (
        "CHUNK_BYTES_MAX",
        "COVERAGE_REF",
        "REF_NAME_BYTES_MAX",
        "ChunkStore",
        "ChunkWriter",
        "RefLogEntry",
        "RefMove",
        "RefNote",
        "RefStore",
        "Store",
    ),
    "costs": ("Costs",),
    "counting_store": ("CountingStore",),
    "filling_store": ("Fill", "FillingStore", "what_is_here"),
    "kept_files": (
        "KeptFile",
        "KeptFiles",
    ),
    "local_directory": ("sync_directory",),
    "local_maintenance": (
        "LocalMaintenance",
        "PackFile",
        "SweepView",
    ),
    "local_store": (
        "FORMAT_VERSION",
        "Durability",
        "LocalStore",
    ),
    "memory_store": ("MemoryStore",),
    "notifying_store": ("NotifyingStore",),
    "scratch_writer": ("ScratchWriter",),
    "spill_file": ("SpillFile",),
    "verifying_store": ("VerifyingStore",),
    "wrapping_store": (
        "WrappingStore",
        "WrappingWriter",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> _typing.Any:
    """Load the module that defines a name of this room, and keep the name."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
