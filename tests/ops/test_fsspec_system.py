"""Files and blobs through fsspec: listed, read in ranges, and never written."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from prolly.errors import NotFound, ReadOnly, Unsupported
from prolly.ops.fsspec_system import ProllyFileSystem
from prolly.repo import Repository, create_repository

LONG = random.Random(29).randbytes(500_000)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """A repository with files, blobs and a map; fsspec knows the scheme."""
    fsspec.register_implementation("prolly", ProllyFileSystem, clobber=True)
    with create_repository(tmp_path) as repo:
        with repo.transaction("main") as tx:
            files = tx.files("model")
            files.write("a.txt", b"one\ntwo\n", mode=0o600, mtime_ns=7)
            files.write("d/e/b", LONG)
            tx.files("group/other").write("x", b"")
            tx.blob("logo").write(b"logo")
            tx.map("settings")["k"] = 1
        yield repo


@pytest.fixture
def system(repo: Repository) -> ProllyFileSystem:
    """The file system of the newest version."""
    return ProllyFileSystem(repo)


def test_a_url_opens_a_file_of_a_version(repo: Repository) -> None:
    """fsspec.open takes a repository, open or by its directory, and a revision."""
    first = str(repo.resolve("main"))
    with repo.transaction("main") as tx:
        tx.files("model").write("a.txt", b"new")
    url = "prolly://model/a.txt"
    with fsspec.open(url, "rt", repo=repo, rev=first) as file:
        assert list(file) == ["one\n", "two\n"]
    with fsspec.open(url, repo=repo.path) as file:
        assert file.read() == b"new"
    with fsspec.open("prolly://logo", repo=repo) as file:
        assert file.read() == b"logo"
    with pytest.raises(NotFound):
        fsspec.open(url, repo=repo, rev="nowhere")


def test_directories_are_listed(system: ProllyFileSystem) -> None:
    """Datasets of files and blobs at the top, names with slashes as directories."""
    assert system.ls("", detail=False) == ["group", "logo", "model"]
    assert system.ls("group", detail=False) == ["group/other"]
    assert system.ls("model", detail=False) == ["model/a.txt", "model/d"]
    kinds = {one["name"]: one["type"] for one in system.ls("prolly://model/")}
    assert kinds == {"model/a.txt": "file", "model/d": "directory"}
    assert system.find("") == ["group/other/x", "logo", "model/a.txt", "model/d/e/b"]
    assert system.glob("model/*.txt") == ["model/a.txt"]
    assert system.isdir("model/d/e")
    assert not system.exists("model/none")


def test_info_tells_what_is_known(system: ProllyFileSystem) -> None:
    """Size, mode, time and content of a file; size and content of a blob."""
    info = system.info("model/a.txt")
    assert (info["size"], info["mode"], info["mtime_ns"]) == (8, 0o600, 7)
    assert len(info["content"]) == 64
    assert system.info("logo")["size"] == 4
    for path in ("settings", "model/none", "logo/below", "none"):
        with pytest.raises(FileNotFoundError):
            system.info(path)


def test_ranges_equal_slices(system: ProllyFileSystem) -> None:
    """cat_file with bounds, also from the end, and a file object that seeks."""
    for start, end in ((None, None), (10, 20), (-5, None), (300_000, 10), (5, -5)):
        assert system.cat_file("model/d/e/b", start, end) == LONG[start:end]
    with system.open("model/d/e/b") as file:
        file.seek(400_000)
        assert file.read() == LONG[400_000:]
    with pytest.raises(FileNotFoundError):
        system.cat_file("model/none")
    with pytest.raises(IsADirectoryError):
        system.open("model")


def test_a_download_is_the_file(system: ProllyFileSystem, tmp_path: Path) -> None:
    """get copies a file, and a whole dataset, to the disk."""
    system.get("model", str(tmp_path / "copy"), recursive=True)
    assert (tmp_path / "copy" / "d" / "e" / "b").read_bytes() == LONG


def test_nothing_is_written(system: ProllyFileSystem) -> None:
    """Opening for writing, deleting and making directories raise ReadOnly."""
    for call in (
        lambda: system.open("model/a.txt", "wb"),
        lambda: system.rm("model/a.txt"),
        lambda: system.mkdir("model/new"),
        lambda: system.pipe_file("model/new", b""),
    ):
        with pytest.raises(ReadOnly):
            call()


def test_without_the_extra_there_is_a_helpful_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unsupported missing-extra says what to install."""
    monkeypatch.setitem(sys.modules, "fsspec.spec", None)
    monkeypatch.delitem(sys.modules, "prolly.ops.fsspec_system")
    with pytest.raises(Unsupported) as caught:
        __import__("prolly.ops.fsspec_system")
    assert caught.value.code == "missing-extra"
    assert "prolly[fsspec]" in caught.value.hint
