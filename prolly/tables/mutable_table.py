"""A table under edit: it reads its own writes, until its transaction ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from prolly.chunks import ChunkWriter
from prolly.codec import shown
from prolly.env import IdSource
from prolly.errors import AlreadyExists, Invalid
from prolly.maps import NOTHING, EditedRecords, SortedMapping, key_not_found
from prolly.tree import BUFFER_BYTES_MAX, EditBuffer, NodeReader, WorkingTree

from .automatic_keys import automatic_column
from .constraints import Index
from .edited_indexes import EditedIndexes
from .encoded_batches import EncodedBatches
from .first_wins import FirstWins
from .gaps import Gaps
from .record_codec import RecordCodec
from .row_batches import (
    FillGaps,
    RowSource,
    Source,
    check_columns,
    columns_of_rows,
    encode_records,
)
from .row_maker import Row
from .schema import Schema
from .stored_table import StoredTable
from .table import Table
from .table_reads import TableReads

if TYPE_CHECKING:
    from .alteration import Alteration
    from .schema_change import SchemaChange

OnDuplicate = Literal["error", "first", "last"]
LoadMode = Literal["replace", "update", "append"]
Missing = Literal["keep", "default"]


class MutableTable(Table, MutableMapping[Any, Any]):
    """The records of a tree under edit as rows. Not thread-safe.

    Reads see the writes; an iterator sees the state at its creation; after ``close``
    every use raises Invalid ``closed``. A row is checked whole before it is written, so
    an error leaves the table as it was: Invalid ``unknown-column``, ``missing-column``,
    ``null-key``, ``schema-violation`` (fields ``column``, ``value``), LimitExceeded
    ``key-too-long``. A column left out takes its fill, or null where it is nullable.

    While the schema is unknown the first rows written decide it: their columns and
    types, all but the key nullable. A load spills to temporary files when its rows take
    more than about ``load_bytes_max`` of memory. ``reads`` is told of what is read
    through indexes.
    """

    def __init__(
        self,
        tree: WorkingTree,
        writer: ChunkWriter,
        schema: Schema,
        index_roots: Sequence[bytes] = (),
        *,
        load_bytes_max: int = BUFFER_BYTES_MAX,
        new_id: Callable[[], UUID] | None = None,
        reads: TableReads | None = None,
    ) -> None:
        self._load_bytes_max = load_bytes_max
        self._new_id = IdSource() if new_id is None else new_id
        self._reads = reads
        self._edited = EditedRecords(tree, writer)
        SortedMapping.__init__(self, self._edited)
        self._codec = schema.codec
        stored = StoredTable(schema, tree.base, tuple(index_roots))
        self._indexes = EditedIndexes(stored, tree.parameters)

    def insert(self, row: Mapping[str, Any]) -> Any:
        """Add a row and return its key; AlreadyExists ``key-exists`` when it is there.

        A row may leave the last key column out when that is of type uuid: it gets a
        new id, greater than all that were made here before.
        """
        codec, key, stored = self._encoded(row)
        shown = codec.decode_keys([key])[0]
        if self._edited.get(key) is not None:
            raise _key_exists(shown)
        self._write(codec, key, stored)
        return shown

    def upsert(self, row: Mapping[str, Any]) -> Any:
        """Add a row, or replace the one under its key whole; return the key.

        A column left out does not keep its cell: it takes its fill or null, as in a new
        row. To change some columns of a row that is there, use :meth:`patch`. Without
        the last key column of type uuid it is a new row, as with ``insert``.
        """
        codec, key, stored = self._encoded(row)
        self._write(codec, key, stored)
        return codec.decode_keys([key])[0]

    def __setitem__(self, key: Any, row: Mapping[str, Any]) -> None:
        """Write a row under a key, whose columns it may leave out.

        Raises Invalid ``key-mismatch`` when the row names another key.
        """
        parts = key if type(key) is tuple and len(self.schema.key) > 1 else (key,)
        if len(parts) == len(self.schema.key):
            row = {**dict(zip(self.schema.key, parts, strict=True)), **row}
        codec, data, stored = self._encoded(row)
        if data != codec.encode_key(key):
            raise _key_mismatch(key)
        self._write(codec, data, stored)

    def patch(self, key: Any, changes: Mapping[str, Any]) -> None:
        """Change some columns of the row under a key; the others keep their cells.

        Raises KeyNotFound when there is none, Invalid ``key-mismatch`` when ``changes``
        name another key.
        """
        codec, data, stored = self._encoded({**self[key], **changes})
        if data != codec.encode_key(key):
            raise _key_mismatch(key)
        self._write(codec, data, stored)

    def __delitem__(self, key: Any) -> None:
        self.delete(key)

    def delete(self, key: Any) -> None:
        """Delete the row under a key; KeyNotFound when there is none."""
        data = self.encode_key(key)
        if self._edited.get(data) is None:
            raise key_not_found(key)
        self._edited.put(data, None)

    def popitem(self) -> tuple[Any, Row]:
        """Delete and return the last key and row; KeyNotFound ``empty``."""
        row = self.last()
        key = self.row_key(row)
        self.delete(key)
        return key, row

    def clear(self) -> None:
        """Delete all rows."""
        self._edited.replace_all(EditBuffer())

    def load(
        self,
        rows: Source | EncodedBatches,
        *,
        on_duplicate: OnDuplicate = "error",
        mode: LoadMode = "replace",
        missing: Missing | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> int:
        """Write rows of any number in bounded memory; return how many were read.

        ``rows`` are mappings, or ``(names, iterable of lists)``, or ``ColumnBatches``,
        or a DataFrame or anything else that hands out Arrow data, or ``EncodedBatches``
        of its own schema. ``replace``:
        afterwards the table equals the input, and nodes that stood there before are not
        written again. ``update``: the other rows stay. ``append``: a key that is there
        already raises AlreadyExists ``key-exists``.

        ``missing`` says what a column that a row leaves out becomes where the key is
        there already: ``keep`` (the default of ``update``) its cell stays, ``default``
        (that of the other modes) it takes its fill or null, as in a new row always.

        A key that occurs twice in the input raises Invalid ``duplicate-key`` (field
        ``key``), or the first or last of its rows stays, that row alone. ``progress``
        is called now and then with the number of rows read. Rows get new ids as with
        ``insert``. An error (field ``row``, counted from 1) leaves the table as it was.
        """
        self._edited.require_open()
        if mode not in ("replace", "update", "append"):
            raise _bad_option("mode", mode, "replace, update or append")
        if on_duplicate not in ("error", "first", "last"):
            raise _bad_option("on_duplicate", on_duplicate, "error, first or last")
        if missing not in (None, "keep", "default"):
            raise _bad_option("missing", missing, "keep or default")
        keeps = missing == "keep" or (missing is None and mode == "update")
        codec, records = self._encoded_records(rows, keeps=keeps)
        buffer = (
            FirstWins(self._load_bytes_max)
            if on_duplicate == "first"
            else EditBuffer(self._load_bytes_max, unique=on_duplicate == "error")
        )
        try:
            read = 0
            for before, (keys, values) in records:
                buffer.put_many(keys, values)
                read = before + len(keys)
                if progress is not None:
                    progress(read)
            self._take(buffer, mode)
        except Invalid as error:
            if error.code != "duplicate-key":
                raise
            raise _duplicate(codec, error) from error
        finally:
            buffer.close()
        self._codec = codec
        return read

    def _encoded_records(
        self, rows: Source | EncodedBatches, *, keeps: bool
    ) -> tuple[RecordCodec, Iterator[tuple[int, tuple[list[bytes], list[bytes]]]]]:
        """Return the codec of a load, and its batches of (rows before, records)."""
        codec, writer = self._codec, self._edited.writer
        if isinstance(rows, EncodedBatches):
            assert rows.schema == self.schema, "encoded for another schema"
            return codec, rows.records(writer)
        source = RowSource(rows)
        if self.schema.is_unknown:
            codec = RecordCodec(source.infer(self.schema.key))
        name = automatic_column(self.schema)
        if name is not None:
            source.fill(name, self._new_id)
        fill_gaps = self._gaps(codec, source, keeps=keeps)
        return codec, (
            (before, encode_records(codec, columns, writer, before))
            for before, columns in source.checked(codec.schema, fill_gaps)
        )

    def _gaps(
        self, codec: RecordCodec, source: RowSource, *, keeps: bool
    ) -> FillGaps | None:
        """Return what fills the gaps of rows; ``None`` where defaults do."""
        if keeps and not self._edited.is_known_empty():
            return Gaps(codec, self._edited.get, self._edited.read_chunk)
        return Gaps(codec, None, self._edited.read_chunk) if source.has_gaps else None

    def _take(self, buffer: EditBuffer, mode: LoadMode) -> None:
        """Write the rows of a buffer, after all that may be refused was checked."""
        if mode == "replace" or self._edited.is_known_empty():
            self._edited.replace_all(buffer)
            return
        if mode == "append" or buffer.runs_spilled:
            # Duplicates across runs show only at the end of the merge.
            for keys, _ in buffer.batches():
                if mode == "append":
                    self._refuse_present(keys)
        for keys, values in buffer.batches():
            self._edited.put_many(keys, [one for one in values if one is not None])

    def _refuse_present(self, keys: list[bytes]) -> None:
        for key in keys:
            if self._edited.get(key) is not None:
                raise _key_exists(self._codec.decode_keys([key])[0])

    def _encoded(self, row: Mapping[str, Any]) -> tuple[RecordCodec, bytes, bytes]:
        """Return the codec, the key and the stored value of one checked row."""
        self._edited.require_open()
        codec = self._codec
        if self.schema.is_unknown:
            codec = RecordCodec(RowSource([row]).infer(self.schema.key))
        name = automatic_column(codec.schema)
        if name is not None and isinstance(row, Mapping) and name not in row:
            row = {name: self._new_id(), **row}
        columns = columns_of_rows(codec.schema, [row], None)
        try:
            columns = check_columns(codec.schema, columns, None)
        except Invalid as error:
            raise _of_row(error, row, codec.schema) from error
        [key], [stored] = encode_records(codec, columns, self._edited.writer, None)
        return codec, key, stored

    def _write(self, codec: RecordCodec, key: bytes, stored: bytes) -> None:
        self._edited.put(key, stored)
        self._codec = codec

    def alter(self, *, force: bool = False) -> Alteration:
        """Return what changes the schema, a method a change; ``force`` may lose data.

        ``table.alter().add_column("open", "bool").add_index("by_name", "name")``
        """
        # Few programs change a schema, and starting is felt.
        from .alteration import Alteration

        self._edited.require_open()
        return Alteration(self, force=force)

    def change_schema(
        self, schema: Schema, *, force: bool = False, empty_text: bool = False
    ) -> None:
        """Give the table another schema; see ``Alteration.become``."""
        from .schema_change import SchemaChange, key_change

        self._edited.require_open()
        if self.schema.is_unknown:
            # There are no rows yet.
            if self.schema.key != schema.key:
                raise key_change(self.schema.key)
            self._codec = RecordCodec(schema)
            return
        options = {"force": force, "empty_text": empty_text}
        change = SchemaChange(self.schema, schema, **options)
        codec = RecordCodec(schema)
        if not self._edited.is_known_empty() and len(self):
            change.refuse_gaps()
            if change.rewrites:
                self._rewrite(change, codec)
            elif change.reads:
                for columns in self.iter_columns():
                    change.turned(columns)
        self._codec = codec

    def _rewrite(self, change: SchemaChange, codec: RecordCodec) -> None:
        """Write every row anew; two rows never become one."""
        buffer = EditBuffer(self._load_bytes_max, unique=True)
        try:
            for columns in self.iter_columns():
                turned = change.turned(columns)
                buffer.put_many(
                    *encode_records(codec, turned, self._edited.writer, None)
                )
            self._edited.replace_all(buffer)
        except Invalid as error:
            if error.code != "duplicate-key":
                raise
            raise _duplicate(codec, error) from error
        finally:
            buffer.close()

    def index_tree(
        self, index: Index, low: bytes | None = None, high: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        """Do as of ``Table``; ``unique-violation`` while rows break a unique index."""
        place = self.schema.place_of(index)
        reader, root = self._edited.settled(*NOTHING)
        reader, roots = self._indexes.settled(reader, self.schema, root)
        if self._reads is not None:
            stored = self._indexes.stored_place(self.schema, index)
            if stored is None:
                # An index that is new says what the records say, all of them.
                self._edited.settled()
            else:
                self._reads.add_entries(stored, low, high)
        return reader, roots[place]

    def note_records(self, keys: Sequence[bytes]) -> None:
        """Tell whoever keeps the reads of this table of records read by key."""
        if self._reads is not None:
            self._reads.add_records(keys)

    def write_indexes(self, reader: NodeReader, records: bytes) -> tuple[bytes, ...]:
        """Write the indexes over the records as they are written; return their roots.

        ``records`` is the root that they got, ``reader`` sees what the writer wrote.
        Raises Invalid ``unique-violation``, ``index-key-too-long``, ``index-value``.
        """
        return self._indexes.write(reader, self._edited.writer, self.schema, records)

    def close(self) -> None:
        """End the use of this table; twice is fine."""
        self._edited.close()
        self._indexes.close()


def _key_exists(key: Any) -> AlreadyExists:
    return AlreadyExists(
        f"there is a row under the key {key!r} already",
        code="key-exists",
        hint="Use upsert, or load with mode 'update', to overwrite it.",
        key=key,
    )


def _of_row(error: Invalid, row: Mapping[str, Any], schema: Schema) -> Invalid:
    """Return the error that names the row by its key, unless it is about the key."""
    parts = tuple([row.get(name) for name in schema.key])
    is_about_key = error.facts.get("column") in schema.key
    if error.code != "schema-violation" or is_about_key or None in parts:
        return error
    key = parts if len(parts) > 1 else parts[0]
    return Invalid(
        f"row {key!r}: {error.message}",
        code=error.code,
        hint=error.hint,
        **{**error.facts, "key": key},
    )


def _key_mismatch(key: Any) -> Invalid:
    return Invalid(
        f"the row under {key!r} names another key",
        code="key-mismatch",
        hint="Leave the key columns out, or delete and insert to rename.",
        key=key,
    )


def _duplicate(codec: RecordCodec, error: Invalid) -> Invalid:
    encoded = error.facts["encoded_key"]
    key = codec.decode_keys([encoded])[0]
    return Invalid(
        f"the key {key!r} occurs twice in the input",
        code="duplicate-key",
        hint="Remove one of the rows, or say which one stays (on_duplicate).",
        key=key,
        encoded_key=encoded,
    )


def _bad_option(name: str, value: object, choices: str) -> Invalid:
    return Invalid(
        f"{name} cannot be {shown(value)}", code="option", hint=f"It is {choices}."
    )
