"""Batches of stored records: joined to a good size, or fetched by their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from prolly.errors import Corrupt
from prolly.tree import Batch, NodeReader, get

# Leaves hold some 60 records; whoever works on whole columns pays for each call on a
# column, the more the shorter it is.
SCAN_RECORDS_MIN = 1024
# Records fetched by key: a few at first, for whoever wants ten, then ever more.
FETCH_RECORDS_MIN = 16
FETCH_RECORDS_MAX = 1024

DecodeColumns = Callable[[Sequence[bytes], Sequence[bytes]], list[Sequence[Any]]]


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


def decoded(
    leaves: Iterable[tuple[Sequence[bytes], Sequence[bytes]]], decode: DecodeColumns
) -> Iterator[list[Sequence[Any]]]:
    """Decode records into columns, joined until each batch has ``SCAN_RECORDS_MIN``.

    Leaves are decoded one by one, as they stand: to join their bytes first takes longer
    than what the fewer calls save.
    """
    parts: list[list[Sequence[Any]]] = []
    size = 0
    for keys, values in leaves:
        parts.append(decode(keys, values))
        size += len(keys)
        if size >= SCAN_RECORDS_MIN:
            yield _joined(parts)
            parts, size = [], 0
    if parts:
        yield _joined(parts)


def _joined(parts: list[list[Sequence[Any]]]) -> list[Sequence[Any]]:
    if len(parts) == 1:
        return parts[0]
    return [list(chain.from_iterable(column)) for column in zip(*parts, strict=True)]


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
