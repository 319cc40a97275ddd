"""The prolly tree: cut, build, read, edit and compare sorted records.

A tree is a root address and its parameters; everything else is a function of them. The
room works on encoded keys and stored values (bytes). It knows chunks, and nothing of
datasets, schemas, commits or names.
"""

from .address_set import AddressSet, Known
from .builder import build
from .diff import diff
from .edit import apply
from .edit_buffer import BUFFER_BYTES_MAX, EditBuffer
from .merge import TreeMerge, Versions, merge
from .merge_records import Both, Settle
from .operations import Difference
from .proof import ProofReader, Recorder
from .reach import WALK_ADDRESSES, reachable, require_kind
from .reader import CACHE_BYTES_DEFAULT, READ_AHEAD_LEAVES, NodeCache, NodeReader
from .scan import Batch, count, get, iter_batches, nth, rank
from .sorted_run import Edits
from .splitter import cut_ends, level_seed, priorities_of
from .tree_check import TreeCheck
from .tree_statistics import LevelStatistics, tree_statistics
from .working_tree import WorkingTree

__all__ = [
    "BUFFER_BYTES_MAX",
    "CACHE_BYTES_DEFAULT",
    "READ_AHEAD_LEAVES",
    "WALK_ADDRESSES",
    "AddressSet",
    "Batch",
    "Both",
    "Difference",
    "EditBuffer",
    "Edits",
    "Known",
    "LevelStatistics",
    "NodeCache",
    "NodeReader",
    "ProofReader",
    "Recorder",
    "Settle",
    "TreeCheck",
    "TreeMerge",
    "Versions",
    "WorkingTree",
    "apply",
    "build",
    "count",
    "cut_ends",
    "diff",
    "get",
    "iter_batches",
    "level_seed",
    "merge",
    "nth",
    "priorities_of",
    "rank",
    "reachable",
    "require_kind",
    "tree_statistics",
]
