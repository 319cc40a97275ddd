"""prolly: a versioned store for datasets, embedded, that synchronises.

>>> import prolly
>>> repo = prolly.init(path)
>>> with repo.transaction("main", message="first") as tx:
...     tx.map("settings")["theme"] = "dark"
>>> repo.at("main").map("settings")["theme"]
'dark'
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .api import Repository, clone, init, new_id, open
    from .codec import Address, FileEntry
    from .datasets import DatasetInfo
    from .errors import (
        AlreadyExists,
        Conflicted,
        Corrupt,
        Denied,
        Error,
        Invalid,
        KeyNotFound,
        LimitExceeded,
        NotFound,
        ReadOnly,
        RemoteFailed,
        Stale,
        StorageFailed,
        Unsupported,
    )
    from .maps import (
        ABSENT,
        BlobFile,
        BlobReader,
        Files,
        MutableFiles,
        MutableOrderedMap,
        OrderedMap,
    )
    from .merge import UNRESOLVED, Clash
    from .repo import (
        App,
        Blame,
        Change,
        Comparison,
        Conflict,
        Conflicts,
        DatasetChanges,
        LogEntry,
        MergeResult,
        Proof,
        RecordVersion,
        Snapshot,
        Transaction,
    )
    from .server import serve
    from .tables import Column, MutableTable, Schema, Table

__version__ = "0.1.0"

__all__ = [
    "ABSENT",
    "UNRESOLVED",
    "Address",
    "AlreadyExists",
    "App",
    "Blame",
    "BlobFile",
    "BlobReader",
    "Change",
    "Clash",
    "Column",
    "Comparison",
    "Conflict",
    "Conflicted",
    "Conflicts",
    "Corrupt",
    "DatasetChanges",
    "DatasetInfo",
    "Denied",
    "Error",
    "FileEntry",
    "Files",
    "Invalid",
    "KeyNotFound",
    "LimitExceeded",
    "LogEntry",
    "MergeResult",
    "MutableFiles",
    "MutableOrderedMap",
    "MutableTable",
    "NotFound",
    "OrderedMap",
    "Proof",
    "ReadOnly",
    "RecordVersion",
    "RemoteFailed",
    "Repository",
    "Schema",
    "Snapshot",
    "Stale",
    "StorageFailed",
    "Table",
    "Transaction",
    "Unsupported",
    "clone",
    "init",
    "new_id",
    "open",
    "serve",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "api": ("Repository", "clone", "init", "new_id", "open"),
    "codec": ("Address", "FileEntry"),
    "datasets": ("DatasetInfo",),
    "errors": (
        "AlreadyExists",
        "Conflicted",
        "Corrupt",
        "Denied",
        "Error",
        "Invalid",
        "KeyNotFound",
        "LimitExceeded",
        "NotFound",
        "ReadOnly",
        "RemoteFailed",
        "Stale",
        "StorageFailed",
        "Unsupported",
    ),
    "maps": (
        "ABSENT",
        "BlobFile",
        "BlobReader",
        "Files",
        "MutableFiles",
        "MutableOrderedMap",
        "OrderedMap",
    ),
    "merge": ("UNRESOLVED", "Clash"),
    "repo": (
        "App",
        "Blame",
        "Change",
        "Comparison",
        "Conflict",
        "Conflicts",
        "DatasetChanges",
        "LogEntry",
        "MergeResult",
        "Proof",
        "RecordVersion",
        "Snapshot",
        "Transaction",
    ),
    "server": ("serve",),
    "tables": ("Column", "MutableTable", "Schema", "Table"),
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
