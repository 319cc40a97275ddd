"""The directory of a local store: its files, their making, and what a crash leaves.

    data.mdb lock.mdb   the index (LMDB)
    journal             small commits that wait for the index
    journal-synced      how far the journal is known to be on the disk
    packs/HASH.pack     immutable packs, named by their content
    tmp/                files that are being written, each locked by its owner
    gc.lock             shared by writers from a pack's rename to their commit;
                        exclusive for a sweep
    map.lock            held by the one process that grows the index's map

It must not know what a pack or the index holds. Page: ``docs/spec/local-store.md``.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress

from prolly.errors import AlreadyExists, Corrupt

from .costs import Costs
from .lmdb_opening import DATA_FILE, LOCKS_FILE
from .storage_failures import from_os_error, index_missing, no_store

PACKS = "packs"
TEMPORARY = "tmp"

# A name is drawn from 64 bits; a second draw that is taken as well is a fault of ours.
NAME_DRAWS_MAX = 8


class StoreDirectory:
    """The paths of one store."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))
        self.packs = os.path.join(self.path, PACKS)
        self.temporary = os.path.join(self.path, TEMPORARY)
        self.gc_lock = os.path.join(self.path, "gc.lock")
        self.journal = os.path.join(self.path, "journal")
        self.synced_mark = os.path.join(self.path, "journal-synced")
        self._is_new = False
        # Directories that have new names in them, since something above was made too.
        self._changed_above: list[str] = []
        # Of this process: whoever waits for the disk in this directory counts here.
        self.costs = Costs()

    def create(self) -> None:
        """Make the directories; some may be there from a creation that was cut short.

        Raises AlreadyExists ``not-a-directory``, ReadOnly, StorageFailed.
        """
        try:
            self._make_above()
            with suppress(FileExistsError):
                os.mkdir(self.path)
                self._is_new = True
            for path in (self.packs, self.temporary):
                os.makedirs(path, exist_ok=True)
            # Made now, so that the first commit has no name to wait for.
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            os.close(os.open(self.journal, flags, 0o644))
        except (FileExistsError, NotADirectoryError) as error:
            raise AlreadyExists(
                f"{self.path} is in the way: it is not a directory",
                code="not-a-directory",
                hint="Choose another place, or move the file away.",
                path=self.path,
            ) from error
        except OSError as error:
            self.withdraw()
            raise from_os_error(error, f"making {self.path}") from error

    def _make_above(self) -> None:
        """Make the directories above, and remember where that gave new names."""
        above = os.path.dirname(self.path)
        at = above
        while not os.path.isdir(at) and os.path.dirname(at) != at:
            at = os.path.dirname(at)
            self._changed_above.append(at)
        os.makedirs(above, exist_ok=True)

    def is_unfinished(self) -> bool:
        """Tell whether a creation that was cut short left this: no commit was made.

        The first commit goes to the journal, and only care empties that, which leaves
        its own file of locks. Raises OSError.
        """
        known = {DATA_FILE, LOCKS_FILE, os.path.basename(self.journal)}
        if not known | {PACKS, TEMPORARY} >= set(os.listdir(self.path)):
            return False
        if os.path.isdir(self.packs) and os.listdir(self.packs):
            return False
        return not os.path.exists(self.journal) or not os.path.getsize(self.journal)

    def empty_unfinished(self) -> bool:
        """Empty the index of an unfinished creation; tell whether this is one.

        A power cut may leave its first pages without their bytes.
        """
        try:
            if self.is_unfinished():
                os.truncate(os.path.join(self.path, DATA_FILE), 0)
                return True
        except OSError as error:
            raise from_os_error(error, f"making {self.path}") from error
        return False

    def withdraw(self) -> None:
        """Remove what ``create`` made, after a failure; what was there before stays."""
        if not self._is_new:
            return
        for name in (DATA_FILE, LOCKS_FILE, os.path.basename(self.journal)):
            with suppress(OSError):
                os.unlink(os.path.join(self.path, name))
        for path in (self.packs, self.temporary, self.path):
            with suppress(OSError):
                os.rmdir(path)

    def make_durable(self) -> None:
        """Let the names of a new store survive a power cut."""
        for path in (self.path, os.path.dirname(self.path), *self._changed_above):
            sync_directory(path)

    def require(self) -> None:
        """Raise NotFound ``no-store`` when the files of a store are not there.

        Corrupt ``index-missing`` when only its index is gone.
        """
        if os.path.isfile(os.path.join(self.path, DATA_FILE)):
            return
        # LMDB makes its file of locks with the index, so here was one.
        has_locks = os.path.isfile(os.path.join(self.path, LOCKS_FILE))
        if has_locks and not self._may_be_unfinished():
            raise index_missing(os.path.join(self.path, DATA_FILE))
        raise no_store(self.path)

    def _may_be_unfinished(self) -> bool:
        with suppress(OSError):
            return self.is_unfinished()
        return False

    def is_writable(self) -> bool:
        """Tell whether this process may add files; False on a read-only mount."""
        return os.access(self.path, os.W_OK | os.X_OK)

    def pack_path(self, name: bytes) -> str:
        """Return the path of the pack of this hash."""
        return os.path.join(self.packs, f"{name.hex()}.pack")

    def open_temporary(self) -> TemporaryFile:
        """Return a new empty file, locked until it is closed."""
        for _ in range(NAME_DRAWS_MAX):
            path = os.path.join(self.temporary, f"{os.urandom(8).hex()}.pack")
            try:
                file = TemporaryFile(path)
                if file.lock():
                    return file
            except FileExistsError:
                continue
            except OSError as error:
                raise from_os_error(error, "making a temporary file") from error
        raise AssertionError("random names repeat")

    def remove_leftovers(self) -> int:
        """Remove temporary files whose owner is gone; return how many."""
        removed = 0
        with suppress(OSError):
            for entry in os.scandir(self.temporary):
                removed += _remove_unlocked(entry.path)
        return removed


class TemporaryFile:
    """A file in ``tmp/`` that belongs to this process while it is open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor = -1
        self._process = os.getpid()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o644)

    def lock(self) -> bool:
        """Take the lock that keeps the file; False when a cleaner came between."""
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        if os.fstat(self.descriptor).st_nlink:
            return True
        self.close()
        return False

    def close(self) -> None:
        """Give up the lock and the descriptor. Allowed any number of times."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def discard(self) -> None:
        """Close and remove the file, if it still stands under its first name.

        In a forked child the file is the parent's and stays.
        """
        if self.descriptor >= 0 and os.getpid() == self._process:
            with suppress(OSError):
                os.unlink(self.path)
        self.close()

    def __del__(self) -> None:
        self.discard()


def _remove_unlocked(path: str) -> int:
    """Remove a file that no living process has locked; return 1, else 0."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The owner may have renamed it to a pack since: remove nothing but the name.
        os.unlink(path)
    except OSError:
        return 0
    else:
        return 1
    finally:
        os.close(descriptor)


def open_pack(path: str) -> int:
    """Return a descriptor for reading a pack. Raises OSError.

    Corrupt ``pack-missing`` for what is no file: a pipe in its place would let whoever
    opens it wait for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    raise Corrupt(
        f"{path} is no file",
        code="pack-missing",
        hint="Restore the file from a backup, or fetch from another replica.",
        path=path,
    )


def sync_directory(path: str) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of the data; the system may take it in parts."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])
