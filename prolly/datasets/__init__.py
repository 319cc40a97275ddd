"""The datasets of one version: the manifest, and what each kind of dataset is.

This room knows the tree from dataset id to descriptor, how a dataset is opened for
reading, and what two versions of tables that refer to each other must keep. It must not
know of commits, branches or transactions.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .dataset import (
        describe,
        records_of,
        require_kind,
        require_local,
        schema_of,
        stored_table,
    )
    from .dataset_info import DatasetInfo
    from .differing_records import record_differences
    from .manifest import (
        Manifest,
        changed_datasets,
        dataset_of,
        missing_dataset,
        read_descriptor,
        root_reference,
        root_references,
        write_manifest,
    )
    from .reference_links import ReferenceLinks
    from .references import (
        ReferenceViolation,
        reference_violations,
        verify_references,
    )
    from .standing import Standing, VersionRoots, find_dataset, seen_names

__all__ = [
    "DatasetInfo",
    "Manifest",
    "ReferenceLinks",
    "ReferenceViolation",
    "Standing",
    "VersionRoots",
    "changed_datasets",
    "dataset_of",
    "describe",
    "find_dataset",
    "missing_dataset",
    "read_descriptor",
    "record_differences",
    "records_of",
    "reference_violations",
    "require_kind",
    "require_local",
    "root_reference",
    "root_references",
    "schema_of",
    "seen_names",
    "stored_table",
    "verify_references",
    "write_manifest",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "dataset": (
        "describe",
        "records_of",
        "require_kind",
        "require_local",
        "schema_of",
        "stored_table",
    ),
    "dataset_info": ("DatasetInfo",),
    "manifest": (
        "Manifest",
        "changed_datasets",
        "dataset_of",
        "missing_dataset",
        "read_descriptor",
        "root_reference",
        "root_references",
        "write_manifest",
    ),
    "reference_links": ("ReferenceLinks",),
    "differing_records": ("record_differences",),
    "references": ("ReferenceViolation", "reference_violations", "verify_references"),
    "standing": ("Standing", "VersionRoots", "find_dataset", "seen_names"),
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
