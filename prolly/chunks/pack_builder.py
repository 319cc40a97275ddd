"""Writing one pack: a temporary file that becomes an immutable one.

The file grows by blocks of whole frames. ``seal`` adds index and footer and waits for
the disk; ``publish`` gives it the name of its content. Until then nobody else sees it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from blake3 import blake3

from prolly.codec.pack import (
    FRAME_HEADER_BYTES,
    decode_frame,
    encode_footer,
    encode_index,
    plain_frame_header,
)
from prolly.errors import StorageFailed

from .local_directory import StoreDirectory, sync_directory, write_whole
from .storage_failures import from_os_error

# A place is (offset << 32) | length in one int: half the memory of a tuple. Both are
# 32 bits in the index of a pack.
OFFSET_BITS = 32
LENGTH_MASK = 2**32 - 1


class PackBuilder:
    """A pack that is being written. Not thread-safe."""

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._file = directory.open_temporary()
        self._hasher = blake3()
        self.places: dict[bytes, int] = {}
        self.size = 0
        self.name = b""
        self.is_published = False

    def append(self, chunks: Iterable[tuple[bytes, bytes]]) -> None:
        """Write the frames of (address, chunk) as one block. Raises StorageFailed."""
        parts: list[bytes] = []
        offset = self.size
        places = self.places
        for address, chunk in chunks:
            raw_length = len(chunk)
            parts.append(plain_frame_header(raw_length))
            parts.append(chunk)
            length = raw_length + FRAME_HEADER_BYTES
            places[address] = offset << OFFSET_BITS | length
            offset += length
        self._write(b"".join(parts))
        self.size = offset

    def read(self, place: int) -> bytes:
        """Return a chunk that was appended."""
        length = place & LENGTH_MASK
        try:
            frame = os.pread(self._file.descriptor, length, place >> OFFSET_BITS)
        except OSError as error:
            raise from_os_error(error, "reading a new pack") from error
        if len(frame) != length:
            raise StorageFailed(
                "a new pack became shorter while it was written",
                code="io-error",
                hint="Look at the disk and the system's log.",
            )
        return decode_frame(frame)

    def seal(self, *, durable: bool) -> None:
        """Write index and footer, and wait for the disk unless told not to."""
        index = encode_index(
            (address, place >> OFFSET_BITS, place & LENGTH_MASK)
            for address, place in self.places.items()
        )
        footer = encode_footer(len(self.places), self.size, blake3(index).digest())
        self._write(index + footer)
        if durable:
            try:
                os.fdatasync(self._file.descriptor)
            except OSError as error:
                raise from_os_error(error, "syncing a pack") from error
            self._directory.costs.fsyncs += 1
        self.name = self._hasher.digest()

    def publish(self) -> None:
        """Give the sealed pack its name; the directory is synced by the caller.

        Does nothing the second time: the step that publishes may run again.
        """
        if self.is_published:
            return
        try:
            os.rename(self._file.path, self._directory.pack_path(self.name))
        except OSError as error:
            raise from_os_error(error, "publishing a pack") from error
        self.is_published = True

    def withdraw(self) -> None:
        """Take the published file back. The caller knows that no index names it."""
        try:
            os.rename(self._directory.pack_path(self.name), self._file.path)
        except OSError as error:
            raise from_os_error(error, "taking a pack back") from error
        self.is_published = False

    def close(self) -> None:
        """Remove the temporary file, if it was not published."""
        self._file.discard()

    def _write(self, data: bytes) -> None:
        self._hasher.update(data)
        try:
            write_whole(self._file.descriptor, data)
        except OSError as error:
            raise from_os_error(error, "writing a pack") from error


def sync_names(directory: StoreDirectory) -> None:
    """Make the names of published packs durable."""
    try:
        sync_directory(directory.packs)
    except OSError as error:
        raise from_os_error(error, "syncing the directory of packs") from error
    directory.costs.fsyncs += 1
