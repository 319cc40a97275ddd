"""Quarantine: what was received and is not part of the store yet.

Two files that nobody reads but who received them: the stream of commits and edits as it
came, and chunks, each verified against the address under which it was asked for. After
a crash they are as they were, less the bytes of a chunk that was being written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from blake3 import blake3

from prolly.chunks import KeptFile, KeptFiles, Store
from prolly.codec import address_of
from prolly.codec.pack import (
    FRAME_HEADER,
    FRAME_HEADER_BYTES,
    decode_frame,
    encode_frame,
    plain_frame_header,
)
from prolly.codec.wire import WIRE_FRAME_BYTES_TARGET
from prolly.env import Environment
from prolly.errors import Corrupt, Stale

from .kept_stream import KeptStream

_OFFSET_BITS = 32
_LENGTH_MASK = (1 << _OFFSET_BITS) - 1
_READ_BYTES = 4 * 1024 * 1024
# Chunks wait for one write of so much; a process that is killed loses them. What one
# frame of the wire brought is written when it has come.
_WRITE_BYTES = WIRE_FRAME_BYTES_TARGET
_NAME_DIGITS = 32


class Quarantine(AbstractContextManager["Quarantine"]):
    """What one transfer received. Not thread-safe.

    A context manager: what it holds is forgotten behind the block, or left for who goes
    on later where the block called :meth:`keep`.
    """

    def __init__(self, stream: KeptFile, chunks: KeptFile) -> None:
        self._stream = stream
        self._file = chunks
        self._places: dict[bytes, int] = {}
        # Frames that are not written yet, and where they will begin in the file.
        self._waiting: list[bytes] = []
        self._written = self._end = chunks.size
        self._is_kept = False
        self._load()

    @classmethod
    def open(cls, store: Store, subject: str, environment: Environment) -> Quarantine:
        """Open the quarantine of a subject, such as a URL, as it was left.

        While another process holds it, one under another name.
        """
        name = blake3(subject.encode()).hexdigest()[:_NAME_DIGITS]
        found = cls._opened(KeptFiles(store), name)
        if found is None:
            name = environment.random_bytes(_NAME_DIGITS // 2).hex()
            found = cls._opened(KeptFiles(store), name)
        if found is None:
            raise transfer_busy()
        return found

    @classmethod
    def of_upload(cls, store: Store, upload: bytes) -> Quarantine:
        """Open the quarantine of an upload; Stale ``upload-busy`` while it is held."""
        found = cls._opened(KeptFiles(store), blake3(upload).hexdigest()[:_NAME_DIGITS])
        if found is None:
            raise transfer_busy()
        return found

    @classmethod
    def _opened(cls, files: KeptFiles, name: str) -> Quarantine | None:
        stream = files.open(f"{name}s")
        if stream is None:
            return None
        chunks = files.open(f"{name}c")
        if chunks is None:
            stream.close()
            return None
        return cls(stream, chunks)

    def stream(self, subject: bytes) -> KeptStream:
        """Return the stream of a subject, as far as it was received."""
        return KeptStream(self._stream, subject)

    def forget_stream(self) -> None:
        """Forget the stream; chunks, which were verified each by itself, stay."""
        self._stream.truncate(0)

    def __contains__(self, address: bytes) -> bool:
        return address in self._places

    def __len__(self) -> int:
        return len(self._places)

    def put(self, address: bytes, chunk: bytes) -> None:
        """Keep a chunk whose address was verified."""
        if address not in self._places:
            frame = encode_frame(chunk)
            self._places[address] = self._end << _OFFSET_BITS | len(frame)
            self._waiting.append(frame)
            self._end += len(frame)
            if self._end - self._written >= _WRITE_BYTES:
                self._write()

    def get(self, address: bytes) -> bytes | None:
        """Return a chunk, or ``None``."""
        return self.get_many([address])[0] if address in self._places else None

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """Return chunks in the order asked, ``None`` where one is not here.

        Those that stand in the file in this order are read in one step.
        """
        if self._waiting:
            self._write()
        places = [self._places.get(address) for address in addresses]
        chunks = self._read([place for place in places if place is not None])
        return [None if place is None else next(chunks) for place in places]

    def _read(self, places: Sequence[int]) -> Iterator[bytes]:
        done = 0
        while done < len(places):
            first = end = places[done] >> _OFFSET_BITS
            stop = done
            while (
                stop < len(places)
                and places[stop] >> _OFFSET_BITS == end
                and end - first < _READ_BYTES
            ):
                end += places[stop] & _LENGTH_MASK
                stop += 1
            data = self._file.read(first, end - first)
            for place in places[done:stop]:
                at = (place >> _OFFSET_BITS) - first
                yield _chunk_in(data[at : at + (place & _LENGTH_MASK)])
            done = stop

    def _write(self) -> None:
        """Write what waits."""
        frames, self._waiting = self._waiting, []
        self._file.append(b"".join(frames))
        self._written = self._end

    def _load(self) -> None:
        """Find the chunks that were kept; what was cut short is forgotten."""
        at, data, start = 0, b"", 0
        while True:
            place = at - start
            if len(data) - place < FRAME_HEADER_BYTES:
                data, start, place = self._file.read(at, _READ_BYTES), at, 0
            if len(data) < FRAME_HEADER_BYTES:
                break
            length = FRAME_HEADER_BYTES + FRAME_HEADER.unpack_from(data, place)[2]
            frame = data[place : place + length]
            if len(frame) < length:
                frame = self._file.read(at, length)
            try:
                address = address_of(decode_frame(frame))
            except Corrupt:
                break
            self._places[address] = at << _OFFSET_BITS | length
            at += length
        if at < self._file.size:
            self._file.truncate(at)
        self._written = self._end = at

    def keep(self) -> None:
        """Let what came be there for who goes on later."""
        self._is_kept = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_kept:
            self.close()
        else:
            self.remove()

    def close(self) -> None:
        """Leave everything for who goes on later."""
        try:
            self._write()
        finally:
            self._stream.close()
            self._file.close()

    def remove(self) -> None:
        """Forget everything."""
        self._stream.remove()
        self._file.remove()


def _chunk_in(frame: bytes) -> bytes:
    """Return the chunk of a frame; most are stored as they are."""
    header = plain_frame_header(len(frame) - FRAME_HEADER_BYTES)
    if frame.startswith(header):
        return frame[FRAME_HEADER_BYTES:]
    return decode_frame(frame)


def transfer_busy() -> Stale:
    """Return (not raise) the error for what another process is at."""
    return Stale(
        "another process is at this very transfer",
        code="upload-busy",
        hint="Wait until it is through, or broken.",
    )
