"""The repository: datasets, transactions, working state, versions and what differs.

This room puts the rooms below together. It must not know of the network, of plain
files, or of the command line.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .absences import Absences, absences_of
    from .app import App
    from .bisecting import Bisect, BisectMark, BisectState
    from .blame import Blame
    from .branch_moves import COMMIT_ATTEMPTS_MAX
    from .change import Change
    from .changes import Comparison, DatasetChanges
    from .commit_log import LogEntry
    from .config import CONFIG_VALUE_BYTES_MAX, SETTINGS, Config, Setting
    from .conflict import CHOICES, SIDES, Choice, Conflict, Kind, Side
    from .conflict_words import conflict_words
    from .coverage import absent, coverage_at, read_coverage, shallow_commits
    from .covered import iter_uncovered, require_covered, versions_here
    from .current_branch import read_current_branch
    from .local_datasets import require_committed
    from .location import STORE_DIRECTORY, find_repository, refuse_address
    from .merge_result import MergeResult
    from .merging import MergeSnapshots
    from .opening import (
        begin_history,
        create_repository,
        create_store,
        open_repository,
        open_store,
    )
    from .policy_changes import PolicyChange
    from .presence import Presence
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
    from .remotes import (
        REMOTE_NAME_BYTES_MAX,
        REMOTE_URL_BYTES_MAX,
        REMOTES_MAX,
        Remotes,
    )
    from .replay_result import ReplayResult
    from .repository import DEFAULT_BRANCH, Repository, Revision
    from .restoring import restore
    from .selection import Selection
    from .settling import Conflicts
    from .shared import shared_repository
    from .snapshot import Snapshot
    from .stash import Stash, StashEntry
    from .storage import Storage
    from .takes import Take
    from .transaction import ISOLATIONS, Isolation, Transaction
    from .upkeep import INLINE_BYTES_WORTH_MOVING, with_upkeep
    from .waiting_merge import SETTLED_LISTED_MAX, WAITING
    from .working_area import WorkingArea
    from .workspace import Workspace

__all__ = [
    "CHOICES",
    "COMMIT_ATTEMPTS_MAX",
    "CONFIG_VALUE_BYTES_MAX",
    "DEFAULT_BRANCH",
    "INLINE_BYTES_WORTH_MOVING",
    "ISOLATIONS",
    "PROOF_BYTES_MAX",
    "RANGES_APART",
    "READ_KEYS_MAX",
    "READ_RANGES_MAX",
    "REMOTES_MAX",
    "REMOTE_NAME_BYTES_MAX",
    "REMOTE_URL_BYTES_MAX",
    "SETTINGS",
    "SETTLED_LISTED_MAX",
    "SIDES",
    "STORE_DIRECTORY",
    "WAITING",
    "Absences",
    "App",
    "Bisect",
    "BisectMark",
    "BisectState",
    "Blame",
    "Change",
    "Choice",
    "Comparison",
    "Config",
    "Conflict",
    "Conflicts",
    "DatasetChanges",
    "Isolation",
    "Kind",
    "LogEntry",
    "MergeResult",
    "MergeSnapshots",
    "PolicyChange",
    "Presence",
    "Proof",
    "Reads",
    "RecordVersion",
    "RecordedReads",
    "RefNames",
    "Remotes",
    "ReplayResult",
    "Repository",
    "Revision",
    "Selection",
    "Setting",
    "Side",
    "Snapshot",
    "Stash",
    "StashEntry",
    "Storage",
    "Take",
    "Transaction",
    "WorkingArea",
    "Workspace",
    "absences_of",
    "absent",
    "begin_history",
    "conflict_words",
    "coverage_at",
    "create_repository",
    "create_store",
    "find_repository",
    "iter_uncovered",
    "open_repository",
    "open_store",
    "read_coverage",
    "read_current_branch",
    "refuse_address",
    "require_committed",
    "require_covered",
    "restore",
    "shallow_commits",
    "shared_repository",
    "versions_here",
    "with_upkeep",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "absences": ("Absences", "absences_of"),
    "app": ("App",),
    "bisecting": ("Bisect", "BisectMark", "BisectState"),
    "blame": ("Blame",),
    "branch_moves": ("COMMIT_ATTEMPTS_MAX",),
    "change": ("Change",),
    "changes": ("Comparison", "DatasetChanges"),
    "commit_log": ("LogEntry",),
    "config": ("CONFIG_VALUE_BYTES_MAX", "SETTINGS", "Config", "Setting"),
    "coverage": ("absent", "coverage_at", "read_coverage", "shallow_commits"),
    "covered": ("iter_uncovered", "require_covered", "versions_here"),
    "current_branch": ("read_current_branch",),
    "local_datasets": ("require_committed",),
    "location": ("STORE_DIRECTORY", "find_repository", "refuse_address"),
    "conflict": ("CHOICES", "SIDES", "Choice", "Conflict", "Kind", "Side"),
    "conflict_words": ("conflict_words",),
    "merge_result": ("MergeResult",),
    "merging": ("MergeSnapshots",),
    "presence": ("Presence",),
    "settling": ("Conflicts",),
    "waiting_merge": ("SETTLED_LISTED_MAX", "WAITING"),
    "opening": (
        "begin_history",
        "create_repository",
        "create_store",
        "open_repository",
        "open_store",
    ),
    "policy_changes": ("PolicyChange",),
    "proof": ("PROOF_BYTES_MAX", "Proof"),
    "reads": (
        "RANGES_APART",
        "READ_KEYS_MAX",
        "READ_RANGES_MAX",
        "Reads",
        "RecordedReads",
    ),
    "record_history": ("RecordVersion",),
    "ref_names": ("RefNames",),
    "remotes": (
        "REMOTES_MAX",
        "REMOTE_NAME_BYTES_MAX",
        "REMOTE_URL_BYTES_MAX",
        "Remotes",
    ),
    "replay_result": ("ReplayResult",),
    "restoring": ("restore",),
    "repository": ("DEFAULT_BRANCH", "Repository", "Revision"),
    "selection": ("Selection",),
    "shared": ("shared_repository",),
    "snapshot": ("Snapshot",),
    "stash": ("Stash", "StashEntry"),
    "storage": ("Storage",),
    "takes": ("Take",),
    "transaction": ("ISOLATIONS", "Isolation", "Transaction"),
    "upkeep": ("INLINE_BYTES_WORTH_MOVING", "with_upkeep"),
    "working_area": ("WorkingArea",),
    "workspace": ("Workspace",),
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
