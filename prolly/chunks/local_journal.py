"""The journal of a local store: small commits wait in it for the index.

LMDB waits for the disk twice in each commit, once for pages and once for the page that
names them, and a commit of five chunks writes twenty pages all over its file. So a
small commit is appended to one file instead, with one wait, and the commits of about a
megabyte go into the index together. That is a *generation*: its number stands in the
index, and a record of another generation is what an earlier one left behind, so the
file is written over from its beginning.

What keeps processes apart:

- Whoever appends holds the write transaction of the index, which then changes nothing.
  So there is one writer, and no generation ends under its hands.
- While it writes and waits, it holds the lock of the file (flock); who reads something
  new holds it shared. And who reads what a writer did not live to wait for, as the
  mark tells (``synced_mark``), waits in its place. So nobody sees a commit that a power
  cut could take back, and no record stands behind one that it could tear.
- A reader that was given a generation by the index asks again behind its read: if
  another one has begun meanwhile, what it read of the file may be of neither.

A record that is not whole, with nothing behind it, is a write that a crash cut short.
With another of its generation behind it, it was damaged: Corrupt ``journal-damaged``.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prolly.codec.journal_record import (
    JOURNAL_HEAD_BYTES,
    JournalRecord,
    decode_journal_body,
    encode_journal_record,
    is_whole_record,
    journal_body_bytes,
    journal_mark,
)
from prolly.codec.store_entry import encode_log_key
from prolly.errors import Corrupt

from .local_directory import StoreDirectory, sync_directory
from .storage_failures import from_os_error, index_replaced, unreadable
from .synced_mark import SyncedMark

# Whoever opens the store reads it all, which takes a millisecond, and keeps what is in
# it; and fifty commits of one record fill it.
JOURNAL_BYTES_MAX = 1024 * 1024


# What the system counts the space of files in.
BLOCK_BYTES = 512

# Before the first generation that anybody asks for.
UNKNOWN = -1


class Waiting:
    """What the commits of one generation add to the index, as far as they were read."""

    __slots__ = ("chunks", "end", "generation", "log", "packs", "refs", "sequence")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.end = 0
        self.sequence = 0
        self.chunks: dict[bytes, bytes] = {}
        self.packs: dict[bytes, bytes] = {}
        self.refs: dict[bytes, bytes | None] = {}
        # Key and value of the log, and the name of the ref.
        self.log: list[tuple[bytes, bytes, bytes]] = []

    def add(self, record: JournalRecord, size: int) -> None:
        """Take in the record that stands at the end."""
        for position, (name, entry, target) in enumerate(record.moves):
            key = encode_log_key(record.sequence, position)
            self.log.append((key, entry, name))
            self.refs[name] = target
        self.packs.update(record.packs)
        self.chunks.update(record.chunks)
        self.sequence = record.sequence
        self.end += size


class LocalJournal:
    """The journal of one open store. Thread-safe; it knows forks by itself."""

    def __init__(self, directory: StoreDirectory, *, durable: bool) -> None:
        self._directory = directory
        self._path = directory.journal
        self._durable = durable
        self._waiting = Waiting(UNKNOWN)
        self._mark = SyncedMark(directory.synced_mark)
        self._begin_process(-1)

    def _begin_process(self, descriptor: int) -> None:
        self._process = os.getpid()
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def waiting(self, generation: int) -> Waiting:
        """Return what waits in a generation, with all that was appended until now.

        The caller sees to it that the generation still stands behind this call; else
        nothing that it says is true, an error neither. Raises Corrupt
        ``journal-damaged`` and ``store-entry``, StorageFailed, Denied.
        """
        with self._own_lock():
            return self._read_on(generation)

    @property
    def known(self) -> Waiting:
        """What is known to wait; others may have appended since."""
        return self._waiting

    def append(self, generation: int, body: bytes, record: JournalRecord) -> None:
        """Write one more record, and wait for the disk.

        The caller holds the write transaction of the index, and has asked in it for
        what waits. An error leaves the journal as it was. Raises StorageFailed,
        ReadOnly.
        """
        with self._own_lock():
            waiting = self._waiting
            assert waiting.generation == generation, "nobody else can begin another"
            data = encode_journal_record(body, generation, waiting.end)
            descriptor = self._open_to_write()
            try:
                with _locked(descriptor, fcntl.LOCK_EX):
                    self._write(descriptor, data, waiting.end)
                    if self._durable:
                        self._mark.set(generation, waiting.end + len(data))
            except OSError as error:
                raise from_os_error(error, "writing the journal") from error
            waiting.add(record, len(data))

    def empty(self) -> int:
        """Give the file's space back; return the bytes that it took.

        The caller holds the write transaction of the index, in whose generation nothing
        was appended. Raises StorageFailed.
        """
        with self._own_lock():
            try:
                descriptor = self._open_to_read()
                if descriptor < 0:
                    return 0
                taken = os.fstat(descriptor).st_blocks * BLOCK_BYTES
                with _locked(descriptor, fcntl.LOCK_EX):
                    os.ftruncate(descriptor, 0)
            except OSError as error:
                raise from_os_error(error, "emptying the journal") from error
            return taken

    def room(self, waiting: Waiting) -> int:
        """Return how long a body may be that still fits behind what waits."""
        return JOURNAL_BYTES_MAX - waiting.end - JOURNAL_HEAD_BYTES

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._own_lock():
            self._close()

    def _own_lock(self) -> threading.Lock:
        """Return what keeps other threads out. A forked child begins with a new one.

        The file is opened anew, too: its lock belongs to whoever opened it, so a child
        that used its parent's would give it up for both.
        """
        if os.getpid() != self._process:
            inherited = self._descriptor
            self._begin_process(-1)
            if inherited >= 0:
                os.close(inherited)
        return self._lock

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._mark.close()

    def _read_on(self, generation: int) -> Waiting:
        waiting = self._waiting
        if generation < waiting.generation:
            # The caller looked at the index long ago, and is about to look again.
            return Waiting(generation)
        is_new = waiting.generation != generation
        if is_new:
            waiting = Waiting(generation)
        try:
            descriptor = self._open_to_read()
            if descriptor >= 0:
                self._read_records(descriptor, waiting, check_rest=is_new)
        except OSError as error:
            raise unreadable(error, self._path) from error
        self._waiting = waiting
        return waiting

    def _read_records(
        self, descriptor: int, waiting: Waiting, *, check_rest: bool
    ) -> None:
        generation = waiting.generation
        head = os.pread(descriptor, JOURNAL_HEAD_BYTES, waiting.end)
        has_more = journal_body_bytes(head, generation, waiting.end) is not None
        if not (has_more or check_rest):
            return
        with _locked(descriptor, fcntl.LOCK_SH):
            data = _read_all(descriptor, waiting.end)
            records, end = self._whole_records(data, generation, waiting.end)
            if records:
                self._wait_in_place(descriptor, generation, end)
        for record, size in records:
            waiting.add(record, size)

    def _whole_records(
        self, data: bytes, generation: int, start: int
    ) -> tuple[list[tuple[JournalRecord, int]], int]:
        """Return records and their sizes, and where the last ends; data is at start."""
        records: list[tuple[JournalRecord, int]] = []
        at = 0
        while True:
            head = data[at : at + JOURNAL_HEAD_BYTES]
            size = journal_body_bytes(head, generation, start + at)
            if size is None:
                break
            body = data[at + JOURNAL_HEAD_BYTES : at + JOURNAL_HEAD_BYTES + size]
            if len(body) != size or not is_whole_record(head, body):
                break
            at += JOURNAL_HEAD_BYTES + size
            records.append((decode_journal_body(body), JOURNAL_HEAD_BYTES + size))
        self._require_last(data[at:], generation, start + at)
        return records, start + at

    def _wait_in_place(self, descriptor: int, generation: int, end: int) -> None:
        """Wait for what was read, unless somebody is known to have."""
        if self._durable and not self._mark.says(generation, end):
            try:
                self._sync(descriptor)
            except OSError as error:
                # Where nothing can be written, nothing is left to be waited for.
                if error.errno not in (errno.EROFS, errno.EINVAL):
                    raise
            self._mark.set(generation, end)

    def _require_last(self, rest: bytes, generation: int, end: int) -> None:
        """Raise Corrupt when a whole record stands behind the last one."""
        mark = journal_mark(generation)
        at = rest.find(mark, 1)
        while at >= 0:
            head = rest[at : at + JOURNAL_HEAD_BYTES]
            size = journal_body_bytes(head, generation, end + at)
            if size is not None:
                start = at + JOURNAL_HEAD_BYTES
                body = rest[start : start + size]
                if len(body) == size and is_whole_record(head, body):
                    raise self._damaged(end)
            at = rest.find(mark, at + 1)

    def _damaged(self, place: int) -> Corrupt:
        return Corrupt(
            f"{self._path} is damaged at byte {place}",
            code="journal-damaged",
            hint="Restore the file from a backup, or clone another replica.",
            path=self._path,
        )

    def _open_to_read(self) -> int:
        """Return a descriptor; -1 where nothing was ever written."""
        if self._descriptor < 0:
            flags = os.O_CLOEXEC | os.O_NONBLOCK
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | flags)
            except FileNotFoundError:
                return -1
            except OSError:
                self._descriptor = os.open(self._path, os.O_RDONLY | flags)
        return self._descriptor

    def _open_to_write(self) -> int:
        """Return a descriptor of the file that has the name, made if there is none."""
        try:
            descriptor = self._open_to_read()
            if descriptor < 0:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                descriptor = self._descriptor = os.open(self._path, flags, 0o644)
                if self._durable:
                    sync_directory(self._directory.path)
                    self._directory.costs.fsyncs += 1
        except OSError as error:
            raise from_os_error(error, "opening the journal") from error
        if not _has_name(descriptor, self._path):
            # What is written to a file that was removed is lost.
            raise index_replaced(self._path)
        return descriptor

    def _write(self, descriptor: int, data: bytes, place: int) -> None:
        try:
            _write_whole(descriptor, data, place)
            self._sync(descriptor)
        except BaseException:
            # It may be on the disk all the same, and whoever interrupts is told that
            # nothing was written: nobody is to take it for a commit.
            with suppress(OSError):
                _write_whole(descriptor, bytes(JOURNAL_HEAD_BYTES), place)
                os.fdatasync(descriptor)
            raise

    def _sync(self, descriptor: int) -> None:
        if self._durable:
            os.fdatasync(descriptor)
            self._directory.costs.fsyncs += 1


def _has_name(descriptor: int, path: str) -> bool:
    opened = os.fstat(descriptor)
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


def _read_all(descriptor: int, start: int) -> bytes:
    """Return the file from an offset on."""
    parts: list[bytes] = []
    while part := os.pread(descriptor, JOURNAL_BYTES_MAX, start):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _write_whole(descriptor: int, data: bytes, place: int) -> None:
    done = os.pwrite(descriptor, data, place)
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], place + done)


@contextmanager
def _locked(descriptor: int, operation: int) -> Iterator[None]:
    fcntl.flock(descriptor, operation)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
