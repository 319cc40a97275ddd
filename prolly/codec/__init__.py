"""Bytes to values and back: what every part of the format looks like.

Values, keys, references, rows, nodes, descriptors, commits, working states, packs and
the JSON forms. Everything here is a pure function of its arguments. The room must not
know where bytes live, how trees are cut, or what a name stands for; it does no input or
output. Each layout is drawn in its module and has a page in ``docs/spec/``.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from . import (
        bundle,
        byte_strings,
        cbor,
        cbor_items,
        exchange,
        journal_record,
        json_form,
        kernel,
        key,
        node,
        outline_row,
        pack,
        patch,
        patch_lines,
        received_node,
        received_row,
        record_stamps,
        row,
        store_entry,
        stored_leaf,
        wire,
        wire_edits,
        wire_messages,
    )
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
    from .coverage import (
        COVERED_RANGES_MAX,
        SHALLOW_COMMITS_MAX,
        Coverage,
        CoveredRange,
        decode_coverage,
        encode_coverage,
    )
    from .descriptor import (
        DATASET_ID_BYTES,
        DATASET_KINDS,
        DATASET_NAME_BYTES_MAX,
        DESCRIPTOR_ROOTS_MAX,
        RESERVED_NAMES,
        STAMPED_POLICY,
        TAGGED_POLICY,
        Descriptor,
        check_dataset_name,
        check_new_dataset_name,
        dataset_id,
        decode_descriptor,
        encode_descriptor,
        is_local_id,
        manifest_key,
        reserved_name,
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
    from .replay import REPLAY_COMMITS_MAX, REPLAY_VERBS, Replay
    from .shown_value import SHOWN_CHARS_MAX, shown
    from .working import WorkingState, decode_working, encode_working

__all__ = [
    "ADDRESS_BYTES",
    "COMMIT_MESSAGE_BYTES_MAX",
    "COMMIT_METADATA_BYTES_MAX",
    "COMMIT_PARENTS_MAX",
    "COVERED_RANGES_MAX",
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
    "REPLAY_COMMITS_MAX",
    "REPLAY_VERBS",
    "RESERVED_NAMES",
    "SHALLOW_COMMITS_MAX",
    "SHOWN_CHARS_MAX",
    "STAMPED_POLICY",
    "TAGGED_POLICY",
    "Address",
    "BlobNode",
    "ChunkType",
    "Commit",
    "Coverage",
    "CoveredRange",
    "Descriptor",
    "FileEntry",
    "Reference",
    "Referring",
    "Replay",
    "TreeParameters",
    "WorkingState",
    "address_of",
    "bundle",
    "byte_strings",
    "cbor",
    "cbor_items",
    "check_dataset_name",
    "check_new_dataset_name",
    "dataset_id",
    "decode_blob_node",
    "decode_commit",
    "decode_coverage",
    "decode_descriptor",
    "decode_file_entry",
    "decode_referring",
    "decode_working",
    "encode_blob_node",
    "encode_commit",
    "encode_coverage",
    "encode_descriptor",
    "encode_file_entry",
    "encode_referring",
    "encode_working",
    "exchange",
    "first_commit",
    "hidden_mark",
    "is_local_id",
    "journal_record",
    "json_form",
    "kernel",
    "key",
    "links_of",
    "manifest_key",
    "node",
    "outline_row",
    "pack",
    "patch",
    "patch_lines",
    "received_node",
    "received_row",
    "record_stamps",
    "require_type",
    "reserved_name",
    "row",
    "shown",
    "store_entry",
    "stored_leaf",
    "wire",
    "wire_edits",
    "wire_messages",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "address": (
        "ADDRESS_BYTES",
        "Address",
        "ChunkType",
        "address_of",
        "require_type",
    ),
    "blob_node": (
        "BlobNode",
        "decode_blob_node",
        "encode_blob_node",
    ),
    "commit": (
        "COMMIT_MESSAGE_BYTES_MAX",
        "COMMIT_METADATA_BYTES_MAX",
        "COMMIT_PARENTS_MAX",
        "Commit",
        "decode_commit",
        "encode_commit",
        "first_commit",
    ),
    "coverage": (
        "COVERED_RANGES_MAX",
        "SHALLOW_COMMITS_MAX",
        "Coverage",
        "CoveredRange",
        "decode_coverage",
        "encode_coverage",
    ),
    "descriptor": (
        "DATASET_ID_BYTES",
        "DATASET_KINDS",
        "DATASET_NAME_BYTES_MAX",
        "DESCRIPTOR_ROOTS_MAX",
        "RESERVED_NAMES",
        "STAMPED_POLICY",
        "TAGGED_POLICY",
        "Descriptor",
        "check_dataset_name",
        "check_new_dataset_name",
        "dataset_id",
        "decode_descriptor",
        "encode_descriptor",
        "is_local_id",
        "manifest_key",
        "reserved_name",
    ),
    "file_entry": (
        "FILE_MODE_MAX",
        "MTIME_NS_MAX",
        "MTIME_NS_MIN",
        "FileEntry",
        "decode_file_entry",
        "encode_file_entry",
    ),
    "key": ("KEY_BYTES_MAX",),
    "links": ("links_of",),
    "name_marks": ("hidden_mark",),
    "parameters": (
        "DEFAULT_PARAMETERS",
        "FORMAT_PARAMETERS",
        "TreeParameters",
    ),
    "reference": (
        "INLINE_BYTES_MAX",
        "REFERRING_BYTES_MAX",
        "Reference",
        "Referring",
        "decode_referring",
        "encode_referring",
    ),
    "replay": ("REPLAY_COMMITS_MAX", "REPLAY_VERBS", "Replay"),
    "shown_value": (
        "SHOWN_CHARS_MAX",
        "shown",
    ),
    "working": (
        "WorkingState",
        "decode_working",
        "encode_working",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
# What is exported as a whole.
_WHOLE = frozenset(
    {
        "bundle",
        "byte_strings",
        "cbor",
        "cbor_items",
        "exchange",
        "journal_record",
        "json_form",
        "key",
        "kernel",
        "node",
        "outline_row",
        "pack",
        "patch",
        "patch_lines",
        "received_node",
        "received_row",
        "record_stamps",
        "row",
        "store_entry",
        "stored_leaf",
        "wire",
        "wire_edits",
        "wire_messages",
    }
)


def __getattr__(name: str) -> _typing.Any:
    """Load the module that defines a name of this room, and keep the name."""
    if name in _WHOLE:
        return _import_module(f".{name}", __name__)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
