"""What a checkout would lose: found before anything is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from prolly.errors import AlreadyExists, Invalid, KeyNotFound
from prolly.maps import CheckoutResult, MutableFiles

from .test_mutable_files import LONG, empty


@pytest.fixture
def files() -> MutableFiles:
    """Two files, one of them long."""
    files = empty()
    files.write("a", b"one")
    files.write("d/b", LONG)
    return files


def test_what_no_version_has_is_refused_before_a_write(
    files: MutableFiles, tmp_path: Path
) -> None:
    """Short and long: all are named, and nothing is written."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "b").write_bytes(LONG + b"!")
    with pytest.raises(AlreadyExists) as caught:
        files.checkout(tmp_path, overwrite=False)
    assert (caught.value.code, caught.value.paths) == ("file-edited", ["d/b"])
    assert not (tmp_path / "a").exists()
    assert files.checkout(tmp_path).written == 2
    assert (tmp_path / "d" / "b").read_bytes() == LONG


def test_what_some_version_has_may_go(files: MutableFiles, tmp_path: Path) -> None:
    """The content of any file of the store is not lost, whatever its time."""
    (tmp_path / "a").write_bytes(LONG)
    os.utime(tmp_path / "a", ns=(1, 1))
    result = files.checkout(tmp_path, overwrite=False)
    assert result == CheckoutResult(written=2)
    assert files.checkout(tmp_path, overwrite=False) == CheckoutResult(unchanged=2)


def test_a_prefix_and_a_target_that_are_wrong(
    files: MutableFiles, tmp_path: Path
) -> None:
    """Nothing below the prefix, a file for a directory: each with its code."""
    with pytest.raises(KeyNotFound) as absent:
        files.checkout(tmp_path, prefix="nope")
    assert absent.value.code == "no-such-file"
    (tmp_path / "file").touch()
    for overwrite in (True, False):
        with pytest.raises(AlreadyExists) as caught:
            files.checkout(tmp_path / "file", overwrite=overwrite)
        assert caught.value.code == "not-a-directory"


def test_text_is_no_content(files: MutableFiles) -> None:
    """A str is refused with what to do, and the file stays."""
    text: Any = "hello"
    with pytest.raises(Invalid) as caught:
        files.write("a", text)
    assert caught.value.code == "value-type" and "encode" in caught.value.hint
    assert files.read("a") == b"one"
