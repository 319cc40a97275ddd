"""Everything that can be reached from a chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prolly.codec import ADDRESS_BYTES, ChunkType, Reference, links_of
from prolly.errors import Corrupt

from .address_set import Known

# Addresses asked of the store at once: one request a level where the level is small,
# and a bounded answer where it is not.
BATCH_ADDRESSES = 4096

# As above for a walk over everything on a local disk, where asking costs little: what
# waits is at most the children of so many nodes a level, some ten megabytes.
WALK_ADDRESSES = 256

GetMany = Callable[[list[bytes]], list[bytes | None]]
Links = Callable[[bytes, bytes], list[Reference]]


def reachable(
    get_many: GetMany,
    roots: Iterable[bytes],
    known: Known | None = None,
    *,
    pieces: bool = True,
    batch_addresses: int = BATCH_ADDRESSES,
    links: Links | None = None,
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (address, chunk) of all that is reachable from ``roots``, each once.

    What is in ``known`` is neither read nor followed; what is found is added to it, so
    memory is one address a chunk. Without ``pieces`` the pieces of blobs, which refer
    to nothing, are added to ``known`` but neither read nor yielded, unless they are
    roots. ``links`` gives what an address and its chunk lead to, where that is not all
    that it links to. Raises Corrupt: ``chunk-missing``, and ``chunk-type`` for a link
    to another kind.
    """
    seen: Known = set() if known is None else known
    front = [Reference(root, 0) for root in roots]
    while front:
        batch: dict[bytes, int] = {}
        while front and len(batch) < batch_addresses:
            address, kind = front.pop()
            if address in seen:
                continue
            seen.add(address)
            if pieces or kind != ChunkType.BLOB_PIECE:
                batch[address] = kind
        for address, chunk in zip(batch, get_many(list(batch)), strict=True):
            if chunk is None:
                raise Corrupt(
                    f"chunk {address.hex()} is missing",
                    code="chunk-missing",
                    hint="Restore it from another replica.",
                    address=address,
                )
            require_kind(address, chunk, batch[address])
            yield address, chunk
            front += links_of(chunk) if links is None else links(address, chunk)


def require_kind(address: bytes, chunk: bytes, kind: int) -> None:
    """Check a chunk's type against its link; kind 0 stands for any.

    Raises Corrupt ``chunk-type``.
    """
    assert len(address) == ADDRESS_BYTES
    if kind and chunk[0] != kind:
        raise Corrupt(
            f"chunk {address.hex()} is of type {chunk[0]}, linked as {kind}",
            code="chunk-type",
            hint="Run `prolly fsck --full`.",
            address=address,
            expected=ChunkType(kind).name,
            actual=chunk[0],
        )
