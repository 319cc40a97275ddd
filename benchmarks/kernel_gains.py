"""What the compiled kernel gains, function by function, beside its twins in Python.

``python -m benchmarks.kernel_gains`` prints a table: microseconds a row, a key, or a
leaf of the suite's records, the least of several runs, both ways in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from timeit import Timer
from typing import Any, NamedTuple
from unittest.mock import patch

from prolly.codec import key as key_codec
from prolly.codec import row
from prolly.codec.kernel import kernel
from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.tables import Schema
from prolly.tables.row_batches import RowSource
from prolly.tree.leaf_change import change_leaf
from prolly.tree.operations import leaf_changes

from .records import Records

SEED = 20260101
ROWS = 2048
# As many records of the table as fill a leaf.
LEAF_RECORDS = 66
SECONDS = 0.05
REPEATS = 5
# The modules that call the kernel here.
USERS = (
    "prolly.codec.key",
    "prolly.codec.node",
    "prolly.codec.row",
    "prolly.codec.stored_leaf",
    "prolly.tables.column_types",
    "prolly.tables.row_batches",
    "prolly.tree.operations",
    "prolly.tree.leaf_change",
)


class Work(NamedTuple):
    """One thing that is done both ways: by ``do``, to ``size`` records."""

    name: str
    do: Callable[[], Any]
    size: int


def _works() -> list[Work]:
    records = list(Records(SEED, ROWS, "table").records(range(ROWS)))
    ids, *columns = (list(column) for column in zip(*records, strict=True))
    fills = (None,) * len(columns)
    rows = row.encode_columns(columns, fills)
    keys = key_codec.encode_keys(ids)
    some = keys[1000 : 1000 + LEAF_RECORDS], rows[1000 : 1000 + LEAF_RECORDS]
    chunk = encode_leaf(*some)
    place = LEAF_RECORDS // 2
    key, other = some[0][place], some[1][place + 1]
    changed = change_leaf(StoredLeaf(chunk), ([key], [other])).chunk
    located = StoredLeaf(chunk)
    names = [f"c{place}" for place in range(len(records[0]))]
    kinds = ("int", "text", "text", "float", "bytes")
    schema = Schema.create(
        [(name, kind, False) for name, kind in zip(names, kinds, strict=True)], "c0"
    )
    return [
        Work(
            "rows to checked columns",
            lambda: list(RowSource((names, records)).checked(schema)),
            ROWS,
        ),
        Work("make a leaf", lambda: encode_leaf(*some), 1),
        Work("take a leaf apart", lambda: StoredLeaf(chunk).records(), 1),
        Work("encode rows", lambda: row.encode_columns(columns, fills), ROWS),
        Work("decode rows", lambda: row.decode_columns(rows, fills), ROWS),
        Work("decode one row", lambda: row.decode(rows[0], fills), 1),
        Work("encode keys, whole numbers", lambda: key_codec.encode_keys(ids), ROWS),
        Work("decode keys, whole numbers", lambda: key_codec.decode_keys(keys), ROWS),
        Work("look up in a leaf, first", lambda: StoredLeaf(chunk).find(key), 1),
        Work("look up in a leaf, again", lambda: located.find(key), 1),
        Work("write over a record of a leaf", _change(chunk, key, other), 1),
        Work("delete a record of a leaf", _change(chunk, key, None), 1),
        Work("insert a record into a leaf", _change(chunk, key + b"\0", other), 1),
        Work("compare two leaves", _compare(chunk, changed), 1),
    ]


def _change(chunk: bytes, key: bytes, value: bytes | None) -> Callable[[], Any]:
    return lambda: change_leaf(StoredLeaf(chunk), ([key], [value]))


def _compare(old: bytes, new: bytes) -> Callable[[], Any]:
    return lambda: leaf_changes(StoredLeaf(old), StoredLeaf(new))


@contextmanager
def _twins() -> Iterator[None]:
    with ExitStack() as stack:
        for name in USERS:
            stack.enter_context(patch.object(import_module(name), "kernel", None))
        yield


def _least_us(work: Work) -> float:
    timer = Timer(work.do)
    count = 1 + int(SECONDS / (timer.timeit(1) + 1e-6))
    return timer.timeit(count) / count / work.size * 1e6


def main() -> None:
    """Print the table."""
    if kernel is None:
        raise SystemExit("The kernel is not built; install the project anew.")
    print("| work | in Python, us | compiled, us | times |")
    print("|---|--:|--:|--:|")
    for work in _works():
        compiled = twin = float("inf")
        for _ in range(REPEATS):
            compiled = min(compiled, _least_us(work))
            with _twins():
                twin = min(twin, _least_us(work))
        print(f"| {work.name} | {twin:.3g} | {compiled:.3g} | {twin / compiled:.3g} |")


if __name__ == "__main__":
    main()
