"""Which way a predicate is answered: the whole table, a range of keys, or an index.

From the comparisons that must all be true follow ranges of the leading columns of the
key and of each index: equal cells first, then one range. A range may hold too much,
never too little; every record in it is tested. How many records a range holds is known
exactly from O(depth) nodes, so the cheapest way is chosen by count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from prolly.codec import key as key_codec
from prolly.errors import Invalid, LimitExceeded

from .column import Column
from .constraints import Index
from .index_codec import plain_decimal
from .predicate import All, Comparison, Predicate
from .schema import Schema

# What fetching a record by its key costs beside reading it in a scan.
FETCH_COST = 8
# Keys from an index are sorted in memory; past so many of them a scan is no slower, as
# their records are all over the table.
SORTED_KEYS_MAX = 1_000_000

# Behind every key that begins with given parts: no part begins with this byte.
_BEHIND = b"\xff"
# Before every part but null.
_PAST_NULL = b"\x01"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of one column: bounds, or a beginning. ``None`` is an open side.

    ``is_null`` says that it is null; else it is known not to be.
    """

    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False
    prefix: Any = None
    is_null: bool = False

    @property
    def is_point(self) -> bool:
        """Tell whether one value alone is left."""
        if self.is_null:
            return True
        both = self.low is not None and not (self.low_open or self.high_open)
        return both and bool(self.low == self.high)


class Span(NamedTuple):
    """Encoded bounds [low, high); ``None`` is an open side.

    ``is_point``: all leading columns that the tree is ordered by have one value.
    """

    low: bytes | None
    high: bytes | None
    is_point: bool


@dataclass(frozen=True, slots=True)
class AccessPath:
    """A way to the records: ``scan``, ``key``, or ``index`` with its name."""

    kind: str
    span: Span
    index: Index | None = None

    def __str__(self) -> str:
        return self.kind if self.index is None else f"index {self.index.name}"


def limits_of(predicate: Predicate) -> dict[str, Limits]:
    """Return what must hold of single columns for a bound predicate to be true."""
    found: dict[str, Limits] = {}
    for one in _conjuncts(predicate):
        limits = _limits_of_one(one)
        if limits is not None:
            known = found.get(one.column)
            found[one.column] = limits if known is None else _both(known, limits)
    return found


def _conjuncts(predicate: Predicate) -> Iterator[Comparison]:
    if isinstance(predicate, Comparison):
        yield predicate
    elif isinstance(predicate, All):
        for part in predicate.parts:
            yield from _conjuncts(part)


def _limits_of_one(one: Comparison) -> Limits | None:
    if one.operator == "null":
        return Limits(is_null=True)
    if one.operator == "in":
        values = one.literals
        return Limits(min(values), max(values)) if values else None
    literal = one.literals[0]
    made: dict[str, Callable[[], Limits]] = {
        "=": lambda: Limits(literal, literal),
        "!=": Limits,
        "<": lambda: Limits(high=literal, high_open=True),
        "<=": lambda: Limits(high=literal),
        ">": lambda: Limits(low=literal, low_open=True),
        ">=": lambda: Limits(low=literal),
        "between": lambda: Limits(*one.literals),
        "prefix": lambda: Limits(prefix=literal),
    }
    return made[one.operator]()


def _both(one: Limits, two: Limits) -> Limits:
    """Return limits that hold all for which both hold; they may hold more."""
    if one.is_null or two.is_null:
        return one if one.is_null else two
    low, high = one, one
    if one.low is None or (two.low is not None and two.low > one.low):
        low = two
    if one.high is None or (two.high is not None and two.high < one.high):
        high = two
    prefix = one.prefix if one.prefix is not None else two.prefix
    return Limits(low.low, high.high, low.low_open, high.high_open, prefix)


def key_span(schema: Schema, limits: dict[str, Limits]) -> Span | None:
    """Return the range of encoded keys, or None where the predicate sets none."""
    return _span(schema.key_columns, limits, None, keeps_spelling=True)


def index_span(schema: Schema, index: Index, limits: dict[str, Limits]) -> Span | None:
    """Return the range of an index's keys, or None where it is of no use."""
    columns = [schema.column(name) for name in index.columns]
    if index.unique:
        # Rows with a null are not in it, so none of those may be wanted.
        for column in columns:
            known = limits.get(column.name)
            if column.nullable and (known is None or known.is_null):
                return None
    return _span(columns, limits, index.prefix, keeps_spelling=False)


def _span(
    columns: Sequence[Column],
    limits: dict[str, Limits],
    prefix: int | None,
    *,
    keeps_spelling: bool,
) -> Span | None:
    """Return the range that the leading columns have.

    ``keeps_spelling``: equal numbers may stand there in different spellings.
    """
    lead = b""
    try:
        for place, column in enumerate(columns):
            known = limits.get(column.name)
            if known is not None and prefix is not None:
                known = _cut(known, column, prefix)
            if known is None:
                return Span(lead, lead + _BEHIND, False) if place else None
            low, high = _ends(known, column, keeps_spelling)
            if not known.is_point or low + _BEHIND != high:
                return Span(lead + low, lead + high, False)
            lead += low
    except (Invalid, LimitExceeded):
        # What no key can hold sets no range: the records are tested one by one.
        return None
    return Span(lead, lead + _BEHIND, True)


def _cut(known: Limits, column: Column, prefix: int) -> Limits:
    """Return limits of the beginnings of values; they hold more than before."""
    if column.type not in ("text", "bytes"):
        return known
    return replace(
        known,
        low=None if known.low is None else known.low[:prefix],
        high=None if known.high is None else known.high[:prefix],
        prefix=None if known.prefix is None else known.prefix[:prefix],
        low_open=False,
        high_open=False,
    )


def _ends(known: Limits, column: Column, keeps_spelling: bool) -> tuple[bytes, bytes]:
    """Return [low, high) of the encodings of one part."""
    if known.is_null:
        return key_codec.encode((None,)), key_codec.encode((None,)) + _BEHIND
    low, high = _PAST_NULL, _BEHIND
    if known.low is not None:
        first, last = _spellings(known.low, column, keeps_spelling)
        low = last + _BEHIND if known.low_open else first
    if known.high is not None:
        first, last = _spellings(known.high, column, keeps_spelling)
        high = first if known.high_open else last + _BEHIND
    if known.prefix is not None:
        begin, end = key_codec.prefix_range(known.prefix)
        low, high = max(low, begin), min(high, end or high)
    return low, high


def _spellings(value: Any, column: Column, keeps: bool) -> tuple[bytes, bytes]:
    """Return the first and the last encoding of all that equals a value."""
    if column.type == "float":
        last = key_codec.encode((value + 0.0,))
        return (key_codec.encode((-0.0,)) if keeps and not value else last), last
    if column.type != "decimal":
        spelt = key_codec.encode((value,))
        return spelt, spelt
    plain = plain_decimal(value)
    spelt = key_codec.encode((plain,))
    return _decimal_spellings(plain, spelt) if keeps else (spelt, spelt)


def _decimal_spellings(value: Decimal, spelt: bytes) -> tuple[bytes, bytes]:
    """Return bounds of the encodings of a decimal with any number of zeros behind.

    Zero ends in its exponent, four bytes; others in their number of zeros, two bytes,
    which are inverted in negative ones.
    """
    if not value:
        return spelt[:-4], spelt[:-4] + b"\xff\xff\xff\xff"
    if value < 0:
        return spelt[:-2], spelt
    return spelt, spelt[:-2] + b"\xff\xff"
