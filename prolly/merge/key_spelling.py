"""The key of one record under two schemas of a table, whose key columns differ in type.

A record keeps its identity when its key column is widened, but not the bytes of its
key. Whoever looks a record of one version up in another goes through here. Where two
versions widened the key of a third, each in its own way, a record of all three is the
same by the third: 7 that became 7.0 here and "7" there, though "7.0" is no "7".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from prolly.codec import key as key_codec
from prolly.errors import Error
from prolly.tables import Column, Schema, column_type, converted, first_lossy

from .schema_merge import same_key

Pair = tuple[Column, Column]


class KeySpelling:
    """Keys under ``old`` as ``new`` spells them, and back; nothing is read.

    Where one of the two is no table yet, or the keys are of different columns, every
    key is its own spelling. ``changes`` tells whether any is not. With ``base``, the
    version that both come from, a key that is one of its keys goes by that.
    """

    def __init__(
        self, old: Schema | None, new: Schema | None, base: Schema | None = None
    ) -> None:
        self._pairs: list[Pair] = []
        known = [one for one in (old, new) if one is not None and not one.is_unknown]
        if len(known) == 2 and same_key(*known):
            columns = [one.key_columns for one in known]
            self._pairs = list(zip(*columns, strict=True))
        self.changes = any(one.type != other.type for one, other in self._pairs)
        self._by_base: tuple[KeySpelling, KeySpelling] | None = None
        if self.changes and base is not None:
            ways = KeySpelling(base, old), KeySpelling(base, new)
            if ways[0].changes:
                self._by_base = ways

    @property
    def goes_by_base(self) -> bool:
        """Tell whether ``old`` has the keys of the base in a spelling of its own."""
        return self._by_base is not None

    @property
    def leads_back(self) -> bool:
        """Tell whether ``all_back`` finds each key that becomes another one.

        Of numbers with a fraction, and of text, several may become one.
        """
        plain = all(old.type in _ONE_FORM for old, _ in self._pairs)
        return plain or not self.changes

    def forward(self, key: bytes) -> bytes | None:
        """Return the key under the new schema; None for one that does not fit it."""
        if not self.changes:
            return key
        if self._by_base is not None:
            old, new = self._by_base
            found = _through(old, new, key)
            if found is not None:
                return found
        found = _spelt(key, self._pairs, _without_loss)
        if found is None and self._by_base is not None:
            return self._met(key)
        return found

    def _met(self, key: bytes) -> bytes | None:
        """Return the key that becomes this one without loss: 1 for a float 1.0.

        As text they differ, so 1.0 is no int by itself. But one number is one row,
        whichever of the two types is ours.
        """
        pairs = [(new, old) for old, new in self._pairs]
        found = _spelt(key, self._pairs, _as_plain_number)
        if found is None or _spelt(found, pairs, _without_loss) != key:
            return None
        return found

    def forced(self, key: bytes) -> bytes | None:
        """Return the key under the new schema, whatever it loses; None for no form."""
        if not self.changes:
            return key
        return _spelt(key, self._pairs, _as_text)

    @property
    def has_byways(self) -> bool:
        """Tell whether ``byways`` yields keys."""
        return any(map(_is_byway, self._pairs))

    def byways(self, key: bytes) -> Iterator[bytes]:
        """Yield what the key becomes where numbers were floats on the way.

        7 may be made 7.0, and that "7.0", with no loss at either step, while "7" is
        what 7 becomes at once. No other type has such a byway.
        """
        places = [at for at, pair in enumerate(self._pairs) if _is_byway(pair)]
        if not places:
            return
        parts = key_codec.decode(key)
        # Each column by itself, the last one that all of them went this way.
        for chosen in dict.fromkeys([*((at,) for at in places), tuple(places)]):
            spelt = _by_float(parts, self._pairs, chosen)
            if spelt is not None and spelt != self.forward(key):
                yield spelt

    def back(self, key: bytes) -> bytes | None:
        """Return the key that becomes this one under the new schema; None for none."""
        return next(self.all_back(key), None)

    def all_back(self, key: bytes) -> Iterator[bytes]:
        """Yield keys that become this one, the likeliest first.

        There may be several, as 7 and 7.0 are two decimals and one float; who looks a
        record up takes the one that is there.
        """
        if not self.changes:
            yield key
            return
        pairs = [(new, old) for old, new in self._pairs]
        found = [_spelt(key, pairs, turn) for turn in (_as_text, _as_plain_number)]
        if self._by_base is not None:
            old, new = self._by_base
            found.insert(0, _through(new, old, key))
        for one in dict.fromkeys(found):
            if one is not None and self.forward(one) == key:
                yield one


def _is_byway(pair: Pair) -> bool:
    old, new = pair
    return old.type in ("int", "decimal") and new.type not in (old.type, "float")


def _by_float(
    parts: Sequence[Any], pairs: Sequence[Pair], chosen: Sequence[int]
) -> bytes | None:
    """Return a key of which the chosen columns were floats on the way."""
    if len(parts) != len(pairs):
        return None
    turned = []
    for at, (part, (old, new)) in enumerate(zip(parts, pairs, strict=True)):
        way = [old, replace(new, type="float", fill=None), new]
        for one, other in pairwise(way if at in chosen else [old, new]):
            part = _kept(one, other, part)
        turned.append(part)
    return None if None in turned else key_codec.encode(tuple(turned))


def _kept(old: Column, new: Column, part: Any) -> Any:
    """Return a part of a key as another type has it; None where that loses anything."""
    try:
        checked = None if part is None else column_type(old.type).check(part)
        return None if checked is None else _without_loss(old, new, checked)
    except Error:
        return None


def _through(one: KeySpelling, other: KeySpelling, key: bytes) -> bytes | None:
    """Return what the key becomes on another way from where it came on this one."""
    before = one.back(key)
    return None if before is None else other.forward(before)


def is_key_of(schema: Schema, key: bytes) -> bool:
    """Tell whether a key has the types of the key columns of a schema."""
    columns = [(one, one) for one in schema.key_columns]
    return schema.is_unknown or _spelt(key, columns, _as_text) == key


def _spelt(
    key: bytes, pairs: Sequence[Pair], turn: Callable[[Column, Column, Any], Any]
) -> bytes | None:
    parts = key_codec.decode(key)
    if len(parts) != len(pairs):
        return None
    try:
        turned = [
            turn(one, other, column_type(one.type).check(part))
            for part, (one, other) in zip(parts, pairs, strict=True)
        ]
        return None if None in turned else key_codec.encode(tuple(turned))
    except Error:
        return None


def _without_loss(old: Column, new: Column, part: Any) -> Any:
    now = list(converted(old, new, [part]))
    return None if first_lossy(old, new, [part], now) is not None else now[0]


def _as_text(old: Column, new: Column, part: Any) -> Any:
    return converted(old, new, [part])[0]


def _as_plain_number(old: Column, new: Column, part: Any) -> Any:
    """Turn a number whose text the other type does not take: 1.0, or 1e+17, as int."""
    if not isinstance(part, float | Decimal) or part != part or abs(part) == _INFINITE:
        return _as_text(old, new, part)
    text = column_type(old.type).format_text(part)
    whole = Decimal(text)
    if whole == whole.to_integral_value():
        text = format(whole.to_integral_value(), "f")
    return column_type(new.type).parse_text(text)


_INFINITE = float("inf")

# Types whose values have one form each in any other type.
_ONE_FORM = frozenset({"int", "bool", "date"})
