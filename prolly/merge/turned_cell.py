"""One cell of a column as a value of another type, or what is wrong with it there."""

from __future__ import annotations

from typing import Any

from prolly.errors import Error
from prolly.tables import Column, converted, first_lossy


def tried(before: Column, column: Column, cell: Any) -> tuple[str, Any]:
    """Return what is wrong with a cell in a column, else nothing, and its value."""
    try:
        [now] = converted(before, column, [cell])
    except Error as error:
        return error.message, None
    if now is None and not column.nullable:
        return "null is not allowed any more", None
    if first_lossy(before, column, [cell], [now]) is not None:
        return f"{cell!r} would become {now!r}", now
    return "", now


def best(before: Column, column: Column, cell: Any) -> Any:
    """Return a cell as a value of another column, whatever it loses; null if none."""
    try:
        return converted(before, column, [cell])[0]
    except Error:
        return None
