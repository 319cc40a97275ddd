"""Proofs that a version holds, or does not hold, records of a dataset.

A proof begins at a commit id, which commits to the manifest, which commits to the
dataset's root and schema, which commit to the records. Whoever knows the id needs
nothing else to check it: no store, no trust in whoever made the proof. Its size is
O(depth) nodes, and one more for each leaf of a range.

A proof says itself what it proves, so a verifier always says what it asked: a true
answer to another question is no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prolly.codec import Address, cbor, decode_commit, key
from prolly.datasets import Manifest, records_of
from prolly.errors import Corrupt, Invalid
from prolly.maps import ABSENT
from prolly.tree import NodeReader, ProofReader, Recorder, iter_batches

from .ref_names import as_address

if TYPE_CHECKING:
    from prolly.maps import OrderedMap
    from prolly.tables import Table

# The largest proof that is decoded: ranges beyond it are a transfer, not a proof.
PROOF_BYTES_MAX = 64 * 1024 * 1024

_VERSION = 1


@dataclass(frozen=True, repr=False)
class Proof:
    """The chunks that prove what a dataset holds between two keys.

    ``start`` and ``stop`` are encoded keys, [start, stop); ``None`` is an open side.
    ``commit``, ``dataset`` and both are what the proof says of itself; nothing is
    proved before ``verify``.
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
        data = bytes(memoryview(data))
        if len(data) > PROOF_BYTES_MAX:
            raise _misformed(f"it has {len(data)} bytes, {PROOF_BYTES_MAX} are allowed")
        try:
            fields = cbor.decode(data)
        except Corrupt as error:
            raise _misformed(error.message) from error
        if type(fields) is not list or len(fields) != 6 or fields[0] != _VERSION:
            raise _misformed("it is no array of version, commit and four fields")
        _, commit, dataset, start, stop, chunks = fields
        bounds_fit = all(type(bound) in (bytes, type(None)) for bound in (start, stop))
        if type(commit) is not bytes or len(commit) != 32 or not bounds_fit:
            raise _misformed("its commit or its bounds are of a wrong form")
        if start is not None and stop is not None and start >= stop:
            raise _misformed("its range ends where it begins, or before")
        if type(dataset) is not str or type(chunks) is not list:
            raise _misformed("its dataset or its chunks are of a wrong form")
        if any(type(chunk) is not bytes or not chunk for chunk in chunks):
            raise _misformed("a chunk is no byte string, or empty")
        return cls(Address(commit), dataset, start, stop, tuple(chunks))

    def verify(self, commit_id: bytes | str, dataset: str, key: Any) -> Any:
        """Return the value or row that the commit's dataset holds under a key.

        ``ABSENT`` when the proof shows that there is none. Needs no store;
        ``commit_id``, as bytes or as 64 hex digits, must come from whom you trust.
        Raises Corrupt ``proof-question`` when the proof answers another question, and
        other codes when it does not follow from the commit or holds more than it
        proves; NotFound when it proves that there is no such dataset; Invalid for a key
        that the dataset cannot have.
        """
        found = self._verified(commit_id, dataset, (key,))
        return found[0][1] if found else ABSENT

    def verify_range(
        self,
        commit_id: bytes | str,
        dataset: str,
        start: Any = None,
        stop: Any = None,
    ) -> list[tuple[Any, Any]]:
        """Return the (key, value or row) pairs with start <= key < stop.

        An empty list proves that there is none. Raises as ``verify``, and Invalid
        ``proof-range`` unless start < stop.
        """
        return self._verified(commit_id, dataset, (start, stop))

    def _verified(
        self, commit_id: bytes | str, dataset: str, asked: tuple[Any, ...]
    ) -> list[tuple[Any, Any]]:
        """Return the records of the range, or of the one key, that is asked for."""
        if isinstance(commit_id, str):
            commit_id = Address.parse(commit_id)
        commit_id = as_address(commit_id)
        if dataset != self.dataset:
            raise _other_question(f"it is about dataset {self.dataset!r}")
        proved = ProofReader(self.chunks)
        records, root = _opened(proved.reader, commit_id, dataset)
        bounds = [None if one is None else records.encode_key(one) for one in asked]
        if len(asked) == 1:
            encoded = records.encode_key(asked[0])
            bounds = [encoded, encoded + b"\0"]
        check_range(*bounds)
        if bounds != [self.start, self.stop]:
            raise _other_question("it is about other keys")
        found = _read(proved.reader, records, root, (self.start, self.stop))
        proved.require_all_used()
        return found

    def __repr__(self) -> str:
        size = sum(map(len, self.chunks))
        at = self.commit.hex()[:12]
        return (
            f"<Proof of {self.dataset!r} at {at}: "
            f"{len(self.chunks)} chunks, {size} bytes>"
        )


def check_range(start: bytes | None, stop: bytes | None) -> None:
    """Raise Invalid ``proof-range`` for encoded bounds that no key lies between."""
    if start is not None and stop is not None and start >= stop:
        raise Invalid(
            "the range ends where it begins, or before",
            code="proof-range",
            hint="Ask for start < stop; a proof of nothing says nothing.",
        )


def prove(
    get_chunk: Callable[[bytes], bytes | None],
    commit_id: bytes,
    dataset: str,
    bounds: tuple[bytes | None, bytes | None],
) -> Proof:
    """Return the proof of what a commit's dataset holds between two encoded keys.

    Raises Invalid ``proof-range`` unless they are in order.
    """
    check_range(*bounds)
    recorder = Recorder(get_chunk)
    records, root = _opened(recorder.reader, commit_id, dataset)
    _read(recorder.reader, records, root, bounds)
    return Proof(Address(commit_id), dataset, *bounds, tuple(recorder.chunks.values()))


def _opened(
    reader: NodeReader, commit_id: bytes, dataset: str
) -> tuple[OrderedMap | Table, bytes]:
    """Return the records of a commit's dataset, and their root."""
    commit = decode_commit(reader.read_chunk(commit_id))
    entry = Manifest(reader, commit.root).require(dataset)
    return records_of(reader, entry), entry.roots[0].address


def _read(
    reader: NodeReader,
    records: OrderedMap | Table,
    root: bytes,
    bounds: tuple[bytes | None, bytes | None],
) -> list[tuple[Any, Any]]:
    """The read that prover and verifier both do."""
    found: list[tuple[Any, Any]] = []
    for keys, values in iter_batches(reader, root, start=bounds[0], stop=bounds[1]):
        for encoded, stored in zip(keys, values, strict=True):
            pair = key.decode_key(encoded), records.decode_record(encoded, stored)
            found.append(pair)
    return found


def _other_question(difference: str) -> Corrupt:
    return Corrupt(
        f"the proof answers another question: {difference}",
        code="proof-question",
        hint="Ask for the proof of just this key or range; do not trust the answer.",
    )


def _misformed(problem: str) -> Corrupt:
    return Corrupt(
        f"these bytes are no proof: {problem}",
        code="proof-form",
        hint="Ask for the proof again.",
    )
