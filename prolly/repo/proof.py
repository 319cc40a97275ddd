"""Proofs that a version holds, or does not hold, records of a dataset.

A proof begins at a commit id, which commits to the manifest, which commits to the
dataset's root and schema, which commit to the records. Whoever knows the id needs
nothing else to check it: no store, no trust in whoever made the proof. Its size is
O(depth) nodes, and one more for each leaf of a range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prolly.codec import Address, cbor, decode_commit, key
from prolly.datasets import Manifest, records_of
from prolly.errors import Corrupt
from prolly.tree import NodeReader, ProofReader, Recorder, iter_batches

# The largest proof that is decoded: ranges beyond it are a transfer, not a proof.
PROOF_BYTES_MAX = 64 * 1024 * 1024

_VERSION = 0


@dataclass(frozen=True)
class Proof:
    """The chunks that prove what a dataset holds between two keys.

    ``start`` and ``stop`` are encoded keys, [start, stop); ``None`` is an open side.
    """

    commit: Address
    dataset: str
    start: bytes | None
    stop: bytes | None
    chunks: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the proof as bytes: CBOR [0, commit, dataset, start, stop, chunks]."""
        fields = [bytes(self.commit), self.dataset, self.start, self.stop]
        return cbor.encode([_VERSION, *fields, list(self.chunks)])

    @classmethod
    def decode(cls, data: bytes) -> Proof:
        """Return the proof that bytes hold; Corrupt ``proof-form`` when they do not."""
        if len(data) > PROOF_BYTES_MAX:
            raise _misformed(f"it has {len(data)} bytes, {PROOF_BYTES_MAX} are allowed")
        fields = cbor.decode(data)
        if type(fields) is not list or len(fields) != 6 or fields[0] != _VERSION:
            raise _misformed("it is no array of version, commit and four fields")
        _, commit, dataset, start, stop, chunks = fields
        bounds_fit = all(type(bound) in (bytes, type(None)) for bound in (start, stop))
        if type(commit) is not bytes or len(commit) != 32 or not bounds_fit:
            raise _misformed("its commit or its bounds are of a wrong form")
        if type(dataset) is not str or type(chunks) is not list:
            raise _misformed("its dataset or its chunks are of a wrong form")
        if any(type(chunk) is not bytes or not chunk for chunk in chunks):
            raise _misformed("a chunk is no byte string, or empty")
        return cls(Address(commit), dataset, start, stop, tuple(chunks))

    def verify(self, commit_id: bytes) -> list[tuple[Any, Any]]:
        """Return the (key, value or row) pairs that the commit holds in the range.

        An empty list proves absence. Needs no store. Raises Corrupt when the proof does
        not follow from ``commit_id``, Invalid ``proof-excess`` when it holds more than
        it proves, NotFound when it proves that there is no such dataset.
        """
        proved = ProofReader(self.chunks)
        found = _read(proved.reader, commit_id, self.dataset, (self.start, self.stop))
        proved.require_all_used()
        return found


def prove(
    get_chunk: Callable[[bytes], bytes | None],
    commit_id: bytes,
    dataset: str,
    bounds: tuple[bytes | None, bytes | None],
) -> Proof:
    """Return the proof of what a commit's dataset holds between two encoded keys."""
    recorder = Recorder(get_chunk)
    _read(recorder.reader, commit_id, dataset, bounds)
    return Proof(Address(commit_id), dataset, *bounds, tuple(recorder.chunks.values()))


def _read(
    reader: NodeReader,
    commit_id: bytes,
    dataset: str,
    bounds: tuple[bytes | None, bytes | None],
) -> list[tuple[Any, Any]]:
    """The read that prover and verifier both do."""
    commit = decode_commit(reader.read_chunk(commit_id))
    entry = Manifest(reader, commit.root).require(dataset)
    records = records_of(reader, entry)
    found: list[tuple[Any, Any]] = []
    root = entry.roots[0].address
    for keys, values in iter_batches(reader, root, start=bounds[0], stop=bounds[1]):
        for encoded, stored in zip(keys, values, strict=True):
            pair = key.decode_key(encoded), records.decode_record(encoded, stored)
            found.append(pair)
    return found


def _misformed(problem: str) -> Corrupt:
    return Corrupt(
        f"these bytes are no proof: {problem}",
        code="proof-form",
        hint="Ask for the proof again.",
    )
