"""A bundle file, opened for reading: its chunks by address, its refs by name.

The file is nobody's to trust: packs and their indexes are checked when it is opened,
each chunk against its address when it is read. What a chunk says is for whoever takes
it to check. Page: ``docs/spec/bundles.md``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType

from prolly.chunks import ChunkWriter, RefLogEntry, RefMove, RefNote, Store
from prolly.codec import address_of, shown
from prolly.codec.bundle import (
    BUNDLE_FOOTER_BYTES,
    BUNDLE_MAGIC,
    BundleHead,
    bad_bundle,
    decode_bundle_footer,
    decode_bundle_head,
)
from prolly.codec.pack import (
    FOOTER_BYTES,
    decode_footer,
    decode_frame,
    decode_index,
)
from prolly.errors import Corrupt, Denied, Invalid, NotFound, ReadOnly, StorageFailed


class BundleFile(Store):
    """The store that a bundle is: read-only, without settings and reflog.

    Its refs are those of the bundle. Chunks that only its prerequisites reach are
    absent. Opening raises NotFound ``no-file``, Denied ``unreadable``, Corrupt
    ``bundle-form`` and those of packs. Memory: some 150 bytes a chunk.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._descriptor = _opened(self.path)
        self._places: dict[bytes, tuple[int, int]] = {}
        try:
            self.head = self._read_head()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> BundleFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return os.fstat(self._require_open()).st_size

    def get(self, address: bytes) -> bytes | None:
        place = self._places.get(address)
        if place is None:
            return None
        chunk = decode_frame(self._read(*place))
        if address_of(chunk) != address:
            raise Corrupt(
                f"the bundle holds other bytes under {address.hex()}",
                code="hash-mismatch",
                hint="Copy it once more, or have it made again.",
                address=address,
            )
        return chunk

    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        self._require_open()
        return [address in self._places for address in addresses]

    def iter_addresses(self, prefix: bytes = b"") -> Iterator[bytes]:
        self._require_open()
        return (one for one in sorted(self._places) if one.startswith(prefix))

    def writer(self) -> ChunkWriter:
        raise self._read_only()

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def read_ref(self, name: str) -> bytes | None:
        self._require_open()
        return self.head.refs.get(name)

    def iter_refs(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        self._require_open()
        names = sorted(self.head.refs, key=str.encode)
        return (
            (name, self.head.refs[name]) for name in names if name.startswith(prefix)
        )

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        raise self._read_only()

    def iter_log(self, name: str | None = None) -> Iterator[RefLogEntry]:
        self._require_open()
        return iter(())

    def sequence(self) -> int:
        return 0

    def read_setting(self, name: str) -> bytes | None:
        self._require_open()
        return None

    def write_setting(self, name: str, value: bytes | None) -> None:
        raise self._read_only()

    def _read_head(self) -> BundleHead:
        end = self.size - BUNDLE_FOOTER_BYTES
        if end < len(BUNDLE_MAGIC) or self._read(0, len(BUNDLE_MAGIC)) != BUNDLE_MAGIC:
            raise bad_bundle("it does not begin as a bundle does")
        footer = self._read(end, BUNDLE_FOOTER_BYTES)
        length, digest = decode_bundle_footer(footer)
        if length > end:
            raise bad_bundle("its head is longer than the file")
        head = decode_bundle_head(self._read(end - length, length), digest)
        start = len(BUNDLE_MAGIC)
        for size in head.packs:
            if start + size > end - length:
                raise bad_bundle("its packs are longer than the file")
            self._take_pack(start, size)
            start += size
        if start != end - length:
            raise bad_bundle("its packs do not fill the file")
        return head

    def _take_pack(self, start: int, size: int) -> None:
        if size < FOOTER_BYTES:
            raise bad_bundle(f"a pack of {size} bytes")
        footer = decode_footer(self._read(start + size - FOOTER_BYTES, FOOTER_BYTES))
        if footer.pack_bytes != size:
            raise bad_bundle("a pack has another length than its end says")
        index = self._read(start + footer.index_offset, footer.index_bytes)
        for address, offset, length in decode_index(index, footer):
            self._places[address] = (start + offset, length)

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = os.pread(self._require_open(), length, offset)
        except OSError as error:
            raise StorageFailed(
                f"reading {self.path}: {error.strerror}",
                code="io-error",
                hint="Look at the disk that the bundle lies on.",
            ) from error
        if len(data) != length:
            raise bad_bundle("it is shorter than it says")
        return data

    def _require_open(self) -> int:
        if self._descriptor < 0:
            raise Invalid("the bundle is closed", code="closed", hint="Open it again.")
        return self._descriptor

    def _read_only(self) -> ReadOnly:
        return ReadOnly(
            f"{self.path} is a bundle: it is made once, and read",
            code="read-only",
            hint="`prolly bundle create` makes another.",
        )


def _opened(path: str) -> int:
    place = shown(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no file {place}",
            code="no-file",
            hint="Check the path of the bundle.",
            path=path,
        ) from error
    except PermissionError as error:
        raise Denied(
            f"{place} may not be read",
            code="unreadable",
            hint="Check the permissions of the file.",
            path=path,
        ) from error
    except (OSError, ValueError) as error:
        raise StorageFailed(
            f"{place} cannot be opened: {error}",
            code="io-error",
            hint="Name a file.",
            path=path,
        ) from error
    return descriptor
