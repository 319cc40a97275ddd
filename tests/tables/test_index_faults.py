"""Rows that an index cannot hold, all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.tables import Index, Schema, StoredTable, Vetted, index_violations
from prolly.testing.table_model import TableModel

SCHEMA = Schema.create([("id", "int"), ("a", "text")], "id")
UNIQUE = Index("a", ("a",), unique=True)
CELLS = st.dictionaries(
    st.integers(0, 9), st.sampled_from([None, "a", "b", "c", "d"]), max_size=8
)


def stored(
    cells: dict[int, str | None], *, unique: bool
) -> tuple[TableModel, StoredTable]:
    """Return a table of these cells, with the index if they allow it."""
    schema = Schema.create(
        [("id", "int"), ("a", "text")], "id", indexes=[UNIQUE] if unique else []
    )
    model = TableModel(schema, [{"id": key, "a": cell} for key, cell in cells.items()])
    return model, model.stored


@given(CELLS, CELLS)
def test_all_rows_that_share_an_entry_are_found(
    before: dict[int, str | None], after: dict[int, str | None]
) -> None:
    """From nothing, and from a table that the index stands over, the same rows."""
    seen: dict[str, int] = {}
    for key, cell in sorted(before.items()):
        if cell is not None and seen.setdefault(cell, key) != key:
            before[key] = None
    model, old = stored(before, unique=True)
    table, tree = model.edit()
    table.alter().drop_index("a")
    table.load([{"id": key, "a": cell} for key, cell in after.items()])
    model.write(table, tree)
    schema, records, _ = model.stored
    assert records is not None and old.records is not None
    vetted = Vetted(old.records, old.indexes[0])
    unique = Schema.create([("id", "int"), ("a", "text")], "id", indexes=[UNIQUE])
    by_cell: dict[str, list[int]] = {}
    for key, cell in sorted(after.items()):
        if cell is not None:
            by_cell.setdefault(cell, []).append(key)
    expected = sorted(keys for keys in by_cell.values() if len(keys) > 1)
    for known in (None, vetted):
        found = index_violations(model.reader, unique, UNIQUE, records, known)
        keys = [
            [model.table().decode_keys([key])[0] for key in one.keys] for one in found
        ]
        assert sorted(keys) == expected
    assert schema.indexes == ()


def test_a_row_without_an_entry_is_told_alone() -> None:
    """A cell too long for a key is a violation of its row, with a reason."""
    model, old = stored({1: "x", 2: "y" * 1100, 3: "z"}, unique=False)
    index = Index("a", ("a",))
    schema = Schema.create([("id", "int"), ("a", "text")], "id", indexes=[index])
    assert old.records is not None
    [found] = index_violations(model.reader, schema, index, old.records)
    assert model.table().decode_keys(list(found.keys)) == [2]
    assert "too long" in found.reason
