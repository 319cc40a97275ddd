"""Cells of plain files merged by a policy, as cells of tables are.

The cells of CSV are text. Only ``counter``, ``max`` and ``min`` take them for numbers,
where all that are there are spelt as one; the sum of a counter is spelt as exports
spell it. An empty cell is null to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from prolly.codec import cbor
from prolly.errors import Error, Invalid
from prolly.maps import ABSENT
from prolly.merge import DEFAULT_POLICY, UNRESOLVED, check_policy_name, merge_value
from prolly.tables import COLUMN_TYPES

# What needs no clock, no tags and no place for what loses.
TEXT_POLICIES = (
    "conflict",
    "ours",
    "theirs",
    "counter",
    "max",
    "min",
    "text",
    "text:characters",
)
JSON_POLICIES = (*TEXT_POLICIES, "set", "map")

_NUMERIC = ("counter", "max", "min")
_NUMBERS = ("int", "decimal")


class Cells(NamedTuple):
    """Three versions of a cell; ``ABSENT`` where there is none."""

    base: Any
    ours: Any
    theirs: Any


class CellMerge:
    """The policies of one merge, by column, and the merge of cells by them."""

    def __init__(self, policies: Sequence[str], *, is_text: bool) -> None:
        self._is_text = is_text
        self.default, self._of = _policies(policies, is_text)

    def policy(self, column: str) -> str:
        """Return the policy of a column."""
        return self._of.get(column, self.default)

    @property
    def has_counter(self) -> bool:
        """Tell whether two equal changes of a cell may add up."""
        return "counter" in (self.default, *self._of.values())

    def require_columns(self, columns: Iterable[str]) -> None:
        """Raise Invalid ``unknown-column`` for a policy of a column that is not."""
        columns = dict.fromkeys(columns)
        for name in self._of:
            if name not in columns:
                raise Invalid(
                    f"a policy is given for {name!r}, and there is no such column",
                    code="unknown-column",
                    hint=f"The columns are: {', '.join(columns)}.",
                    column=name,
                )

    def merge(self, column: str, cells: Cells) -> Any:
        """Return the merged cell, ``ABSENT`` or ``UNRESOLVED``.

        What stands as it is on a side is that very object, ours' if both have it.
        """
        base, ours, theirs = cells
        if same(ours, theirs) or same(base, theirs):
            return self._unless_counted(column, cells, ours)
        if same(base, ours):
            return theirs
        policy = self.policy(column)
        if policy == DEFAULT_POLICY:
            return UNRESOLVED
        if self._is_text and policy in _NUMERIC:
            return _by_number(policy, cells)
        return merge_value(policy, *cells)

    def _unless_counted(self, column: str, cells: Cells, known: Any) -> Any:
        """Return a value that both sides have: two equal steps of a counter add up."""
        base, ours, theirs = cells
        if self.policy(column) != "counter" or same(base, ours) or same(base, theirs):
            return known
        counted = (
            _by_number("counter", cells)
            if self._is_text
            else merge_value("counter", *cells)
        )
        return known if counted is UNRESOLVED else counted


def same(one: Any, other: Any) -> bool:
    """Tell whether two cells are equal: 1 and 1.0 are not."""
    if one is other:
        return True
    if one is ABSENT or other is ABSENT:
        return False
    if type(one) is str and type(other) is str:
        return one == other
    return cbor.encode(one) == cbor.encode(other)


def _by_number(policy: str, cells: Cells) -> Any:
    """Return what a policy makes of cells that are numbers, or of their texts."""
    numbers = [_number(cell) for cell in cells]
    if any(number is UNRESOLVED for number in numbers):
        if policy == "counter":
            return UNRESOLVED
        numbers = [None if cell == "" else cell for cell in cells]
    elif policy != "counter":
        # Values of two types are in the order of their types.
        numbers = [Decimal(one) if type(one) is int else one for one in numbers]
    merged = merge_value(policy, *numbers)
    for number, cell in zip(numbers[1:], cells[1:], strict=True):
        if merged is number:
            return cell
    if merged is UNRESOLVED or merged is ABSENT:
        return merged
    kind = "int" if type(merged) is int else "decimal"
    return COLUMN_TYPES[kind].format_text(merged)


def _number(cell: Any) -> Any:
    """Return the number that a cell spells; UNRESOLVED for other text."""
    if cell is ABSENT:
        return ABSENT
    if cell == "":
        return None
    for name in _NUMBERS:
        if COLUMN_TYPES[name].exact(cell):
            return COLUMN_TYPES[name].parse_text(cell)
    return UNRESOLVED


def _policies(words: Sequence[str], is_text: bool) -> tuple[str, Mapping[str, str]]:
    """Return the policy of the whole, and those of columns."""
    known = TEXT_POLICIES if is_text else JSON_POLICIES
    default, found = DEFAULT_POLICY, {}
    for word in words:
        column, mark, policy = word.rpartition("=")
        try:
            check_policy_name(policy)
        except Error as error:
            hint = f"Files are merged by {', '.join(known)}."
            raise Invalid(error.message, code=error.code, hint=hint) from None
        if policy not in known:
            raise Invalid(
                f"the policy {policy} does not merge files of this format",
                code="policy-type",
                hint=f"They are merged by {', '.join(known)}.",
                policy=policy,
            )
        if mark:
            found[column] = policy
        else:
            default = policy
    return default, found
