"""Files that are open for writing: one content a path, whoever writes to it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.errors import AlreadyExists, Invalid, KeyNotFound
from prolly.maps import BlobFile, MutableFiles
from prolly.tree import NodeReader, WorkingTree

PATHS = ("a", "b", "c")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["r+b", "wb", "ab", "write", "close", "replace", "rename", "delete"]
        ),
        st.sampled_from(PATHS),
        st.sampled_from(PATHS),
        st.binary(min_size=1, max_size=6),
        st.integers(0, 9),
    ),
    max_size=30,
)


def empty() -> MutableFiles:
    """Return files without any, under edit."""
    writer = MemoryStore().writer()
    return MutableFiles(
        WorkingTree(NodeReader(writer.get), None, DEFAULT_PARAMETERS), writer
    )


def writing(files: MutableFiles, path: str, mode: str) -> BlobFile:
    """Open a file for writing."""
    return cast(BlobFile, files.open(path, mode))


def code_of(call: Callable[[], Any], kind: type[Exception]) -> str:
    """Return the code of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call()
    return cast(Any, caught.value).code


Pair = tuple[BlobFile, IO[bytes]]


def do(
    files: MutableFiles,
    disk: Path,
    pairs: list[Pair],
    step: tuple[str, str, str, bytes, int],
) -> None:
    """Do one step to the files and to those of a directory."""
    kind, path, other, data, number = step
    place = disk / path
    if kind in ("r+b", "wb", "ab"):
        if kind == "r+b" and not place.exists():
            assert code_of(lambda: files.open(path, kind), KeyNotFound)
            return
        pairs.append((writing(files, path, kind), place.open(kind, buffering=0)))
    elif kind == "replace":
        files.write(path, data)
        place.write_bytes(data)
    elif kind == "delete" and place.exists():
        assert files.delete(path) == 1
        place.unlink()
    elif kind == "rename" and place.exists() and other != path:
        if (disk / other).exists():
            assert code_of(lambda: files.rename(path, other), AlreadyExists)
        else:
            files.rename(path, other)
            place.rename(disk / other)
    elif pairs and kind in ("write", "close"):
        mine, its = pairs[number % len(pairs)]
        if kind == "write":
            assert mine.write(data) == its.write(data)
            assert mine.size == os.fstat(its.fileno()).st_size
        else:
            pairs.remove((mine, its))
            mine.close()
            its.close()


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_open_files_are_those_of_a_file_system(
    steps: list[tuple[str, str, str, bytes, int]], close: bool
) -> None:
    """Many file objects, writes, renames and deletions do what they do on a disk."""
    files = empty()
    with tempfile.TemporaryDirectory() as directory:
        disk = Path(directory)
        pairs: list[Pair] = []
        for step in steps:
            do(files, disk, pairs, step)
        for mine, its in pairs:
            its.close()
            if close:
                mine.close()
        files.flush()
        expected = {path.name: path.read_bytes() for path in disk.iterdir()}
        assert {path: files.read(path) for path in files} == expected
        files.close()


def test_two_file_objects_of_one_path_keep_both_writes() -> None:
    """Neither close undoes what the other file object wrote."""
    files = empty()
    files.write("a", b"0123456789")
    first, second = writing(files, "a", "r+b"), writing(files, "a", "ab")
    first.write(b"AB")
    second.write(b"xyz")
    first.close()
    assert files.read("a") == b"AB23456789xyz"
    second.write(b"!")
    second.close()
    assert files.read("a") == b"AB23456789xyz!"


def test_an_open_file_follows_a_rename_and_goes_with_a_deletion() -> None:
    """Closing it brings no path back."""
    files = empty()
    files.write("dir/a", b"1")
    moved, lost = writing(files, "dir/a", "ab"), writing(files, "dir/b", "wb")
    assert files.rename("dir", "other") == 2
    moved.write(b"2")
    lost.write(b"3")
    files.delete("other/b")
    moved.close()
    lost.close()
    assert {path: files.read(path) for path in files} == {"other/a": b"12"}


def test_a_new_open_file_holds_its_place() -> None:
    """Before it is kept, nothing may be put above, below or on it."""
    files = empty()
    file = writing(files, "a/b", "wb")
    files.write("c", b"")
    assert code_of(lambda: files.write("a", b""), Invalid) == "file-path-clash"
    assert code_of(lambda: files.write("a/b/c", b""), Invalid) == "file-path-clash"
    assert code_of(lambda: files.rename("c", "a/b"), AlreadyExists) == "file-exists"
    assert code_of(lambda: files.rename("c", "a"), AlreadyExists) == "file-exists"
    file.write(b"1")
    file.close()
    assert files.read("a/b") == b"1"


def test_a_file_written_as_it_was_keeps_its_time() -> None:
    """An open file that changes nothing leaves the entry alone."""
    files = empty()
    entry = files.write("a", b"12", mode=0o755, mtime_ns=5)
    with writing(files, "a", "r+b") as file:
        file.write(b"12")
    assert files["a"] == entry
    with writing(files, "a", "r+b") as file:
        file.write(b"2")
    assert (files["a"].mode, files["a"].mtime_ns) == (0o755, None)


def test_after_the_transaction_a_file_of_no_path_is_closed() -> None:
    """Invalid closed, also for what was deleted while it was open."""
    files = empty()
    kept, lost = writing(files, "a", "wb"), writing(files, "b", "wb")
    files.delete("b")
    files.close()
    for file in (kept, lost):
        assert code_of(lambda one=file: one.write(b"x"), Invalid) == "closed"
        file.close()
