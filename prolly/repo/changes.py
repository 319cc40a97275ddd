"""What differs between two versions: record by record, or counted.

Datasets are paired by id, so a renamed dataset is compared with its old self.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from prolly.codec import Descriptor, FileEntry, cbor, key
from prolly.datasets import changed_datasets, record_differences, records_of
from prolly.errors import Corrupt
from prolly.maps import ABSENT
from prolly.tree import Difference, NodeReader

from .column_pairs import ColumnPairs
from .policy_changes import PolicyChange, policy_changes

if TYPE_CHECKING:
    from prolly.tables import Schema, Table


@dataclass(frozen=True, slots=True)
class Change:
    """One record that differs.

    ``old`` and ``new`` are a map's value or a table's row (a dict); ``ABSENT`` where
    there is none. ``fields`` names the columns that differ in a modified row; ``old``
    has the names that its columns have in the new version.

    A file's ``old`` and ``new`` are a dict of content (the address of its blob, in
    hexadecimal), size, mode (octal text) and mtime (nanoseconds, or None); ``fields``
    are those of content, mode and mtime that differ. A blob dataset that differs is one
    change with the key ``()`` and a dict of content and size.
    """

    dataset: str
    key: Any
    old: Any
    new: Any
    fields: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``modified``."""
        if self.old is ABSENT:
            return "added"
        return "removed" if self.new is ABSENT else "modified"


@dataclass(frozen=True, slots=True)
class DatasetChanges:
    """How many records of one dataset differ, and what happened to it as a whole.

    ``event`` is ``created``, ``dropped``, ``renamed``, ``altered`` (its schema or
    settings), ``absent`` (in a partial replica, that cannot count them) or empty;
    ``policies`` are those that differ then. Without ``is_counted`` the numbers say
    nothing: a partial replica lacks records that differ.
    """

    added: int = 0
    removed: int = 0
    modified: int = 0
    event: str = ""
    policies: tuple[PolicyChange, ...] = ()
    is_counted: bool = True


@dataclass(frozen=True)
class _Pair:
    """Both versions of one dataset, either of which may be missing."""

    old: Descriptor | None
    new: Descriptor | None

    @property
    def present(self) -> Descriptor:
        """The version that there is, the new one of two."""
        present = self.new or self.old
        assert present is not None
        return present

    @property
    def name(self) -> str:
        """The name it has now, or had last."""
        return self.present.name

    @property
    def kind(self) -> str:
        """The kind, which never changes."""
        return self.present.kind

    def is_named(self, name: str) -> bool:
        return any(entry and entry.name == name for entry in (self.old, self.new))

    @property
    def is_altered_table(self) -> bool:
        """Tell whether it is a table in both versions, under different schemas."""
        if self.old is None or self.new is None or self.kind != "table":
            return False
        return bool(self.old.schema != self.new.schema)

    @property
    def event(self) -> str:
        if self.old is None:
            return "created"
        if self.new is None:
            return "dropped"
        if self.old.name != self.new.name:
            return "renamed"
        same = (
            self.old.schema == self.new.schema
            and self.old.policies == self.new.policies
            and self.old.parameters == self.new.parameters
        )
        return "" if same else "altered"


class Comparison:
    """Two versions, compared lazily. ``bounds`` are encoded keys [start, stop).

    They are told by the roots of their manifests, None for one without datasets. In a
    partial replica ``here`` reads only what is here, and nothing is fetched to be
    counted.
    """

    def __init__(
        self,
        reader: NodeReader,
        old: bytes | None,
        new: bytes | None,
        *,
        here: NodeReader | None = None,
    ) -> None:
        self._reader = reader
        self._here = here
        changed = changed_datasets(reader, old, new)
        pairs = [_Pair(*versions) for versions in changed.values()]
        self._pairs = sorted(pairs, key=lambda pair: pair.name)

    def __iter__(self) -> Iterator[Change]:
        """Yield all records that differ, by dataset name and key."""
        return self.changes()

    def changes(
        self,
        dataset: str | None = None,
        bounds: tuple[bytes | None, bytes | None] = (None, None),
    ) -> Iterator[Change]:
        """Yield the records that differ, by dataset name and key, as they are found.

        A row that is only stored in another way, after an alteration, does not differ.
        """
        for pair in self._pairs:
            if dataset is not None and not pair.is_named(dataset):
                continue
            decode = _decoder(self._reader, pair)
            for difference in self._differences(pair, bounds, self._reader):
                change = decode(difference)
                if not is_restored(change, pair.kind):
                    yield change

    def counts(
        self,
        dataset: str | None = None,
        bounds: tuple[bytes | None, bytes | None] = (None, None),
    ) -> dict[str, DatasetChanges]:
        """Count the records that differ, by dataset.

        Nothing is decoded, but for modified rows of a table that was altered. Where a
        partial replica lacks records that differ the event is ``absent``, if no other.
        """
        counted: dict[str, DatasetChanges] = {}
        for pair in self._pairs:
            if dataset is not None and not pair.is_named(dataset):
                continue
            event, numbers, is_counted = pair.event, (0, 0, 0), True
            try:
                numbers = self._count(pair, bounds)
            except Corrupt as error:
                if self._here is None or error.code != "chunk-missing":
                    raise
                event, is_counted = event or "absent", False
            policies = policy_changes(pair.old, pair.new)
            counted[pair.name] = DatasetChanges(*numbers, event, policies, is_counted)
        return counted

    def _count(
        self, pair: _Pair, bounds: tuple[bytes | None, bytes | None]
    ) -> tuple[int, int, int]:
        """Return how many records were added, removed and modified."""
        added = removed = modified = 0
        reader = self._here or self._reader
        decode = _decoder(reader, pair) if pair.is_altered_table else None
        for difference in self._differences(pair, bounds, reader):
            _, old, new = difference
            if old is None:
                added += 1
            elif new is None:
                removed += 1
            elif decode is None or not is_restored(decode(difference), pair.kind):
                modified += 1
        return added, removed, modified

    def events(self, dataset: str | None = None) -> dict[str, str]:
        """Return what happened to whole datasets (created, renamed ...), by name."""
        return {
            pair.name: pair.event
            for pair in self._pairs
            if pair.event and (dataset is None or pair.is_named(dataset))
        }

    def schemas(self, dataset: str) -> tuple[Schema | None, Schema | None]:
        """Return the old and the new schema of a table that differs, by its name now.

        The old one has its columns under the names of the new one. ``None`` on a side
        where it is not there, and on both for a map.
        """
        for pair in self._pairs:
            if pair.name == dataset:
                old, new = _schema_of(pair.old), _schema_of(pair.new)
                if old is not None and new is not None:
                    old = ColumnPairs(old, new).old
                return old, new
        return None, None

    def _differences(
        self,
        pair: _Pair,
        bounds: tuple[bytes | None, bytes | None],
        reader: NodeReader,
    ) -> Iterator[Difference]:
        if pair.kind == "blob":
            old = None if pair.old is None else pair.old.roots[0].address
            new = None if pair.new is None else pair.new.roots[0].address
            # One value without a key: it lies within no bounds.
            differs = old != new and bounds == (None, None)
            return iter([(b"", old, new)] if differs else [])
        return record_differences(reader, pair.old, pair.new, bounds)


def _schema_of(entry: Descriptor | None) -> Schema | None:
    if entry is None or entry.kind != "table":
        return None
    from prolly.tables import Schema

    return Schema.from_value(entry.schema)


def change_decoder(
    reader: NodeReader, old: Descriptor | None, new: Descriptor | None
) -> Callable[[Difference], Change]:
    """Return what turns differences between two versions of a dataset into changes.

    At least one of them must be there.
    """
    return _decoder(reader, _Pair(old, new))


def is_restored(change: Change, kind: str) -> bool:
    """Tell whether a row is only stored in another way: no field of it differs."""
    return kind == "table" and change.kind == "modified" and not change.fields


def _decoder(reader: NodeReader, pair: _Pair) -> Callable[[Difference], Change]:
    kind = _blob_decoder if pair.kind == "blob" else _Decoder
    return kind(reader, pair)


def _blob_decoder(reader: NodeReader, pair: _Pair) -> Callable[[Difference], Change]:
    """Return what turns a changed root into the change of a blob dataset."""

    from prolly.maps import blob_length

    def shown(entry: Descriptor | None) -> Any:
        if entry is None:
            return ABSENT
        size = blob_length(reader.get_chunk, entry.roots[0])
        return {"content": entry.roots[0].address.hex(), "size": size}

    def decode(_: Difference) -> Change:
        fields = ("content",) if pair.old and pair.new else ()
        return Change(pair.name, (), shown(pair.old), shown(pair.new), fields)

    return decode


class _Decoder:
    """Turns differences of stored bytes into changes of values or rows."""

    def __init__(self, reader: NodeReader, pair: _Pair) -> None:
        self._name = pair.name
        self._old = None if pair.old is None else records_of(reader, pair.old)
        self._new = None if pair.new is None else records_of(reader, pair.new)
        self._columns: ColumnPairs | None = None
        if pair.is_altered_table:
            tables = cast("Table", self._old), cast("Table", self._new)
            self._columns = ColumnPairs(tables[0].schema, tables[1].schema)
        self._are_files = pair.kind == "files"
        self._have_fields = pair.kind in ("files", "table")

    def __call__(self, difference: Difference) -> Change:
        encoded, before, after = difference
        old: Any = ABSENT
        new: Any = ABSENT
        if before is not None and self._old is not None:
            old = self._old.decode_record(encoded, before)
        if after is not None and self._new is not None:
            new = self._new.decode_record(encoded, after)
        fields: tuple[str, ...] = ()
        if isinstance(old, FileEntry):
            old = old.summary()
        if isinstance(new, FileEntry):
            new = new.summary()
        if self._columns is not None and old is not ABSENT:
            old = self._columns.row(old)
        if self._columns is not None and old is not ABSENT and new is not ABSENT:
            fields = tuple(self._columns.changed(old, new))
        elif self._have_fields and before is not None and after is not None:
            fields = _changed_fields(old, new)
        if self._are_files:
            # Another size is another content.
            fields = tuple(name for name in fields if name != "size")
        return Change(self._name, key.decode_key(encoded), old, new, fields)


def _changed_fields(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns of both rows whose stored values differ, new ones first."""
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        name
        for name in names
        if name not in old
        or name not in new
        or cbor.encode(old[name]) != cbor.encode(new[name])
    )
