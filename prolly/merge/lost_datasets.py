"""Datasets that lost as a whole in a merge: each stands beside the one that won.

The id of such a dataset is made of the id of the one that won and of what lost, so
every replica gives it the same. Where a dataset of that id stands already, because the
same lost before, nothing is to be done; where somebody has edited that one since, what
lost takes another id, and stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from blake3 import blake3

from prolly.codec import (
    DATASET_ID_BYTES,
    DATASET_NAME_BYTES_MAX,
    Descriptor,
    cbor,
)
from prolly.datasets import stored_table

from .candidate import Candidate, Candidates
from .column_merge import apart
from .findings import LOSERS_ID
from .merge_work import DatasetVersions, MergeWork
from .taken_dataset import taken

_NAME_DIGITS = 8


def weight_of(entry: Descriptor) -> bytes:
    """Return what decides which of two versions of a dataset stands: the greater."""
    addresses = [bytes(one.address) for one in entry.content_roots]
    return cbor.encode([entry.kind, entry.schema, addresses])


def keep_losers(
    work: MergeWork, ours: Mapping[bytes, Descriptor], candidates: Candidates
) -> None:
    """Let all that lost stand as datasets of their own, once all others are merged."""
    for identity, loser in work.lost:
        if identity == LOSERS_ID:
            continue
        entry = _alone(loser)
        mark = identity
        while True:
            mark = blake3(cbor.encode([mark, weight_of(loser)])).digest()
            mark = mark[:DATASET_ID_BYTES]
            standing = candidates[mark] if mark in candidates else ours.get(mark)
            if standing is None:
                entry = entry._replace(name=_free_name(work, identity, mark))
                work.names[mark] = entry.name
                versions = DatasetVersions(None, None, entry)
                candidates[mark] = taken(work, mark, versions)
                break
            if _content(standing) == _content(entry):
                break


def _alone(entry: Descriptor) -> Descriptor:
    """Return a dataset without references: what they mean may change without it."""
    if entry.kind != "table":
        return entry
    schema = replace(stored_table(entry).schema, references=())
    return entry._replace(schema=schema.to_value())


def _content(standing: Candidate | Descriptor) -> list[Any]:
    """Return what a dataset holds, but for indexes, which follow from it."""
    if isinstance(standing, Descriptor):
        return [standing.kind, standing.schema, bytes(standing.roots[0].address)]
    entry, schema = standing.entry, standing.schema
    root = standing.records or entry.roots[0].address
    form = entry.schema if schema is None else schema.to_value()
    return [entry.kind, form, bytes(root)]


def _free_name(work: MergeWork, identity: bytes, mark: bytes) -> str:
    """Return the name of a dataset that lost; one that comes back keeps its own."""
    others = {name for one, name in work.names.items() if one != mark}
    known = work.names.get(mark)
    if known is not None and known not in others:
        return known
    digits = mark.hex()[:_NAME_DIGITS]
    return apart(work.names[identity], digits, others, DATASET_NAME_BYTES_MAX)
