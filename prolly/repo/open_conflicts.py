"""The open conflicts of a merge as a mapping, for reading.

Nothing is read before it is asked for, and nothing of it is kept: a merge may leave any
number of conflicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prolly.errors import Invalid, LimitExceeded, NotFound

from .conflict import Conflict, ConflictName, Kind, is_name, no_conflict
from .conflict_view import ConflictView


class OpenConflicts(Mapping[ConflictName, Conflict]):
    """What a merge leaves in conflict, by (dataset, key).

    A conflict about the dataset itself has the name (dataset, what, "schema"). Of a
    merge that was only tried they are those of that moment, until ``close``; after it
    every use raises Invalid ``closed``.
    """

    def __init__(self, view: ConflictView | None) -> None:
        self._held = view
        self._closed = False

    def _view(self) -> ConflictView | None:
        """Return the conflicts as they stand now; ``None`` where there are none."""
        self.require_open()
        return self._held

    def require_open(self) -> None:
        """Raise Invalid ``closed`` after ``close``."""
        if self._closed:
            raise Invalid(
                "the result of a merge that was only tried was closed",
                code="closed",
                hint="Use it within its `with` block, or try the merge once more.",
            )

    def close(self) -> None:
        """End the use of conflicts that are nowhere stored; twice is fine."""
        self._closed = True
        self._held = None

    def __len__(self) -> int:
        """Return how many names are open: a record that clashes and also breaks a
        constraint is one."""
        view = self._view()
        return 0 if view is None else view.name_count()

    def __iter__(self) -> Iterator[ConflictName]:
        """Yield the names of what is open, by dataset, kind and key, each once."""
        view = self._view()
        return iter(()) if view is None else view.names()

    def __getitem__(self, name: ConflictName) -> Conflict:
        """Return an open conflict; KeyNotFound ``no-such-conflict``.

        Nothing is open under what is no name, or names no dataset, or no key.
        """
        view = self._view()
        if view is None or not is_name(name):
            raise no_conflict(name)
        try:
            found = view.find(name)
        except (NotFound, Invalid, LimitExceeded) as error:
            raise no_conflict(name) from error
        for stored in found:
            if stored.entry.settled is None:
                return view.shown(stored)
        raise no_conflict(name)

    def of(
        self, dataset: str | None = None, *, open_only: bool = True
    ) -> Iterator[Conflict]:
        """Yield conflicts by dataset, kind and key, those of one dataset or all."""
        view = self._view()
        return (
            iter(()) if view is None else view.conflicts(dataset, open_only=open_only)
        )

    def counts(self) -> dict[str, int]:
        """Return how many conflicts are open by dataset, of those that have any."""
        view = self._view()
        if view is None:
            return {}
        found = view.tree.open_by_dataset()
        names = sorted(view.datasets().items())
        return {name: found[one] for name, one in names if one in found}

    def dataset_names(self) -> list[str]:
        """Return the datasets that have conflicts, settled ones included."""
        view = self._view()
        return [] if view is None else sorted(view.datasets())

    def find(self, dataset: str, key: Any, kind: Kind | None = None) -> list[Conflict]:
        """Return what is or was in conflict under a name, settled or not.

        NotFound ``no-such-dataset`` for a dataset that is not there.
        """
        view = self._view()
        if view is None:
            return []
        name: ConflictName = (dataset, key)
        if kind == "schema":
            name = dataset, key, kind
        found = [view.shown(one) for one in view.find(name)]
        return [one for one in found if kind in (None, one.kind)]
