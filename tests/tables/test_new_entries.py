"""What changed records have in a unique index: found by their cells."""

from __future__ import annotations

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.tables import Index, NewEntries, RecordCodec, Schema
from prolly.tree import NodeReader, build

INDEX = Index("a", ("a", "b"), unique=True)
SCHEMA = Schema.create([("id", "text"), ("a", "text"), ("b", "int")], "id")
CELLS = st.tuples(st.sampled_from(["", "a", "a\0", "ab"]), st.sampled_from([None, 1]))
ROWS = st.dictionaries(st.sampled_from(["", "k", "l" * 1000]), CELLS)


def records(rows: dict[str, tuple[str, int | None]]) -> list[tuple[bytes, bytes]]:
    """Return rows as they are stored, in key order."""
    codec, writer = RecordCodec(SCHEMA), MemoryStore().writer()
    columns = [list(rows), *([cells[at] for cells in rows.values()] for at in (0, 1))]
    stored = codec.encode_rows(columns, writer)
    return sorted(zip(codec.encode_keys(columns), stored, strict=True))


@given(ROWS, ROWS)
def test_a_plain_dictionary_agrees(
    old: dict[str, tuple[str, int | None]], new: dict[str, tuple[str, int | None]]
) -> None:
    """Of the cells of each row the keys of changed rows with these; none with null."""
    writer = MemoryStore().writer()
    reader = NodeReader(writer.get)
    roots = []
    for rows in (old, new):
        stored = records(rows)
        batch = [one for one, _ in stored], [one for _, one in stored]
        roots.append(build(writer, [batch] if rows else [], DEFAULT_PARAMETERS))
    changed = {key: cells for key, cells in new.items() if old.get(key) != cells}
    with closing(NewEntries(reader, (SCHEMA, INDEX), *roots)) as entries:
        for key, cells in new.items():
            spelt = entries.of(records({key: cells}))
            assert len(spelt) == (cells[1] is not None)
            for found, _ in spelt:
                alike = {one: known for one, known in changed.items() if known == cells}
                assert entries.keys(found) == [one for one, _ in records(alike)]
