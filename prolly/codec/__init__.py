"""Bytes to values and back: what every part of the format looks like.

Values, keys, references, rows, nodes, descriptors, commits, working states, packs and
the JSON forms. Everything here is a pure function of its arguments. The room must not
know where bytes live, how trees are cut, or what a name stands for; it does no input or
output. Each layout is drawn in its module and has a page in ``docs/spec/``.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

from . import cbor, json_form, key, node, pack, row, store_entry, stored_leaf
from .address import ADDRESS_BYTES, Address, ChunkType, address_of, require_type
from .blob_node import BlobNode, decode_blob_node, encode_blob_node
from .commit import (
    COMMIT_MESSAGE_BYTES_MAX,
    COMMIT_METADATA_BYTES_MAX,
    COMMIT_PARENTS_MAX,
    Commit,
    decode_commit,
    encode_commit,
    first_commit,
)
from .descriptor import (
    DATASET_ID_BYTES,
    DATASET_KINDS,
    DATASET_NAME_BYTES_MAX,
    DESCRIPTOR_ROOTS_MAX,
    STAMPED_POLICY,
    Descriptor,
    check_dataset_name,
    check_new_dataset_name,
    dataset_id,
    decode_descriptor,
    encode_descriptor,
    manifest_key,
)
from .file_entry import (
    FILE_MODE_MAX,
    MTIME_NS_MAX,
    MTIME_NS_MIN,
    FileEntry,
    decode_file_entry,
    encode_file_entry,
)
from .key import KEY_BYTES_MAX
from .links import links_of
from .name_marks import hidden_mark
from .parameters import DEFAULT_PARAMETERS, FORMAT_PARAMETERS, TreeParameters
from .reference import (
    INLINE_BYTES_MAX,
    REFERRING_BYTES_MAX,
    Reference,
    Referring,
    decode_referring,
    encode_referring,
)
from .shown_value import SHOWN_CHARS_MAX, shown
from .working import WorkingState, decode_working, encode_working

if _typing.TYPE_CHECKING:
    from . import record_stamps

__all__ = [
    "ADDRESS_BYTES",
    "COMMIT_MESSAGE_BYTES_MAX",
    "COMMIT_METADATA_BYTES_MAX",
    "COMMIT_PARENTS_MAX",
    "DATASET_ID_BYTES",
    "DATASET_KINDS",
    "DATASET_NAME_BYTES_MAX",
    "DEFAULT_PARAMETERS",
    "DESCRIPTOR_ROOTS_MAX",
    "FILE_MODE_MAX",
    "FORMAT_PARAMETERS",
    "INLINE_BYTES_MAX",
    "KEY_BYTES_MAX",
    "MTIME_NS_MAX",
    "MTIME_NS_MIN",
    "REFERRING_BYTES_MAX",
    "SHOWN_CHARS_MAX",
    "STAMPED_POLICY",
    "Address",
    "BlobNode",
    "ChunkType",
    "Commit",
    "Descriptor",
    "FileEntry",
    "Reference",
    "Referring",
    "TreeParameters",
    "WorkingState",
    "address_of",
    "cbor",
    "check_dataset_name",
    "check_new_dataset_name",
    "dataset_id",
    "decode_blob_node",
    "decode_commit",
    "decode_descriptor",
    "decode_file_entry",
    "decode_referring",
    "decode_working",
    "encode_blob_node",
    "encode_commit",
    "encode_descriptor",
    "encode_file_entry",
    "encode_referring",
    "encode_working",
    "first_commit",
    "hidden_mark",
    "json_form",
    "key",
    "links_of",
    "manifest_key",
    "node",
    "pack",
    "record_stamps",
    "require_type",
    "row",
    "shown",
    "store_entry",
    "stored_leaf",
]


def __getattr__(name: str) -> _typing.Any:
    """Load a module that few programs need when it is asked for."""
    if name == "record_stamps":
        return _import_module(".record_stamps", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
