"""The contracts of a store: bytes named by their hash, and names that move.

``ChunkStore`` holds immutable chunks; an address never goes stale, so it needs no
consistency. ``RefStore`` holds names with compare-and-set; only names need it. A
:class:`Store` is both, and its :class:`ChunkWriter` makes chunks and moves names in one
atomic, durable step: after ``commit`` returns, both survive a crash; before, neither is
visible.

The shared contract, proved for every store by ``prolly.testing.store_suite``:

- A chunk is 1 to ``CHUNK_BYTES_MAX`` bytes. Its address is the BLAKE3-256 of them.
- ``get`` returns ``None`` for an absent chunk; only wrappers and callers raise.
- Writing a chunk that is there already changes nothing and costs no space.
- A move names the value that it expects; one mismatch rejects the whole commit with
  ``Stale``, and nothing of it is visible. The writer keeps its batch and stays open, so
  the caller may look again, put a few chunks more, and commit with other moves.
- A ref's value is an address. ``None`` stands for an absent ref, on both sides.
- Sequence numbers grow by one with each accepted commit that moves at least one ref.
- Names of refs and settings are text of 1 to ``REF_NAME_BYTES_MAX`` bytes in UTF-8,
  without control characters, and sort by these bytes.
- Settings whose names begin with ``store.`` are the store's own: not to be written.
- Iterators may be advanced while the store changes: each step sees what is committed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple

from prolly.codec.pack import CHUNK_BYTES_MAX

__all__ = [
    "CHUNK_BYTES_MAX",
    "COVERAGE_REF",
    "REF_NAME_BYTES_MAX",
    "ChunkStore",
    "ChunkWriter",
    "RefLogEntry",
    "RefMove",
    "RefNote",
    "RefStore",
    "Store",
]

# A ref name is a key of the index, and LMDB's keys end at 511 bytes.
REF_NAME_BYTES_MAX = 400

# Where a ref of this name stands, nodes may link to chunks that were left out on
# purpose: the store is that of a partial replica. Elsewhere whatever is there has all
# that it links to there too.
COVERAGE_REF = "replica/coverage"


class RefMove(NamedTuple):
    """Move ``name`` from ``old`` to ``new``; ``None`` is the absent ref.

    With ``old == new`` it is a pure check: nothing moves, nothing is logged, and the
    commit is rejected when the ref stands elsewhere. ``None`` on both sides checks that
    there is no such ref.
    """

    name: str
    old: bytes | None
    new: bytes | None


class RefNote(NamedTuple):
    """Who moved refs, why, and when (microseconds since 1970 UTC), for the reflog."""

    who: str = ""
    why: str = ""
    time_us: int = 0


class RefLogEntry(NamedTuple):
    """One move of one ref, as the reflog keeps it."""

    sequence: int
    name: str
    old: bytes | None
    new: bytes | None
    who: str
    why: str
    time_us: int


class ChunkWriter(ABC):
    """One batch of new chunks, invisible until ``commit``.

    A context manager: leaving the block without ``commit`` aborts. Not thread-safe.
    Use after ``commit`` or ``abort`` raises ``Invalid`` with code ``closed``. An error
    of ``put`` that is not about the chunk itself closes the writer too.
    """

    @abstractmethod
    def put(self, chunk: bytes) -> bytes:
        """Add a chunk and return its address. LimitExceeded past CHUNK_BYTES_MAX."""

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        """Add chunks and return their addresses, in order."""
        return [self.put(chunk) for chunk in chunks]

    @abstractmethod
    def get(self, address: bytes) -> bytes | None:
        """Return a chunk of this batch or of the store behind it, else ``None``."""

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """Return such chunks in the order asked; ``None`` where absent."""
        return [self.get(address) for address in addresses]

    @abstractmethod
    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        """Make chunks and moves durable in one step; return the sequence number.

        Raises Stale when a move's ``old`` is not what stands: nothing is visible, and
        the writer stays open with its batch. After ReadOnly, StorageFailed or any other
        error nothing is visible either, and the writer is closed.
        """

    @abstractmethod
    def abort(self) -> None:
        """Forget the batch. Allowed any number of times, also after ``commit``."""

    def __enter__(self) -> ChunkWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


class ChunkStore(ABC):
    """Immutable chunks by address. Safe for use from several threads."""

    @abstractmethod
    def get(self, address: bytes) -> bytes | None:
        """Return the chunk, or ``None`` when it is absent."""

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """Return the chunks in the order asked; ``None`` where absent."""
        return [self.get(address) for address in addresses]

    @abstractmethod
    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        """Tell, for each address in order, whether its chunk is present."""

    @abstractmethod
    def iter_addresses(self, prefix: bytes = b"") -> Iterator[bytes]:
        """Yield the addresses that begin with ``prefix``, in byte order."""

    @abstractmethod
    def writer(self) -> ChunkWriter:
        """Begin a batch of new chunks and ref moves. ReadOnly on such a store."""

    @abstractmethod
    def close(self) -> None:
        """Release everything. Later calls raise Invalid ``closed``; twice is fine."""


class RefStore(ABC):
    """Names with compare-and-set, a reflog, and a few settings."""

    @abstractmethod
    def read_ref(self, name: str) -> bytes | None:
        """Return the address that ``name`` stands for, or ``None``."""

    @abstractmethod
    def iter_refs(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Yield (name, address) for names that begin with ``prefix``, in order."""

    @abstractmethod
    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        """Move several refs in one atomic step; return the sequence number.

        Raises Stale (fields ``ref``, ``expected``, ``actual``) when one does not match.
        """

    @abstractmethod
    def iter_log(self, name: str | None = None) -> Iterator[RefLogEntry]:
        """Yield moves, newest first, of one ref or of all."""

    @abstractmethod
    def sequence(self) -> int:
        """Return the number of the newest accepted move; 0 before the first."""

    @abstractmethod
    def read_setting(self, name: str) -> bytes | None:
        """Return a setting of the store, or ``None``."""

    @abstractmethod
    def write_setting(self, name: str, value: bytes | None) -> None:
        """Store a setting, or remove it with ``None``."""


class Store(ChunkStore, RefStore):
    """A place for a repository: chunks and names behind one writer."""
