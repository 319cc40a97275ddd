"""Records that are encoded elsewhere: loaded, they are the table of their rows."""

from __future__ import annotations

from prolly.chunks import MemoryStore
from prolly.tables import ColumnBatches, EncodedBatches, EncodedRecords, encode_batches
from prolly.testing.repositories import memory_repository

ROWS = [(n, f"{n}" * (1 + 900 * (n % 2))) for n in range(40)]


def test_encoded_records_load_as_their_rows() -> None:
    """Rows encoded without the table, and their chunks, make the same root."""
    roots = []
    for encoded in (False, True):
        with memory_repository() as repo:
            with repo.transaction("main", message="m") as tx:
                table = tx.table("t", key="id")
                table.load((("id", "name"), ROWS[:1]))
                columns = ColumnBatches(("id", "name"), [list(zip(*ROWS, strict=True))])
                if encoded:
                    store = MemoryStore()
                    writer = store.writer()
                    batches = list(encode_batches(table.schema, columns, writer))
                    writer.commit()
                    chunks = [store.get(one) or b"" for one in store.iter_addresses()]
                    found = [EncodedRecords(*one, chunks) for one in batches]
                    count = table.load(EncodedBatches(table.schema, found))
                else:
                    count = table.load(columns)
                assert count == len(ROWS)
            roots.append(repo.at("main").datasets["t"].root)
            assert [row["name"] for row in repo.at("main").table("t").rows()] == [
                name for _, name in ROWS
            ]
    assert roots[0] == roots[1]
