"""``prolly files``: a directory in, a file out, a directory out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture
def source(repository: Path) -> Path:
    """A directory beside the store."""
    source = repository / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a.txt").write_bytes(b"one\n")
    (source / "sub" / "b").write_bytes(bytes(range(256)))
    return source


def test_a_directory_goes_in_and_comes_out(
    run: Run, repository: Path, source: Path
) -> None:
    """add, commit, checkout: the same bytes, modes and times; counts are told."""
    os.chmod(source / "sub" / "b", 0o700)
    added = run("files", "add", "model", "source", "--json").document
    assert added == {
        "dataset": "model",
        "added": 2,
        "modified": 0,
        "removed": 0,
        "unchanged": 0,
    }
    run("commit", "-m", "files")
    done = run("files", "checkout", "model", "out", "--json").document
    assert (done["written"], done["unchanged"]) == (2, 0)
    for name in ("a.txt", "sub/b"):
        old, new = source / name, repository / "out" / name
        assert new.read_bytes() == old.read_bytes()
        assert new.stat().st_mode == old.stat().st_mode
        assert new.stat().st_mtime_ns == old.stat().st_mtime_ns
    again = run("files", "checkout", "model", "out", "--at", "main", "--verify")
    assert again.out == "model: wrote 0 files into out, 2 unchanged\n"
    run("files", "checkout", "model", "part", "--from", "sub")
    assert not (repository / "part" / "a.txt").exists()


def test_into_and_replace(run: Run, source: Path) -> None:
    """--into puts below a directory; --replace deletes what was not named there."""
    run("files", "add", "model", "source")
    run("files", "add", "model", "source", "--into", "deep/down")
    (source / "a.txt").unlink()
    answer = run("files", "add", "model", "source", "--into", "deep/down", "--replace")
    assert answer.out == "model: 0 added, 0 modified, 1 removed, 1 unchanged\n"
    keys = [line["key"] for line in run("scan", "model", "--json").lines]
    assert keys == [["a.txt"], ["deep/down/sub/b"], ["sub/b"]]
    run("files", "add", "model", "source/sub/b", "--replace")
    assert [line["key"] for line in run("scan", "model", "--json").lines] == [["b"]]


def test_cat_prints_bytes(
    run: Run, source: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """One file as it is, of the working state or of a version."""
    run("files", "add", "model", "source")
    run("commit", "-m", "one")
    (source / "a.txt").write_bytes(b"two\n")
    run("files", "add", "model", "source")
    assert run("files", "cat", "model", "a.txt").out == "two\n"
    assert run("files", "cat", "model", "a.txt", "--at", "main").out == "one\n"
    out, _ = start("files", "cat", "model", "sub/b").communicate()
    assert out == bytes(range(256))
    assert "usage" in run("files", "cat", "model", "a.txt", "--json", code=2).err


def test_differences_show_fields(run: Run, source: Path) -> None:
    """diff names content, mode and mtime of files that changed."""
    run("files", "add", "model", "source")
    run("commit", "-m", "one")
    os.chmod(source / "a.txt", 0o600)
    run("files", "add", "model", "source")
    (line,) = run("diff", "--json").lines
    assert (line["key"], line["fields"]) == (["a.txt"], ["mode"])
    assert line["new"]["mode"] == "600"
    assert run("get", "model", "a.txt", "--json").document["value"]["mode"] == "600"


def test_bad_input_has_a_code_and_changes_nothing(
    run: Run, repository: Path, source: Path
) -> None:
    """Links, absent files, other kinds: code, exit number, and the state as it was."""
    run("files", "add", "model", "source")
    run("put", "m", "k", "1")
    (source / "link").symlink_to("a.txt")
    cases: list[tuple[list[str], int, str]] = [
        (["add", "model", "source"], 2, "symlink"),
        (["add", "model", "none"], 3, "no-file"),
        (["add", "model", "source/a.txt", "--into", "../up"], 2, "file-path"),
        (["add", "model", "source/a.txt", "--into", "sub/b"], 2, "file-path-clash"),
        (["add", "m", "source"], 2, "wrong-kind"),
        (["cat", "model", "none"], 3, "no-such-file"),
        (["cat", "model"], 2, "wrong-kind"),
        (["cat", "none", "a"], 3, "no-such-dataset"),
        (["checkout", "m", "out"], 2, "wrong-kind"),
        (["checkout", "model", "out", "--from", "nope"], 3, "no-such-file"),
        (["checkout", "model", "source/a.txt"], 2, "not-a-directory"),
        (["rm", "model", "none"], 3, "no-such-file"),
        (["rm", "none", "a.txt"], 3, "no-such-dataset"),
        (["ls", "model", "none"], 3, "no-such-file"),
        (["ls", "m"], 2, "wrong-kind"),
    ]
    before = run("status", "--json").out
    for words, code, name in cases:
        assert f"[{name}]" in run("files", *words, code=code).err, words
    assert run("status", "--json").out == before
    (repository / "out").mkdir()
    (repository / "out" / "a.txt").symlink_to("/etc/passwd")
    assert "[symlink]" in run("files", "checkout", "model", "out", code=2).err
    assert "[wrong-kind]" in run("export", "model", code=2).err


def test_files_are_listed_and_deleted(run: Run, source: Path) -> None:
    """All, those below a directory, or one; the disk keeps what it has."""
    run("files", "add", "model", "source")
    lines = run("files", "ls", "model", "--json").lines
    assert [(one["path"], one["size"]) for one in lines] == [
        ("a.txt", 4),
        ("sub/b", 256),
    ]
    assert run("files", "ls", "model", "sub/").out.split()[1:] == ["256", "sub/b"]
    assert run("files", "ls", "model", "a.txt").out.split()[2] == "a.txt"
    answer = run("files", "rm", "model", "sub", "a.txt", "--json").document
    assert answer == {"dataset": "model", "removed": 2}
    assert run("files", "ls", "model").out == ""
    assert (source / "sub" / "b").exists()


def test_an_edited_file_is_not_overwritten(
    run: Run, repository: Path, source: Path
) -> None:
    """What no version has stays, unless forced; another version's files may go."""
    run("files", "add", "model", "source")
    run("commit", "-m", "one")
    run("files", "checkout", "model", "out")
    (source / "a.txt").write_bytes(b"two, longer\n")
    run("files", "add", "model", "source")
    run("files", "checkout", "model", "out")
    mine = repository / "out" / "a.txt"
    assert mine.read_bytes() == b"two, longer\n"
    mine.write_bytes(b"mine\n")
    error = run("--json", "files", "checkout", "model", "out", code=2).error
    assert (error["code"], error["paths"]) == ("file-edited", ["a.txt"])
    assert mine.read_bytes() == b"mine\n"
    run("files", "checkout", "model", "out", "--at", "main", "--force")
    assert mine.read_bytes() == b"one\n"
