"""The states of one record through the commits, newest first.

The walk keeps to commits that may have changed the record:

    the record of a commit                     the walk
    is that of a parent                        goes to the first such parent alone
    differs from that of every parent          shows the commit, goes to all parents

So a merge is shown only where it made a record that no parent has, and a branch that
did not touch the record is left out. Cost: of every commit its manifest's path, of one
that changed the dataset the nodes down to where the paths to the record part: one where
something far away changed, the whole path where the record or its leaf did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from prolly.codec import Address, Commit, Descriptor
from prolly.history import Front
from prolly.tree import Difference

from .change import Change, is_restored
from .change_decoding import change_decoder
from .storage import Storage
from .trail import DatasetVersion, Trail, only


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """One state of a record, with the commit that brought it about.

    ``change.new`` is the record then, ``ABSENT`` where the commit deleted it;
    ``change.old`` is what its first parent has.
    """

    id: Address
    commit: Commit
    change: Change


def record_history(
    storage: Storage, head: bytes, dataset: str, record: Any
) -> Iterator[RecordVersion]:
    """Yield the states of a record, newest first; none when it never was there.

    ``record`` is a user key of the dataset as ``head`` has it. NotFound
    ``no-such-dataset``, and Invalid as for a look-up, when called.
    """
    trail = Trail(storage, head, dataset)
    version = trail.at(head)
    assert version is not None
    encoded = version.records.encode_key(record)
    return _walk(storage, trail, head, encoded)


def _walk(
    storage: Storage, trail: Trail, head: bytes, encoded: bytes
) -> Iterator[RecordVersion]:
    front = Front(storage.commits)
    front.add(head, 1)
    while front:
        commit_id = front.pop()
        commit = storage.commits.read(commit_id)
        found = _first_difference(storage, trail, commit_id, encoded)
        if isinstance(found, bytes):
            front.add(found, 1)
            continue
        for parent in commit.parents:
            front.add(parent, 1)
        if found is not None:
            decode = change_decoder(storage.reader, found.old, found.new)
            change = decode(found.difference)
            yield RecordVersion(Address(commit_id), commit, change)


class _Differs(NamedTuple):
    """How a record differs from that of the first parent."""

    old: Descriptor | None
    new: Descriptor | None
    difference: Difference


def _first_difference(
    storage: Storage, trail: Trail, commit_id: bytes, encoded: bytes
) -> bytes | _Differs | None:
    """Return the first parent with the same record, else how the record differs.

    ``None`` for a first commit without the record.
    """
    commit = storage.commits.read(commit_id)
    here = trail.at(commit_id)
    first: _Differs | None = None
    for parent in commit.parents or (None,):
        there = None if parent is None else trail.at(parent)
        found = next(trail.differences(there, here, only(encoded)), None)
        if found is None or _is_restored(storage, there, here, found):
            return parent
        if first is None:
            first = _Differs(_entry(there), _entry(here), found)
    return first


def _is_restored(
    storage: Storage,
    old: DatasetVersion | None,
    new: DatasetVersion | None,
    difference: Difference,
) -> bool:
    """Tell whether an alteration only stored the record in another way."""
    if old is None or new is None or old.entry.schema == new.entry.schema:
        return False
    decode = change_decoder(storage.reader, old.entry, new.entry)
    return is_restored(decode(difference), new.entry.kind)


def _entry(version: DatasetVersion | None) -> Descriptor | None:
    return None if version is None else version.entry
