"""Files under edit: a mapping of paths, streams in and out, and no clashes."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import (
    DEFAULT_PARAMETERS,
    FileEntry,
    Referring,
    cbor,
    encode_file_entry,
    encode_referring,
)
from prolly.codec import key as key_codec
from prolly.errors import AlreadyExists, Corrupt, Invalid, KeyNotFound, Stale
from prolly.maps import Files, MutableFiles, write_blob
from prolly.maps.mutable_files import FILE_MODE_DEFAULT
from prolly.tree import NodeReader, WorkingTree, build

LONG = random.Random(17).randbytes(3_000_000)


def empty() -> MutableFiles:
    """Return files without any, under edit."""
    writer = MemoryStore().writer()
    return MutableFiles(
        WorkingTree(NodeReader(writer.get), None, DEFAULT_PARAMETERS), writer
    )


def code_of(call: Callable[[], Any], kind: type[Exception]) -> str:
    """Return the code of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call()
    return cast(Any, caught.value).code


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["write", "delete", "rename"]),
            PATHS,
            PATHS,
            st.binary(max_size=4),
        ),
        max_size=20,
    )
)
def test_it_is_a_dictionary_of_a_file_system(
    operations: list[tuple[str, str, str, bytes]],
) -> None:
    """Writes, deletions and renames leave what they leave in a dictionary."""
    files, model = empty(), dict[str, bytes]()

    def below(path: str) -> list[str]:
        return [one for one in model if f"{one}/".startswith(f"{path}/")]

    for name, path, other, data in operations:
        if name == "write":
            clashes = [
                one
                for one in model
                if one != path
                and (f"{one}/".startswith(f"{path}/") or path.startswith(f"{one}/"))
            ]
            if clashes:
                with pytest.raises(Invalid):
                    files.write(path, data)
            else:
                files.write(path, data)
                model[path] = data
        elif not below(path):
            with pytest.raises(KeyNotFound):
                files.delete(path)
        elif name == "delete":
            assert files.delete(path) == len(below(path))
            for one in below(path):
                del model[one]
        else:
            blocked = below(other) or f"{other}/".startswith(f"{path}/")
            blocked = blocked or any(other.startswith(f"{one}/") for one in model)
            if blocked and path != other:
                with pytest.raises((AlreadyExists, Invalid)):
                    files.rename(path, other)
            else:
                moved = below(path)
                assert files.rename(path, other) == len(moved)
                for one in moved:
                    model[other + one[len(path) :]] = model.pop(one)
    assert list(files) == sorted(model)
    assert {path: files.read(path) for path in files} == model


def test_the_root_forgets_the_order_of_writes() -> None:
    """The same files in another order, with detours, have the same root."""
    one, other = empty(), empty()
    for number in range(300):
        one.write(f"d{number % 7}/f{number}", b"%d" % number, mtime_ns=number)
    other.write("gone", b"x")
    for number in reversed(range(300)):
        other.write(f"d{number % 7}/f{number}", b"other")
        other.write(f"d{number % 7}/f{number}", b"%d" % number, mtime_ns=number)
    del other["gone"]
    assert one.root == other.root


def test_content_comes_from_bytes_and_streams() -> None:
    """Bytes, a stream of any length, and an empty one; the size is known."""
    files = empty()
    for path, data in (("a", LONG), ("b", b""), ("c", b"short")):
        given = files.write(path, data, mode=0o600, mtime_ns=-5)
        streamed = files.write(path + "s", io.BytesIO(data), mode=0o600, mtime_ns=-5)
        assert given == streamed
        assert (given.size, given.mode, given.mtime_ns) == (len(data), 0o600, -5)
        assert files.read(path) == data
    assert code_of(lambda: files.write("d", cast(Any, io.StringIO("x"))), Invalid)


def test_mode_stays_and_time_does_not() -> None:
    """Written again a file keeps its mode; its time is not known unless told."""
    files = empty()
    assert files.write("a", b"1", mtime_ns=9).mode == FILE_MODE_DEFAULT
    files.write("a", b"1", mode=0o755, mtime_ns=9)
    again = files.write("a", b"2")
    assert (again.mode, again.mtime_ns) == (0o755, None)
    for mode, mtime in ((0o1000, None), (-1, None), ("644", None), (None, 2**63)):
        call: Any = files.write
        with pytest.raises(Invalid):
            call("a", b"x", mode=mode, mtime_ns=mtime)
    assert files["a"] == again


def test_an_open_file_is_kept_when_it_is_closed() -> None:
    """Each mode of open, and what is still open at the end of the transaction."""
    files = empty()
    with files.open("a", "wb") as file:
        file.write(b"first")
    with files.open("a", "ab") as file:
        file.write(b" second")
    with files.open("a", "r+b") as file:
        file.write(b"F")
    assert files.read("a") == b"First second"
    late = files.open("b/c", "wb")
    late.write(b"late")
    assert "b/c" not in files
    files.flush()
    assert files.read("b/c") == b"late"
    assert code_of(lambda: files.open("none"), KeyNotFound) == "no-such-file"
    assert code_of(lambda: files.open("none", "r+b"), KeyNotFound) == "no-such-file"
    assert code_of(lambda: files.open("a", "w"), Invalid) == "option"
    assert code_of(lambda: files.open("a/b", "wb"), Invalid) == "file-path-clash"


def test_names_lists_a_directory() -> None:
    """Files and directories by name, without walking what lies deeper."""
    files = empty()
    for path in ("a/b/c", "a/b/d", "a/b.txt", "a0", "b", "a/z"):
        files.write(path, b"")
    assert list(files.names()) == ["a/", "a0", "b"]
    assert list(files.names("a")) == ["b.txt", "b/", "z"]
    assert list(files.names("none")) == []
    assert files.is_directory("a/b")
    assert not files.is_directory("b")
    assert list(files.keys(prefix="a/b/")) == ["a/b/c", "a/b/d"]


class Growing(io.FileIO):
    """A file of the disk that somebody appends to while it is read."""

    def read(self, size: int = -1, /) -> bytes:
        """Read, then let the other one write."""
        data = super().read(size)
        with open(self.name, "ab") as other:
            other.write(b"more")
        return data


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Stale file-changed, and the file before stays."""
    place = tmp_path / "log"
    place.write_bytes(b"line\n")
    files = empty()
    files.write("log", b"before")
    stream = cast(IO[bytes], Growing(place, "rb"))
    assert code_of(lambda: files.write("log", stream), Stale) == "file-changed"
    stream.close()
    assert files.read("log") == b"before"
    with open(place, "rb") as calm:
        assert files.write("log", calm).size == place.stat().st_size


def test_hostile_entries_are_corrupt() -> None:
    """A path that leads elsewhere, a key that is no text, a size that is not so."""
    store = MemoryStore()
    writer = store.writer()
    piece = write_blob(writer, b"12345")

    def stored(key: Any, value: bytes) -> Files:
        tree = [([key_codec.encode_key(key)], [value])]
        root = build(writer, tree, DEFAULT_PARAMETERS)
        return Files(NodeReader(writer.get), root)

    good = encode_file_entry(FileEntry(5, 0o644, None, piece))
    assert stored("a", good).read("a") == b"12345"
    for key in ("../a", "/etc/passwd", 5, ("a", "b")):
        with pytest.raises(Corrupt):
            list(stored(key, good))
    lying = encode_file_entry(FileEntry(6, 0o644, None, piece))
    assert code_of(lambda: stored("a", lying).open("a"), Corrupt) == "file-entry"
    bare = cbor.encode([5, 0o644, None])
    for value in (bare, encode_referring([piece]), Referring(bytes(good)[:-1])):
        with pytest.raises(Corrupt):
            stored("a", value)["a"]


def test_files_are_no_map_and_equal_only_files() -> None:
    """Equality asks for the kind, then for the records."""
    one, other = empty(), empty()
    assert one == other
    one.write("a", b"1")
    assert one != other
    other.write("a", b"1")
    assert one == other
    assert one.nth(0)[0] == one.first()[0] == "a"
    assert (len(one), "b" in one, one.get("b")) == (1, False, None)


def test_after_the_transaction_files_are_closed() -> None:
    """Invalid closed, also of file objects that were open; closing those is quiet."""
    files = empty()
    files.write("a", b"1")
    file = files.open("a", "ab")
    files.close()
    for call in (
        lambda: files.write("a", b"2"),
        lambda: files.read("a"),
        lambda: files.open("a", "wb"),
        lambda: file.write(b"x"),
        lambda: files.first(),
    ):
        assert code_of(call, Invalid) == "closed"
    file.close()
