"""Three-way merges: bases, policies, records, schemas, constraints, conflicts as data.

This room knows trees, tables and commits. It must not know of branches, transactions or
working states, nor who asked for a merge.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .base_rows import Records
    from .bases import (
        VIRTUAL_MERGES_MAX,
        Base,
        Merge,
        VirtualMerges,
        base_of,
        only_first_commit_shared,
    )
    from .clash import REASON_CHARS_MAX, Clash, Resolve
    from .column_merge import RecordFacts, SchemaConflict
    from .conflict_entry import ConflictEntry, ConflictKind, schema_key
    from .conflict_group import bad_conflict_tree
    from .conflict_tree import ConflictTree, StoredConflict
    from .convergence import (
        ConvergedHead,
        Convergence,
        authored_heads,
        converged_head,
    )
    from .dataset_parts import shown_part
    from .findings import LOSER_KEY_BYTES_MAX, LOSERS_NAME
    from .key_spelling import KeySpelling, is_key_of
    from .manifest_merge import (
        DatasetReport,
        ManifestMerge,
        merge_manifests,
    )
    from .merge_work import Rules
    from .merged_keys import MergedKeys
    from .policies import (
        APP_PREFIX,
        DEFAULT_POLICY,
        POLICIES,
        Policies,
    )
    from .policy_checks import (
        PolicyRule,
        check_new_policy_name,
        check_policy,
        check_policy_name,
        policy_rules,
    )
    from .record_merge import RecordMerge
    from .schema_merge import TableNames, merge_schemas, same_key
    from .set_tags import NO_TAGS, Tags
    from .stamp_bounds import STAMP_AHEAD_MS_MAX, require_stamps_in_time
    from .stamp_tree import (
        BLOB_KEY,
        MergedStamps,
        merge_stamps,
        stamps_of,
        stamps_root,
    )
    from .stamp_writing import Write, stamp_write
    from .terms import RecordConflict, Terms
    from .text_characters import TEXT_CHARACTERS_MAX, merge_characters
    from .text_lines import TEXT_EDITS_MAX, merge_texts
    from .unattended import UNATTENDED_MESSAGE, is_unattended, unattended_merge
    from .values import UNRESOLVED, Stamp, Unresolved, merge_value

__all__ = [
    "APP_PREFIX",
    "BLOB_KEY",
    "DEFAULT_POLICY",
    "LOSERS_NAME",
    "LOSER_KEY_BYTES_MAX",
    "NO_TAGS",
    "POLICIES",
    "REASON_CHARS_MAX",
    "STAMP_AHEAD_MS_MAX",
    "TEXT_CHARACTERS_MAX",
    "TEXT_EDITS_MAX",
    "UNATTENDED_MESSAGE",
    "UNRESOLVED",
    "VIRTUAL_MERGES_MAX",
    "Base",
    "Clash",
    "ConflictEntry",
    "ConflictKind",
    "ConflictTree",
    "ConvergedHead",
    "Convergence",
    "DatasetReport",
    "KeySpelling",
    "ManifestMerge",
    "Merge",
    "MergedKeys",
    "MergedStamps",
    "Policies",
    "PolicyRule",
    "RecordConflict",
    "RecordFacts",
    "RecordMerge",
    "Records",
    "Resolve",
    "Rules",
    "SchemaConflict",
    "Stamp",
    "StoredConflict",
    "TableNames",
    "Tags",
    "Terms",
    "Unresolved",
    "VirtualMerges",
    "Write",
    "authored_heads",
    "bad_conflict_tree",
    "base_of",
    "check_new_policy_name",
    "check_policy",
    "check_policy_name",
    "converged_head",
    "is_key_of",
    "is_unattended",
    "merge_characters",
    "merge_manifests",
    "merge_schemas",
    "merge_stamps",
    "merge_texts",
    "merge_value",
    "only_first_commit_shared",
    "policy_rules",
    "require_stamps_in_time",
    "same_key",
    "schema_key",
    "shown_part",
    "stamp_write",
    "stamps_of",
    "stamps_root",
    "unattended_merge",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for.
_MODULES = {
    "clash": (
        "REASON_CHARS_MAX",
        "Clash",
        "Resolve",
    ),
    "policies": (
        "APP_PREFIX",
        "DEFAULT_POLICY",
        "POLICIES",
        "Policies",
    ),
    "policy_checks": (
        "PolicyRule",
        "check_new_policy_name",
        "check_policy",
        "check_policy_name",
        "policy_rules",
    ),
    "record_merge": ("RecordMerge",),
    "terms": (
        "RecordConflict",
        "Terms",
    ),
    "set_tags": ("NO_TAGS", "Tags"),
    "text_characters": ("TEXT_CHARACTERS_MAX", "merge_characters"),
    "text_lines": (
        "TEXT_EDITS_MAX",
        "merge_texts",
    ),
    "values": (
        "UNRESOLVED",
        "Stamp",
        "Unresolved",
        "merge_value",
    ),
    "base_rows": ("Records",),
    "bases": (
        "VIRTUAL_MERGES_MAX",
        "Base",
        "Merge",
        "VirtualMerges",
        "base_of",
        "only_first_commit_shared",
    ),
    "convergence": (
        "ConvergedHead",
        "Convergence",
        "authored_heads",
        "converged_head",
    ),
    "unattended": ("UNATTENDED_MESSAGE", "is_unattended", "unattended_merge"),
    "column_merge": ("RecordFacts", "SchemaConflict"),
    "conflict_entry": ("ConflictEntry", "ConflictKind", "schema_key"),
    "conflict_group": ("bad_conflict_tree",),
    "conflict_tree": ("ConflictTree", "StoredConflict"),
    "dataset_parts": ("shown_part",),
    "findings": ("LOSERS_NAME", "LOSER_KEY_BYTES_MAX"),
    "key_spelling": ("KeySpelling", "is_key_of"),
    "manifest_merge": (
        "DatasetReport",
        "ManifestMerge",
        "merge_manifests",
    ),
    "merge_work": ("Rules",),
    "merged_keys": ("MergedKeys",),
    "schema_merge": ("TableNames", "merge_schemas", "same_key"),
    "stamp_bounds": ("STAMP_AHEAD_MS_MAX", "require_stamps_in_time"),
    "stamp_tree": (
        "BLOB_KEY",
        "MergedStamps",
        "merge_stamps",
        "stamps_of",
        "stamps_root",
    ),
    "stamp_writing": ("Write", "stamp_write"),
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
