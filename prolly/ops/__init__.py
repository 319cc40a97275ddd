"""Jobs over whole datasets and repositories: plain files in and out, space, checks.

A job reads or writes everything there is, with bounded memory. This room must not know
of servers, clients or the command line, and it prints nothing.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .alter_table import alter_table
    from .bundle import BundleReport, create_bundle
    from .bundle_apply import apply_bundle
    from .bundle_check import BundleCheck, verify_bundle
    from .chunk_graph import Share
    from .conflict_sheet import export_conflicts
    from .csv_losses import CsvLosses
    from .export_table import export_table
    from .file_comparison import FileComparison, compare_files
    from .file_conflicts import write_file_conflicts
    from .file_merge import merge_files
    from .file_row_merge import FileConflict
    from .format_names import FORMATS, format_of_name
    from .fsck import Check, Fault, check_repository
    from .garbage import GRACE_US, GcReport, collect_garbage
    from .gc_automatic import look_after_store
    from .import_faults import located
    from .import_table import ImportResult, Missing, Types, import_table
    from .map_import import import_map
    from .merged_file import FileMerge
    from .output_file import replacement
    from .plain_files import open_table, write_table
    from .repository_statistics import (
        DatasetStatistics,
        StoreStatistics,
        dataset_statistics,
        store_statistics,
    )
    from .sheet_answers import import_conflicts
    from .table_source import BATCH_ROWS, Batch, TableSource, iter_typed

__all__ = [
    "BATCH_ROWS",
    "FORMATS",
    "GRACE_US",
    "Batch",
    "BundleCheck",
    "BundleReport",
    "Check",
    "CsvLosses",
    "DatasetStatistics",
    "Fault",
    "FileComparison",
    "FileConflict",
    "FileMerge",
    "GcReport",
    "ImportResult",
    "Missing",
    "Share",
    "StoreStatistics",
    "TableSource",
    "Types",
    "alter_table",
    "apply_bundle",
    "check_repository",
    "collect_garbage",
    "compare_files",
    "create_bundle",
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
    "merge_files",
    "open_table",
    "replacement",
    "store_statistics",
    "verify_bundle",
    "write_file_conflicts",
    "write_table",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "alter_table": ("alter_table",),
    "bundle": ("BundleReport", "create_bundle"),
    "bundle_apply": ("apply_bundle",),
    "bundle_check": ("BundleCheck", "verify_bundle"),
    "chunk_graph": ("Share",),
    "conflict_sheet": ("export_conflicts",),
    "sheet_answers": ("import_conflicts",),
    "csv_losses": ("CsvLosses",),
    "export_table": ("export_table",),
    "file_comparison": ("FileComparison", "compare_files"),
    "file_conflicts": ("write_file_conflicts",),
    "file_merge": ("merge_files",),
    "file_row_merge": ("FileConflict",),
    "format_names": (
        "FORMATS",
        "format_of_name",
    ),
    "fsck": (
        "Check",
        "Fault",
        "check_repository",
    ),
    "garbage": (
        "GRACE_US",
        "GcReport",
        "collect_garbage",
    ),
    "gc_automatic": ("look_after_store",),
    "import_faults": ("located",),
    "import_table": (
        "ImportResult",
        "Missing",
        "Types",
        "import_table",
    ),
    "map_import": ("import_map",),
    "merged_file": ("FileMerge",),
    "output_file": ("replacement",),
    "plain_files": (
        "open_table",
        "write_table",
    ),
    "repository_statistics": (
        "DatasetStatistics",
        "StoreStatistics",
        "dataset_statistics",
        "store_statistics",
    ),
    "table_source": (
        "BATCH_ROWS",
        "Batch",
        "TableSource",
        "iter_typed",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> _typing.Any:
    """Load the module that defines a name of this room, and keep its names."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _import_module(f".{home}", __name__)
    # All of them: one may have the name of the module, which loading it has put here.
    globals().update({one: getattr(module, one) for one in _MODULES[home]})
    return globals()[name]
