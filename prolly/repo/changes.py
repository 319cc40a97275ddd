"""What differs between two versions: record by record, or counted.

Datasets are paired by id, so a renamed dataset is compared with its old self.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prolly.codec import Descriptor
from prolly.datasets import changed_datasets, record_differences, schema_of
from prolly.errors import Corrupt
from prolly.tree import Difference, NodeReader

from .change import Change
from .change_decoding import ChangeDecoder, blob_decoder
from .policy_changes import PolicyChange, policy_changes

if TYPE_CHECKING:
    from prolly.tables import Schema


@dataclass(frozen=True, slots=True)
class DatasetChanges:
    """How many records of one dataset differ, and what happened to it as a whole.

    ``event`` is ``created``, ``dropped``, ``renamed``, ``altered`` (its schema or
    settings), ``absent`` (in a partial replica, that cannot count them) or empty;
    ``policies`` are those that differ then. Without ``is_counted`` the numbers say
    nothing: a partial replica lacks records that differ.
    """

    added: int = 0
    removed: int = 0
    modified: int = 0
    event: str = ""
    policies: tuple[PolicyChange, ...] = ()
    is_counted: bool = True


@dataclass(frozen=True)
class _Pair:
    """Both versions of one dataset, either of which may be missing."""

    old: Descriptor | None
    new: Descriptor | None

    @property
    def present(self) -> Descriptor:
        """The version that there is, the new one of two."""
        present = self.new or self.old
        assert present is not None
        return present

    @property
    def name(self) -> str:
        """The name it has now, or had last."""
        return self.present.name

    @property
    def kind(self) -> str:
        """The kind, which never changes."""
        return self.present.kind

    def is_named(self, name: str) -> bool:
        return any(entry and entry.name == name for entry in (self.old, self.new))

    @property
    def is_altered_table(self) -> bool:
        """Tell whether it is a table in both versions, under different schemas."""
        if self.old is None or self.new is None or self.kind != "table":
            return False
        return bool(self.old.schema != self.new.schema)

    @property
    def event(self) -> str:
        if self.old is None:
            return "created"
        if self.new is None:
            return "dropped"
        if self.old.name != self.new.name:
            return "renamed"
        same = (
            self.old.schema == self.new.schema
            and self.old.policies == self.new.policies
            and self.old.parameters == self.new.parameters
        )
        return "" if same else "altered"


class Comparison:
    """Two versions, compared lazily. ``bounds`` are encoded keys [start, stop).

    They are told by the roots of their manifests, None for one without datasets. In a
    partial replica ``here`` reads only what is here, and nothing is fetched to be
    counted.
    """

    def __init__(
        self,
        reader: NodeReader,
        old: bytes | None,
        new: bytes | None,
        *,
        here: NodeReader | None = None,
    ) -> None:
        self._reader = reader
        self._here = here
        changed = changed_datasets(reader, old, new)
        pairs = [_Pair(*versions) for versions in changed.values()]
        self._pairs = sorted(pairs, key=lambda pair: pair.name)

    def __iter__(self) -> Iterator[Change]:
        """Yield all records that differ, by dataset name and key."""
        return self.changes()

    def changes(
        self,
        dataset: str | None = None,
        bounds: tuple[bytes | None, bytes | None] = (None, None),
    ) -> Iterator[Change]:
        """Yield the records that differ, by dataset name and key, as they are found.

        A row that is only stored in another way, after an alteration, does not differ.
        """
        for pair in self._pairs:
            if dataset is not None and not pair.is_named(dataset):
                continue
            found = self._differences(pair, bounds, self._reader)
            if pair.kind == "blob":
                yield from map(blob_decoder(self._reader, pair.old, pair.new), found)
            else:
                decoder = ChangeDecoder(self._reader, pair.old, pair.new)
                yield from decoder.changes(found)

    def counts(
        self,
        dataset: str | None = None,
        bounds: tuple[bytes | None, bytes | None] = (None, None),
    ) -> dict[str, DatasetChanges]:
        """Count the records that differ, by dataset.

        Nothing is decoded, but for modified rows of a table that was altered. Where a
        partial replica lacks records that differ the event is ``absent``, if no other.
        """
        counted: dict[str, DatasetChanges] = {}
        for pair in self._pairs:
            if dataset is not None and not pair.is_named(dataset):
                continue
            event, numbers, is_counted = pair.event, (0, 0, 0), True
            try:
                numbers = self._count(pair, bounds)
            except Corrupt as error:
                if self._here is None or error.code != "chunk-missing":
                    raise
                event, is_counted = event or "absent", False
            policies = policy_changes(pair.old, pair.new)
            counted[pair.name] = DatasetChanges(*numbers, event, policies, is_counted)
        return counted

    def _count(
        self, pair: _Pair, bounds: tuple[bytes | None, bytes | None]
    ) -> tuple[int, int, int]:
        """Return how many records were added, removed and modified."""
        added = removed = 0
        reader = self._here or self._reader

        def modified() -> Iterator[Difference]:
            nonlocal added, removed
            for difference in self._differences(pair, bounds, reader):
                if difference[1] is None:
                    added += 1
                elif difference[2] is None:
                    removed += 1
                else:
                    yield difference

        found: Iterator[object] = modified()
        if pair.is_altered_table:
            decoder = ChangeDecoder(reader, pair.old, pair.new)
            found = decoder.changes(modified())
        changed = sum(1 for _ in found)
        return added, removed, changed

    def events(self, dataset: str | None = None) -> dict[str, str]:
        """Return what happened to whole datasets (created, renamed ...), by name."""
        return {
            pair.name: pair.event
            for pair in self._pairs
            if pair.event and (dataset is None or pair.is_named(dataset))
        }

    def schemas(self, dataset: str) -> tuple[Schema | None, Schema | None]:
        """Return the old and the new schema of a table that differs, by its name now.

        The old one has its columns under the names of the new one. ``None`` on a side
        where it is not there, and on both for a map.
        """
        for pair in self._pairs:
            if pair.name == dataset:
                old, new = _schema_of(pair.old), _schema_of(pair.new)
                if old is not None and new is not None:
                    from .column_pairs import ColumnPairs

                    old = ColumnPairs(old, new).old
                return old, new
        return None, None

    def _differences(
        self,
        pair: _Pair,
        bounds: tuple[bytes | None, bytes | None],
        reader: NodeReader,
    ) -> Iterator[Difference]:
        if pair.kind == "blob":
            old = None if pair.old is None else pair.old.roots[0].address
            new = None if pair.new is None else pair.new.roots[0].address
            # One value without a key: it lies within no bounds.
            differs = old != new and bounds == (None, None)
            return iter([(b"", old, new)] if differs else [])
        return record_differences(reader, pair.old, pair.new, bounds)


def _schema_of(entry: Descriptor | None) -> Schema | None:
    if entry is None or entry.kind != "table":
        return None
    return schema_of(entry)
