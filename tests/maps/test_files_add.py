"""From a directory into files: everything regular, nothing through a link."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from prolly.errors import Invalid, NotFound, Stale
from prolly.maps import AddResult, MutableFiles, files_add

from .test_mutable_files import empty


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with a few files."""
    source = tmp_path / "source"
    (source / "sub" / "deep").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "a.txt").write_bytes(b"one")
    (source / "sub" / "deep" / "b").write_bytes(b"two")
    os.chmod(source / "a.txt", 0o4751)
    os.utime(source / "a.txt", ns=(1, 1_234_567_890_123_456_789))
    return source


def add(files: MutableFiles, source: Path, prefix: str = "") -> AddResult:
    """Add a directory, and return the counts."""
    return files.add_directory(source, prefix)[0]


def test_every_file_is_added_with_mode_and_time(source: Path) -> None:
    """Paths begin at the directory; of the mode the nine permission bits are kept."""
    files = empty()
    assert add(files, source) == AddResult(added=2)
    assert list(files) == ["a.txt", "sub/deep/b"]
    entry = files["a.txt"]
    assert (entry.size, entry.mode) == (3, 0o751)
    assert entry.mtime_ns == 1_234_567_890_123_456_789
    assert add(files, source, "x/") == AddResult(added=2)
    assert files.read("x/sub/deep/b") == b"two"


def test_adding_again_finds_what_changed(source: Path) -> None:
    """Unchanged, modified and added files are counted; others go with keep_only."""
    files = empty()
    add(files, source)
    assert add(files, source) == AddResult(unchanged=2)
    (source / "a.txt").write_bytes(b"other")
    (source / "sub" / "deep" / "b").unlink()
    (source / "new").write_bytes(b"")
    counts, kept = files.add_directory(source)
    counts += files.keep_only(kept)
    assert counts == AddResult(added=1, modified=1, removed=1)
    assert list(files) == ["a.txt", "new"]


def test_links_and_devices_are_refused_with_a_word(source: Path) -> None:
    """A symbolic link and a socket below the directory, by their codes."""
    files = empty()
    link = source / "sub" / "link"
    for target in ("deep", "deep/b", "/etc/passwd", "nowhere"):
        link.symlink_to(target)
        with pytest.raises(Invalid) as caught:
            add(files, source)
        assert caught.value.code == "symlink"
        assert str(link) in str(caught.value)
        link.unlink()
    with socket.socket(socket.AF_UNIX) as device:
        place = os.getcwd()
        os.chdir(source)
        try:
            device.bind("device")
        finally:
            os.chdir(place)
        with pytest.raises(Invalid) as caught:
            add(files, source)
    assert caught.value.code == "not-a-file"


def test_a_single_file_may_be_named_through_a_link(source: Path) -> None:
    """Whoever names one file knows where it leads; a directory is no file."""
    files = empty()
    (source / "link").symlink_to("a.txt")
    files.add_file(source / "link", "x")
    assert files.read("x") == b"one"
    for name, kind, code in (
        ("sub", Invalid, "not-a-file"),
        ("no", NotFound, "no-file"),
    ):
        with pytest.raises(kind) as caught:
            files.add_file(source / name, "y")
        assert caught.value.code == code
    with pytest.raises(NotFound):
        files.add_directory(source / "no")


def test_a_store_inside_is_passed_over(source: Path) -> None:
    """Nobody adds a repository to itself."""
    (source / ".prolly").mkdir()
    (source / ".prolly" / "data.mdb").write_bytes(b"x")
    files = empty()
    assert add(files, source) == AddResult(added=2)


def test_a_name_that_is_no_text_is_refused(source: Path) -> None:
    """A file name in another encoding: Invalid file-path."""
    with open(os.fsencode(source) + b"/\xff", "wb"):
        pass
    with pytest.raises(Invalid) as caught:
        add(empty(), source)
    assert caught.value.code == "file-path"


def test_a_file_that_grows_is_refused(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look and the last somebody wrote: file-changed."""
    files = empty()
    write = files.write_content

    def disturbed(stream: object) -> object:
        found = write(stream)  # type: ignore[arg-type]  # It is the stream of the call.
        os.utime(source / "a.txt", ns=(1, 1))
        return found

    monkeypatch.setattr(files, "write_content", disturbed)
    with pytest.raises(Stale) as caught:
        files_add.add_file(files, "a", str(source / "a.txt"), follow=True)
    assert caught.value.code == "file-changed"
    assert "a" not in files
