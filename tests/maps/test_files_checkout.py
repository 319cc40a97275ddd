"""From files into a directory: as the entries say, and never anywhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from prolly.codec import key
from prolly.errors import Corrupt, Denied, Invalid
from prolly.maps import CheckoutResult, MutableFiles

from .test_mutable_files import LONG, empty


@pytest.fixture
def files() -> MutableFiles:
    """Three files, two of them deep, one long."""
    files = empty()
    files.write("a", b"one", mode=0o640, mtime_ns=1_700_000_000_123_456_789)
    files.write("d/e/b", LONG, mode=0o755, mtime_ns=2_000_000_000)
    files.write("d/c", b"")
    return files


def tree(place: Path) -> dict[str, bytes]:
    """Return every file below a place."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def test_what_comes_out_went_in(files: MutableFiles, tmp_path: Path) -> None:
    """Content, mode and time; adding the directory again changes nothing known."""
    target = tmp_path / "new" / "target"
    assert files.checkout(target) == CheckoutResult(written=3)
    assert tree(target) == {"a": b"one", "d/c": b"", "d/e/b": LONG}
    status = os.stat(target / "a")
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_mtime_ns == 1_700_000_000_123_456_789
    counts, _ = files.add_directory(target)
    assert (counts.unchanged, counts.modified) == (2, 1)


def test_only_what_differs_is_written(files: MutableFiles, tmp_path: Path) -> None:
    """By size and time, else by content; mode and time alone are mended in place."""
    files.checkout(tmp_path)
    assert files.checkout(tmp_path) == CheckoutResult(unchanged=3)
    inode = (tmp_path / "a").stat().st_ino
    os.chmod(tmp_path / "a", 0o600)
    os.utime(tmp_path / "a", ns=(5, 5))
    assert files.checkout(tmp_path) == CheckoutResult(written=1, unchanged=2)
    assert (tmp_path / "a").stat().st_ino == inode
    (tmp_path / "a").write_bytes(b"two")
    assert files.checkout(tmp_path) == CheckoutResult(written=1, unchanged=2)
    assert (tmp_path / "a").read_bytes() == b"one"


def test_verify_looks_past_size_and_time(files: MutableFiles, tmp_path: Path) -> None:
    """Another content of the same size and time is found when asked to."""
    files.checkout(tmp_path)
    (tmp_path / "a").write_bytes(b"two")
    os.utime(tmp_path / "a", ns=(1, 1_700_000_000_123_456_789))
    assert files.checkout(tmp_path) == CheckoutResult(unchanged=3)
    assert files.checkout(tmp_path, verify=True) == CheckoutResult(1, 2)
    assert (tmp_path / "a").read_bytes() == b"one"


def test_a_prefix_brings_what_lies_below(files: MutableFiles, tmp_path: Path) -> None:
    """Only one directory of the dataset, under its own path; other files stay."""
    (tmp_path / "mine").write_bytes(b"!")
    files.checkout(tmp_path, prefix="d/e")
    assert set(tree(tmp_path)) == {"mine", "d/e/b"}


@pytest.mark.parametrize("link", ["a", "d", "d/e"])
def test_links_in_the_way_are_refused(
    files: MutableFiles, tmp_path: Path, link: str
) -> None:
    """A link where a file or a directory is to be is not followed nor replaced."""
    outside, target = tmp_path / "outside", tmp_path / "target"
    outside.mkdir()
    (target / link).parent.mkdir(parents=True)
    (target / link).symlink_to(outside)
    with pytest.raises(Invalid) as caught:
        files.checkout(target)
    assert caught.value.code == "symlink"
    assert tree(outside) == {}
    assert (target / link).is_symlink()


def test_what_is_something_else_is_refused(files: MutableFiles, tmp_path: Path) -> None:
    """A directory for a file, a file for a directory, a pipe: each with its code."""
    for name, make, code in (
        ("a", os.mkdir, "file-path-clash"),
        ("d", lambda path: Path(path).touch(), "file-path-clash"),
        ("a", os.mkfifo, "not-a-file"),
    ):
        target = tmp_path / f"{name}-{code}"
        target.mkdir()
        make(target / name)
        with pytest.raises(Invalid) as caught:
            files.checkout(target)
        assert caught.value.code == code


def test_hostile_paths_never_leave_the_target(tmp_path: Path) -> None:
    """A tree with a path that climbs is Corrupt, and nothing is written above."""
    files = empty()
    files.write("a", b"x")
    stored = files._edited.get(files.encode_key("a"))
    for path in ("../escaped", "/tmp/escaped", "b/../../escaped"):
        files._edited.put(key.encode_key(path), stored)
        target = tmp_path / "deep" / "target"
        with pytest.raises(Corrupt) as caught:
            files.checkout(target)
        assert caught.value.code == "file-path"
        files._edited.put(key.encode_key(path), None)
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_failure_leaves_the_old_file_and_no_litter(
    files: MutableFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last step is denied, the old content stands and nothing lies about."""
    (tmp_path / "a").write_bytes(b"old")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "replace", denied)
    with pytest.raises(Denied) as caught:
        files.checkout(tmp_path)
    assert caught.value.code == "file-denied"
    assert tree(tmp_path) == {"a": b"old"}
