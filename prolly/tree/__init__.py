"""The prolly tree: cut, build, read, edit and compare sorted records.

A tree is a root address and its parameters; everything else is a function of them. The
room works on encoded keys and stored values (bytes). It knows chunks, and nothing of
datasets, schemas, commits or names.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .address_set import AddressSet, Known
    from .builder import build
    from .counting_cache import CountingCache
    from .diff import diff
    from .edit import apply
    from .edit_buffer import BUFFER_BYTES_MAX, EditBuffer
    from .merge import TreeMerge, Versions, merge
    from .merge_records import Both, Settle
    from .operations import Difference
    from .part_check import NodeEntry, cut_misfit, entries_below, misfit
    from .proof import ProofReader, Recorder
    from .reach import WALK_ADDRESSES, reachable, require_kind
    from .reader import CACHE_BYTES_DEFAULT, READ_AHEAD_LEAVES, NodeCache, NodeReader
    from .recut import recut
    from .scan import Batch, count, get, iter_batches, iter_columns, nth, rank
    from .sorted_run import Edits, freeze_edits, thaw_edits
    from .splitter import cut_ends, level_seed, priorities_of
    from .tree_check import Place, TreeCheck
    from .tree_statistics import LevelStatistics, tree_statistics
    from .working_tree import WorkingTree, apply_batches

__all__ = [
    "BUFFER_BYTES_MAX",
    "CACHE_BYTES_DEFAULT",
    "READ_AHEAD_LEAVES",
    "WALK_ADDRESSES",
    "AddressSet",
    "Batch",
    "Both",
    "CountingCache",
    "Difference",
    "EditBuffer",
    "Edits",
    "Known",
    "LevelStatistics",
    "NodeCache",
    "NodeEntry",
    "NodeReader",
    "Place",
    "ProofReader",
    "Recorder",
    "Settle",
    "TreeCheck",
    "TreeMerge",
    "Versions",
    "WorkingTree",
    "apply",
    "apply_batches",
    "build",
    "count",
    "cut_ends",
    "cut_misfit",
    "diff",
    "entries_below",
    "freeze_edits",
    "get",
    "iter_batches",
    "iter_columns",
    "level_seed",
    "merge",
    "misfit",
    "nth",
    "priorities_of",
    "rank",
    "reachable",
    "recut",
    "require_kind",
    "thaw_edits",
    "tree_statistics",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "address_set": (
        "AddressSet",
        "Known",
    ),
    "builder": ("build",),
    "counting_cache": ("CountingCache",),
    "diff": ("diff",),
    "edit": ("apply",),
    "edit_buffer": (
        "BUFFER_BYTES_MAX",
        "EditBuffer",
    ),
    "merge": (
        "TreeMerge",
        "Versions",
        "merge",
    ),
    "merge_records": (
        "Both",
        "Settle",
    ),
    "operations": ("Difference",),
    "part_check": ("NodeEntry", "cut_misfit", "entries_below", "misfit"),
    "proof": (
        "ProofReader",
        "Recorder",
    ),
    "reach": (
        "WALK_ADDRESSES",
        "reachable",
        "require_kind",
    ),
    "reader": (
        "CACHE_BYTES_DEFAULT",
        "READ_AHEAD_LEAVES",
        "NodeCache",
        "NodeReader",
    ),
    "recut": ("recut",),
    "scan": (
        "Batch",
        "count",
        "get",
        "iter_batches",
        "iter_columns",
        "nth",
        "rank",
    ),
    "sorted_run": ("Edits", "freeze_edits", "thaw_edits"),
    "splitter": (
        "cut_ends",
        "level_seed",
        "priorities_of",
    ),
    "tree_check": ("Place", "TreeCheck"),
    "tree_statistics": (
        "LevelStatistics",
        "tree_statistics",
    ),
    "working_tree": ("WorkingTree", "apply_batches"),
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
