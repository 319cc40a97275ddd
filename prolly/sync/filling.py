"""Getting what a partial replica lacks, at the moment when somebody reads it.

Chunks are asked for by address from the remote that the replica came from, verified
against that address and looked through for their form, and kept in the store. What
cannot be had is NotFound ``absent``.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from prolly.errors import NotFound, ReadOnly, RemoteFailed, StorageFailed
from prolly.repo import Repository, absent, read_coverage

from .connection import connect
from .intake import links_of_received
from .node_walk import WALK_ADDRESSES_MAX
from .remote import Remote
from .requested import requested_chunks


class Filler:
    """Asks for absent chunks on behalf of one repository. Thread-safe; close it."""

    def __init__(self, repo: Repository, remote: Remote | None = None) -> None:
        self._repo = repo
        self._remote = remote
        self._is_own = remote is None
        self._lock = Lock()

    def __call__(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """Return chunks in order. Raises NotFound ``absent``."""
        found: dict[bytes, bytes] = {}
        wanted = list(dict.fromkeys(addresses))
        with self._lock:
            for start in range(0, len(wanted), WALK_ADDRESSES_MAX):
                batch = wanted[start : start + WALK_ADDRESSES_MAX]
                found.update(zip(batch, self._fetched(batch), strict=True))
        return [found[one] for one in addresses]

    def _fetched(self, batch: Sequence[bytes]) -> list[bytes]:
        here = self._repo.storage.here
        try:
            chunks = list(requested_chunks(self._line(), batch))
        except (RemoteFailed, NotFound, StorageFailed) as error:
            self._hang_up()
            raise absent(here, batch, f", and cannot be fetched: {error}") from error
        for chunk in chunks:
            links_of_received(chunk)
        self._keep(chunks)
        return chunks

    def _keep(self, chunks: Sequence[bytes]) -> None:
        try:
            with self._repo.storage.here.store.writer() as writer:
                writer.put_many(chunks)
                writer.commit()
        except ReadOnly:
            # Who may only read asks again the next time.
            return

    def _line(self) -> Remote:
        if self._remote is None:
            coverage = read_coverage(self._repo.store)
            name = "" if coverage is None else coverage.remote
            self._remote = connect(self._repo.remotes.require(name))
        return self._remote

    def _hang_up(self) -> None:
        if self._remote is not None and self._is_own:
            self._remote.close()
            self._remote = None

    def close(self) -> None:
        """Release the line. Any number of times."""
        with self._lock:
            self._hang_up()
