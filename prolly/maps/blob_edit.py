"""One blob under edit: writes anywhere, appends of any length, in bounded memory.

The value is a list of *spans*: stretches of a stored base, and bytes that wait. Past a
bound what waits is cut into pieces and becomes a new base; only pieces go to the
writer then, the nodes of a base that is not the last stay in scratch memory. Appending
much is cut as it comes (the *tail*), so each piece of a long stream is written once.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.chunks import ChunkWriter, ScratchWriter
from prolly.codec import ChunkType, Reference, decode_blob_node, shown
from prolly.errors import Invalid, LimitExceeded

from .blob import SINGLE_PIECE_BYTES_MAX
from .blob_splice import (
    CUT_BLOCK_BYTES,
    PIECE_LOOKAHEAD,
    Splice,
    cut_pieces,
    splice_bytes,
    splice_children,
)
from .blob_tree import BlobTree, Child

# What may wait in memory. Larger saves little: the pieces around an edit are read and
# written again once each time, some 200 KiB.
WAITING_BYTES_MAX = 4 * 1024 * 1024
# Spans are searched one by one, so their number bounds the time of a write.
SPANS_MAX = 512
# Pieces of the tail held in memory, about 300 MB of content and 1 MB of addresses.
TAIL_PIECES_MAX = 4096
# Nodes hold lengths in 64 bits, and Python's files count in signed ones.
BLOB_BYTES_MAX = 2**63 - 1

# A gap behind the end is filled by blocks of this.
_ZEROS = bytes(CUT_BLOCK_BYTES)

# A stretch [low, high) of the base, or bytes that wait.
_Span = tuple[int, int] | bytearray


class BlobEdit:
    """The content of one blob under edit. Not thread-safe.

    ``reference`` is what is edited, ``None`` for an empty value. Pieces go into
    ``writer``, which must outlive this object. After ``close`` every use raises Invalid
    ``closed``; what the writer raises passes.
    """

    def __init__(self, writer: ChunkWriter, reference: Reference | None) -> None:
        self._writer = writer
        self._nodes = ScratchWriter(lambda _: None)
        self._tree = BlobTree(self._read, reference)
        self._spans: list[_Span] = [(0, self._tree.length)] if self._tree.length else []
        self._waiting = 0
        self._tail: _Tail | None = None
        self._closed = False
        self._is_settled = reference is not None
        self.length = self._tree.length

    def _read(self, address: bytes) -> bytes | None:
        return self._nodes.get(address) or self._writer.get(address)

    def require_open(self) -> None:
        """Raise Invalid ``closed`` after ``close``."""
        if self._closed:
            raise Invalid(
                "the transaction of this dataset has ended",
                code="closed",
                hint="Read from a snapshot, or begin a new transaction.",
            )

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of [start, stop), which lies in the value, in parts."""
        self.require_open()
        if self._tail is not None:
            self._settle()
        at = 0
        for span in list(self._spans):
            size = _size(span)
            low, high = max(start - at, 0), min(stop - at, size)
            if low < high:
                if isinstance(span, bytearray):
                    yield bytes(span[low:high])
                else:
                    yield from self._tree.iter_range(span[0] + low, span[0] + high)
            at += size

    def write(self, position: int, data: bytes | bytearray | memoryview) -> None:
        """Write over what stands at a position, and on behind the end.

        A gap between end and position is filled with zeros. LimitExceeded
        ``blob-too-long``.
        """
        if len(data):
            self._fill_to(position)
            self.replace(position, min(position + len(data), self.length), data)

    def resize(self, size: int) -> None:
        """Cut the value off at a length, or fill it up to it with zeros."""
        self._fill_to(size)
        self.replace(size, self.length, b"")

    def _fill_to(self, size: int) -> None:
        self.require_open()
        _check_length(size)
        while self.length < size:
            self.replace(self.length, self.length, _ZEROS[: size - self.length])

    def replace(
        self, start: int, stop: int, data: bytes | bytearray | memoryview
    ) -> None:
        """Put ``data`` in the place of [start, stop): insert, delete, or both."""
        self.require_open()
        assert 0 <= start <= stop <= self.length
        _check_length(self.length + len(data) - (stop - start))
        if start == stop and not len(data):
            return
        with memoryview(data).cast("B") as view:
            for at in range(0, len(view) or 1, WAITING_BYTES_MAX):
                part = view[at : at + WAITING_BYTES_MAX]
                self._replace(start, stop, part)
                start = stop = start + len(part)

    def _replace(self, start: int, stop: int, data: memoryview) -> None:
        if start == self.length and self._append_to_tail(data):
            return
        if self._tail is not None:
            self._settle()
        self._is_settled = False
        self._put_span(start, stop, data)
        self.length += len(data) - (stop - start)
        self._waiting += len(data)
        if self._waiting > WAITING_BYTES_MAX:
            self._start_tail()
        if len(self._spans) > SPANS_MAX or self._waiting > WAITING_BYTES_MAX:
            self._settle()

    def _put_span(self, start: int, stop: int, data: memoryview) -> None:
        left = _cut_off(self._spans, 0, start)
        right = _cut_off(self._spans, stop, self.length)
        if left and isinstance(left[-1], bytearray):
            left[-1] += data
        elif len(data):
            left.append(bytearray(data))
        self._spans = left + right

    def _append_to_tail(self, data: memoryview) -> bool:
        """Append to the tail, if there is one."""
        tail = self._tail
        if tail is None:
            return False
        tail.feed(self._writer, data)
        self.length += len(data)
        if len(tail.pieces) > TAIL_PIECES_MAX:
            self._base_on(self._with_tail(tail))
            tail.start, tail.pieces = self._tree.length, []
        return True

    def _start_tail(self) -> None:
        """Begin a tail with what waits, if that is all behind the whole base."""
        base: list[_Span] = [(0, self._tree.length)] if self._tree.length else []
        if not self._spans:
            return
        *before, last = self._spans
        if before != base or not isinstance(last, bytearray):
            return
        if self.length <= SINGLE_PIECE_BYTES_MAX:
            return
        tree = self._tree
        start = 0
        if tree.height:
            start = tree.unit(0, tree.length - PIECE_LOOKAHEAD).start
        self._tail = tail = _Tail(start)
        for part in tree.iter_range(start, tree.length):
            tail.feed(self._writer, part)
        tail.feed(self._writer, last)
        self._spans, self._waiting = base, 0

    def _with_tail(self, tail: _Tail) -> Reference:
        splice = Splice(tail.start, self._tree.length, tail.pieces)
        return splice_children(self._tree, self._nodes, [splice])

    def _settle(self) -> Reference:
        """Make all that waits part of the base."""
        tail = self._tail
        if tail is not None:
            tail.pieces += cut_pieces(self._writer, tail.buffer, final=True)
            self._tail = None
            self._base_on(self._with_tail(tail))
        if not self._is_settled:
            splices = _splices(self._spans, self._tree.length)
            self._base_on(splice_bytes(self._tree, self._writer, self._nodes, splices))
        reference = self._tree.reference
        assert reference is not None and self.length == self._tree.length
        return reference

    def _base_on(self, reference: Reference) -> None:
        self._tree = BlobTree(self._read, reference)
        self._spans = [(0, self._tree.length)] if self._tree.length else []
        self._waiting = 0
        self._is_settled = True

    def start_over(self, reference: Reference) -> None:
        """Forget what was written, and edit another value, one that is stored."""
        self.require_open()
        self._tail = None
        self._base_on(reference)
        self.length = self._tree.length

    def store(self) -> Reference:
        """Write what is missing of the value; return the reference to its root.

        The same as that of the whole value written at once.
        """
        self.require_open()
        reference = self._settle()
        if reference.kind == ChunkType.BLOB_NODE:
            self._writer.put_many(self._missing_nodes(reference.address))
        return reference

    def _missing_nodes(self, address: bytes) -> Iterator[bytes]:
        """Yield the nodes that only scratch memory holds, children first."""
        chunk = self._nodes.get(address)
        if chunk is None:
            return
        node = decode_blob_node(chunk)
        if node.level > 1:
            for child in node.addresses:
                yield from self._missing_nodes(child)
        yield chunk

    def close(self) -> None:
        """End the use of this blob; twice is fine. The writer stays the caller's."""
        self._closed = True
        self._spans = []
        self._tail = None
        self._nodes.abort()


class _Tail:
    """The end of a value that is being appended to, from a cut of the base on."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.buffer = bytearray()
        self.pieces: list[Child] = []

    def feed(self, writer: ChunkWriter, data: bytes | bytearray | memoryview) -> None:
        """Take more bytes, and write the pieces that are certain."""
        for at in range(0, len(data), CUT_BLOCK_BYTES):
            self.buffer += data[at : at + CUT_BLOCK_BYTES]
            if len(self.buffer) >= CUT_BLOCK_BYTES:
                self.pieces += cut_pieces(writer, self.buffer, final=False)


def _size(span: _Span) -> int:
    return len(span) if isinstance(span, bytearray) else span[1] - span[0]


def _cut_off(spans: list[_Span], start: int, stop: int) -> list[_Span]:
    """Return the part [start, stop) of a list of spans."""
    kept: list[_Span] = []
    at = 0
    for span in spans:
        size = _size(span)
        low, high = max(start - at, 0), min(stop - at, size)
        if low < high:
            whole = (low, high) == (0, size)
            if isinstance(span, bytearray):
                kept.append(span if whole else span[low:high])
            else:
                kept.append((span[0] + low, span[0] + high))
        at += size
    return kept


def _splices(spans: list[_Span], length: int) -> list[Splice]:
    """Return what the spans replace in a base of a length."""
    splices: list[Splice] = []
    at = 0
    fresh = bytearray()
    for span in (*spans, (length, length)):
        if isinstance(span, bytearray):
            fresh += span
            continue
        if span[0] > at or fresh:
            splices.append(Splice(at, span[0], bytes(fresh)))
            fresh = bytearray()
        at = span[1]
    return splices


def _check_length(length: int) -> None:
    if length > BLOB_BYTES_MAX:
        raise LimitExceeded(
            f"a blob of {shown(length)} bytes is too long",
            code="blob-too-long",
            hint=f"A blob has at most {BLOB_BYTES_MAX} bytes.",
            length=length,
        )
