"""Names of refs: which there are, and which texts may be one.

branches/NAME        a branch: the id of its newest commit
tags/NAME            a tag: the id of a commit, meant to stay
remotes/REMOTE/NAME  where a branch of another replica stood when last seen
working/NAME         the uncommitted state of a branch
stash/NUMBER         uncommitted changes put aside: a commit on the one below them
bisect/MARK          a commit that a search for the first bad one has marked
local/datasets       the local datasets: a commit beside history, which never leaves
replica/coverage     what a partial replica has: a blob piece, which never leaves
"""

from __future__ import annotations

from prolly.codec import hidden_mark, shown
from prolly.errors import Invalid

BRANCHES = "branches/"
TAGS = "tags/"
REMOTES = "remotes/"
WORKING = "working/"
STASH = "stash/"
BISECT = "bisect/"
BISECT_START = BISECT + "start"
# What belongs to this replica alone: sync and bundles know no ref below it.
LOCAL = "local/"
LOCAL_DATASETS = LOCAL + "datasets"

# Leaves room for the kind's prefix and a remote's name within a ref name of a store.
NAME_BYTES_MAX = 255

# They would be read as part of a revision expression, a pattern or an option.
_FORBIDDEN = set("~^:?*[]{}\\@\x7f ") | {chr(code) for code in range(32)}


def check_name(name: str) -> str:
    """Return ``name`` when it may name a branch or a tag; else raise Invalid."""
    problem = _problem(name)
    if problem:
        raise _bad_name(name, problem)
    return name


def check_new_name(name: str) -> str:
    """Return ``name`` when it may name a new branch or tag; else raise Invalid.

    As ``check_name``, and without marks that nobody sees: with them two names look
    equal. A branch that has one already can still be moved and deleted.
    """
    check_name(name)
    mark = hidden_mark(name)
    if mark:
        raise _bad_name(name, f"it contains {mark}, which nobody sees")
    return name


def _bad_name(name: object, problem: str) -> Invalid:
    return Invalid(
        f"{shown(name)} cannot name a branch or tag: {problem}",
        code="ref-name",
        hint="Use letters, digits, '-', '_', '.', and '/' between parts.",
        ref=name,
    )


def _problem(name: object) -> str:
    if not isinstance(name, str):
        return "it is not text"
    if not name:
        return "it is empty"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > NAME_BYTES_MAX:
        return f"it has {size} bytes, the limit is {NAME_BYTES_MAX}"
    for character in name:
        if character in _FORBIDDEN:
            return f"it contains {character!r}"
    if name == "HEAD":
        return "that stands for the current branch"
    if name.startswith("-") or ".." in name:
        return "it begins with '-' or contains '..'"
    if any(part in ("", ".") for part in name.split("/")):
        return "a part between '/' is empty or '.'"
    return ""
