"""The records of a table under another schema, and only rewritten where they must be.

The trees of base, ours and theirs are brought under the merged schema, and under one
set of tree parameters, before their records are compared. Then equal cells are equal
bytes.

What does not become a value of the merged column (a text as a number, a null where none
is allowed any more, a number that would lose digits) is a *misfit*:

    the side did not change the cell   it becomes what the base's became, or null: what
                                       the other side has stands
    the side changed it                the cell stands as the base has it, and a misfit
                                       is told: the caller makes it a conflict
    the row is new, and null not       the row is left out, and a misfit of the whole
    allowed                            row is told; so with a key that another row has
                                       after the change
    a key does not fit                 as for a new row; without a word if the side left
                                       the row as it was: then the base has no place for
                                       it, either (``lost_deletions``)

A cell that holds just the fill of a new column, in a row that the base has, was written
by nobody: where the merged column has another fill, it is that.

A column that a side dropped and that stays (``column_merge``) reads in that side's rows
as the base has it. Memory is bounded: rows are streamed, and sorted outside where keys
change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from prolly.tables import Schema, Trees
from prolly.tree import Batch, EditBuffer, WorkingTree, build, diff, iter_batches

from .base_rows import BaseRows, Records
from .row_translation import Report, RowTranslation

# Records decoded in one go, as columns.
BATCH_RECORDS = 2048


class Translation:
    """The way of one table's versions under one schema and one set of parameters.

    ``trees.parameters`` are those of the result. ``left_out`` is told the keys of the
    base's rows that have none under the merged schema. ``sides`` are ours and theirs,
    where both are there.
    """

    def __init__(
        self,
        trees: Trees,
        base: Records | None,
        target: Schema,
        left_out: Callable[[bytes], None] = lambda key: None,
        sides: Sequence[Records] = (),
    ) -> None:
        self._trees = trees
        self._left_out = left_out
        self._sides = sides
        self._base = base
        self._base_rows = BaseRows(trees.reader, base)
        self._target = target

    def base(self) -> bytes | None:
        """Return the base's records under the merged schema; None without a base."""
        if self._base is None:
            return None
        way = self._way(self._base, None, sides=self._sides)
        way.left_out = self._left_out
        return self._under(way)

    def side(self, version: Records, report: Report) -> bytes:
        """Return a side's records under the merged schema; misfits are reported."""
        if version.schema.is_unknown or self._target.is_unknown:
            return build(self._trees.writer, [], self._trees.parameters)
        return self._under(self._way(version, report))

    def refills(self, version: Records) -> bool:
        """Tell whether cells that a side left at a fill become another one here."""
        if version.schema.is_unknown or self._target.is_unknown:
            return False
        return bool(self._way(version, None).refilled)

    def _way(
        self, version: Records, report: Report | None, *, sides: Sequence[Records] = ()
    ) -> RowTranslation:
        before = self._base_rows
        return RowTranslation(
            self._trees, self._target, before, version, report, sides=sides
        )

    def _under(self, way: RowTranslation) -> bytes:
        """Return the records of one version, rewritten only as far as they must be."""
        try:
            if way.rewrites:
                return self._rewritten(way)
            return self._mended(way) if way.narrows else way.version.root
        finally:
            way.close()

    def _rewritten(self, way: RowTranslation) -> bytes:
        """Rewrite all records."""
        reader, writer, parameters = self._trees
        batches = _gathered(iter_batches(reader, way.version.root))
        turned = map(way.turned, batches)
        if not way.changes_keys:
            return build(writer, turned, parameters)
        buffer = EditBuffer()
        way.taken = lambda key: buffer.find(key)[0]
        try:
            for keys, values in turned:
                buffer.put_many(keys, values)
            sorted_records = (
                (keys, [one for one in values if one is not None])
                for keys, values in buffer.batches()
            )
            return build(writer, sorted_records, parameters)
        finally:
            buffer.close()

    def _mended(self, way: RowTranslation) -> bytes:
        """Mend the misfits among the records that a side changed; no other has any."""
        reader, writer, parameters = self._trees
        base = None
        if self._base is not None and self._base.schema.reads_alike(way.version.schema):
            base = self._base.root
        differences = diff(reader, base, way.version.root)
        new = ((key, one) for key, _, one in differences if one is not None)
        edits = EditBuffer()
        tree = WorkingTree(reader, way.version.root, parameters, edits)
        try:
            while batch := list(islice(new, BATCH_RECORDS)):
                keys, values = map(list, zip(*batch, strict=True))
                turned = dict(zip(*way.turned((keys, values)), strict=True))
                for key, stored in batch:
                    if turned.get(key) != stored:
                        edits.put(key, turned.get(key))
            return tree.write(writer)
        finally:
            tree.close()


def _gathered(batches: Iterable[Batch]) -> Iterator[Batch]:
    keys: list[bytes] = []
    values: list[bytes] = []
    for more_keys, more_values in batches:
        keys += more_keys
        values += more_values
        if len(keys) >= BATCH_RECORDS:
            yield keys, values
            keys, values = [], []
    if keys:
        yield keys, values
