"""prolly: a versioned store for datasets, embedded, that synchronises.

>>> import prolly
>>> repo = prolly.init(path)
>>> with repo.transaction("main", message="first") as tx:
...     tx.map("settings")["theme"] = "dark"
>>> repo.at("main").map("settings")["theme"]
'dark'
"""

from .api import Repository, init, new_id, open
from .codec import Address, FileEntry
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
from .repo import (
    Blame,
    Change,
    Comparison,
    DatasetChanges,
    DatasetInfo,
    LogEntry,
    Proof,
    RecordVersion,
    Snapshot,
    Transaction,
)
from .tables import Column, MutableTable, Schema, Table

__version__ = "0.1.0"

__all__ = [
    "ABSENT",
    "Address",
    "AlreadyExists",
    "Blame",
    "BlobFile",
    "BlobReader",
    "Change",
    "Column",
    "Comparison",
    "Conflicted",
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
    "init",
    "new_id",
    "open",
]
