"""Records of a dataset as a patch tells them, and back into what is stored.

A row is a map of all its columns, a value of a map itself. A file is a map of content
(the hash of its blob), size, mode and mtime, a blob of content and size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import (
    ChunkType,
    Descriptor,
    FileEntry,
    Reference,
    decode_file_entry,
    encode_file_entry,
)
from prolly.codec.patch import MISSING, PatchRecord, bad_patch
from prolly.errors import Error, LimitExceeded, NotFound
from prolly.maps import (
    SINGLE_PIECE_BYTES_MAX,
    blob_length,
    decode_value,
    encode_value,
    read_blob,
    write_blob,
)
from prolly.tables import RecordCodec, Schema, column_type

# A patch is for reading, reviewing and sending by mail: a larger content goes as a
# bundle, which holds it once, and in pieces.
PATCH_CONTENT_BYTES_MAX = 1024 * 1024

ReadChunk = Callable[[bytes], bytes | None]


class ToldRecords:
    """Tells stored records of one description as plain values."""

    def __init__(self, entry: Descriptor | None, read: ReadChunk) -> None:
        self._read = read
        self._kind = "" if entry is None else entry.kind
        self._codec: RecordCodec | None = None
        if entry is not None and entry.kind == "table":
            self._codec = RecordCodec(Schema.from_value(entry.schema))

    def __call__(self, key: bytes, stored: bytes | None) -> Any:
        """Return the value of a record, ``MISSING`` for None."""
        if stored is None:
            return MISSING
        if self._codec is not None:
            return self._codec.decode_row(key, stored, self._read)
        if self._kind == "files":
            entry = decode_file_entry(stored)
            content = content_form(entry.reference, entry.size)
            return {**content, "mode": entry.mode, "mtime": entry.mtime_ns}
        return decode_value(stored, self._read)


def content_form(reference: Reference, size: int) -> dict[str, Any]:
    """Return what a patch tells of a blob."""
    return {"content": reference.address.hex(), "size": size}


def blob_form(entry: Descriptor | None, read: ReadChunk) -> Any:
    """Return what a patch tells of a blob dataset; ``MISSING`` where there is none."""
    if entry is None:
        return MISSING
    return content_form(entry.roots[0], blob_length(read, entry.roots[0]))


def content_of(form: dict[str, Any], read: ReadChunk, dataset: str) -> bytes:
    """Return a content to be put into a patch; LimitExceeded ``patch-content``."""
    if form["size"] > PATCH_CONTENT_BYTES_MAX:
        raise LimitExceeded(
            f"a content of {form['size']:,} bytes in {dataset!r} does not go into a "
            "patch",
            code="patch-content",
            hint="Send it as a bundle: `prolly bundle create`.",
            limit=PATCH_CONTENT_BYTES_MAX,
            actual=form["size"],
            dataset=dataset,
        )
    return read_blob(read, reference_of(form))


def reference_of(form: dict[str, Any]) -> Reference:
    """Return the reference to a content; its kind follows from its size."""
    address = bytes.fromhex(form["content"])
    is_piece = form["size"] <= SINGLE_PIECE_BYTES_MAX
    kind = ChunkType.BLOB_PIECE if is_piece else ChunkType.BLOB_NODE
    return Reference(address, int(kind))


def patch_schema(entry: Descriptor) -> Schema:
    """Return the schema that a patch gives a table; Corrupt ``patch``."""
    try:
        return Schema.from_value(entry.schema)
    except Error as error:
        raise bad_patch(error.message) from error


class RecordWriter:
    """Turns the records of a patch into what one description stores."""

    def __init__(self, entry: Descriptor, read: ReadChunk, writer: ChunkWriter) -> None:
        self._read = read
        self._writer = writer
        self._kind = entry.kind
        self._dataset = entry.name
        self._codec: RecordCodec | None = None
        if entry.kind == "table":
            self._codec = RecordCodec(patch_schema(entry))

    def __call__(self, record: PatchRecord, value: Any) -> bytes | None:
        """Return what is stored for a value of a record; None for ``MISSING``.

        Corrupt ``patch`` for what this dataset cannot hold, NotFound
        ``patch-content-missing`` for a content that is neither here nor in the patch.
        """
        if value is MISSING:
            return None
        try:
            if self._codec is not None:
                return self._row(record.key, value)
            if self._kind == "files":
                return self._file(record, value)
            return encode_value(value, self._writer)
        except NotFound:
            raise
        except Error as error:
            raise bad_patch(error.message) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise bad_patch(f"a record that is none of {self._dataset!r}") from error

    def _row(self, key: bytes, value: dict[str, Any]) -> bytes:
        assert self._codec is not None
        schema = self._codec.schema
        if set(value) != set(schema.names):
            raise bad_patch(f"a row of {self._dataset!r} with other columns")
        cells = []
        for column in schema.columns:
            cell = value[column.name]
            if cell is not None:
                cell = column_type(column.type).check(cell)
            elif not column.nullable:
                raise bad_patch(f"no value in column {column.name!r}")
            cells.append([cell])
        if self._codec.encode_keys(cells) != [key]:
            raise bad_patch(f"a row of {self._dataset!r} under another key")
        return self._codec.encode_rows(cells, self._writer)[0]

    def _file(self, record: PatchRecord, value: dict[str, Any]) -> bytes:
        reference = self.content(record, value)
        entry = FileEntry(value["size"], value["mode"], value["mtime"], reference)
        # What is encoded is checked by decoding it: it came from outside.
        if not {type(entry.size), type(entry.mode)} == {int}:
            raise ValueError("size and mode are numbers")
        stored = encode_file_entry(entry)
        decode_file_entry(stored)
        return stored

    def content(self, record: PatchRecord, form: dict[str, Any]) -> Reference:
        """Return a content that is here now, written if the patch brings it."""
        reference = reference_of(form)
        if form is record.new and record.data is not None:
            if write_blob(self._writer, record.data) != reference:
                raise bad_patch("a content with another hash")
            return reference
        if self._read(reference.address) is None:
            raise NotFound(
                f"a content of {self._dataset!r} is neither here nor in the patch",
                code="patch-content-missing",
                hint="Fetch the version that the patch was made of.",
                address=reference.address,
            )
        return reference
