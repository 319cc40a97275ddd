"""Differences of stored bytes, to changes of values and rows.

A batch is decoded at once: a call of the reader of rows or values takes as long for one
of them as for ten. Whoever takes changes one by one still gets each as soon as it is
found: the first one is a batch of its own, and every later batch is as large as all
before it, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress, islice, repeat
from typing import TYPE_CHECKING, Any, cast

from prolly.codec import Descriptor, FileEntry, Referring, key
from prolly.datasets import records_of
from prolly.errors import Error
from prolly.maps import ABSENT, SortedMapping
from prolly.tree import Difference, NodeReader

from .cell_differences import FieldNames, differing_cells, differing_fields
from .change import Change, is_restored

if TYPE_CHECKING:
    from prolly.tables import Row, Table

    from .column_pairs import ColumnPairs

# Past this a larger batch saves nothing more.
_BATCH_MAX = 256

Differences = Sequence[Difference]


class ChangeDecoder:
    """Turns differences between two versions of a dataset into changes.

    At least one of the versions must be there. Not for a blob.
    """

    def __init__(
        self, reader: NodeReader, old: Descriptor | None, new: Descriptor | None
    ) -> None:
        present = new or old
        assert present is not None
        self._name = present.name
        self._kind = present.kind
        self._old = None if old is None else records_of(reader, old)
        self._new = None if new is None else records_of(reader, new)
        self._pairs: ColumnPairs | None = None
        self._fields: FieldNames | None = None
        if self._kind == "table" and old is not None and new is not None:
            before, after = self._tables()
            if before.schema != after.schema:
                # Few versions have other columns, and starting is felt.
                from .column_pairs import ColumnPairs

                self._pairs = ColumnPairs(before.schema, after.schema)
            else:
                self._fields = FieldNames(after.schema.names)

    def __call__(self, difference: Difference) -> Change:
        """Return the change that one difference is."""
        return self._decoded([difference])[0]

    def changes(self, differences: Iterator[Difference]) -> Iterator[Change]:
        """Yield the changes that differences are, as they are found.

        A row that is only stored in another way, after an alteration, is none.
        """
        for found in _growing(differences):
            for some in _apart(found):
                yield from self._told(some)

    def _told(self, differences: Differences) -> Iterator[Change]:
        try:
            changes = self._decoded(differences)
        except Error:
            if len(differences) == 1:
                raise
            # Those before the one that does not decode are told all the same.
            for one in differences:
                yield from self._told([one])
            return
        if self._kind != "table":
            yield from changes
            return
        for change in changes:
            if change.fields or not is_restored(change, self._kind):
                yield change

    def _decoded(self, differences: Differences) -> list[Change]:
        encoded, before, after = zip(*differences, strict=True)
        old: Any
        new: Any
        fields: Any
        if self._fields is not None and None not in before and None not in after:
            keys, old, new, fields = self._modified_rows(encoded, before, after)
        else:
            keys = key.decode_keys(encoded)
            old = self._side(self._old, encoded, before)
            new = self._side(self._new, encoded, after)
            if self._pairs is not None:
                old = list(map(self._renamed, old))
            fields = map(self._changed, old, new)
        return list(map(Change, repeat(self._name), keys, old, new, fields))

    def _renamed(self, old: Any) -> Any:
        assert self._pairs is not None
        return old if old is ABSENT else self._pairs.row(old)

    def _modified_rows(
        self, encoded: Sequence[bytes], before: Sequence[bytes], after: Sequence[bytes]
    ) -> tuple[list[Any], list[Row], list[Row], Iterator[tuple[str, ...]]]:
        """Return keys, old rows, new rows and fields under a schema that stayed."""
        old_table, new_table = self._tables()
        assert self._fields is not None
        keys = new_table.decode_keys(encoded)
        old = old_table.columns_under(keys, before)
        new = new_table.columns_under(keys, after)
        # Columns of the key are the same objects on both sides.
        differ = [
            repeat(False) if one is other else differing_cells(one, other)
            for one, other in zip(old, new, strict=True)
        ]
        flags = islice(zip(*differ, strict=False), len(keys))
        fields = map(self._fields.__getitem__, flags)
        return keys, old_table.rows_of(old), new_table.rows_of(new), fields

    def _tables(self) -> tuple[Table, Table]:
        return cast("Table", self._old), cast("Table", self._new)

    def _side(
        self,
        records: SortedMapping | None,
        encoded: Sequence[bytes],
        stored: Sequence[bytes | None],
    ) -> list[Any]:
        """Return what one version holds under these keys, ABSENT for nothing."""
        present = [one is not None for one in stored]
        if records is None or True not in present:
            return [ABSENT] * len(present)
        keys = list(compress(encoded, present))
        values = cast("list[bytes]", list(compress(stored, present)))
        found = records.decode_records(keys, values)
        if self._kind == "files":
            found = list(map(FileEntry.summary, found))
        if len(found) == len(present):
            return found
        following = iter(found)
        return [next(following) if is_there else ABSENT for is_there in present]

    def _changed(self, old: Any, new: Any) -> tuple[str, ...]:
        if self._kind == "map" or old is ABSENT or new is ABSENT:
            return ()
        if self._pairs is not None:
            return tuple(self._pairs.changed(old, new))
        fields = differing_fields(old, new)
        if self._kind == "files":
            # Another size is another content.
            fields = tuple([name for name in fields if name != "size"])
        return fields


def _growing(differences: Iterator[Difference]) -> Iterator[list[Difference]]:
    """Yield the differences in batches; an error comes behind those found before it."""
    size = 1
    while True:
        batch: list[Difference] = []
        try:
            batch.extend(islice(differences, size))
        except Error:
            if batch:
                yield batch
            raise
        if batch:
            yield batch
        if len(batch) < size:
            return
        size = min(2 * size, _BATCH_MAX)


def _apart(differences: list[Difference]) -> Iterator[Differences]:
    """Yield the batch, in single ones where a value is out of line.

    Such values may be long, and one at a time is in memory.
    """
    _, before, after = zip(*differences, strict=True)
    if Referring in map(type, before) or Referring in map(type, after):
        yield from ([one] for one in differences)
    else:
        yield differences


def change_decoder(
    reader: NodeReader, old: Descriptor | None, new: Descriptor | None
) -> Callable[[Difference], Change]:
    """Return what turns differences between two versions of a dataset into changes.

    At least one of them must be there.
    """
    present = new or old
    assert present is not None
    if present.kind == "blob":
        return blob_decoder(reader, old, new)
    return ChangeDecoder(reader, old, new)


def blob_decoder(
    reader: NodeReader, old: Descriptor | None, new: Descriptor | None
) -> Callable[[Difference], Change]:
    """Return what turns a changed root into the change of a blob dataset."""
    from prolly.maps import blob_length

    present = new or old
    assert present is not None
    name = present.name

    def shown(entry: Descriptor | None) -> Any:
        if entry is None:
            return ABSENT
        size = blob_length(reader.get_chunk, entry.roots[0])
        return {"content": entry.roots[0].address.hex(), "size": size}

    def decode(_: Difference) -> Change:
        fields = ("content",) if old and new else ()
        return Change(name, (), shown(old), shown(new), fields)

    return decode
