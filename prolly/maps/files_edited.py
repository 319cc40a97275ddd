"""Files on the disk that would be lost: edited since, and in no version of the store.

A file that a checkout replaces is not lost when the store holds its content, as it does
after a checkout of any version. What it does not hold was written by somebody, so it is
looked for before anything is replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prolly.chunks import ChunkWriter, RefMove, RefNote
from prolly.codec import address_of
from prolly.errors import AlreadyExists

from .blob import write_blob
from .files_disk import disk_errors

if TYPE_CHECKING:
    from .files import Files

# A longer file is taken for edited where its size or time differ: it would have to be
# read and cut as a whole.
COMPARE_BYTES_MAX = 256 * 1024 * 1024

# As many names as a message shows.
_SHOWN = 3


def refuse_edited(files: Files, target: str | os.PathLike[str], prefix: str) -> None:
    """Raise AlreadyExists ``file-edited`` (field ``paths``) before anything is lost."""
    place = Path(target)
    if not place.is_dir():
        return
    edited = [
        path
        for path, entry in files.items(prefix=prefix or None)
        if _is_edited(files, place / path, (entry.size, entry.mtime_ns))
    ]
    if not edited:
        return
    more = f" and {len(edited) - _SHOWN} more" if len(edited) > _SHOWN else ""
    raise AlreadyExists(
        f"{place} has files that no version has: {', '.join(edited[:_SHOWN])}{more}",
        code="file-edited",
        hint="Add them first (`prolly files add`), or overwrite them with `--force`.",
        paths=edited,
    )


def _is_edited(files: Files, place: Path, wanted: tuple[int, int | None]) -> bool:
    with disk_errors(str(place)):
        try:
            status = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        # Whatever is no file is refused with its own error.
        if not stat.S_ISREG(status.st_mode):
            return False
        if (status.st_size, status.st_mtime_ns) == wanted:
            return False
        if status.st_size > COMPARE_BYTES_MAX:
            return True
        content = place.read_bytes()
    return files.read_chunk(write_blob(_Addresses(), content).address) is None


class _Addresses(ChunkWriter):
    """Tells the addresses of chunks and keeps none of them."""

    def put(self, chunk: bytes) -> bytes:
        return address_of(chunk)

    def get(self, address: bytes) -> bytes | None:
        return None

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        raise AssertionError("there is nothing to commit")

    def abort(self) -> None:
        return
