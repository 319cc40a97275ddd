"""Commits, their graph, the names of refs, and revision expressions.

This room knows chunks and commits. It must not know what a commit's manifest holds.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from .commits import COMMITS_CACHED_MAX, Commits, cut_off
    from .graph import Front, beyond, heads, is_ancestor, merge_bases, walk, within
    from .refs import (
        BISECT,
        BISECT_START,
        BRANCHES,
        LOCAL,
        LOCAL_DATASETS,
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
    "BISECT",
    "BISECT_START",
    "BRANCHES",
    "COMMITS_CACHED_MAX",
    "ID_PREFIX_DIGITS_MIN",
    "LOCAL",
    "LOCAL_DATASETS",
    "NAME_BYTES_MAX",
    "REMOTES",
    "REVISION_CHARACTERS_MAX",
    "STASH",
    "TAGS",
    "WORKING",
    "Commits",
    "Front",
    "Revisions",
    "beyond",
    "check_name",
    "check_new_name",
    "cut_off",
    "heads",
    "is_ancestor",
    "merge_bases",
    "walk",
    "within",
]

# Where each name is defined. Modules are loaded when a name of theirs is asked for:
# a program that only reads would else spend most of its start on what it never uses.
_MODULES = {
    "commits": ("COMMITS_CACHED_MAX", "Commits", "cut_off"),
    "graph": (
        "Front",
        "beyond",
        "heads",
        "is_ancestor",
        "merge_bases",
        "walk",
        "within",
    ),
    "refs": (
        "BISECT",
        "BISECT_START",
        "BRANCHES",
        "LOCAL",
        "LOCAL_DATASETS",
        "NAME_BYTES_MAX",
        "REMOTES",
        "STASH",
        "TAGS",
        "WORKING",
        "check_name",
        "check_new_name",
    ),
    "revision": (
        "ID_PREFIX_DIGITS_MIN",
        "REVISION_CHARACTERS_MAX",
        "Revisions",
    ),
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
