"""Which columns a side wrote cells of."""

from __future__ import annotations

from typing import Any

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.merge.base_rows import Records
from prolly.merge.touched_columns import touched_columns
from prolly.tables import RecordCodec, Schema, Trees
from prolly.tree import NodeReader, build

BASE = Schema.create([("id", "int"), ("a", "int"), ("b", "text")], "id")
ALL = frozenset(one.id for one in BASE.cell_columns)


def written(trees: Trees, *rows: tuple[Any, ...], schema: Schema = BASE) -> Records:
    """Return rows as a tree."""
    codec = RecordCodec(schema)
    columns: list[list[Any]] = [list(one) for one in zip(*rows, strict=True)]
    batch = codec.encode_keys(columns), codec.encode_rows(columns, trees.writer)
    return Records(schema, build(trees.writer, [batch], DEFAULT_PARAMETERS), trees[2])


def test_which_columns_a_side_wrote() -> None:
    """Changed cells and new rows count; a default, a deletion and other columns not."""
    writer = MemoryStore().writer()
    trees = Trees(NodeReader(writer.get), writer, DEFAULT_PARAMETERS)
    base = written(trees, (1, 1, "x"), (2, 2, "y"))
    a, b = BASE.column("a").id, BASE.column("b").id
    cases: list[tuple[list[tuple[Any, ...]], set[int]]] = [
        ([(1, 1, "x"), (2, 2, "y")], set()),
        ([(1, 1, "x")], set()),
        ([(1, 7, "x"), (2, 2, "y")], {a}),
        ([(1, 1, "x"), (2, 2, "y"), (3, None, "z")], {b}),
        ([(1, None, "x"), (2, 2, "z")], {a, b}),
    ]
    for rows, expected in cases:
        side = written(trees, *rows)
        assert touched_columns(trees, base, side, ALL) == expected
        assert touched_columns(trees, base, side, frozenset({a})) == expected & {a}
    assert touched_columns(trees, None, base, ALL) == ALL


def test_another_type_of_the_key_writes_no_cell() -> None:
    """Rows under a widened key are compared with those of the base."""
    writer = MemoryStore().writer()
    trees = Trees(NodeReader(writer.get), writer, DEFAULT_PARAMETERS)
    base = written(trees, (1, 1, "x"), (2, 2, "y"))
    columns = [("id", "text"), ("a", "int"), ("b", "text")]
    wide = Schema.create(columns, "id", base=BASE)
    side = written(trees, ("1", 1, "x"), ("2", 2, "y"), schema=wide)
    assert touched_columns(trees, base, side, ALL) == frozenset()
    side = written(trees, ("1", 1, "x"), ("2", 2, "z"), schema=wide)
    assert touched_columns(trees, base, side, ALL) == {BASE.column("b").id}
