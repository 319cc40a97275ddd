"""Which changed records the records of ours clash with, followed link by link.

A record that is withheld stands as ours has it, and so may take a unique cell that
another changed record has by now: that one is withheld next, and so on, a link a round.
A round looks at all that differs, so here the links are followed without: a step costs
what was withheld in the step before. It comes to the same, where ours keeps all the
constraints itself: then a record of ours breaks none but by a cell that is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from prolly.tables import NewEntries

from .candidate import Candidate

# Records withheld by following links before all is looked at once more: what is
# remembered of them stays some megabytes, and a round in so many costs little.
LINKED_RECORDS_MAX = 16_384


class UniqueLinks:
    """The unique cells of what differs from ours in one dataset; a context manager."""

    def __init__(self, candidate: Candidate) -> None:
        assert candidate.schema is not None and candidate.records is not None
        schema, ours = candidate.schema, candidate.side("ours")
        self._candidate = candidate
        self._open = ExitStack()
        self._entries: dict[str, NewEntries] = {}
        for index in schema.indexes:
            if index.unique:
                reader = candidate.trees.reader
                made = NewEntries(reader, (schema, index), ours, candidate.records)
                self._open.callback(made.close)
                self._entries[index.name] = made

    def __enter__(self) -> UniqueLinks:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def clashes(
        self, keys: Sequence[bytes]
    ) -> Iterator[tuple[str, bytes, list[bytes]]]:
        """Yield (index, record of ours, changed records with its cells).

        ``keys`` name those of ours. Records that were withheld since count as changed.
        """
        stored = [(key, self._candidate.stored_by_ours(key)) for key in keys]
        records = [(key, value) for key, value in stored if value is not None]
        for name, entries in self._entries.items():
            for cells, key in entries.of(records):
                yield name, key, entries.keys(cells)
