"""Records from another replica: each key and value must have its one spelling.

Whole batches are decoded and spelt anew: what comes out must be the bytes that came in.
Values out of line are written into the batch of the store on the way, so a blob that is
cut in another way has another root, and is refused like any other spelling. What is
wrong is Corrupt, whatever the code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import NoneType
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
from prolly.codec.cbor_items import count_items
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
from prolly.tables import Column, RecordCodec, Schema, column_type

# A blob is read and cut again before it is taken. Few bytes can spell a blob without
# end, of pieces that repeat; so much is checked in a minute or two.
RECEIVED_BLOB_BYTES_MAX = 64 * 1024 * 1024 * 1024

# A value or a cell out of line is decoded whole, in memory.
RECEIVED_VALUE_BYTES_MAX = 1024 * 1024 * 1024
# Small items take many times their bytes: so many some 300 MB and ten seconds.
RECEIVED_VALUE_ITEMS_MAX = 4_194_304
# Rows with cells out of line are decoded together until they take so much.
DECODED_BYTES_MAX = 256 * 1024 * 1024
# What an item takes in memory, about.
_ITEM_BYTES = 64
# Of what is shorter each byte is taken for an item.
_COUNTED_BYTES_MIN = 64 * 1024

Check = Callable[[Sequence[bytes], Sequence[bytes]], None]
ReadChunk = Callable[[bytes], bytes | None]

# The head of a byte string of up to 65,535 bytes.
_HEAD_SIZES = (1, 2, 3)
# Of these types a cell is right that is of its Python type and has a spelling.
_SURE_TYPES = frozenset({"bool", "int", "float", "text", "bytes"})
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
                self._decoded_bytes(value)

    def _decoded_bytes(self, value: bytes) -> int:
        """Return what takes in memory, about, what a value has out of line.

        Raises LimitExceeded ``blob-too-long`` and ``too-many-items``.
        """
        taken = 0
        if type(value) is Referring:
            for reference in decode_referring(value)[0]:
                items = size = self._size(reference, RECEIVED_VALUE_BYTES_MAX)
                if size >= _COUNTED_BYTES_MIN:
                    pieces = iter_pieces(self._read, reference)
                    items = count_items(pieces, RECEIVED_VALUE_ITEMS_MAX)
                if items > RECEIVED_VALUE_ITEMS_MAX:
                    raise _too_many_items()
                taken += size + _ITEM_BYTES * items
        return taken

    def _spans(self, values: Sequence[bytes]) -> Iterator[slice]:
        """Yield runs of records that are not too large to be decoded together."""
        start = taken = 0
        for place, value in enumerate(values):
            size = self._decoded_bytes(value)
            if taken and taken + size > DECODED_BYTES_MAX:
                yield slice(start, place)
                start, taken = place, 0
            taken += size
        yield slice(start, len(values))

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
            if not _refer(values):
                checked = codec.check_records(keys, values)
                for column, (kinds, cells) in zip(schema.columns, checked, strict=True):
                    if not _are_sure(column, kinds):
                        _check_column(column, kinds, cells)
                return
            every_key, every_value = list(keys), list(values)
            for span in self._spans(every_value):
                check_decoded(every_key[span], every_value[span])

        def check_decoded(keys: list[bytes], values: list[bytes]) -> None:
            columns = codec.decode_columns(keys, values, self._read)
            for column, cells in zip(schema.columns, columns, strict=True):
                _check_column(column, {*map(type, cells)}, cells)
            if codec.encode_keys(columns) != keys:
                raise _misspelt("a key of a row is spelt in another way")
            if codec.encode_rows(columns, self._writer) != values:
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


def _are_sure(column: Column, kinds: set[type]) -> bool:
    """Tell whether cells of these types, which were spelt right, are of their column.

    Where they are, all that ``check_many`` could find is a lone surrogate or a number
    without end, which have no spelling.
    """
    if NoneType in kinds and not column.nullable:
        return False
    if column.type == "json":
        return True
    return column.type in _SURE_TYPES and kinds <= column_type(column.type).kinds


def _check_column(
    column: Column, kinds: set[type], cells: Sequence[Any] | None
) -> None:
    if NoneType in kinds and not column.nullable:
        raise _misspelt(f"column {column.name!r} is null")
    if cells is None:
        # They are of one plain type, of which the column is sure unless it is another.
        is_changed = kinds != {NoneType}
    else:
        # What a check changes was not as the column holds it, and is spelt otherwise.
        checked = column_type(column.type).check_many(cells)
        is_changed = checked is not cells and _types(checked) != _types(cells)
    if is_changed:
        raise _misspelt(f"column {column.name!r} holds another type")


def _types(cells: Sequence[Any]) -> list[type]:
    return list(map(type, cells))


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


def _too_many_items() -> LimitExceeded:
    return LimitExceeded(
        f"a value out of line has more than {RECEIVED_VALUE_ITEMS_MAX} items",
        code="too-many-items",
        hint="Store it in parts.",
    )


_HINT = "The other side breaks the format; nothing was changed."


def _misspelt(reason: str) -> Corrupt:
    return Corrupt(
        f"a record that came does not have its one spelling: {reason}",
        code="record-spelling",
        hint=_HINT,
    )
