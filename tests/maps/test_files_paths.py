"""Paths: what may be one, and what could lead out of a directory."""

from __future__ import annotations

import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import KEY_BYTES_MAX, key
from prolly.errors import Corrupt, Invalid
from prolly.maps.files_paths import (
    FILE_NAME_BYTES_MAX,
    FILE_PATH_BYTES_MAX,
    check_directory,
    check_path,
    check_stored_path,
    parents,
)

LONGEST = "/".join(["p" * 199] * 5)


@given(st.text(max_size=30))
def test_what_passes_stays_below_its_directory(text: str) -> None:
    """Joined to any directory and made plain, a path still lies in it."""
    try:
        path = check_path(text)
    except Invalid:
        return
    assert os.path.normpath(os.path.join("/base", path)) == f"/base/{path}"


@pytest.mark.parametrize(
    "path", ["a", "a/b.c", "ä/😀", "a b/~", "-", "..a/b..", LONGEST]
)
def test_paths_that_may_be(path: str) -> None:
    """Any text with parts, to the limit, which is a key too."""
    assert check_path(path) == check_stored_path(path) == path
    assert len(key.encode_key(path)) <= KEY_BYTES_MAX


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b", "\ud800",
        ".prolly/data.mdb", "a/.PROLLY/b", LONGEST + "pp",
        "n" * (FILE_NAME_BYTES_MAX + 1), b"a", 5, None,
    ],
)  # fmt: skip
def test_paths_that_may_not_be(path: object) -> None:
    """Invalid from a user and Corrupt from a tree, both file-path."""
    with pytest.raises(Invalid) as given_one:
        check_path(path)
    with pytest.raises(Corrupt) as stored_one:
        check_stored_path(path)
    assert given_one.value.code == stored_one.value.code == "file-path"


def test_the_limits_are_exact() -> None:
    """The longest path and name pass, and one byte more does not."""
    assert len(LONGEST.encode()) == FILE_PATH_BYTES_MAX - 1
    assert check_path(LONGEST + "p")
    assert check_path("n" * FILE_NAME_BYTES_MAX)


def test_directories_end_with_one_slash() -> None:
    """The top is empty; a slash at the end is taken or not; parents come in order."""
    assert check_directory("") == check_directory("/") == ""
    assert check_directory("a/b") == check_directory("a/b/") == "a/b/"
    assert parents("a/b/c") == ["a", "a/b"]
    with pytest.raises(Invalid):
        check_directory("../a")
