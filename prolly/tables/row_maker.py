"""Rows as dictionaries, made from tuples of cells by the million.

``dict(zip(names, cells))`` takes six times as long as a dictionary display whose names
are known beforehand, so the display is written out once for each number of columns.
The text that is compiled depends on that number alone: names are handed to what comes
out, so nothing that stands in a schema is ever read as code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

Row = dict[str, Any]
MakeRows = Callable[[Iterable[tuple[Any, ...]]], list[Row]]

# What is compiled takes 300 bytes and 50 us a column: too long for whoever wants the
# first of some hundred columns.
_WIDTH_MAX = 100
# So many rows that are made one by one, without anything compiled, take as long as that
# takes for a row of some columns.
_SLOW_ROWS = 500


def row_maker(names: tuple[str, ...]) -> MakeRows:
    """Return what makes rows of tuples that have one cell for each of the names."""
    if not 0 < len(names) <= _WIDTH_MAX:
        return lambda rows: [dict(zip(names, one, strict=True)) for one in rows]
    return _display(len(names))(*names)[0]


class SingleRows:
    """Makes rows one by one: ``make(*cells)``. Thread-safe.

    What is compiled pays for itself after some rows; whoever wants one goes without.
    """

    make: Callable[..., Row]

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._made = 0
        self.make = self._make_slowly

    def _make_slowly(self, *cells: Any) -> Row:
        names = self._names
        self._made += 1
        if self._made > _SLOW_ROWS and 0 < len(names) <= _WIDTH_MAX:
            self.make = _display(len(names))(*names)[1]
        return dict(zip(names, cells, strict=True))


@lru_cache(maxsize=_WIDTH_MAX)
def _display(width: int) -> Callable[..., tuple[MakeRows, Callable[..., Row]]]:
    """Return what binds so many names to a maker of rows, and one of a single row."""
    names = "".join(f"n{place}, " for place in range(width))
    cells = "".join(f"c{place}, " for place in range(width))
    pairs = ", ".join(f"n{place}: c{place}" for place in range(width))
    many = f"lambda rows: [{{{pairs}}} for ({cells}) in rows]"
    single = f"lambda {cells}: {{{pairs}}}"
    made: Callable[..., tuple[MakeRows, Callable[..., Row]]]
    made = eval(f"lambda {names}: ({many}, {single})")
    return made
