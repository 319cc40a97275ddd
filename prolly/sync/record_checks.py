"""Records from another replica: each key and value must have its one spelling.

Whole batches are decoded and spelt anew: what comes out must be the bytes that came in.
Values out of line are written into the batch of the store on the way, so a blob that is
cut in another way has another root, and is refused like any other spelling. What is
wrong is Corrupt, whatever the code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import (
    DATASET_ID_BYTES,
    ChunkType,
    Descriptor,
    Reference,
    Referring,
    cbor,
    decode_descriptor,
    decode_file_entry,
    decode_referring,
    encode_descriptor,
    encode_file_entry,
    key,
)
from prolly.codec.byte_strings import EvenStrings
from prolly.codec.cbor import byte_string_header
from prolly.codec.record_stamps import decode_stamps, encode_stamps
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded
from prolly.maps import (
    BlobEdit,
    blob_length,
    check_stored_path,
    decode_value,
    encode_value,
    iter_pieces,
)
from prolly.tables import RecordCodec, Schema, column_type

# A blob is read and cut again before it is taken. Few bytes can spell a blob without
# end, of pieces that repeat; so much is checked in a minute or two.
RECEIVED_BLOB_BYTES_MAX = 64 * 1024 * 1024 * 1024

# A value or a cell out of line is decoded whole, in memory.
RECEIVED_VALUE_BYTES_MAX = 1024 * 1024 * 1024

Check = Callable[[Sequence[bytes], Sequence[bytes]], None]
ReadChunk = Callable[[bytes], bytes | None]

# The head of a byte string of up to 65,535 bytes.
_HEAD_SIZES = (1, 2, 3)
_BLOB_KINDS = (int(ChunkType.BLOB_PIECE), int(ChunkType.BLOB_NODE))
# What hostile bytes may make a decoder raise that trusts what it reads.
_SURPRISES = (TypeError, ValueError, OverflowError, ArithmeticError, RecursionError)


class RecordChecks:
    """Checks of records, by what they are. ``read`` sees what came and what is here.

    Blobs that are referred to are checked and put into ``writer``.
    """

    def __init__(self, read: ReadChunk, writer: ChunkWriter) -> None:
        self._read = read
        self._writer = writer
        self._blobs: set[Reference] = set()

    def of(self, entry: Descriptor) -> Check:
        """Return the check of the records of a dataset that has some."""
        if entry.kind == "table":
            return _refusing(self._table(Schema.from_value(entry.schema)))
        return _refusing(self._map if entry.kind == "map" else self._files)

    @property
    def of_manifest(self) -> Check:
        """The check of the records of a manifest."""
        return _refusing(self._manifest)

    @property
    def of_stamps(self) -> Check:
        """The check of the records of a tree of stamps."""
        return _refusing(self._stamps)

    def blob(self, reference: Reference) -> None:
        """Check a blob by writing it anew. Raises Corrupt, LimitExceeded."""
        if reference in self._blobs:
            return
        size = self._size(reference, RECEIVED_BLOB_BYTES_MAX)
        edit = BlobEdit(self._writer, None)
        try:
            for piece in iter_pieces(self._read, reference):
                edit.write(edit.length, piece)
            due = edit.store()
        finally:
            edit.close()
        if due != reference:
            raise Corrupt(
                f"a blob of {size} bytes is not cut where its content says",
                code="blob-cut",
                hint="The other side breaks the format; nothing was changed.",
                address=reference.address,
            )
        self._blobs.add(reference)

    def _size(self, reference: Reference, size_max: int) -> int:
        """Return the bytes of a blob, before any of them are read."""
        if reference.kind not in _BLOB_KINDS:
            raise _misspelt(f"type {reference.kind} where a blob is due")
        size = blob_length(self._read, reference)
        if size > size_max:
            raise LimitExceeded(
                f"a blob of {size} bytes came, the limit is {size_max}",
                code="blob-too-long",
                hint="Store it in parts.",
            )
        return size

    def _require_sizes(self, values: Sequence[bytes]) -> None:
        """Check the sizes of what stands out of line; it is read to be decoded."""
        if _refer(values):
            for value in values:
                if type(value) is Referring:
                    for reference in decode_referring(value)[0]:
                        self._size(reference, RECEIVED_VALUE_BYTES_MAX)

    def _map(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        key.decode_keys(keys)
        if _are_even_byte_strings(values):
            return
        self._require_sizes(values)
        inline = [value for value in values if type(value) is not Referring]
        if inline:
            cbor.decode_many(inline)
        if len(inline) < len(values):
            for value in values:
                if type(value) is Referring:
                    self._out_of_line(value, decode_value(value, self._read))

    def _out_of_line(self, stored: bytes, value: object) -> None:
        if encode_value(value, self._writer) != stored:
            raise _misspelt("a value out of line is not where its content says")

    def _table(self, schema: Schema) -> Check:
        codec = RecordCodec(schema)

        def check(keys: Sequence[bytes], values: Sequence[bytes]) -> None:
            is_inline = not _refer(values)
            if is_inline:
                columns = codec.check_columns(keys, values)
            else:
                self._require_sizes(values)
                columns = codec.decode_columns(keys, values, self._read)
            for column, cells in zip(schema.columns, columns, strict=True):
                _check_column(column, cells)
            if is_inline:
                return
            if codec.encode_keys(columns) != list(keys):
                raise _misspelt("a key of a row is spelt in another way")
            if codec.encode_rows(columns, self._writer) != list(values):
                raise _misspelt("a row is spelt in another way")

        return check

    def _files(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        for encoded, value in zip(keys, values, strict=True):
            check_stored_path(key.decode_key(encoded))
            entry = decode_file_entry(value)
            if encode_file_entry(entry) != value:
                raise _misspelt("the entry of a file is spelt in another way")
            if blob_length(self._read, entry.reference) != entry.size:
                raise _misspelt("the entry of a file tells another size")
            self.blob(entry.reference)

    def _stamps(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        self._require_sizes(values)
        for encoded, value in zip(keys, values, strict=True):
            key.decode(encoded)
            stamps = decode_stamps(decode_value(value, self._read))
            self._out_of_line(value, encode_stamps(stamps))

    def _manifest(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        for encoded, value in zip(keys, values, strict=True):
            parts = key.decode(encoded)
            identity = parts[0] if len(parts) == 1 else None
            if type(identity) is not bytes or len(identity) != DATASET_ID_BYTES:
                raise _misspelt("a key of the manifest is no dataset's id")
            spelt, piece = encode_descriptor(decode_descriptor(value, self._require))
            if spelt != value:
                raise _misspelt("a descriptor is spelt in another way")
            if piece is not None:
                self._writer.put(piece)

    def _require(self, address: bytes) -> bytes:
        chunk = self._read(address)
        if chunk is None:
            raise Corrupt(
                f"chunk {address.hex()} did not come",
                code="chunk-missing",
                address=address,
            )
        return chunk


def _are_even_byte_strings(values: Sequence[bytes]) -> bool:
    """Tell whether values are byte strings of one length; none of them is made."""
    if type(values) is not EvenStrings:
        return False
    heads = (byte_string_header(values.size - size) for size in _HEAD_SIZES)
    return any(
        len(head) == size and values.begin_with(head)
        for size, head in zip(_HEAD_SIZES, heads, strict=True)
    )


def _refer(values: Sequence[bytes]) -> bool:
    return type(values) is not EvenStrings and Referring in set(map(type, values))


def _check_column(column: Any, cells: Sequence[Any]) -> None:
    kind = column_type(column.type)
    kinds = set(map(type, cells))
    if type(None) in kinds and not column.nullable:
        raise _misspelt(f"column {column.name!r} is null")
    # What a check changes was not as the column holds it, and is spelt otherwise.
    checked = kind.check_many(cells)
    if checked is not cells and list(map(type, checked)) != list(map(type, cells)):
        raise _misspelt(f"column {column.name!r} holds another type")


def _refusing(check: Check) -> Check:
    """Return the check with all that it raises about records made Corrupt."""

    def refuse(keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        with corrupt_only():
            check(keys, values)

    return refuse


@contextmanager
def corrupt_only() -> Iterator[None]:
    """Raise Corrupt with the same code where bytes from outside are found wrong."""
    try:
        yield
    except (Invalid, LimitExceeded) as error:
        raise Corrupt(error.message, code=error.code, hint=_HINT) from error
    except Error:
        raise
    except _SURPRISES as error:
        raise _misspelt(str(error)) from error


_HINT = "The other side breaks the format; nothing was changed."


def _misspelt(reason: str) -> Corrupt:
    return Corrupt(
        f"a record that came does not have its one spelling: {reason}",
        code="record-spelling",
        hint=_HINT,
    )
