"""Settling conflicts: what is to stand is written, and the conflict marked, together.

What each take writes is told in ``write_taken``. Whoever holds :class:`Conflicts` of a
merge never settles, commits or gives up another that waits by now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import Address, WorkingState
from prolly.datasets import records_of
from prolly.history import WORKING
from prolly.maps import ABSENT, OrderedMap
from prolly.merge import ConflictTree, StoredConflict
from prolly.tables import Column, Schema, Table

from .branch_moves import retried
from .conflict import CHOICES, Choice, Conflict, Side
from .conflict_view import ConflictView
from .open_conflicts import OpenConflicts
from .storage import Storage
from .taken_part import is_takeable
from .takes import Marks, Take, check_choice, mark_of, named_columns, settled_meanwhile
from .waiting_merge import MergeSides, Settlement, no_merge, require_merge
from .working_area import WorkingArea
from .write_taken import Taken, take_side, take_sides
from .write_value import write_value


class Conflicts(OpenConflicts):
    """The open conflicts of a merge that waits, by (dataset, key); to be settled.

    A conflict about the dataset itself has the name (dataset, what, "schema"). The
    mapping shows the state as it stands at each call: another process may settle some.
    With ``sides`` it is of that merge, and empty when it is over; else of whichever
    waits.
    """

    def __init__(
        self, storage: Storage, area: WorkingArea, sides: MergeSides | None = None
    ) -> None:
        super().__init__(None)
        self._storage = storage
        self._area = area
        self._sides = sides
        self._seen: tuple[bytes, ConflictView] | None = None

    def close(self) -> None:
        """Do nothing: the merge waits on."""

    def _view(self) -> ConflictView | None:
        address, state = self._area.read()
        if self._sides not in (None, MergeSides.of(state)):
            return None
        return self._view_of(address, state)

    def _view_of(
        self, address: bytes | None, state: WorkingState
    ) -> ConflictView | None:
        if address is None or state.conflicts is None:
            return None
        if self._seen is None or self._seen[0] != address:
            # States are named by what they hold, so a view of one stays true.
            storage = self._storage
            view = ConflictView.of_state(storage.reader, storage.commits, state)
            self._seen = address, view
        return self._seen[1]

    def _require_view(self) -> ConflictView:
        return self._require_found()[0]

    def _require_found(self) -> tuple[ConflictView, MergeSides]:
        """Return the conflicts that there are, and the merge that they are of.

        Raises Invalid ``no-merge``, Stale ``merge-ended``.
        """
        address, state = self._area.read()
        sides = require_merge(state, self._area.branch, self._sides)
        view = self._view_of(address, state)
        if view is None:
            raise no_merge(self._area.branch)
        return view, sides

    def settle(
        self, dataset: str, key: Any, take: Choice, *, fields: Sequence[str] = ()
    ) -> None:
        """Settle a conflict as ours, theirs or the base has it, or some fields of it.

        ``keep`` lets stand what stands now. May be done again, until the merge is
        committed. NotFound ``no-such-conflict``, Invalid ``no-merge``, ``take`` for
        another word, Stale ``merge-ended``, Unsupported ``settle-by-hand``, and as
        writing the record does (``unique-violation``, ``reference-missing`` and
        others). An error changes nothing.
        """
        self.settle_each([Take(dataset, key, take, tuple(fields))])

    def keep(self, dataset: str, key: Any = (), *, fields: Sequence[str] = ()) -> None:
        """Settle a conflict as it stands now, edited or not; raises as ``settle``."""
        self.settle(dataset, key, "keep", fields=fields)

    def settle_schema(self, dataset: str, what: str, take: Choice) -> None:
        """Settle a conflict about the dataset itself; raises as ``settle``.

        Unsupported ``settle-by-hand`` for a side whose part does not stand and that a
        word does not bring about: alter the dataset, then take ``keep``.
        """
        self.settle_each([Take(dataset, what, take, kind="schema")])

    def settle_value(self, dataset: str, key: Any, value: Any) -> tuple[str, ...]:
        """Settle a conflict with a value or row; ``ABSENT`` deletes the record.

        A row may leave columns out: they stay as they stand, and where no row stands
        they are those of theirs, or else of ours. Returns those of them that were in
        conflict and open, and are settled so now. Raises as ``settle``.
        """
        found = self.find(dataset, key)
        self.settle_each([Take(dataset, key, value=value)])
        named = value if isinstance(value, Mapping) else {}
        fields = (one.fields for one in found if one.settled is None)
        left = dict.fromkeys(chain.from_iterable(fields))
        open_fields = tuple([one for one in left if one not in named])
        return () if value is ABSENT else open_fields

    def choices(self, conflict: Conflict) -> tuple[Choice, ...]:
        """Return what ``settle`` takes for a conflict: of a part of the description not
        every side.

        What writing a record refuses is not foreseen. Invalid ``no-merge``, Stale
        ``merge-ended``.
        """
        view = self._require_view()
        if conflict.kind != "schema":
            return CHOICES
        found = view.find((conflict.dataset, conflict.key, "schema"))
        return tuple(
            one
            for one in CHOICES
            if one == "keep" or all(is_takeable(view, part, one) for part in found)
        )

    def settle_each(self, takes: Iterable[Take]) -> int:
        """Settle several conflicts at once; return how many takes there were.

        Raises as ``settle``, and what ``takes`` raises; then none is settled.
        """
        view, sides = self._require_found()
        marks = Marks()
        number = 0
        with self._area.edit("resolve", Settlement(sides, marks.mark)) as edited:
            for take in takes:
                number += 1
                for stored in take.found(view):
                    ids = take.field_ids(view, stored)
                    if take.side is None:
                        write_value(edited, view, stored, take.value)
                    elif take.side != "keep":
                        taken = Taken(stored, take.side, ids, bool(take.fields))
                        take_side(edited, view, taken)
                    marks.add(stored, take, ids)
        return number

    def settle_all(
        self, take: Choice, dataset: str | None = None, *, fields: Sequence[str] = ()
    ) -> int:
        """Settle all that is open, or that of one dataset; return how many there were.

        With ``fields``, columns of ``dataset``, only these, in each row in which one of
        them clashes and is open; rows that clash as a whole stay open. Raises as
        ``settle``, and NotFound ``no-such-conflict`` for what is no column of the
        dataset; then none is settled.
        """
        check_choice(take)
        view, sides = self._require_found()
        identity = None if dataset is None else view.require(dataset)
        ids = named_columns(view, dataset, fields)

        def mark(tree: ConflictTree, writer: ChunkWriter) -> bytes:
            if tree.root != view.tree.root:
                raise settled_meanwhile(dataset or "all")
            return tree.settle_all(writer, mark_of(take), identity, ids)

        settlement = Settlement(sides, mark)
        with self._area.edit(f"resolve {dataset or 'all'}", settlement) as edited:
            found = view.tree.entries(identity, open_only=True)
            stored = (one for one in found if one.entry.waits_for(ids))
            if take == "keep":
                return sum(1 for _ in stored)
            return take_sides(edited, view, _taken(stored, take, ids))

    def schema(self, dataset: str, side: Side) -> Schema | None:
        """Return the schema that a side gives a table in conflict; ``None`` for none.

        NotFound for a dataset without conflicts.
        """
        view = self._require_view()
        return view.schema(side, view.require(dataset))

    def columns(self, dataset: str, side: Side) -> dict[str, Column]:
        """Return the columns of a side, by the names that they have now.

        Empty for what is no table on that side, or now. As ``schema`` else.
        """
        view = self._require_view()
        now = view.known(view.require(dataset))
        there = self.schema(dataset, side)
        if now.kind != "table" or there is None:
            return {}
        names = view.column_names(view.require(dataset))
        return {names[one.id]: one for one in there.columns if one.id in names}

    def is_blob(self, dataset: str) -> bool:
        """Tell whether a dataset in conflict is a blob, whose key is ``()``."""
        view = self._require_view()
        return view.known(view.require(dataset)).kind == "blob"

    def records(self, dataset: str) -> OrderedMap | Table:
        """Return a dataset in conflict for reading, as its newest description has it.

        NotFound for a dataset without conflicts.
        """
        view = self._require_view()
        return records_of(view.reader, view.known(view.require(dataset)))

    def abort(self) -> None:
        """Give the merge up: the branch stands as before it.

        Raises Invalid ``no-merge``, and Stale ``merge-ended`` where another one waits
        by now: what others edit since is not dropped.
        """
        area = self._area
        sides = require_merge(area.state, area.branch, self._sides)

        def abort_once() -> None:
            # The state that is looked at is the one that goes.
            address, state = area.read()
            require_merge(state, area.branch, sides)
            area.discard("merge: given up", expected=address)

        what = f"the working state of {area.branch!r}"
        retried(abort_once, what, WORKING + area.branch)

    def commit(
        self, message: str | None = None, *, author: str | None = None
    ) -> Address:
        """Commit the merge, all settled; raises as ``WorkingArea.commit``.

        Invalid ``no-merge`` where none waits, Stale ``merge-ended`` where another does
        by now: other edits may, which are nobody's here.
        """
        area = self._area
        sides = require_merge(area.state, area.branch, self._sides)
        return area.commit(message, author=author, why="merge", merge=sides)

    def require_merge(self) -> None:
        """Raise Invalid ``no-merge`` where none waits, Stale ``merge-ended``."""
        require_merge(self._area.state, self._area.branch, self._sides)


def _taken(
    found: Iterable[StoredConflict], side: Side, ids: Collection[int]
) -> Iterator[Taken]:
    """Yield what is taken of each conflict: all that is open, or these columns."""
    for one in found:
        fields = one.entry.open_fields
        wanted = [field for field in fields if field in ids] if ids else fields
        yield Taken(one, side, tuple(wanted), named=bool(ids))
