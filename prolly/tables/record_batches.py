"""Batches of stored records: joined to a good size, or fetched by their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from prolly.errors import Corrupt
from prolly.tree import Batch, NodeReader, get

# Leaves hold some 60 records; whoever works on whole columns pays for each call on a
# column, the more the shorter it is.
SCAN_RECORDS_MIN = 1024
# Records fetched by key: a few at first, for whoever wants ten, then ever more.
FETCH_RECORDS_MIN = 16
FETCH_RECORDS_MAX = 1024


def gather(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Join batches until each holds ``SCAN_RECORDS_MIN`` records or is the last."""
    keys: list[bytes] = []
    values: list[bytes] = []
    for more_keys, more_values in batches:
        keys += more_keys
        values += more_values
        if len(keys) >= SCAN_RECORDS_MIN:
            yield keys, values
            keys, values = [], []
    if keys:
        yield keys, values


def fetch(
    reader: NodeReader,
    root: bytes,
    keys: Iterable[bytes],
    missing: Callable[[], Corrupt],
    note: Callable[[list[bytes]], None],
) -> Iterator[Batch]:
    """Yield the records under these keys, in their order, in growing batches.

    ``note`` is called with the keys of each batch before they are read. Raises what
    ``missing`` returns for a key without a record.
    """
    following = iter(keys)
    size = FETCH_RECORDS_MIN
    while batch := list(islice(following, size)):
        note(batch)
        values = []
        for key in batch:
            value = get(reader, root, key)
            if value is None:
                raise missing()
            values.append(value)
        yield batch, values
        size = min(2 * size, FETCH_RECORDS_MAX)
