"""Commits, their graph, the names of refs, and revision expressions.

This room knows chunks and commits. It must not know what a commit's manifest holds.
"""

from .commits import COMMITS_CACHED_MAX, Commits
from .graph import Front, heads, is_ancestor, merge_bases, walk
from .refs import (
    BRANCHES,
    NAME_BYTES_MAX,
    REMOTES,
    STASH,
    TAGS,
    WORKING,
    check_name,
    check_new_name,
)
from .revision import ID_PREFIX_DIGITS_MIN, REVISION_CHARACTERS_MAX, Revisions

__all__ = [
    "BRANCHES",
    "COMMITS_CACHED_MAX",
    "ID_PREFIX_DIGITS_MIN",
    "NAME_BYTES_MAX",
    "REMOTES",
    "REVISION_CHARACTERS_MAX",
    "STASH",
    "TAGS",
    "WORKING",
    "Commits",
    "Front",
    "Revisions",
    "check_name",
    "check_new_name",
    "heads",
    "is_ancestor",
    "merge_bases",
    "walk",
]
