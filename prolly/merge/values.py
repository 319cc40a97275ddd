"""Values merged by a policy: pure functions of base, ours and theirs.

Values are equal if their encodings are. For every policy, where ``-`` is absent:

    base   ours   theirs    merged
    any    x      x         x; but see counter
    x      x      y         y
    x      y      x         y

The rest, for values b, x and y that all differ and are not null. ``!`` is unresolved;
``>`` is the value that prevails (below). Rows hold with the sides swapped, too.

    base ours theirs | conflict ours theirs keep-both counter max min set   map    text
    -    null x      | !        null x      >         x       x   x   x     x      x
    -    x    y      | !        x    y      >         x+y     max min x|y   paths  !
    -    x    x      | x        x    x      x         x+x     x   x   x     x      x
    null -    x      | !        -    x      x         !       !   !   !     !      !
    null x    y      | !        x    y      >         x+y     max min x|y   paths  !
    null x    x      | x        x    x      x         x+x     x   x   x     x      x
    b    -    null   | !        -    null   null      !       !   !   !     !      !
    b    -    x      | !        -    x      x         !       !   !   !     !      !
    b    null x      | !        null x      >         !       x   x   !     !      !
    b    x    y      | !        x    y      >         x+y-b   max min x|y-b paths  lines
    b    x    x      | x        x    x      x         x+x-b   x   x   x     x      x

- *keep-both*: a value prevails over a deletion, else the greater encoding over the
  other.
- *last-writer-wins* is as keep-both, but the greater stamp prevails first, also with a
  deletion; a side without a stamp loses to one with, and equal stamps decide nothing.
  Where both sides have a stamp, not even equality with the base counts: who wrote back
  what stood there has written.
- *counter* takes ints and decimals; null, where there was no number before, counts 0.
- *max*, *min*: by ``value_order``; null, then NaN, lose to any other value.
- *set* takes lists, *map* maps, *text* text, and an empty one for a null or absent base
  and then also for a null on a side. What is of another type is unresolved.
- *set:add-wins* is as set, but an element stands that one side put in, or took out and
  put in again, while the other took it out: tags tell (``set_tags``). Where both sides
  changed their tags, not even equality with the base, or of both, counts.
- *map* is unresolved where something within it is, *text* where two changes touch.
- *text:characters* is as text, but two texts always merge, also where text has ``!``.
- ``app:NAME`` is unresolved here: whoever has the resolvers asks them.

All but ``ours``, ``theirs`` and what names them are symmetric. With one base, changes
of any number of replicas merged in any order give the same under conflict, keep-both,
last-writer-wins, max, min, counter of ints and both sets of sorted lists without
repeats; map gives the same or is unresolved in each order. A counter of decimals gives
equal numbers, a set equal sets. Merging text in another order may clash elsewhere, or
put insertions into one place in another order. Page: docs/spec/policies.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from prolly.codec import STAMPED_POLICY, TAGGED_POLICY
from prolly.maps import ABSENT

from .containers import PathClash, merge_maps, merge_sets
from .counting import is_number, sum_of_changes
from .set_tags import (
    NO_TAGS,
    Tags,
    elements_of,
    merge_tagged_sets,
    sorted_elements,
)
from .text_characters import merge_characters
from .text_lines import LineClash, merge_texts
from .value_order import canonical, order_key, same

# 48 bits of milliseconds, 16 bits of counter and 8 bytes of replica, big-endian: the
# greater is the later. None where a side wrote nothing since the base, or left none.
Stamp = bytes
Stamps = tuple[Stamp | None, Stamp | None]
NO_STAMPS: Stamps = (None, None)


class Unresolved(Enum):
    """The type of :data:`UNRESOLVED`, its one member; false as a truth value."""

    UNRESOLVED = "UNRESOLVED"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNRESOLVED"


UNRESOLVED = Unresolved.UNRESOLVED


class Values(NamedTuple):
    """Three versions of a value; ``ABSENT`` where there is none."""

    base: Any
    ours: Any
    theirs: Any


class Outcome(NamedTuple):
    """What a policy makes of three versions; ``reason`` tells why it is unresolved."""

    value: Any
    reason: str = ""


def merge_value(
    policy: str,
    base: Any,
    ours: Any,
    theirs: Any,
    *,
    stamps: Stamps = NO_STAMPS,
    tags: Tags = NO_TAGS,
) -> Any:
    """Return the merged value, ``ABSENT`` or ``UNRESOLVED``, as the table above says.

    Values are of the format. ``stamps`` are those of ours and theirs, ``tags`` those of
    all three. Nothing is raised but Unsupported ``missing-extra``, by text:characters
    without the package pycrdt.
    """
    return weigh(policy, Values(base, ours, theirs), stamps, tags).value


def weigh(
    policy: str, values: Values, stamps: Stamps = NO_STAMPS, tags: Tags = NO_TAGS
) -> Outcome:
    """Return the merged value, ``ABSENT`` or ``UNRESOLVED``, and in words why not.

    What stands as it is on a side is that very object. Raises as ``merge_value``.
    """
    known = None
    if policy == "counter":
        known = _counted(values)
    elif policy == STAMPED_POLICY:
        known = last_written(values, stamps)
    elif policy == TAGGED_POLICY and tags.are_of_both:
        known = _tagged(values, tags)
    if known is None:
        known = _three_way(values)
    if known is not None:
        return known
    _, ours, theirs = values
    if policy == "ours":
        return Outcome(ours)
    if policy == "theirs":
        return Outcome(theirs)
    if policy in ("keep-both", STAMPED_POLICY):
        is_stamped = policy == STAMPED_POLICY
        return Outcome(_prevailing(values, stamps if is_stamped else NO_STAMPS))
    method = _METHODS.get(policy)
    if method is None:
        return Outcome(UNRESOLVED)
    if ours is ABSENT or theirs is ABSENT:
        return Outcome(UNRESOLVED, "deleted on one side, changed on the other")
    return method(values)


def _three_way(values: Values) -> Outcome | None:
    """Return what stands where at most one side changed, or both did alike."""
    base, ours, theirs = values
    if same(ours, theirs) or same(base, theirs):
        return Outcome(ours)
    return Outcome(theirs) if same(base, ours) else None


def last_written(values: Values, stamps: Stamps) -> Outcome | None:
    """Return the value of the greater stamp; None unless both have one, differently."""
    mine, other = stamps
    if mine is None or other is None or mine == other:
        return None
    return Outcome(values.ours if mine > other else values.theirs)


def _prevailing(values: Values, stamps: Stamps) -> Any:
    _, ours, theirs = values
    mine, other = stamps
    if mine != other:
        return ours if (mine or b"") > (other or b"") else theirs
    if ours is ABSENT or theirs is ABSENT:
        return theirs if ours is ABSENT else ours
    return ours if canonical(ours) > canonical(theirs) else theirs


def _counted(values: Values) -> Outcome | None:
    """Return the sum of both changes; None where a side is no count."""
    base, ours, theirs = values
    # Null is a count of nothing until somebody counts.
    is_begun = base is not None and base is not ABSENT
    if is_begun and not is_number(base):
        return None
    for side in (ours, theirs):
        if not is_number(side) and (is_begun or side is not None):
            return None
    if ours is None or same(base, ours):
        return Outcome(theirs)
    if theirs is None or same(base, theirs):
        return Outcome(ours)
    total = sum_of_changes(base if is_begun else 0, ours, theirs)
    if total is None:
        return Outcome(UNRESOLVED, "the sum has too many digits")
    return Outcome(total)


def _not_counted(values: Values) -> Outcome:
    """Give the reason why values that are no counts do not add up."""
    return Outcome(UNRESOLVED, "only int and decimal can be counted")


def _extreme(greatest: bool) -> Callable[[Values], Outcome]:
    def method(values: Values) -> Outcome:
        _, ours, theirs = values
        strength = [0 if one is None else 1 + (not _is_nan(one)) for one in values[1:]]
        if strength[0] != strength[1]:
            return Outcome(ours if strength[0] > strength[1] else theirs)
        is_greater = order_key(ours) > order_key(theirs)
        return Outcome(ours if is_greater is greatest else theirs)

    return method


def _is_nan(value: Any) -> bool:
    return type(value) is float and math.isnan(value)


def _filled(values: Values, kind: type) -> list[Any] | None:
    """Return the versions with empty ones for what is not there; None for rubbish."""
    versions = list(values)
    if values.base is None or values.base is ABSENT:
        versions = [kind() if one is None else one for one in (None, *values[1:])]
    return versions if {kind} == set(map(type, versions)) else None


def _within(
    kind: type, refusal: str, merge: Callable[[Any, Any, Any], Outcome]
) -> Callable[[Values], Outcome]:
    """Return the method that merges values of one type; ``refusal`` is for others."""

    def method(values: Values) -> Outcome:
        versions = _filled(values, kind)
        return Outcome(UNRESOLVED, refusal) if versions is None else merge(*versions)

    return method


def _set(base: Any, ours: Any, theirs: Any) -> Outcome:
    return Outcome(merge_sets(base, ours, theirs))


def _tagged(values: Values, tags: Tags) -> Outcome | None:
    """Return the set that tags make; None where a side is no list.

    A list that has just its elements stands as it is, where the lists alone say so.
    """
    versions = _filled(values, list)
    if versions is None:
        return None
    merged = merge_tagged_sets(versions, tags)
    known = _three_way(values)
    if known is not None and elements_of(known.value).keys() == merged.keys():
        return known
    return Outcome(sorted_elements(merged))


def _map(base: Any, ours: Any, theirs: Any) -> Outcome:
    merged = merge_maps(base, ours, theirs)
    if isinstance(merged, PathClash):
        path = "".join(f"[{key!r}]" for key in merged.path)
        return Outcome(UNRESOLVED, f"both changed {path}")
    return Outcome(merged)


def _text(base: Any, ours: Any, theirs: Any) -> Outcome:
    merged = merge_texts(base, ours, theirs)
    if isinstance(merged, LineClash):
        where = f"from line {merged.start + 1} of the base on"
        return Outcome(UNRESOLVED, f"both changed the text {where}")
    return Outcome(merged)


def _characters(base: Any, ours: Any, theirs: Any) -> Outcome:
    return Outcome(merge_characters(base, ours, theirs))


_sets = _within(list, "only lists merge as sets", _set)
_METHODS: dict[str, Callable[[Values], Outcome]] = {
    "counter": _not_counted,
    "max": _extreme(True),
    "min": _extreme(False),
    "set": _sets,
    "map": _within(dict, "only maps merge by path", _map),
    TAGGED_POLICY: _sets,
    "text": _within(str, "only text merges by lines", _text),
    "text:characters": _within(str, "only text merges by characters", _characters),
}
