"""From a directory into a files dataset: every regular file below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prolly.codec import FILE_MODE_MAX

from .files_disk import disk_errors, require_regular, require_unchanged
from .files_paths import STORE_NAME

if TYPE_CHECKING:
    from .mutable_files import MutableFiles


@dataclass(frozen=True, slots=True)
class AddResult:
    """How many files are new, changed, as they were, and removed."""

    added: int = 0
    modified: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: AddResult) -> AddResult:
        return AddResult(
            self.added + other.added,
            self.modified + other.modified,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
        )


def add_directory(
    files: MutableFiles, source: str | os.PathLike[str], prefix: str
) -> tuple[AddResult, set[str]]:
    """Write every file below a directory; return the counts, and the paths."""
    result, paths = AddResult(), set()
    for relative, place in _iter_files(os.fspath(source)):
        path = prefix + relative
        result += add_file(files, path, place, follow=False)
        paths.add(path)
    return result, paths


def add_file(files: MutableFiles, path: str, place: str, *, follow: bool) -> AddResult:
    """Write one file of the disk under a path, with its mode and time.

    ``follow`` allows a symbolic link at ``place`` itself. Invalid ``symlink`` and
    ``not-a-file``, Stale ``file-changed``; then nothing changes.
    """
    old = files.get(path)
    with disk_errors(place):
        require_regular(os.stat(place, follow_symlinks=follow), place)
        flags = os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        with open(place, "rb", opener=lambda name, _: os.open(name, flags)) as stream:
            before = os.fstat(stream.fileno())
            require_regular(before, place)
            reference, size = files.write_content(stream)
            require_unchanged(before, os.fstat(stream.fileno()), size, place)
    entry = files.put_entry(
        path,
        (reference, size),
        mode=before.st_mode & FILE_MODE_MAX,
        mtime_ns=before.st_mtime_ns,
    )
    if old is None:
        return AddResult(added=1)
    return AddResult(unchanged=1) if old == entry else AddResult(modified=1)


def _iter_files(source: str) -> Iterator[tuple[str, str]]:
    """Yield (path below the source, place on disk) in order, directory by directory.

    A store inside is passed over.
    """
    with disk_errors(source):
        found = sorted(os.scandir(source), key=lambda one: one.name)
    for one in found:
        if one.name.lower() == STORE_NAME:
            continue
        with disk_errors(one.path):
            is_directory = stat.S_ISDIR(one.stat(follow_symlinks=False).st_mode)
        if not is_directory:
            yield one.name, one.path
            continue
        for below, place in _iter_files(one.path):
            yield f"{one.name}/{below}", place
