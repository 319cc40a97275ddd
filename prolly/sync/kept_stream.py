"""The bytes of a stream as they came, kept so that a broken one goes on where it broke.

    kept    what it is (32 bytes, a hash) | the bytes

Who sends makes the same bytes again, and skips as many as are kept; both sides compare
their hash first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blake3 import blake3

from prolly.chunks import KeptFile
from prolly.codec.wire import WIRE_HEADER, WIRE_HEADER_BYTES, FrameDecoder, WireFrame
from prolly.errors import Invalid

_HEAD_BYTES = 32
_READ_BYTES = 1024 * 1024


class KeptStream:
    """A stream that is received, in a file of its own.

    ``subject`` names what the stream is: bytes kept of another one are forgotten.
    """

    def __init__(self, file: KeptFile, subject: bytes) -> None:
        assert len(subject) == _HEAD_BYTES
        self._file = file
        self._subject = subject
        self._hasher = blake3()
        self.size = 0
        if file.read(0, _HEAD_BYTES) != subject:
            file.truncate(0)
            file.append(subject)
        for piece in self.pieces():
            self._hasher.update(piece)
            self.size += len(piece)

    @property
    def digest(self) -> bytes:
        """The BLAKE3-256 of all bytes so far."""
        return self._hasher.digest()

    def append(self, piece: bytes) -> None:
        """Add bytes that came."""
        self._file.append(piece)
        self._hasher.update(piece)
        self.size += len(piece)

    def cut(self, size: int) -> None:
        """Forget what came behind so many bytes, from the file alone.

        Size and hash stay as they were: nothing may be appended afterwards.
        """
        self._file.truncate(_HEAD_BYTES + size)

    def restart(self) -> None:
        """Forget all bytes, and begin anew."""
        self.cut(0)
        self._hasher = blake3()
        self.size = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes that are kept."""
        at = _HEAD_BYTES
        while piece := self._file.read(at, _READ_BYTES):
            yield piece
            at += len(piece)

    def frame(self, start: int) -> WireFrame:
        """Return the frame that begins at an offset of the stream."""
        at = _HEAD_BYTES + start
        header = self._file.read(at, WIRE_HEADER_BYTES)
        stored = WIRE_HEADER.unpack(header)[2]
        data = self._file.read(at, WIRE_HEADER_BYTES + stored)
        (frame,) = FrameDecoder().feed(data)
        return frame


def rest_of(pieces: Iterable[bytes], offset: int, digest: bytes) -> Iterator[bytes]:
    """Yield what follows the first ``offset`` bytes of a stream.

    Raises Invalid ``resume-mismatch`` unless those have this hash.
    """
    hasher = blake3()
    left = offset
    for piece in pieces:
        if left:
            head = piece[:left]
            hasher.update(head)
            left -= len(head)
            piece = piece[len(head) :]
            if not left:
                _require_same(hasher.digest(), digest)
        if piece:
            yield piece
    if left:
        _require_same(b"", digest)


def _require_same(found: bytes, digest: bytes) -> None:
    if found != digest:
        raise Invalid(
            "what was received before is not what would be sent now",
            code="resume-mismatch",
            hint="Do it again: it begins anew.",
        )
