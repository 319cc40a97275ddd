"""A files dataset: a sorted mapping from path to entry, and the files as streams.

The tree holds size, mode, time and a reference to the blob of each file, so listings,
differences and copies touch no content.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain

from prolly.codec import FileEntry, decode_file_entry, shown
from prolly.codec import key as key_codec
from prolly.errors import Corrupt, KeyNotFound
from prolly.tree import iter_batches

from .blob_file import BlobReader, unknown_mode
from .files_checkout import CheckoutResult, checkout
from .files_edited import refuse_edited
from .files_paths import check_directory, check_path, check_stored_path
from .ordered_map import OrderedMap
from .sorted_mapping import SortedMapping


class Files(OrderedMap):
    """The files of one stored tree: path -> :class:`FileEntry`. Thread-safe.

    A path that cannot be one raises Invalid ``file-path``; an absent file KeyNotFound
    ``no-such-file``. Paths are in the order of their UTF-8 bytes. Directories are what
    paths have in common; an empty one cannot be kept.
    """

    def __getitem__(self, path: str) -> FileEntry:
        stored = self._records.get(self.encode_key(path))
        if stored is None:
            raise no_such_file(path)
        return decode_file_entry(stored)

    def open(self, path: str, mode: str = "rb") -> BlobReader:
        """Open a file for reading. KeyNotFound ``no-such-file``.

        Invalid ``option`` for another mode: a snapshot cannot be written.
        """
        if mode != "rb":
            raise unknown_mode(mode, ("rb",))
        entry = self[path]
        file = BlobReader.of(self._records.read_chunk, entry.reference)
        if file.size != entry.size:
            raise Corrupt(
                f"{path!r} has {file.size} bytes, its entry tells {entry.size}",
                code="file-entry",
                hint="Run `prolly fsck --full` to see what else is damaged.",
                path=path,
            )
        return file

    def read(self, path: str) -> bytes:
        """Return the content of a file, whole. KeyNotFound ``no-such-file``."""
        return self.open(path).read()

    def names(self, directory: str = "") -> Iterator[str]:
        """Yield the names in a directory, those of directories with ``/`` at the end.

        An absent directory has none. What lies below a directory is passed over.
        """
        prefix = check_directory(directory)
        low, stop = key_codec.prefix_range(prefix)
        reader, root = self._records.settled(low, stop)
        start = low
        while True:
            batches = iter_batches(reader, root, start=start, stop=stop)
            leap = None
            for encoded in chain.from_iterable(keys for keys, _ in batches):
                (path,) = self.decode_keys([encoded])
                name, slash, _ = path[len(prefix) :].partition("/")
                yield name + slash
                if slash:
                    leap = key_codec.prefix_range(prefix + name + "/")[1]
                    break
            if leap is None:
                return
            start = leap

    def is_directory(self, path: str) -> bool:
        """Tell whether there is a file below this path."""
        prefix = check_directory(path)
        return next(iter(self.keys(prefix=prefix)), None) is not None

    def checkout(
        self,
        target: str | os.PathLike[str],
        *,
        prefix: str = "",
        verify: bool = False,
        overwrite: bool = True,
    ) -> CheckoutResult:
        """Write the files below ``prefix`` into a directory, made when missing.

        A file whose size and time are those of its entry is left as it is; ``verify``
        compares its content too. Without ``overwrite`` nothing is written where a file
        stands whose content the store does not hold: AlreadyExists ``file-edited``.
        KeyNotFound ``no-such-file`` for a prefix with nothing below it; AlreadyExists
        ``not-a-directory`` for a target that is a file. Each file is replaced in one
        step, with its mode and time. Other files stay. Symbolic links in the way are
        refused: Invalid ``symlink``; a directory where a file is to be, or the reverse:
        ``file-path-clash``. NotFound, Denied and StorageFailed for the disk. What was
        written before an error stays.
        """
        directory = check_directory(prefix)
        if directory and next(iter(self.keys(prefix=directory)), None) is None:
            raise no_such_file(prefix)
        if not overwrite:
            refuse_edited(self, target, directory)
        return checkout(self, target, directory, verify=verify)

    def read_chunk(self, address: bytes) -> bytes | None:
        """Return a chunk of the store that holds the files, or ``None``."""
        return self._records.read_chunk(address)

    def encode_key(self, key: object) -> bytes:
        return key_codec.encode_key(check_path(key))

    def decode_keys(self, keys: Sequence[bytes]) -> list[str]:
        return list(map(check_stored_path, key_codec.decode_keys(keys)))

    def decode_records(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[FileEntry]:
        return list(map(decode_file_entry, values))

    def decode_record(self, key: bytes, stored: bytes) -> FileEntry:
        return decode_file_entry(stored)

    def is_of_form(self, other: SortedMapping) -> bool:
        return isinstance(other, Files)

    def _present(self, key: bytes, stored: bytes) -> tuple[str, FileEntry]:
        return self.decode_keys([key])[0], decode_file_entry(stored)


def no_such_file(path: str) -> KeyNotFound:
    """Return (not raise) the error for a file that is not there."""
    return KeyNotFound(
        f"there is no file {shown(path)}",
        code="no-such-file",
        hint="Paths are exact; names() lists a directory.",
        path=path,
    )
