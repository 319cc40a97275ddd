"""``python -m benchmarks.table_indexes``: a table with two indexes, once.

One million rows (the record of these benchmarks) with an index on ``group``, which a
thousand rows share, and a unique one on ``name``. Printed are: the time of a durable
load with both; the nodes that a change of 100 scattered rows writes in each tree, and
its time; and the median time of a warm query of ten rows through the index.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import prolly
from prolly.tables import Index, Schema, Table
from prolly.tree import reachable

from .records import COLUMN_TYPES, COLUMNS, Records

SEED = 1
CHANGES = 100
QUERIES = 200
QUERY_ROWS = 10


def schema_with_indexes() -> Schema:
    """Return the schema of the record with two indexes."""
    columns = [(*one, False) for one in zip(COLUMNS, COLUMN_TYPES, strict=True)]
    indexes = [Index("by_group", ("group",)), Index("by_name", ("name",), True)]
    return Schema.create(columns, "id", indexes=indexes)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a function takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def addresses(repo: prolly.Repository, root: bytes) -> set[bytes]:
    """Return the addresses of all nodes of a tree."""
    return {address for address, _ in reachable(repo.store.get_many, [root])}


def nodes_written(repo: prolly.Repository, table: Table, before: Table) -> list[int]:
    """Return how many nodes each tree has that the one before had not."""
    counts = []
    trees = [(table.root, before.root)]
    for index in table.schema.indexes:
        trees.append((table.index_tree(index)[1], before.index_tree(index)[1]))
    for new, old in trees:
        known = addresses(repo, old)
        counts.append(len(addresses(repo, new) - known))
    return counts


def query_ms(table: Table, groups: list[str]) -> float:
    """Return the median milliseconds of ten rows through an index, warm."""
    index = table.index("by_group")

    def ten(group: str) -> None:
        rows = iter(index.rows(group))
        assert len([row for row, _ in zip(rows, range(QUERY_ROWS), strict=False)]) > 1

    for group in groups:
        ten(group)
    return 1000 * median(timed(partial(ten, group)) for group in groups)


def run(count: int, place: Path) -> None:
    """Load, change, query, and print."""
    records = Records(SEED, count, "table")
    rows = list(records.records(range(count)))
    with prolly.init(place) as repo:

        def load() -> None:
            with repo.transaction("main", message="load") as tx:
                tx.table("t", schema=schema_with_indexes()).load((COLUMNS, rows))

        def change() -> None:
            with repo.transaction("main", message="change") as tx:
                table = tx.table("t")
                for number in records.scattered(CHANGES, "change"):
                    row = records.record(number, version=1)
                    table.upsert(dict(zip(COLUMNS, row, strict=True)))

        print(f"rows                        {count:>12,}")
        seconds = timed(load)
        print(f"load, two indexes           {seconds:>12.2f} s")
        print(f"                            {count / seconds:>12,.0f} rows/s")
        print(f"change of {CHANGES} rows          {1000 * timed(change):>12.1f} ms")
        table, before = repo.at("main").table("t"), repo.at("main~1").table("t")
        written = nodes_written(repo, table, before)
        names = ("records", *(index.name for index in table.schema.indexes))
        for name, nodes in zip(names, written, strict=True):
            print(f"nodes written: {name:<12} {nodes:>12,}")
        chosen = records.generator("query").choices(rows, k=QUERIES)
        spent = query_ms(table, [row[2] for row in chosen])
        print(f"query of {QUERY_ROWS} rows, warm      {spent:>12.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory() as place:
        run(parser.parse_args().count, Path(place) / "repository")


if __name__ == "__main__":
    main()
