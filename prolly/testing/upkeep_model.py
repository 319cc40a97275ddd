"""Records in and out of a repository, and what it takes: for tests of its upkeep."""

from __future__ import annotations

import random
from typing import Any

from prolly.codec import Commit, encode_commit
from prolly.ops import check_repository, store_statistics
from prolly.repo import Repository

# Large enough that a commit of this many records goes into a pack.
BULK_RECORDS = 3000


def put(repo: Repository, records: dict[str, Any], branch: str = "main") -> None:
    """Commit records of the map ``m``; ``None`` deletes one."""
    with repo.transaction(branch, message="put") as tx:
        m = tx.map("m")
        for key, value in records.items():
            if value is None:
                m.pop(key, None)
            else:
                m[key] = value


def content(repo: Repository, revision: str | bytes) -> dict[str, Any]:
    """Return the records of the map ``m`` in a version."""
    snapshot = repo.at(revision)
    return dict(snapshot.map("m").items()) if "m" in snapshot.datasets else {}


def bulk(seed: int, count: int = BULK_RECORDS) -> dict[str, Any]:
    """Return incompressible records."""
    source = random.Random(seed)
    return {f"k{n:06d}": source.randbytes(100) for n in range(count)}


def chunk_count(repo: Repository) -> int:
    """Return the number of chunks in the store."""
    return sum(1 for _ in repo.store.iter_addresses())


def reachable_bytes(repo: Repository) -> int:
    """Return the bytes of all chunks that refs lead to."""
    return store_statistics(repo).reachable_bytes


def size_on_disk(repo: Repository) -> int:
    """Return what index and packs take on the disk."""
    return store_statistics(repo).disk_bytes


def require_sound(repo: Repository) -> None:
    """Assert that a full check finds nothing."""
    assert list(check_repository(repo.store, full=True)) == []


def unnamed_commit(root: bytes) -> bytes:
    """Return a commit chunk above a manifest, that nothing names."""
    return encode_commit(Commit((), root, author="", time_us=5, message=""))
