"""A files dataset under edit: write, open, rename, delete, add from the disk."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from typing import IO, Any

from prolly.chunks import ChunkWriter
from prolly.codec import (
    FILE_MODE_MAX,
    MTIME_NS_MAX,
    MTIME_NS_MIN,
    FileEntry,
    Reference,
    decode_file_entry,
    encode_file_entry,
    shown,
)
from prolly.errors import AlreadyExists, Invalid
from prolly.tree import WorkingTree

from .blob import write_blob
from .blob_edit import BLOB_BYTES_MAX, BlobEdit
from .blob_file import WRITE_MODES, BlobFile, BlobReader, unknown_mode
from .files import Files, no_such_file
from .files_add import AddResult, add_directory, add_file
from .files_disk import regular_status, require_unchanged
from .files_paths import check_directory, check_path, parents, path_clash
from .open_files import OpenFile, OpenFiles
from .records import EditedRecords
from .sorted_mapping import SortedMapping

# What a new file may be done with when nobody says: its owner writes, all read.
FILE_MODE_DEFAULT = 0o644

# One read of a stream: a file up to here needs no more than one.
READ_BYTES = 1024 * 1024

Content = bytes | bytearray | memoryview | IO[bytes]


class MutableFiles(Files):
    """The files of a tree under edit; it reads its own writes. Not thread-safe.

    After its transaction every use raises Invalid ``closed``.
    """

    def __init__(self, tree: WorkingTree, writer: ChunkWriter) -> None:
        self._edited = EditedRecords(tree, writer)
        self._open_files = OpenFiles()
        SortedMapping.__init__(self, self._edited)

    def write(
        self,
        path: str,
        data: Content,
        *,
        mode: int | None = None,
        mtime_ns: int | None = None,
    ) -> FileEntry:
        """Write a file from bytes, or from a binary stream of any length.

        ``mode`` is permission bits, kept from the file before or 0o644; ``mtime_ns`` is
        nanoseconds since 1970 UTC, None for not known: no clock is looked at. Raises
        Invalid ``file-path``, ``file-path-clash``, ``file-mode``, ``file-time``,
        ``value-type`` for text; Stale ``file-changed`` when the stream is a file of the
        disk that is written meanwhile. Then the file stays as it was.
        """
        check_path(path)
        return self.put_entry(
            path, self.write_content(data), mode=mode, mtime_ns=mtime_ns
        )

    def write_content(self, data: Content) -> tuple[Reference, int]:
        """Write a blob of bytes or of a stream's rest; return its root and length."""
        writer = self._edited.writer
        if isinstance(data, (bytes, bytearray, memoryview)):
            value = bytes(data)
            return write_blob(writer, value), len(value)
        if not hasattr(data, "read"):
            raise Invalid(
                f"the content is {type(data).__name__}, not bytes",
                code="value-type",
                hint="Give bytes, such as text.encode(), or a file in binary mode.",
            )
        before = regular_status(data)
        end = BLOB_BYTES_MAX if before is None else before.st_size
        reference, size = self._write_stream(data, writer, end)
        if before is not None:
            after = os.fstat(data.fileno())
            require_unchanged(before, after, size, str(getattr(data, "name", "it")))
        return reference, size

    def _write_stream(
        self, stream: IO[bytes], writer: ChunkWriter, end: int
    ) -> tuple[Reference, int]:
        """Write a stream, until it ends or has more than ``end`` bytes."""
        first = stream.read(READ_BYTES)
        if not isinstance(first, (bytes, bytearray)):
            raise Invalid(
                f"the content is {type(first).__name__}, not bytes",
                code="value-type",
                hint="Open the file in binary mode.",
            )
        following = stream.read(READ_BYTES) if first else b""
        if not following:
            return write_blob(writer, bytes(first)), len(first)
        edit = BlobEdit(writer, None)
        edit.write(0, first)
        while following and edit.length <= end:
            edit.write(edit.length, following)
            following = stream.read(READ_BYTES)
        reference = edit.store()
        edit.close()
        return reference, edit.length

    def put_entry(
        self,
        path: str,
        content: tuple[Reference, int],
        *,
        mode: int | None,
        mtime_ns: int | None,
    ) -> FileEntry:
        """Point a path at a blob, told with its length; raises as ``write``.

        File objects that are open on the path have this content from now on.
        """
        entry = self._put(path, content, mode=mode, mtime_ns=mtime_ns)
        self._open_files.start_over(path, entry.reference)
        return entry

    def _put(
        self,
        path: str,
        content: tuple[Reference, int],
        *,
        mode: int | None,
        mtime_ns: int | None,
    ) -> FileEntry:
        _check_dress(mode, mtime_ns)
        encoded = self.encode_key(path)
        stored = self._edited.get(encoded)
        if stored is None:
            self._check_clash(path)
        if mode is None:
            mode = FILE_MODE_DEFAULT
            if stored is not None:
                mode = decode_file_entry(stored).mode
        reference, size = content
        entry = FileEntry(size, mode, mtime_ns, reference)
        value = encode_file_entry(entry)
        if value != stored:
            self._edited.put(encoded, value)
        return entry

    def _check_clash(self, path: str) -> None:
        """Refuse a new file in the place of a directory, or below a file."""
        for parent in parents(path):
            if self._holds(parent):
                raise path_clash(path, parent)
        below = next(self._iter_below(path), None)
        if below is not None:
            raise path_clash(path, below)

    def open(self, path: str, mode: str = "rb") -> BlobReader:
        """Open a file: ``rb``, or for writing ``r+b``, ``wb`` (anew), ``ab`` (append).

        File objects of one path write to one content, and each sees what the others
        wrote. It becomes the file's content when one of them is closed, or at the end
        of the transaction; ``rb`` reads what was kept so far. The mode stays; the time
        is not known then, unless the content is as it was. A renamed file takes what is
        open with it; what is written to a deleted one is lost.

        KeyNotFound ``no-such-file`` for ``rb`` and ``r+b``; Invalid ``option``.
        """
        if mode == "rb":
            return super().open(path, mode)
        if mode not in WRITE_MODES:
            raise unknown_mode(mode, ("rb", *WRITE_MODES))
        self._edited.require_open()
        entry = self.get(check_path(path))
        if entry is None and path not in self._open_files:
            if mode == "r+b":
                raise no_such_file(path)
            self._check_clash(path)
        reference = None if entry is None or mode == "wb" else entry.reference
        writer = self._edited.writer
        file = self._open_files.use(path, lambda: BlobEdit(writer, reference))
        return BlobFile(file.edit, mode, when_closed=lambda: self._close_one(file))

    def _close_one(self, file: OpenFile) -> None:
        """Keep what an open file holds; nothing after the transaction."""
        try:
            if self._open_files.holds(file):
                self._keep(file)
        finally:
            self._open_files.give_back(file)

    def _keep(self, file: OpenFile) -> None:
        """Make what an open file holds the content at its path."""
        path = file.path
        assert path is not None, "a file that is deleted is not kept"
        content = file.edit.store(), file.edit.length
        stored = self.get(path)
        if stored is None or (stored.reference, stored.size) != content:
            self._put(path, content, mode=None, mtime_ns=None)

    def flush(self) -> None:
        """Keep what was written through file objects that are still open."""
        for file in self._open_files.files():
            self._keep(file)

    def __delitem__(self, path: str) -> None:
        """Delete a file; KeyNotFound ``no-such-file``."""
        encoded = self.encode_key(path)
        if self._edited.get(encoded) is not None:
            self._edited.put(encoded, None)
        elif path not in self._open_files:
            raise no_such_file(path)
        self._open_files.forget(path)

    def delete(self, path: str) -> int:
        """Delete a file, or all files below a directory; return how many.

        KeyNotFound ``no-such-file`` when there is neither.
        """
        paths = self._paths_at(path)
        for one in paths:
            del self[one]
        return len(paths)

    def rename(self, old: str, new: str) -> int:
        """Give a file, or all files below a directory, a new path; return how many.

        KeyNotFound ``no-such-file``; AlreadyExists ``file-exists`` when something is
        there; Invalid ``file-path-clash`` for a place inside itself.
        """
        old, new = check_path(old), check_path(new)
        paths = self._paths_at(old)
        if old == new:
            return len(paths)
        if f"{new}/".startswith(f"{old}/"):
            raise path_clash(old, new)
        if self._holds(new) or any(self._iter_below(new)):
            raise AlreadyExists(
                f"there is {new!r} already",
                code="file-exists",
                hint="Delete it first, or choose another path.",
                path=new,
            )
        moved = {path: check_path(new + path[len(old) :]) for path in paths}
        self._check_clash(new)
        for path, place in moved.items():
            encoded = self.encode_key(path)
            stored = self._edited.get(encoded)
            # A new file that is open has no entry before it is kept.
            if stored is not None:
                self._edited.put(encoded, None)
                self._edited.put(self.encode_key(place), stored)
            self._open_files.rename(path, place)
        return len(paths)

    def _paths_at(self, path: str) -> list[str]:
        """Return a file, or the files below a directory, new ones that are open too."""
        check_path(path)
        found = {path} if self._holds(path) else set(self._iter_below(path))
        if not found:
            raise no_such_file(path)
        return sorted(found)

    def _iter_below(self, path: str) -> Iterator[str]:
        """Yield the files below a directory, then, perhaps again, those open."""
        prefix = f"{path}/"
        yield from self.keys(prefix=prefix)
        for one in self._open_files.paths():
            if one.startswith(prefix):
                yield one

    def _holds(self, path: str) -> bool:
        """Tell whether there is a file, or one that is going to be when it is kept."""
        return path in self._open_files or path in self

    def add_directory(
        self,
        source: str | os.PathLike[str],
        prefix: str = "",
    ) -> tuple[AddResult, set[str]]:
        """Write every file below a directory of the disk, under a prefix.

        Returns counts, and the paths: what ``keep_only`` takes. Mode and time are kept;
        directories named ``.prolly`` are passed over. Raises Invalid ``symlink``
        for a symbolic link, ``not-a-file`` for a device or socket, ``file-path`` for a
        name that cannot be kept; Stale ``file-changed`` for a file that is written
        meanwhile; NotFound, Denied and StorageFailed for the disk. What was written
        before an error stays in the transaction.
        """
        return add_directory(self, source, check_directory(prefix))

    def keep_only(self, paths: Container[str], prefix: str = "") -> AddResult:
        """Delete the files below a prefix that are not among ``paths``; count them."""
        start = check_directory(prefix)
        lost = [path for path in self.keys(prefix=start or None) if path not in paths]
        for path in lost:
            del self[path]
        return AddResult(removed=len(lost))

    def add_file(self, source: str | os.PathLike[str], path: str) -> AddResult:
        """Write one file of the disk under a path; raises as ``add_directory``."""
        return add_file(self, check_path(path), os.fspath(source), follow=True)

    def close(self) -> None:
        """End the use of these files; twice is fine."""
        self._open_files.close()
        self._edited.close()


def _check_dress(mode: Any, mtime_ns: Any) -> None:
    if mode is not None and (type(mode) is not int or not 0 <= mode <= FILE_MODE_MAX):
        raise Invalid(
            f"not permission bits: {shown(mode)}",
            code="file-mode",
            hint="Give a number from 0 to 0o777, as 0o644.",
        )
    if mtime_ns is None:
        return
    if type(mtime_ns) is not int or not MTIME_NS_MIN <= mtime_ns <= MTIME_NS_MAX:
        raise Invalid(
            f"not a time of a file: {shown(mtime_ns)}",
            code="file-time",
            hint="Give nanoseconds since 1970 as an int, as st_mtime_ns does.",
        )
