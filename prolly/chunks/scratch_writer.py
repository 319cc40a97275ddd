"""Chunks that only one transaction sees and that no store ever keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prolly.codec import address_of
from prolly.errors import Invalid

from .contract import ChunkWriter, RefMove, RefNote
from .spill_file import SpillFile

# Beyond this the chunks go to a temporary file, so that reading an edited dataset in
# order takes bounded memory whatever the size of the edit.
MEMORY_BYTES_MAX = 16 * 1024 * 1024


class ScratchWriter(ChunkWriter):
    """A writer without a store: what is put can be read until ``abort``.

    ``behind`` answers for chunks that were not put here. ``put`` and ``get`` raise
    StorageFailed ``spill-failed`` when the temporary file cannot be had.
    """

    def __init__(self, behind: Callable[[bytes], bytes | None]) -> None:
        self._behind = behind
        self._chunks: dict[bytes, bytes] = {}
        self._chunk_bytes = 0
        self._places: dict[bytes, tuple[int, int]] = {}
        self._file: SpillFile | None = None

    def put(self, chunk: bytes) -> bytes:
        """Keep a chunk and return its address."""
        address = address_of(chunk)
        if address in self._chunks or address in self._places:
            return address
        self._chunks[address] = chunk
        self._chunk_bytes += len(chunk)
        if self._chunk_bytes > MEMORY_BYTES_MAX:
            self._spill()
        return address

    def _spill(self) -> None:
        if self._file is None:
            self._file = SpillFile()
        # Chunk by chunk, so that after an error each is in one place or the other.
        while self._chunks:
            address = next(iter(self._chunks))
            chunk = self._chunks[address]
            self._places[address] = (self._file.append(chunk), len(chunk))
            del self._chunks[address]
        self._chunk_bytes = 0

    def get(self, address: bytes) -> bytes | None:
        """Return a chunk put here, or what stands behind."""
        chunk = self._chunks.get(address)
        if chunk is not None:
            return chunk
        place = self._places.get(address)
        if place is None or self._file is None:
            return self._behind(address)
        return self._file.read(*place)

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        """Refuse: scratch chunks are for reading only."""
        raise Invalid(
            "scratch chunks cannot be committed",
            code="scratch",
            hint="Write them to a store.",
        )

    def abort(self) -> None:
        """Forget everything."""
        self._chunks.clear()
        self._chunk_bytes = 0
        self._places.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
