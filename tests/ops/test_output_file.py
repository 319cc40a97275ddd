"""A file is there whole or not at all."""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from prolly.errors import NotFound, StorageFailed
from prolly.ops import output_file
from prolly.ops.output_file import replacement, write_chunks


def broken(first: bytes) -> Iterator[bytes]:
    """Yield one chunk and fail."""
    yield first
    raise ZeroDivisionError


def test_a_file_appears_with_the_usual_permissions(tmp_path: Path) -> None:
    """The chunks are joined, nothing else is left, and the umask is obeyed."""
    path = tmp_path / "out.csv"
    write_chunks(path, [b"a", b"b"])
    assert path.read_bytes() == b"ab"
    assert os.listdir(tmp_path) == ["out.csv"]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """When the rows fail, the file is as it was, and no other is left."""
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        write_chunks(path, broken(b"new"), compression="gzip")
    assert path.read_bytes() == b"old"
    with pytest.raises(ZeroDivisionError):
        write_chunks(tmp_path / "fresh", broken(b"new"))
    assert os.listdir(tmp_path) == ["out.csv"]


def test_the_name_is_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory is synced once the file has its name, where that can be done."""
    path = tmp_path / "out.csv"
    seen: list[tuple[str, bytes]] = []

    def sync(directory: str) -> None:
        seen.append((directory, path.read_bytes()))
        raise OSError(errno.EINVAL, "no such thing here")

    monkeypatch.setattr(output_file, "sync_directory", sync)
    write_chunks(path, [b"a"])
    assert seen == [(os.path.realpath(tmp_path), b"a")]


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    """A replaced file keeps its permissions; a link goes on to point at it."""
    real = tmp_path / "real"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(real)
    write_chunks(link, [b"new"])
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_gzip_is_always_the_same_bytes(tmp_path: Path) -> None:
    """Neither name nor time stands in a compressed file."""
    for name in ("a.gz", "b.gz"):
        write_chunks(tmp_path / name, [b"x" * 1000], compression="gzip")
    first, second = ((tmp_path / name).read_bytes() for name in ("a.gz", "b.gz"))
    assert first == second
    assert gzip.decompress(first) == b"x" * 1000
    assert first[4:8] == bytes(4)


def test_a_stream_is_written_and_left_open() -> None:
    """What the caller opened, the caller closes."""
    stream = io.BytesIO()
    write_chunks(stream, [b"a", b"b"], compression="gzip")
    assert gzip.decompress(stream.getvalue()) == b"ab"


def test_what_is_no_regular_file_is_written_straight(tmp_path: Path) -> None:
    """A FIFO stays a FIFO, a device a device."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    write_chunks(fifo, [b"abc"])
    reader.join()
    assert read == [b"abc"]
    write_chunks("/dev/null", [b"abc"])
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_full_disk_is_told_from_a_missing_directory(tmp_path: Path) -> None:
    """Each has its class and code."""
    with pytest.raises(StorageFailed) as full:
        write_chunks("/dev/full", [b"a" * 100_000])
    assert full.value.code == "disk-full"
    with pytest.raises(NotFound) as missing:
        write_chunks(tmp_path / "no" / "out.csv", [b"a"])
    assert missing.value.code == "no-file"


def killed_write(path: Path, name: str) -> int:
    """Write over a file in a child that is killed where it calls ``os.NAME``.

    Without a name it is killed between two chunks. Returns how the child ended.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:

        def die(*_: object) -> None:
            os.kill(os.getpid(), 9)

        def chunks() -> Iterator[bytes]:
            yield b"new" * 10_000
            if not name:
                die()
            yield b"end"

        if name:
            setattr(os, name, die)
        write_chunks(path, chunks())
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.parametrize("name", ["", "fchmod", "fsync", "replace"])
def test_a_kill_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    """Wherever it strikes; what it leaves beside goes when the next file is written."""
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    assert killed_write(path, name) == -9
    assert path.read_bytes() == b"old"
    [left] = set(os.listdir(tmp_path)) - {"out.csv"}
    assert left.startswith(".out.csv.")
    assert left.endswith(".prolly-part")
    (tmp_path / f"{left}-journal").touch()
    write_chunks(tmp_path / "other.csv", [b"other"])
    assert sorted(os.listdir(tmp_path)) == ["other.csv", "out.csv"]


def test_whoever_still_writes_keeps_its_file(tmp_path: Path) -> None:
    """Two writers in one directory, also of one file; the last one counts."""
    path = tmp_path / "out.csv"
    with replacement(str(path)) as slow:
        slow.write(b"slow")
        for place in (path, tmp_path / "other.csv"):
            write_chunks(place, [b"quick"])
            assert place.read_bytes() == b"quick"
    assert path.read_bytes() == b"slow"
    assert sorted(os.listdir(tmp_path)) == ["other.csv", "out.csv"]


def test_a_name_may_be_as_long_as_the_system_takes(tmp_path: Path) -> None:
    """The temporary one is not longer by it."""
    path = tmp_path / ("n" * 255)
    write_chunks(path, [b"a"])
    assert path.read_bytes() == b"a"
