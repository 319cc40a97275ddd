"""From a files dataset into a directory, without ever leaving it.

Each directory is opened below the one before it and no link is followed, so neither a
path of the dataset nor a link that stands in the target leads elsewhere. A file is
written beside its place and moved over it, with its mode and time, so that a reader or
an interruption meets the old file or the new one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from prolly.codec import FileEntry
from prolly.errors import AlreadyExists

from .files_disk import disk_errors, require_regular, symlink_refused
from .files_paths import path_clash

if TYPE_CHECKING:
    from .files import Files

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class CheckoutResult:
    """How many files were written, and how many stood there already as they should."""

    written: int = 0
    unchanged: int = 0


def checkout(
    files: Files, target: str | os.PathLike[str], prefix: str, *, verify: bool
) -> CheckoutResult:
    """Write the files below a prefix into a directory; see ``Files.checkout``."""
    written = unchanged = 0
    with _Place(os.fspath(target)) as place:
        for path, entry in files.items(prefix=prefix or None):
            if _bring(files, (path, entry), place, verify=verify):
                written += 1
            else:
                unchanged += 1
    return CheckoutResult(written, unchanged)


def _bring(
    files: Files, item: tuple[str, FileEntry], place: _Place, *, verify: bool
) -> bool:
    """Make one file as its entry says; tell whether that took any writing."""
    path, entry = item
    directory, _, name = path.rpartition("/")
    shown = place.shown(path)
    with disk_errors(shown):
        parent = place.open_directory(directory)
        status = _status(parent, name)
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise path_clash(path, path + "/...")
        if status is not None:
            require_regular(status, shown)
            if status.st_size == entry.size:
                is_same = not verify and status.st_mtime_ns == entry.mtime_ns
                if is_same or _has_content(parent, name, files, path):
                    if _is_dressed(status, entry):
                        return False
                    if _dress_existing(parent, name, entry):
                        return True
        _replace(parent, name, files, path)
    return True


def _status(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_dressed(status: os.stat_result, entry: FileEntry) -> bool:
    """Tell whether mode and time are those of the entry."""
    same_time = entry.mtime_ns in (None, status.st_mtime_ns)
    return same_time and stat.S_IMODE(status.st_mode) == entry.mode


def _dress(descriptor: int, entry: FileEntry) -> None:
    os.fchmod(descriptor, entry.mode)
    if entry.mtime_ns is not None:
        os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))


def _dress_existing(parent: int, name: str, entry: FileEntry) -> bool:
    """Set mode and time of a file that stands; False when it cannot be opened."""
    try:
        descriptor = os.open(name, _READ, dir_fd=parent)
    except PermissionError:
        return False
    try:
        _dress(descriptor, entry)
    finally:
        os.close(descriptor)
    return True


def _has_content(parent: int, name: str, files: Files, path: str) -> bool:
    """Tell whether a file holds the bytes of the dataset's."""
    try:
        descriptor = os.open(name, _READ, dir_fd=parent)
    except PermissionError:
        return False
    with open(descriptor, "rb") as there, files.open(path) as wanted:
        if any(there.read(len(part)) != part for part in wanted.iter_read()):
            return False
        return there.read(1) == b""


def _replace(parent: int, name: str, files: Files, path: str) -> None:
    entry = files[path]
    temporary, descriptor = _create(parent)
    try:
        with open(descriptor, "wb", buffering=0) as file, files.open(path) as source:
            for part in source.iter_read():
                _write_all(file.fileno(), part)
            _dress(file.fileno(), entry)
        os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=parent)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _create(parent: int) -> tuple[str, int]:
    """Create a new file for its owner alone, under a name that is not taken."""
    for number in count():
        name = f".checkout-{os.getpid()}-{number}.part"
        with suppress(FileExistsError):
            return name, os.open(name, _CREATE, 0o600, dir_fd=parent)
    raise AssertionError("count() does not end")


class _Place:
    """The target with the directories open that lead to the current file."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._names: list[str] = []
        self._descriptors: list[int] = []

    def __enter__(self) -> _Place:
        if os.path.exists(self._target) and not os.path.isdir(self._target):
            raise AlreadyExists(
                f"{self._target} is a file, not a directory",
                code="not-a-directory",
                hint="Name a directory; `prolly files cat` prints a single file.",
                path=self._target,
            )
        with disk_errors(self._target):
            os.makedirs(self._target, exist_ok=True)
            # The target itself may be a link: whoever names it knows where it leads.
            root = os.open(self._target, _DIRECTORY & ~os.O_NOFOLLOW)
        self._descriptors.append(root)
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)

    def shown(self, path: str) -> str:
        """Return where a file goes, for messages."""
        return os.path.join(self._target, path)

    def open_directory(self, directory: str) -> int:
        """Return a descriptor of a directory below the target, made when missing."""
        names = directory.split("/") if directory else []
        shared = 0
        for ours, wanted in zip(self._names, names, strict=False):
            if ours != wanted:
                break
            shared += 1
        while len(self._names) > shared:
            self._names.pop()
            os.close(self._descriptors.pop())
        for name in names[shared:]:
            descriptor = self._enter(name)
            self._descriptors.append(descriptor)
            self._names.append(name)
        return self._descriptors[-1]

    def _enter(self, name: str) -> int:
        parent = self._descriptors[-1]
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        with self._refusals("/".join([*self._names, name]), name):
            return os.open(name, _DIRECTORY, dir_fd=parent)
        raise AssertionError("a refusal raises")

    @contextmanager
    def _refusals(self, path: str, name: str) -> Iterator[None]:
        try:
            yield
        except OSError:
            status = _status(self._descriptors[-1], name)
            if status is not None and stat.S_ISLNK(status.st_mode):
                raise symlink_refused(self.shown(path)) from None
            if status is not None and not stat.S_ISDIR(status.st_mode):
                raise path_clash(path, path + "/...") from None
            raise
