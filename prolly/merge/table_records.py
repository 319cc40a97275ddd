"""Rows of a table merged cell by cell, under one schema for all three versions.

A cell that one side changed is taken; one that both changed alike stands; the rest is
up to the policy of its column, prefix or dataset. A row that is new on both sides has a
base whose cells are all absent. A row deleted on one side and changed on the other is
for the policy of the record, which then must be one that needs no look inside.

Cells out of line stand for themselves by their references, which are equal if the cells
are, and are read only where both sides changed such a cell. A row that comes out as one
of the sides has it keeps that side's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from operator import ne, not_, or_
from typing import Any

from prolly.codec import STAMPED_POLICY, TAGGED_POLICY, Referring, row
from prolly.maps import ABSENT
from prolly.tables import Column, Schema
from prolly.tree import Both

from .clash import Clash
from .merged_row import PLAIN_TYPES, CellAccess, MergedRow, same_cell
from .policies import APP_PREFIX, DEFAULT_POLICY
from .row_answers import RowAnswers, fitted
from .terms import RecordConflict, Terms
from .values import UNRESOLVED, Outcome, Values

Cells = list[Any]


class TableRecords:
    """The merge of rows under one schema."""

    def __init__(self, terms: Terms, schema: Schema) -> None:
        self._terms = terms
        self._columns = schema.cell_columns
        self._fills = [column.fill for column in self._columns]
        self._access = CellAccess(self._fills, terms.read, terms.writer)
        self._answers = RowAnswers(terms, schema, self._access)
        self._is_plain = [column.type in PLAIN_TYPES for column in self._columns]
        counts = [terms.policies.may_be("counter", one.id) for one in self._columns]
        tagged = terms.tags is not None
        self._may_tag = [
            tagged and terms.policies.may_be(TAGGED_POLICY, one.id)
            for one in self._columns
        ]
        # Of these, equal changes of both sides may come to something else.
        self._adds_up = list(map(or_, counts, self._may_tag))
        # Cells that Python calls equal may be two.
        self._wants_look = list(map(or_, map(not_, self._is_plain), self._adds_up))
        stamped = terms.stamps is not None
        self._may_stamp = [
            stamped and terms.policies.may_be(STAMPED_POLICY, one.id)
            for one in self._columns
        ]

    def settle(self, batch: Sequence[Both]) -> list[bytes | None]:
        """Return what stands for each record that both sides changed."""
        stored = [one for both in batch for one in both[1:] if one is not None]
        decoded = self._decoded(stored)
        return [
            self._settled(
                both, *[None if one is None else next(decoded) for one in both[1:]]
            )
            for both in batch
        ]

    def _decoded(self, stored: Sequence[bytes]) -> Iterator[Cells]:
        inline = [one for one in stored if type(one) is not Referring]
        plain = iter(row.decode_many(inline, self._fills))
        for one in stored:
            outside = type(one) is Referring
            yield self._access.decode(one) if outside else next(plain)

    def _settled(
        self, both: Both, base: Cells | None, ours: Cells | None, theirs: Cells | None
    ) -> bytes | None:
        if ours is None or theirs is None:
            return None if ours is theirs else self._removed(both)
        merged = self._merge_cells(both, Values(base, ours, theirs))
        if merged.open:
            answer = self._answers.ask(both, merged)
            if answer.value is not UNRESOLVED:
                stored: bytes | None = answer.value
                return stored
            if self._terms.on_conflict == "keep-both":
                self._keep_both(both, merged, Values(base, ours, theirs))
            else:
                fields = tuple([self._columns[slot].id for slot in merged.open])
                reason = answer.reason or merged.reason
                self._terms.report(RecordConflict(both.key, fields, reason))
            if self._terms.on_conflict == "base":
                if base is None:
                    return None
                for slot in merged.open:
                    merged.put(slot, base[slot])
        self._tell_lost(both, merged)
        assert both.ours is not None and both.theirs is not None
        known = merged.stored(both.ours, both.theirs)
        return self._access.encode(merged.cells) if known is None else known

    def _tell_lost(self, both: Both, merged: MergedRow) -> None:
        if merged.loses_ours:
            self._terms.lost(both.key, both.ours)
        if merged.loses_theirs:
            self._terms.lost(both.key, both.theirs)

    def _merge_cells(self, both: Both, rows: Values) -> MergedRow:
        base, ours, theirs = rows
        merged = MergedRow(ours)
        inline = Referring not in set(map(type, both[1:]))
        was: Sequence[Any] = [ABSENT] * len(ours) if base is None else base
        # Most cells are equal on both sides, and what is so changes nothing.
        differ = map(or_, map(ne, ours, theirs), self._wants_look)
        for slot in compress(range(len(ours)), differ):
            cells = Values(was[slot], ours[slot], theirs[slot])
            old, mine, other = cells
            plain = inline and self._is_plain[slot]
            is_theirs = old == mine if plain else same_cell(old, mine)
            is_ours = old == other if plain else same_cell(old, other)
            if (
                self._may_stamp[slot]
                and is_theirs is not is_ours
                and self._both_wrote(both.key, slot)
            ) or (self._may_tag[slot] and self._both_tagged(both.key, slot)):
                self._both_changed(both, merged, slot, cells)
            elif is_theirs and not is_ours:
                merged.take(slot, other)
            elif is_ours and not is_theirs:
                merged.keep()
            elif not is_ours:
                self._both_changed(both, merged, slot, cells)
        return merged

    def _both_wrote(self, key: bytes, slot: int) -> bool:
        """Tell whether both sides stamped a cell that one of them has as the base."""
        column, terms = self._columns[slot], self._terms
        if terms.stamps is None or not self._is_stamped(key, slot):
            return False
        return None not in terms.stamps(key, column.id)

    def _both_tagged(self, key: bytes, slot: int) -> bool:
        """Tell whether both sides changed a set, even if it is as the base has it."""
        column, terms = self._columns[slot], self._terms
        if terms.policies.of(key, column.id) != TAGGED_POLICY:
            return False
        return terms.both_tagged(key, column.id)

    def _is_stamped(self, key: bytes, slot: int) -> bool:
        column = self._columns[slot]
        return self._terms.policies.of(key, column.id) == STAMPED_POLICY

    def _both_changed(
        self, both: Both, merged: MergedRow, slot: int, cells: Values
    ) -> None:
        """Let the policy of a cell decide what stands in it."""
        is_same = same_cell(cells.ours, cells.theirs)
        if is_same and not self._adds_up[slot]:
            return
        key, column = both.key, self._columns[slot]
        named = self._terms.policies.of_column(key, column.id)
        policy = named or self._terms.policies.of(key)
        if is_same and policy not in ("counter", TAGGED_POLICY):
            return
        if policy.startswith(APP_PREFIX) and named is None:
            # A resolver of records sees the row as a whole, when all else is merged.
            merged.leave(slot, "")
            return
        if policy == DEFAULT_POLICY:
            # No look inside would settle it: what is out of line stays there.
            merged.leave(slot, "")
            return
        values = Values(*map(self._access.load, cells))
        if policy.startswith(APP_PREFIX):
            clash = self._cell_clash(both, column, values)
            outcome = self._terms.ask(policy, clash)
        else:
            outcome = self._terms.weigh(policy, values, key, column.id)
        if not any(outcome.value is one for one in (UNRESOLVED, *values)):
            outcome = fitted(column, outcome.value)
        if outcome.value is UNRESOLVED:
            merged.leave(slot, outcome.reason)
            return
        # What both sides have would stand without a policy, too.
        if not (is_same and outcome.value is values.ours):
            self._terms.note(policy)
        self._place(merged, slot, cells.theirs, values, outcome.value)
        if policy == "keep-both":
            merged.loses_ours |= outcome.value is not values.ours
            merged.loses_theirs |= outcome.value is values.ours

    def _place(
        self, merged: MergedRow, slot: int, theirs: Any, values: Values, value: Any
    ) -> None:
        """Let a decided value stand, by its reference where it is a side's."""
        if value is values.ours:
            merged.keep()
        elif value is values.theirs:
            merged.take(slot, theirs)
        else:
            merged.put(slot, value)

    def _cell_clash(self, both: Both, column: Column, values: Values) -> Clash:
        terms = self._terms
        key = self._answers.user_key(both)
        return Clash(
            terms.dataset,
            key,
            *values,
            fields=(column.name,),
            column=column.name,
            snapshots=terms.snapshots,
        )

    def _keep_both(self, both: Both, merged: MergedRow, rows: Values) -> None:
        """Let the cell that prevails stand in every slot that is open."""
        base, ours, theirs = rows
        for slot in merged.open:
            old = ABSENT if base is None else base[slot]
            cells = Values(old, ours[slot], theirs[slot])
            values = Values(*map(self._access.load, cells))
            value = self._terms.weigh("keep-both", values, both.key).value
            self._terms.note("keep-both")
            self._place(merged, slot, cells.theirs, values, value)
            merged.loses_ours |= value is not values.ours
            merged.loses_theirs |= value is values.ours

    def _removed(self, both: Both) -> bytes | None:
        """Settle a row that one side deleted and the other changed."""
        terms = self._terms
        policy = terms.policies.of(both.key)
        names = ("base", "ours", "theirs")
        # Which bytes they are does not matter: one is there, and one is not.
        sides = [
            ABSENT if stored is None else name
            for name, stored in zip(names, both[1:], strict=True)
        ]
        outcome = Outcome(UNRESOLVED)
        if not policy.startswith(APP_PREFIX):
            outcome = terms.weigh(policy, Values(*sides), both.key)
        if outcome.value is UNRESOLVED:
            answer = self._answers.ask(both, None)
            if answer.value is not UNRESOLVED:
                stored: bytes | None = answer.value
                return stored
            if terms.on_conflict != "keep-both":
                reason = answer.reason or outcome.reason
                terms.report(RecordConflict(both.key, (), reason))
                if terms.on_conflict == "base":
                    return both.base
                if both.ours is not None:
                    terms.outlived(both.key, 1)
                return both.ours
            policy = "keep-both"
            outcome = terms.weigh(policy, Values(*sides), both.key)
        terms.note(policy)
        winner, loser = both.ours, both.theirs
        if outcome.value is sides[2]:
            winner, loser = loser, winner
        if policy == "keep-both":
            terms.lost(both.key, loser)
        if winner is None:
            return None
        if policy == STAMPED_POLICY:
            return self._outlived(both, winner)
        terms.outlived(both.key, 1 if both.theirs is None else 2)
        return winner

    def _outlived(self, both: Both, winner: bytes) -> bytes:
        """Return a row that was written after it was deleted.

        What had been written to it before the deletion is as gone as the row was: such
        cells are as the base has them. So it makes no difference which of the three
        writes are merged first.
        """
        terms = self._terms
        if terms.stamps is None or both.base is None:
            return winner
        side = 0 if both.theirs is None else 1
        deleted = terms.stamps(both.key, None)[1 - side]
        older = [
            slot
            for slot, column in enumerate(self._columns)
            if deleted is not None
            and self._is_stamped(both.key, slot)
            and (stamp := terms.stamps(both.key, column.id)[side]) is not None
            and stamp < deleted
        ]
        if not older:
            return winner
        base, cells = self._decoded([both.base, winner])
        merged = MergedRow(cells)
        for slot in older:
            merged.put(slot, base[slot])
        return self._access.encode(merged.cells)
