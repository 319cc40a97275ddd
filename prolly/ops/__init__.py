"""Jobs over whole datasets and repositories: plain files in and out, space, checks.

A job reads or writes everything there is, with bounded memory. This room must not know
of servers, clients or the command line, and it prints nothing.
"""

from __future__ import annotations

import typing as _typing

from .alter_table import alter_table
from .csv_losses import CsvLosses
from .export_table import export_table
from .format_names import FORMATS, format_of_name
from .import_faults import located
from .import_table import ImportResult, Missing, Types, import_table
from .plain_files import open_table, write_table
from .table_source import BATCH_ROWS, Batch, TableSource, iter_typed

if _typing.TYPE_CHECKING:
    from .chunk_graph import Share
    from .conflict_sheet import export_conflicts, import_conflicts
    from .fsck import Check, Fault, check_repository
    from .garbage import GRACE_US, GcReport, collect_garbage
    from .gc_automatic import look_after_store
    from .map_import import import_map
    from .repository_statistics import (
        DatasetStatistics,
        StoreStatistics,
        dataset_statistics,
        store_statistics,
    )

__all__ = [
    "BATCH_ROWS",
    "FORMATS",
    "GRACE_US",
    "Batch",
    "Check",
    "CsvLosses",
    "DatasetStatistics",
    "Fault",
    "GcReport",
    "ImportResult",
    "Missing",
    "Share",
    "StoreStatistics",
    "TableSource",
    "Types",
    "alter_table",
    "check_repository",
    "collect_garbage",
    "dataset_statistics",
    "export_conflicts",
    "export_table",
    "format_of_name",
    "import_conflicts",
    "import_map",
    "import_table",
    "iter_typed",
    "located",
    "look_after_store",
    "open_table",
    "store_statistics",
    "write_table",
]

# The module of each name that is loaded when it is asked for. Importing a file has no
# use for these, and how long a command takes to start is felt.
_LATE = {
    "GRACE_US": "garbage",
    "Check": "fsck",
    "DatasetStatistics": "repository_statistics",
    "Fault": "fsck",
    "GcReport": "garbage",
    "Share": "chunk_graph",
    "StoreStatistics": "repository_statistics",
    "check_repository": "fsck",
    "collect_garbage": "garbage",
    "dataset_statistics": "repository_statistics",
    "export_conflicts": "conflict_sheet",
    "import_conflicts": "conflict_sheet",
    "import_map": "map_import",
    "look_after_store": "gc_automatic",
    "store_statistics": "repository_statistics",
}


def __getattr__(name: str) -> _typing.Any:
    """Load a job that is not for plain files."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LATE[name]}", __name__), name)
