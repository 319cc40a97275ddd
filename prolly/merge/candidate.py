"""One dataset of a merge under way, as it differs from ours.

Its records stand beside those of ours and theirs under one schema and one set of tree
parameters, so that the change of theirs can be taken back record by record. Indexes are
carried from whichever side has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prolly.codec import Descriptor
from prolly.datasets import root_references, stored_table
from prolly.errors import Invalid
from prolly.tables import (
    IndexCodec,
    Schema,
    StoredTable,
    Trees,
    Vetted,
    carry_indexes,
)
from prolly.tree import EditBuffer, TreeMerge, WorkingTree, get

from .column_merge import SIDES, Side
from .schema_merge import without
from .shown_records import ShownRecords

# What an index has against records; anything else is no matter of this merge.
INDEX_FAULTS = frozenset({"unique-violation", "index-key-too-long", "index-value"})

SideRecords = Mapping[Side, Callable[[], bytes | None]]


@dataclass
class Candidate:
    """A dataset as it is to stand, but for what constraints say.

    ``entry`` is its description, whose roots are of no account unless it is a blob;
    ``records`` its record tree, None for a blob; ``stamps`` that of its stamps, if it
    keeps some. ``sides`` gives the records of each side under the same schema, None
    where the side has no such dataset. A side is in ``unvetted`` if some of these are
    not as it wrote them. ``is_mixed`` tells that no side has just these records.
    """

    identity: bytes
    entry: Descriptor
    records: bytes | None
    trees: Trees
    versions: Mapping[Side, Descriptor | None]
    sides: SideRecords
    schema: Schema | None = None
    unvetted: set[Side] = field(default_factory=set)
    is_mixed: bool = False
    event: str = "merged"
    walk: TreeMerge | None = None
    rewritten: tuple[str, ...] = ()
    withheld: int = 0
    index_roots: tuple[bytes, ...] | None = None
    stamps: bytes | None = None

    def __post_init__(self) -> None:
        self._known: dict[Side, bytes | None] = {}
        self._stored: dict[Side, StoredTable] = {}
        self._shown: ShownRecords | None = None

    @property
    def name(self) -> str:
        """The name that the dataset is to have."""
        return self.entry.name

    def side(self, side: Side) -> bytes | None:
        """Return the records of a side under the merged schema."""
        if side not in self._known:
            self._known[side] = self.sides[side]()
        return self._known[side]

    def stored(self, key: bytes) -> bytes | None:
        """Return the record as it is to stand."""
        return self._get(self.records, key)

    def stored_by_ours(self, key: bytes) -> bytes | None:
        """Return the record that ours has."""
        return self._get(self.side("ours"), key)

    def _get(self, root: bytes | None, key: bytes) -> bytes | None:
        return None if root is None else get(self.trees.reader, root, key)

    def value_of(self, key: bytes, stored: bytes | None) -> Any:
        """Return a stored record as people see it, ABSENT for none."""
        if self._shown is None:
            reader, kind = self.trees.reader, self.entry.kind
            self._shown = ShownRecords(reader, kind, self.schema)
        return self._shown.value(key, stored)

    def edit(self, edits: EditBuffer) -> None:
        """Put stored records in place of those that stand; the buffer is closed."""
        reader, writer, parameters = self.trees
        tree = WorkingTree(reader, self.records, parameters, edits)
        try:
            self.records = tree.write(writer)
        finally:
            tree.close()
        self.is_mixed = True
        self.index_roots = None

    def drop(self, what: str) -> tuple[int, ...]:
        """Do without a constraint; return the ids of its columns.

        ``column NAME`` stands for the promise that the column holds no null.
        """
        assert self.schema is not None
        schema, (kind, _, name) = self.schema, what.partition(" ")
        self.index_roots = self._shown = None
        if kind == "column":
            column = schema.column(name)
            columns = [
                replace(one, nullable=True) if one is column else one
                for one in schema.columns
            ]
            self.schema = replace(schema, columns=tuple(columns))
            return (column.id,)
        fields = constraint_fields(schema, what)
        self.schema = without(schema, what)
        return fields

    def side_schema(self, side: Side) -> Schema | None:
        """Return the schema that a side has itself."""
        stored = self._table(side)
        return None if stored is None else stored.schema

    def _table(self, side: Side) -> StoredTable | None:
        entry = self.versions[side]
        if entry is None or entry.kind != "table":
            return None
        if side not in self._stored:
            self._stored[side] = stored_table(entry)
        return self._stored[side]

    def holder(self, schema: Schema, index_name: str) -> Side | None:
        """Return the side whose tree of this index can be carried, ours first."""
        form = IndexCodec(schema, schema.index(index_name)).form()
        for side in SIDES:
            entry, stored = self.versions[side], self._table(side)
            if entry is None or stored is None or stored.schema.is_unknown:
                continue
            if entry.parameters != self.trees.parameters:
                continue
            forms = [
                IndexCodec(stored.schema, one).form() for one in stored.schema.indexes
            ]
            if form in forms:
                return side
        return None

    def carry(self) -> None:
        """Write the indexes; raises Invalid of ``INDEX_FAULTS`` for a violation."""
        if self.schema is None or self.index_roots is not None:
            return
        assert self.records is not None
        roots: dict[str, bytes] = {}
        holders = {
            one.name: self.holder(self.schema, one.name) for one in self.schema.indexes
        }
        for side in dict.fromkeys(holders.values()):
            names = [name for name, holder in holders.items() if holder == side]
            roots.update(self._carried(side, names, self.records))
        self.index_roots = tuple([roots[one.name] for one in self.schema.indexes])

    def _carried(
        self, side: Side | None, names: Sequence[str], records: bytes
    ) -> dict[str, bytes]:
        """Return the roots of some indexes over records, carried from one side."""
        assert self.schema is not None
        indexes = [one for one in self.schema.indexes if one.name in names]
        part = replace(self.schema, indexes=tuple(indexes), references=())
        base = None if side is None else self._table(side)
        base = base or StoredTable(part, None, ())
        made = carry_indexes(self.trees, base, part, records)
        return {one.name: root for one, root in zip(part.indexes, made, strict=True)}

    def vetted(self, index_name: str) -> tuple[Side | None, Vetted | None]:
        """Return the side that keeps an index, and its records and tree, if any."""
        assert self.schema is not None
        side = self.holder(self.schema, index_name)
        if side is None or side in self.unvetted:
            return None, None
        records = self.side(side)
        if records is None:
            return None, None
        try:
            roots = self._carried(side, [index_name], records)
        except Invalid as error:
            if error.code not in INDEX_FAULTS:
                raise
            return None, None
        return side, Vetted(records, roots[index_name])

    def finish(self) -> Descriptor:
        """Return the description of what stands, its trees included."""
        if self.records is None:
            return self.entry
        roots = [self.records]
        entry = self.entry
        if self.schema is not None:
            self.carry()
            assert self.index_roots is not None
            roots += self.index_roots
            entry = entry._replace(schema=self.schema.to_value())
        if entry.keeps_stamps:
            assert self.stamps is not None
            roots.append(self.stamps)
        known = entry.roots
        return entry._replace(roots=root_references(self.trees.reader, roots, known))


# What is to stand instead of ours, by dataset; None for one that is dropped.
Candidates = dict[bytes, Candidate | None]


def constraint_fields(schema: Schema, what: str) -> tuple[int, ...]:
    """Return the ids of the columns that a constraint asks about, in order."""
    kind, _, name = what.partition(" ")
    names: set[str] = {name} if kind == "column" else set()
    if kind == "index":
        names = set(schema.index(name).columns)
    elif kind == "check":
        [check] = [one for one in schema.checks if one.name == name]
        names = set(check.predicate.columns)
    elif kind == "reference":
        [reference] = [one for one in schema.references if one.name == name]
        names = set(reference.columns)
    return tuple(sorted([schema.column(one).id for one in names]))
