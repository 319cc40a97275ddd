"""The conflicts of a merge under way: listed, found, counted and settled.

A conflict is settled in two steps: whoever settles it writes the value that shall stand
into the working state, and marks the conflict here. Page: docs/spec/conflicts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, TypeVar

from prolly.chunks import ChunkWriter
from prolly.codec import FORMAT_PARAMETERS
from prolly.codec import key as key_codec
from prolly.datasets import root_reference
from prolly.errors import Corrupt, NotFound
from prolly.maps import decode_value, decode_values, encode_values
from prolly.tree import NodeReader, apply, get, iter_batches

from .conflict_entry import ConflictEntry, ConflictKind
from .conflict_group import (
    BASE_KEY,
    ConflictGroup,
    bad_conflict_tree,
    group_key,
    group_value,
    read_base,
    read_group,
)

# Conflicts marked in one go: their entries are some hundred bytes each.
MARK_ENTRIES = 10_000

How = TypeVar("How")


class StoredConflict(NamedTuple):
    """One conflict: the dataset by id, and the key of the record, encoded.

    For a part of a dataset's description the key is its name, as a key of one part.
    """

    dataset: bytes
    kind: ConflictKind
    key: bytes
    entry: ConflictEntry


class ConflictTree:
    """The conflicts under one root. Immutable: settling gives the root of another.

    Everything raises Corrupt ``conflict-tree`` or ``conflict-entry`` for a tree that is
    none of conflicts.
    """

    def __init__(self, reader: NodeReader, root: bytes) -> None:
        self._reader = reader
        self.root = root

    def at(self, root: bytes) -> ConflictTree:
        """Return the tree under another root, read the same way."""
        return ConflictTree(self._reader, root)

    @property
    def base(self) -> bytes | None:
        """The root of the base's manifest; None when the sides had no base."""
        stored = get(self._reader, self.root, BASE_KEY)
        return None if stored is None else read_base(stored)

    def _groups(
        self, dataset: bytes | None = None, kind: ConflictKind | None = None
    ) -> Iterator[ConflictGroup]:
        for keys, values in iter_batches(self._reader, self.root):
            for encoded, stored in zip(keys, values, strict=True):
                if encoded == BASE_KEY:
                    continue
                group = self._group(encoded, stored)
                if dataset in (None, group.dataset) and kind in (None, group.kind):
                    yield group

    def __len__(self) -> int:
        """Return the number of conflicts, the settled ones included."""
        return sum(self._reader.read(one.root).count() for one in self._groups())

    @property
    def open_count(self) -> int:
        """How many conflicts are not settled."""
        return sum(one.open_count for one in self._groups())

    def datasets(self) -> list[bytes]:
        """Return the ids of the datasets with conflicts, settled ones included."""
        return list(dict.fromkeys(one.dataset for one in self._groups()))

    def open_by_dataset(self) -> dict[bytes, int]:
        """Return how many are not settled by dataset id, of those that have any."""
        found: dict[bytes, int] = {}
        for group in self._groups():
            if group.open_count:
                found[group.dataset] = found.get(group.dataset, 0) + group.open_count
        return found

    def entries(
        self,
        dataset: bytes | None = None,
        kind: ConflictKind | None = None,
        *,
        start: bytes | None = None,
        open_only: bool = False,
    ) -> Iterator[StoredConflict]:
        """Yield conflicts by dataset, kind and key, from a key on; lazily."""
        for group in self._groups(dataset, kind):
            for keys, values in iter_batches(self._reader, group.root, start=start):
                decoded = decode_values(values, self._reader.get_chunk)
                for key, value in zip(keys, decoded, strict=True):
                    entry = _entry(group.kind, value)
                    if not (open_only and entry.settled is not None):
                        yield StoredConflict(group.dataset, group.kind, key, entry)

    def roots(self) -> list[bytes]:
        """Return the roots of the trees of entries, by dataset and kind."""
        return [one.root for one in self._groups()]

    def faults(self) -> Iterator[Corrupt]:
        """Yield what is wrong with the entries of each dataset and kind."""
        for group in self._groups():
            try:
                found = self.entries(group.dataset, group.kind, open_only=True)
                number = 0
                for one in found:
                    number += 1
                    key_codec.decode(one.key)
                if number != group.open_count:
                    yield bad_conflict_tree(
                        f"it says that {group.open_count} are open of {number}"
                    )
            except Corrupt as error:
                yield error

    def get(
        self, dataset: bytes, kind: ConflictKind, key: bytes
    ) -> StoredConflict | None:
        """Return the conflict of a key, settled or not, or ``None``."""
        group = self._find(dataset, kind)
        stored = None if group is None else get(self._reader, group.root, key)
        if stored is None:
            return None
        value = decode_value(stored, self._reader.get_chunk)
        return StoredConflict(dataset, kind, key, _entry(kind, value))

    def _find(self, dataset: bytes, kind: ConflictKind) -> ConflictGroup | None:
        encoded = group_key(dataset, kind)
        stored = get(self._reader, self.root, encoded)
        return None if stored is None else self._group(encoded, stored)

    def _group(self, encoded: bytes, stored: bytes) -> ConflictGroup:
        """Return what the tree says of a dataset and kind.

        How many are open is what a caller makes room for, so it is checked.
        """
        group = read_group(encoded, stored)
        total = self._reader.read(group.root).count()
        if group.open_count > total:
            raise bad_conflict_tree(
                f"it says that {group.open_count} are open of {total}"
            )
        return group

    def settle(
        self,
        writer: ChunkWriter,
        dataset: bytes,
        kind: ConflictKind,
        settled: Mapping[bytes, str | None],
    ) -> bytes:
        """Mark conflicts by key as settled in a way; None opens one again.

        Returns the new root; the reader must see what the writer wrote. Raises NotFound
        ``no-such-conflict`` (``key``) for a key that is not in conflict; then nothing
        has changed.
        """
        return self._changed(
            writer, (dataset, kind), settled, ConflictEntry.with_settled
        )

    def settle_fields(
        self,
        writer: ChunkWriter,
        dataset: bytes,
        kind: ConflictKind,
        taken: Mapping[bytes, Mapping[int, str]],
    ) -> bytes:
        """Mark single fields, by key and column id, as settled in some way.

        A conflict is settled when none of its fields is left. As ``settle`` else.
        """
        return self._changed(writer, (dataset, kind), taken, ConflictEntry.with_taken)

    def _changed(
        self,
        writer: ChunkWriter,
        place: tuple[bytes, ConflictKind],
        asked: Mapping[bytes, How],
        change: Callable[[ConflictEntry, How], ConflictEntry],
    ) -> bytes:
        """Return the root after ``change`` of the entries that were asked for."""
        keys = sorted(asked)
        group = self._find(*place)
        if group is None:
            raise _no_conflict(keys[0])
        before = {key: self._require(*place, key) for key in keys}
        after = {key: change(one, asked[key]) for key, one in before.items()}
        return self._marked(writer, group, before, after)

    def _require(self, dataset: bytes, kind: ConflictKind, key: bytes) -> ConflictEntry:
        found = self.get(dataset, kind, key)
        if found is None:
            raise _no_conflict(key)
        return found.entry

    def settle_all(
        self,
        writer: ChunkWriter,
        how: str,
        dataset: bytes | None = None,
        fields: Collection[int] = (),
    ) -> bytes:
        """Mark all open conflicts, or those of one dataset; return the new root.

        With ids of columns only these, of those in which one of them is open.
        """
        tree = self
        for group in list(self._groups(dataset)):
            found = self.entries(group.dataset, group.kind, open_only=True)
            waiting = (one for one in found if one.entry.waits_for(fields))
            while batch := list(islice(waiting, MARK_ENTRIES)):
                entries = {one.key: one.entry for one in batch}
                now = tree._find(group.dataset, group.kind)
                assert now is not None
                after = {
                    key: one.with_rest(how, fields) for key, one in entries.items()
                }
                root = tree._marked(writer, now, entries, after)
                tree = ConflictTree(self._reader, root)
        return tree.root

    def _marked(
        self,
        writer: ChunkWriter,
        group: ConflictGroup,
        before: Mapping[bytes, ConflictEntry],
        after: Mapping[bytes, ConflictEntry],
    ) -> bytes:
        """Return the root after some entries of one group were marked."""
        keys = sorted(after)
        stored = encode_values([after[key].to_value() for key in keys], writer)
        edits = keys, list(stored)
        root = apply(self._reader, writer, group.root, edits, FORMAT_PARAMETERS)
        opened, closed = (
            sum(one.settled is None for one in entries.values())
            for entries in (after, before)
        )
        open_count = group.open_count + opened - closed
        if open_count < 0:
            raise bad_conflict_tree("more are open than it says")
        value = group_value(root_reference(self._reader, root), open_count)
        edit = [group_key(group.dataset, group.kind)], [value]
        return apply(self._reader, writer, self.root, edit, FORMAT_PARAMETERS)


def _entry(kind: ConflictKind, value: object) -> ConflictEntry:
    entry = ConflictEntry.from_value(value)
    if kind == ConflictKind.SCHEMA and not entry.facts.get("what"):
        raise bad_conflict_tree("one about a description does not say what")
    return entry


def _no_conflict(key: bytes) -> NotFound:
    return NotFound(
        f"there is no conflict at this key (encoded as {key.hex()})",
        code="no-such-conflict",
        hint="`prolly conflicts` lists those that there are.",
        key=key,
    )
