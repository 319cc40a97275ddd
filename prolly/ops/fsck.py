"""Checking a repository: every fault is found, and none ends the search but one.

That one is an index of a store whose pages are damaged: it is walked first, and when
it cannot be read safely its own faults are the answer.

The basic check follows every ref: what it reaches is there, of the kind that it is
linked as, and decodes; the descriptors of every version decode, and local ones stand
beside the commits; the packs and the index of a store in a directory agree. The full
check adds the bytes: the hash of every chunk, reachable or not; the one spelling of
every node, commit and blob; order, counts, weights and cuts of every tree; every
record; and what follows from records and bytes: indexes, the cuts of blobs, references
between tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prolly.chunks import LocalStore, Store, WrappingStore
from prolly.codec import ChunkType, Reference, address_of, links_of
from prolly.errors import Corrupt, Error
from prolly.history import BISECT, BRANCHES, LOCAL, REMOTES, STASH, TAGS, WORKING
from prolly.repo import absences_of, iter_uncovered, read_current_branch
from prolly.tree import AddressSet, require_kind

from .fsck_chunks import iter_chunk_faults
from .fsck_datasets import DatasetCheck
from .fsck_derived import DerivedCheck
from .worker_pool import check_jobs, shared_out

if TYPE_CHECKING:
    from concurrent.futures import Executor

# What a ref of each kind points at; others may point at anything.
KIND_OF_REF = {
    BISECT: ChunkType.COMMIT,
    BRANCHES: ChunkType.COMMIT,
    LOCAL: ChunkType.COMMIT,
    TAGS: ChunkType.COMMIT,
    REMOTES: ChunkType.COMMIT,
    STASH: ChunkType.COMMIT,
    WORKING: ChunkType.WORKING,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a stable ``code``, and what it is about, if known.

    ``address`` is of the chunk, ``ref`` a name that leads to it, ``path`` a file of the
    store; ``hint`` says what to do.
    """

    code: str
    detail: str
    address: bytes | None = None
    ref: str | None = None
    path: str | None = None
    hint: str = ""


class Check:
    """A check under way: iterate it for its faults, as they are found.

    ``objects`` and ``bytes`` are the chunks looked at so far, ``faults`` the number of
    faults, ``absent`` that of links to what a partial replica left out, which are none.
    It can be iterated once.
    """

    def __init__(self, store: Store, *, full: bool, jobs: int | Executor = 1) -> None:
        check_jobs(jobs)
        while isinstance(store, WrappingStore):
            store = store.inner
        self._store = store
        self._absences = absences_of(store)
        self._full = full
        self._jobs = jobs
        # By the kind that they were linked as: 0 stands for any.
        self._seen: dict[int, AddressSet] = {}
        self._ref: str | None = None
        self.objects = 0
        self.bytes = 0
        self.faults = 0
        self._faults = self._find()
        self._derived = DerivedCheck(self._read_quietly)
        self._datasets = DatasetCheck(self._read_quietly, self._derived, full=full)

    def __iter__(self) -> Iterator[Fault]:
        return self

    def __next__(self) -> Fault:
        fault = next(self._faults)
        self.faults += 1
        return fault

    def _find(self) -> Iterator[Fault]:
        """Find all faults, with the help of workers where leaves are looked at."""
        if not self._full or self._jobs == 1 or not isinstance(self._store, LocalStore):
            yield from self._find_all()
            return
        from .fsck_apart import LeavesAhead, stored_bytes

        path = self._store.path
        with shared_out(self._jobs, stored_bytes(path)) as workers:
            if workers is not None:
                leaves = LeavesAhead(workers, path, self._note_leaf)
                self._datasets.check_ahead = leaves.look
            yield from self._find_all()

    def _note_leaf(self, address: bytes, size: int) -> None:
        """Count a leaf that was found right: nothing is left to be said of it."""
        if not self._is_seen(address):
            self._seen.setdefault(int(ChunkType.LEAF), AddressSet()).add(address)
            self.objects += 1
            self.bytes += size

    def _find_all(self) -> Iterator[Fault]:
        if not isinstance(self._store, LocalStore):
            yield from self._all_ref_faults(self._store.iter_refs())
        else:
            files = self._store.maintenance()
            damages = files.index_faults()
            yield from map(self._fault_of, damages)
            if damages:
                # Whoever reads on in such a file may be ended by the system.
                return
            yield from self._head_faults()
            yield from self._all_ref_faults(files.iter_refs())
            yield from map(self._fault_of, files.iter_faults(full=self._full))
        if self._absences is not None:
            yield from map(self._fault_of, iter_uncovered(self._store))
        if self._full:
            yield from self._unreachable_faults()

    def _head_faults(self) -> Iterator[Fault]:
        try:
            read_current_branch(self._store)
        except Corrupt as error:
            yield self._fault_of(error)

    def _all_ref_faults(self, refs: Iterator[tuple[str, bytes]]) -> Iterator[Fault]:
        beside: list[tuple[str, bytes]] = []
        for name, address in refs:
            if name.startswith(LOCAL):
                # Behind all others: what they lead to, too, is out of place there.
                beside.append((name, address))
                continue
            self._ref = name
            yield from self._ref_faults(name, address)
        for name, address in beside:
            self._ref = name
            yield from self._ref_faults(name, address)
        self._ref = None

    def _ref_faults(self, name: str, address: bytes) -> Iterator[Fault]:
        """Check one ref and what nothing before it reached."""
        kind = KIND_OF_REF.get(name[: name.find("/") + 1], 0)
        if not self._is_there(address):
            detail = f"it points at {address.hex()}, which is not there"
            yield Fault("ref-dangling", detail, address, name)
            return
        front = [Reference(address, int(kind))]
        while front:
            address, kind = front.pop()
            chunk = None
            if kind not in self._seen:
                self._seen[kind] = AddressSet()
            if address in self._seen[kind]:
                continue
            is_new = not self._is_seen(address)
            self._seen[kind].add(address)
            try:
                chunk = self._require(address) if is_new else self._store.get(address)
                if chunk:
                    require_kind(address, chunk, kind)
                    front += self._links(address, chunk) if is_new else []
            except Error as error:
                yield self._fault_of(error, address)
            if chunk and is_new:
                yield from self._meaning_faults(address, chunk)

    def _links(self, address: bytes, chunk: bytes) -> list[Reference]:
        if self._absences is None:
            return links_of(chunk)
        return self._absences.links(address, chunk)

    @property
    def is_partial(self) -> bool:
        """Whether the replica is one that leaves out some of what it links to."""
        return self._absences is not None

    @property
    def absent(self) -> int:
        """How many chunks a partial replica was met to have left out."""
        return 0 if self._absences is None else self._absences.count

    def _is_seen(self, address: bytes) -> bool:
        return any(address in seen for seen in self._seen.values())

    def _meaning_faults(self, address: bytes, chunk: bytes) -> Iterator[Fault]:
        """Check what a chunk that can be read says, and the versions it names."""
        if self._full:
            for error in iter_chunk_faults(chunk, self._read_quietly):
                yield self._fault_of(error, address)
            for blob in _blobs_of(chunk):
                for error in self._derived.blob_faults(blob):
                    yield self._fault_of(error, address)
        if chunk[0] in (ChunkType.COMMIT, ChunkType.WORKING):
            local = self._ref is not None and self._ref.startswith(LOCAL)
            for error in self._datasets.iter_faults(chunk, local=local):
                yield self._fault_of(error, address)

    def _unreachable_faults(self) -> Iterator[Fault]:
        """Check the bytes of chunks that no ref reaches."""
        for address in self._store.iter_addresses():
            if not self._is_seen(address):
                try:
                    self._require(address)
                except Error as error:
                    yield self._fault_of(error, address)

    def _is_there(self, address: bytes) -> bool:
        return all(self._store.contains_many([address]))

    def _require(self, address: bytes) -> bytes:
        """Return a chunk, counted, and in a full check hashed. Raises Error."""
        chunk = self._store.get(address)
        if chunk is None:
            raise Corrupt(
                f"chunk {address.hex()} is missing",
                code="chunk-missing",
                address=address,
            )
        self.objects += 1
        self.bytes += len(chunk)
        if not chunk or (self._full and address_of(chunk) != address):
            raise Corrupt(
                f"chunk {address.hex()} has other bytes than its address promises",
                code="hash-mismatch",
                address=address,
            )
        return chunk

    def _read_quietly(self, address: bytes) -> bytes | None:
        """Return a chunk, or ``None`` for one whose own check reports a fault."""
        try:
            chunk = self._store.get(address)
        except Error:
            return None
        if chunk is not None and self._full and address_of(chunk) != address:
            return None
        return chunk

    def _fault_of(self, error: Error, address: bytes | None = None) -> Fault:
        found = error.facts.get("address", address)
        path = error.facts.get("path")
        return Fault(error.code, error.message, found, self._ref, path, error.hint)


def _blobs_of(chunk: bytes) -> list[Reference]:
    """Return the roots of blobs of several pieces that a chunk refers to."""
    if chunk[0] == ChunkType.BLOB_NODE:
        return []
    try:
        links = links_of(chunk)
    except Error:
        # It is reported where the links are followed.
        return []
    return [one for one in links if one.kind == ChunkType.BLOB_NODE]


def check_repository(
    store: Store, *, full: bool = False, jobs: int | Executor = 1
) -> Check:
    """Return the check of a repository's store; iterate it for its faults.

    ``jobs``: so many processes, or those of an executor, look at the leaves of a full
    check; the faults are the same. Raises Invalid ``jobs``; the iteration StorageFailed
    ``worker-lost``.
    """
    return Check(store, full=full, jobs=jobs)
