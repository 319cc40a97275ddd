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
        listed = [(address_of(chunk), chunk) for chunk in chunks]
        self._order = [address for address, _ in listed]
        self._chunks = dict(listed)
        # In the order of first use; a dictionary keeps it.
        self._used: dict[bytes, None] = {}
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
        self._used[address] = None
        return chunk

    def require_all_used(self) -> None:
        """Raise Corrupt unless the proof holds just what was read, in that order.

        ``proof-excess`` for chunks that nobody read, or that are there twice;
        ``proof-order`` for another order: what a read proves has one proof.
        """
        excess = len(self._order) - len(self._used)
        if excess:
            raise Corrupt(
                f"the proof holds {excess} chunks that prove nothing",
                code="proof-excess",
                hint="Ask for a proof of just this read against just this root.",
            )
        if self._order != list(self._used):
            raise Corrupt(
                "the chunks of the proof are not in the order of the read",
                code="proof-order",
                hint="Ask for a proof of just this read against just this root.",
            )
