"""The repository: datasets, transactions, working state, versions and what differs.

This room puts the rooms below together. It must not know of the network, of plain
files, or of the command line.
"""

from .changes import Change, Comparison, DatasetChanges
from .commit_log import LogEntry
from .dataset import DatasetInfo
from .location import STORE_DIRECTORY, find_repository
from .proof import PROOF_BYTES_MAX, Proof
from .ref_names import RefNames
from .repository import (
    DEFAULT_BRANCH,
    Repository,
    Revision,
    begin_history,
    create_repository,
    open_repository,
)
from .snapshot import Snapshot
from .transaction import COMMIT_ATTEMPTS_MAX, Transaction
from .working_area import WorkingArea
from .workspace import Workspace

__all__ = [
    "COMMIT_ATTEMPTS_MAX",
    "DEFAULT_BRANCH",
    "STORE_DIRECTORY",
    "PROOF_BYTES_MAX",
    "Change",
    "Comparison",
    "DatasetChanges",
    "DatasetInfo",
    "LogEntry",
    "Proof",
    "RefNames",
    "Repository",
    "Revision",
    "Snapshot",
    "Transaction",
    "WorkingArea",
    "Workspace",
    "begin_history",
    "create_repository",
    "find_repository",
    "open_repository",
]
