"""The columns of two versions of a table, paired: one column has one id for ever.

So a renamed column is compared with its old self, under the name that it has now, and a
column of another type is the same where it shows the same text: what only stores a row
in another way changes no field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prolly.tables import COLUMN_NAME_BYTES_MAX, Column, Schema, column_type

from .cell_differences import cells_differ


class ColumnPairs:
    """The columns of an old schema beside those of a new one."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._new = new
        self._pairs = _paired(old, new)
        self._names = _names_now(old, self._pairs)
        paired = {older.id for older, _ in self._pairs if older is not None}
        self._dropped = [one for one in old.columns if one.id not in paired]
        self.old = _renamed(old, self._names)

    def row(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """Return an old row under the names that its columns have now."""
        names = self._names
        return {names[name]: value for name, value in old.items()}

    def changed(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Return the columns that differ, those of the new row first.

        ``old`` stands under the names of now. A column that is new differs where it
        holds another value than its fill; one that was dropped, where it held one.
        """
        found = []
        for older, column in self._pairs:
            name = column.name
            if older is None:
                same = same_cell(column.fill, new[name], (column.type, column.type))
            else:
                same = same_cell(old[name], new[name], (older.type, column.type))
            if not same:
                found.append(name)
        for column in self._dropped:
            value = old[self._names[column.name]]
            if not same_cell(column.fill, value, (column.type, column.type)):
                found.append(self._names[column.name])
        return found


def _paired(old: Schema, new: Schema) -> list[tuple[Column | None, Column]]:
    """Return each new column with its old self, by id; ``None`` for what is new.

    A column that was dropped and made anew keeps no id: it is the one of its name, but
    only where that is not another column by now. So each old column is paired once.
    """
    before = {one.id: one for one in old.columns}
    stayed = {one.id for one in new.columns if one.id in before}
    by_name = {one.name: one for one in old.columns if one.id not in stayed}
    return [
        (before.get(column.id) or by_name.get(column.name), column)
        for column in new.columns
    ]


def _names_now(
    old: Schema, pairs: list[tuple[Column | None, Column]]
) -> dict[str, str]:
    """Return the names of now by those of then; a dropped column keeps its own.

    Unless another column has it now: then it gets one that nothing has, in either.
    """
    names = {older.name: column.name for older, column in pairs if older is not None}
    taken = {column.name for _, column in pairs}
    for name in old.names:
        if name not in names:
            now = name
            number = 0
            while now in taken:
                number += 1
                now = _beside(name, number)
            names[name] = now
            taken.add(now)
    return names


def _beside(name: str, number: int) -> str:
    """Return a name for a dropped column, no longer than a name may be."""
    mark = " (dropped)" if number == 1 else f" (dropped {number})"
    room = COLUMN_NAME_BYTES_MAX - len(mark)
    return name.encode()[:room].decode(errors="ignore") + mark


def _renamed(old: Schema, names: Mapping[str, str]) -> Schema:
    """Return the old columns under other names, and nothing but columns and key."""
    if all(name == now for name, now in names.items()):
        return old
    columns = [replace(one, name=names[one.name]) for one in old.columns]
    return Schema(tuple(columns), tuple([names[name] for name in old.key]))


def same_cell(old: Any, new: Any, types: tuple[str, str]) -> bool:
    """Tell whether two cells of these column types show the same."""
    if old is None or new is None:
        return old is new
    if types[0] == types[1]:
        return not cells_differ(old, new)
    spelt = [
        column_type(name).format_text(value)
        for name, value in zip(types, (old, new), strict=True)
    ]
    return spelt[0] == spelt[1]
