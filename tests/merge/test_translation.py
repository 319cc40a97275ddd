"""Records of one schema under another: what is rewritten, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, TreeParameters
from prolly.merge.base_rows import Records
from prolly.merge.row_translation import Misfit
from prolly.merge.translation import Translation
from prolly.tables import RecordCodec, Schema, Trees
from prolly.tree import NodeReader, build, count, iter_batches

BASE = Schema.create([("id", "int"), ("a", "int"), ("b", "text")], "id")


class Tables:
    """Record trees in memory, written and read as rows."""

    def __init__(self) -> None:
        self.writer = MemoryStore().writer()
        self.reader = NodeReader(self.writer.get)
        self.trees = Trees(self.reader, self.writer, DEFAULT_PARAMETERS)
        self.misfits: list[Misfit] = []

    def write(self, schema: Schema, *rows: tuple[Any, ...]) -> Records:
        """Write rows, given in the order of the columns and of the keys."""
        codec = RecordCodec(schema)
        columns: list[list[Any]] = [list(one) for one in zip(*rows, strict=True)]
        batch = codec.encode_keys(columns), codec.encode_rows(columns, self.writer)
        root = build(self.writer, [batch], DEFAULT_PARAMETERS)
        return Records(schema, root, DEFAULT_PARAMETERS)

    def read(self, schema: Schema, root: bytes) -> list[tuple[Any, ...]]:
        """Return all rows."""
        codec = RecordCodec(schema)
        return [
            tuple(row.values())
            for keys, values in iter_batches(self.reader, root)
            for row in codec.decode_rows(keys, values, self.reader.get_chunk)
        ]

    def turned(self, base: Records, side: Records, target: Schema) -> list[Any]:
        """Return the rows of a side under a schema; misfits are kept."""
        translation = Translation(self.trees, base, target)
        return self.read(target, translation.side(side, self.misfits.append))


def widened(column: str, kind: str, nullable: bool = True) -> Schema:
    """Return the base with another type of a column."""
    columns = [(one.name, one.type, one.nullable) for one in BASE.columns]
    listed = [(column, kind, nullable) if one[0] == column else one for one in columns]
    return Schema.create(listed, "id", base=BASE)


def test_a_schema_that_moves_no_cell_rewrites_nothing() -> None:
    """New names, new columns behind, another order: the very same root."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "x"), (2, 2, "y"))
    target = Schema.create(
        [("c", "text"), ("id", "int"), ("x", "int"), ("a", "int")],
        "id",
        base=BASE,
        was={"c": "b"},
    )
    translation = Translation(tables.trees, base, target)
    assert translation.base() == base.root
    assert translation.side(base, tables.misfits.append) == base.root


def test_a_misfit_that_nobody_wrote_is_silent() -> None:
    """The side left the cell as it was: null for the base and for the side."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "x"), (2, 2, "12"))
    rows = tables.turned(base, base, widened("b", "int"))
    assert rows == [(1, 1, None), (2, 2, 12)]
    assert tables.misfits == []


def test_a_misfit_that_a_side_wrote_is_told() -> None:
    """The cell stands as the base has it; a new row may do without it."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "11"), (2, 2, "12"))
    side = tables.write(BASE, (1, 5, "new"), (2, 2, "012"), (3, 3, "z"))
    rows = tables.turned(base, side, widened("b", "int"))
    assert rows == [(1, 5, 11), (2, 2, 12), (3, 3, None)]
    number = BASE.column("b").id
    assert [one.fields for one in tables.misfits] == [(number,)] * 3


def test_a_new_row_that_cannot_do_without_is_left_out() -> None:
    """No null is allowed and there is no fill: the whole row is a misfit."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "11"))
    side = tables.write(BASE, (1, 1, "11"), (3, 3, "z"))
    assert tables.turned(base, side, widened("b", "int", False)) == [(1, 1, 11)]
    assert [one.fields for one in tables.misfits] == [()]


@pytest.mark.parametrize("fills", [(1, 2), (2, 1), (None, 2), (1, None)])
def test_a_row_that_does_not_store_a_new_cell_takes_the_merged_fill(
    fills: tuple[int | None, int | None],
) -> None:
    """Rows of the base change with the fill, what the side wrote does not."""
    merged, own = fills
    columns = [(one.name, one.type) for one in BASE.columns]
    mine, target = (
        Schema.create([*columns, ("k", "int", True, fill)], "id", base=BASE)
        for fill in (own, merged)
    )
    tables = Tables()
    base = tables.write(BASE, (1, 1, "x"), (2, 2, "y"), (3, 3, "z"))
    side = tables.write(
        mine, (1, 1, "x", own), (2, 2, "Y", own), (3, 3, "z", 7), (4, 4, "", own)
    )
    rows = tables.turned(base, side, target)
    assert [row[3] for row in rows] == [merged, merged, 7, own]
    assert tables.misfits == []


def test_nulls_that_are_not_allowed_any_more_are_mended() -> None:
    """Only what the side changed is read, and its null gives way to the base's cell."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "x"), (2, None, "y"))
    side = tables.write(BASE, (1, None, "x"), (2, None, "y"))
    rows = tables.turned(base, side, widened("a", "int", False))
    assert rows == [(1, 1, "x"), (2, None, "y")]
    assert len(tables.misfits) == 1


def test_keys_of_another_type_are_sorted_anew() -> None:
    """Whole numbers as text stand in the order of text."""
    tables = Tables()
    base = tables.write(BASE, (2, 2, "y"), (10, 1, "x"))
    rows = tables.turned(base, base, widened("id", "text", False))
    assert rows == [("10", 1, "x"), ("2", 2, "y")]


def test_a_row_is_compared_with_its_base_under_any_key() -> None:
    """A null that nobody wrote is no misfit, and a dropped column reads as before."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "x"), (2, None, "y"))
    wide = Schema.create([("id", "text"), ("a", "int")], "id", base=BASE)
    side = tables.write(wide, ("1", 1), ("2", None))
    columns = [("id", "text"), ("a", "int", False, 0), ("b", "text")]
    strict = Schema.create(columns, "id", base=BASE)
    assert tables.turned(base, side, strict) == [("1", 1, "x"), ("2", None, "y")]
    assert tables.misfits == []


def test_of_two_rows_that_get_one_key_the_first_stays() -> None:
    """The second, if the side wrote it, is a misfit as a whole."""
    text = Schema.create([("id", "text"), ("a", "int"), ("b", "text")], "id")
    number = Schema.create(
        [("id", "decimal"), ("a", "int"), ("b", "text")], "id", base=text
    )
    tables = Tables()
    base = tables.write(text, ("1", 1, "x"))
    side = tables.write(text, ("1", 1, "x"), ("1e0", 2, "y"), ("word", 3, "z"))
    rows = tables.turned(base, side, number)
    assert len(rows) == 1
    assert [one.fields for one in tables.misfits] == [(), ()]


def test_a_column_that_stays_reads_as_the_base_has_it() -> None:
    """Rows of the side that dropped it hold the base's cells, new rows the fill."""
    tables = Tables()
    base = tables.write(BASE, (1, 1, "x"), (2, 2, "y"))
    dropped = Schema.create([("id", "int"), ("a", "int")], "id", base=BASE)
    side = tables.write(dropped, (1, 5), (3, 3))
    assert tables.turned(base, side, BASE) == [(1, 5, "x"), (3, 3, None)]


def test_other_parameters_cut_anew() -> None:
    """The same records under other parameters: another root, the same rows."""
    tables = Tables()
    base = tables.write(BASE, *[(key, key, "x" * 50) for key in range(500)])
    trees = tables.trees._replace(parameters=TreeParameters(4080, 12240, 9))
    root = Translation(trees, base, BASE).base()
    assert root is not None and root != base.root
    assert count(tables.reader, root) == 500
