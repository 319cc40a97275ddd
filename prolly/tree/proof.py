"""Proofs: the chunks that a read touched, enough to do the read again without a store.

The prover reads through a :class:`Recorder`; the verifier does the same read over a
:class:`ProofReader`, which has nothing but those chunks, takes each only under the hash
that asked for it, and accepts only well-formed nodes. What comes out is then committed
to by the root that the verifier began with (Merkle, "A Digital Signature Based on a
Conventional Encryption Function", 1987). Absence is proved by the leaf that would hold
the key, a range by all leaves that meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prolly.codec import ChunkType, address_of
from prolly.codec.node import check_node
from prolly.errors import Corrupt

from .reader import NodeCache, NodeReader

_NODES = (int(ChunkType.LEAF), int(ChunkType.INNER))


class Recorder:
    """A reader that remembers, in order, every chunk that was asked of it."""

    def __init__(self, get: Callable[[bytes], bytes | None]) -> None:
        self._get = get
        self.chunks: dict[bytes, bytes] = {}
        # Nothing is cached, so that each chunk passes through here at least once.
        self.reader = NodeReader(self._read, NodeCache(0))

    def _read(self, address: bytes) -> bytes | None:
        chunk = self._get(address)
        if chunk is not None:
            self.chunks[address] = chunk
        return chunk


class ProofReader:
    """Reads from the chunks of a proof and nothing else.

    Raises Corrupt: when a node among them is malformed, and, on reading, with code
    ``proof-incomplete`` where the read needs a chunk that the proof does not hold.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = {address_of(chunk): chunk for chunk in chunks}
        self._used: set[bytes] = set()
        for chunk in self._chunks.values():
            if chunk[:1] and chunk[0] in _NODES:
                check_node(chunk)
        self.reader = NodeReader(self._read, NodeCache(0))

    def _read(self, address: bytes) -> bytes:
        chunk = self._chunks.get(address)
        if chunk is None:
            raise Corrupt(
                f"the proof lacks chunk {address.hex()}",
                code="proof-incomplete",
                hint="Ask for a proof of just this read against just this root.",
                address=address,
            )
        self._used.add(address)
        return chunk

    def require_all_used(self) -> None:
        """Raise Corrupt ``proof-excess`` when the proof holds what nobody read."""
        excess = len(self._chunks) - len(self._used)
        if excess:
            raise Corrupt(
                f"the proof holds {excess} chunks that prove nothing",
                code="proof-excess",
                hint="Ask for a proof of just this read against just this root.",
            )
