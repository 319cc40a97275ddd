"""The repository: datasets, transactions, working state, versions and what differs.

This room puts the rooms below together. It must not know of the network, of plain
files, or of the command line.
"""

from .blame import Blame
from .changes import Change, Comparison, DatasetChanges
from .commit_log import LogEntry
from .config import CONFIG_VALUE_BYTES_MAX, SETTINGS, Config, Setting
from .dataset import DatasetInfo
from .location import STORE_DIRECTORY, find_repository
from .proof import PROOF_BYTES_MAX, Proof
from .reads import (
    RANGES_APART,
    READ_KEYS_MAX,
    READ_RANGES_MAX,
    Reads,
    RecordedReads,
)
from .record_history import RecordVersion
from .ref_names import RefNames
from .repository import (
    DEFAULT_BRANCH,
    Repository,
    Revision,
    begin_history,
    create_repository,
    create_store,
    open_repository,
    open_store,
)
from .selection import Selection
from .snapshot import Snapshot
from .stash import Stash, StashEntry
from .transaction import COMMIT_ATTEMPTS_MAX, ISOLATIONS, Isolation, Transaction
from .upkeep import INLINE_BYTES_WORTH_MOVING, with_upkeep
from .working_area import WorkingArea
from .workspace import Workspace

__all__ = [
    "COMMIT_ATTEMPTS_MAX",
    "CONFIG_VALUE_BYTES_MAX",
    "DEFAULT_BRANCH",
    "INLINE_BYTES_WORTH_MOVING",
    "ISOLATIONS",
    "PROOF_BYTES_MAX",
    "RANGES_APART",
    "READ_KEYS_MAX",
    "READ_RANGES_MAX",
    "SETTINGS",
    "STORE_DIRECTORY",
    "Blame",
    "Change",
    "Comparison",
    "Config",
    "DatasetChanges",
    "DatasetInfo",
    "Isolation",
    "LogEntry",
    "Proof",
    "Reads",
    "RecordVersion",
    "RecordedReads",
    "RefNames",
    "Repository",
    "Revision",
    "Selection",
    "Setting",
    "Snapshot",
    "Stash",
    "StashEntry",
    "Transaction",
    "WorkingArea",
    "Workspace",
    "begin_history",
    "create_repository",
    "create_store",
    "find_repository",
    "open_repository",
    "open_store",
    "with_upkeep",
]
