"""Everything that can be reached from a chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prolly.codec import ADDRESS_BYTES, ChunkType, links_of
from prolly.errors import Corrupt

# Addresses asked of the store at once: one request a level where the level is small,
# and a bounded answer where it is not.
BATCH_ADDRESSES = 4096

GetMany = Callable[[list[bytes]], list[bytes | None]]


def reachable(
    get_many: GetMany, roots: Iterable[bytes], known: set[bytes] | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (address, chunk) of all that is reachable from ``roots``, each once.

    What is in ``known`` is neither read nor followed; what is found is added to it, so
    memory is one address a chunk. Blob pieces are leaves of the walk but read too.
    Raises Corrupt: ``chunk-missing``, and ``chunk-type`` for a link to another kind.
    """
    seen = set() if known is None else known
    front: list[tuple[bytes, int]] = [(root, 0) for root in roots]
    while front:
        batch: dict[bytes, int] = {}
        while front and len(batch) < BATCH_ADDRESSES:
            address, kind = front.pop()
            if address not in seen:
                seen.add(address)
                batch[address] = kind
        for address, chunk in zip(batch, get_many(list(batch)), strict=True):
            if chunk is None:
                raise Corrupt(
                    f"chunk {address.hex()} is missing",
                    code="chunk-missing",
                    hint="restore it from another replica",
                    address=address,
                )
            _require_kind(address, chunk, batch[address])
            yield address, chunk
            front += [(link.address, link.kind) for link in links_of(chunk)]


def _require_kind(address: bytes, chunk: bytes, kind: int) -> None:
    """Check a chunk's type against its link; kind 0 stands for any."""
    assert len(address) == ADDRESS_BYTES
    if kind and chunk[0] != kind:
        raise Corrupt(
            f"chunk {address.hex()} is of type {chunk[0]}, linked as {kind}",
            code="chunk-type",
            hint="run `prolly fsck --full`",
            address=address,
            expected=ChunkType(kind).name,
            actual=chunk[0],
        )
