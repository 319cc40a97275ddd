"""Maps over the tree: ordered mappings of any values, blobs, and files in directories.

An ordered map turns encoded keys and stored values into Python's and back, one leaf at
a time; what it shares with tables (bounds, numbers, views, the end of a transaction) is
``SortedMapping`` over ``Records``. The room must not know of schemas, datasets,
commits or names: a map is a root, or a tree under edit.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .absent import ABSENT, Absent
    from .blob import (
        SINGLE_PIECE_BYTES_MAX,
        blob_length,
        iter_pieces,
        read_blob,
        write_blob,
    )
    from .blob_edit import BlobEdit
    from .blob_file import BlobFile, BlobReader
    from .files import Files
    from .files_add import AddResult
    from .files_checkout import CheckoutResult
    from .files_disk import storage_error
    from .files_paths import (
        FILE_NAME_BYTES_MAX,
        FILE_PATH_BYTES_MAX,
        check_stored_path,
    )
    from .mutable_files import MutableFiles
    from .mutable_map import MutableOrderedMap
    from .ordered_map import OrderedMap
    from .path_clashes import iter_path_clashes, require_no_path_clash
    from .records import NOTHING, EditedRecords, Records, StoredRecords
    from .sorted_mapping import SortedMapping, key_not_found
    from .values import decode_value, decode_values, encode_value, encode_values
    from .views import SortedItems, SortedKeys, SortedValues, Stretch

__all__ = [
    "ABSENT",
    "FILE_NAME_BYTES_MAX",
    "FILE_PATH_BYTES_MAX",
    "NOTHING",
    "SINGLE_PIECE_BYTES_MAX",
    "Absent",
    "AddResult",
    "BlobEdit",
    "BlobFile",
    "BlobReader",
    "CheckoutResult",
    "EditedRecords",
    "Files",
    "MutableFiles",
    "MutableOrderedMap",
    "OrderedMap",
    "Records",
    "SortedItems",
    "SortedKeys",
    "SortedMapping",
    "SortedValues",
    "StoredRecords",
    "Stretch",
    "blob_length",
    "check_stored_path",
    "decode_value",
    "decode_values",
    "encode_value",
    "encode_values",
    "iter_path_clashes",
    "iter_pieces",
    "key_not_found",
    "read_blob",
    "require_no_path_clash",
    "storage_error",
    "write_blob",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "absent": ("ABSENT", "Absent"),
    "blob": (
        "SINGLE_PIECE_BYTES_MAX",
        "blob_length",
        "iter_pieces",
        "read_blob",
        "write_blob",
    ),
    "blob_edit": ("BlobEdit",),
    "blob_file": ("BlobFile", "BlobReader"),
    "files": ("Files",),
    "files_add": ("AddResult",),
    "files_checkout": ("CheckoutResult",),
    "files_disk": ("storage_error",),
    "files_paths": (
        "FILE_NAME_BYTES_MAX",
        "FILE_PATH_BYTES_MAX",
        "check_stored_path",
    ),
    "mutable_files": ("MutableFiles",),
    "mutable_map": ("MutableOrderedMap",),
    "ordered_map": ("OrderedMap",),
    "path_clashes": ("iter_path_clashes", "require_no_path_clash"),
    "records": ("NOTHING", "EditedRecords", "Records", "StoredRecords"),
    "sorted_mapping": ("SortedMapping", "key_not_found"),
    "values": ("decode_value", "decode_values", "encode_value", "encode_values"),
    "views": ("SortedItems", "SortedKeys", "SortedValues", "Stretch"),
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
