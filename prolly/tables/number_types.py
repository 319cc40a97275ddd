"""The column types of numbers: int, float, decimal.

Whole columns are parsed with C-level built-ins: one pass over the joined text proves
that no cell holds a character which Python's constructors take and we do not (blanks,
underscores, digits of other scripts), then ``map`` converts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from prolly.codec import cbor
from prolly.errors import LimitExceeded

from .column_types import ColumnType, with_empty_as_null

# The exponents of IEEE decimal128, within what the codec takes. Decimals are written
# positionally, so this bounds the length of a text.
DECIMAL_EXPONENT_MAX = 6_176

INT_CHARACTERS = "+-0123456789"
NUMBER_CHARACTERS = "+-.0123456789Ee"
PLAIN_CHARACTERS = "-.0123456789"

# What the codec can hold; below the 4,300 digits at which int() refuses.
_INT_END = 1 << 8 * cbor.INT_BYTES_MAX
_INT = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SPECIAL_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _too_large(kind: str, limit: int, unit: str) -> LimitExceeded:
    return LimitExceeded(
        f"{kind} number of more than {limit:,} {unit}",
        code="value-too-large",
        hint="Keep it as text.",
        limit=limit,
    )


def _any_long(texts: Sequence[str]) -> bool:
    """Tell whether a text may spell a number past the limits of the codec."""
    return max(map(len, texts), default=0) > cbor.DECIMAL_DIGITS_MAX


class IntType(ColumnType):
    """Whole numbers of either sign, up to ``cbor.INT_BYTES_MAX`` bytes."""

    name = "int"
    article = "an"
    kinds = frozenset({int, type(None)})
    plain = int

    def check(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(value)
        if not -_INT_END <= value < _INT_END:
            raise _too_large("a whole", cbor.INT_BYTES_MAX, "bytes")
        return int(value)

    def check_many(self, values: Sequence[Any]) -> Sequence[Any]:
        if set(map(type, values)) == {int}:
            self.check(min(values))
            self.check(max(values))
            return values
        return [None if value is None else self.check(value) for value in values]

    def parse_text(self, text: str) -> int:
        if not _INT.fullmatch(text):
            raise self.refuse(text)
        try:
            return self.check(int(text))
        except ValueError:
            raise _too_large("a whole", cbor.INT_BYTES_MAX, "bytes") from None

    def format_text(self, value: int) -> str:
        return str(value)

    def parse_many(self, texts: Sequence[str]) -> Sequence[Any]:
        full = [text for text in texts if text] if "" in texts else texts
        if "".join(full).strip(INT_CHARACTERS) or _any_long(full):
            return super().parse_many(texts)
        try:
            values = list(map(int, full))
        except ValueError:
            return super().parse_many(texts)
        return values if full is texts else with_empty_as_null(texts, values)

    def exact_many(self, texts: Sequence[str]) -> bool:
        if _any_long(texts):
            return super().exact_many(texts)
        # The round trip alone is proof: what int() takes too kindly, str() gives back
        # differently.
        try:
            return list(map(str, map(int, texts))) == list(texts)
        except ValueError:
            return False

    def from_json(self, form: object) -> int:
        # A JSON string is read as in CSV, for files that quote long numbers.
        return self.parse_text(form) if type(form) is str else self.check(form)

    def to_json(self, value: int) -> int:
        return value

    def json_text(self, value: int) -> str:
        return str(value)


class FloatType(ColumnType):
    """Binary floating point of 64 bits; ``nan``, ``inf`` and ``-inf`` included."""

    name = "float"
    kinds = frozenset({float, type(None)})
    plain = float

    def check(self, value: object) -> float:
        if isinstance(value, float):
            return float(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._from_int(value)
        raise self.refuse(value)

    def _from_int(self, value: int) -> float:
        try:
            converted = float(value)
        except OverflowError:
            converted = math.inf
        if converted != value:
            hint = "No float equals this whole number; use an int or decimal column."
            raise self.refuse(value, hint)
        return converted

    def parse_text(self, text: str) -> float:
        special = _SPECIAL_FLOATS.get(text)
        if special is not None:
            return special
        if not _NUMBER.fullmatch(text):
            raise self.refuse(text)
        value = float(text)
        if math.isinf(value):
            raise self.refuse(text, "The number is past the range of a float.")
        return value

    def format_text(self, value: float) -> str:
        return repr(value)

    def parse_many(self, texts: Sequence[str]) -> Sequence[Any]:
        full = [text for text in texts if text] if "" in texts else texts
        if not "".join(full).strip(NUMBER_CHARACTERS):
            try:
                values = list(map(float, full))
            except ValueError:
                return super().parse_many(texts)
            if math.inf not in values and -math.inf not in values:
                return values if full is texts else with_empty_as_null(texts, values)
        return super().parse_many(texts)

    def exact_many(self, texts: Sequence[str]) -> bool:
        try:
            return list(map(repr, map(float, texts))) == list(texts)
        except ValueError:
            return False

    def from_json(self, form: object) -> float:
        if type(form) is dict and form.keys() == {"$float"}:
            form = form["$float"]
        if type(form) is Decimal:
            form = str(form)
        return self.parse_text(form) if type(form) is str else self.check(form)

    def to_json(self, value: float) -> Any:
        return value if math.isfinite(value) else {"$float": repr(value)}

    def json_text(self, value: float) -> str:
        if math.isfinite(value):
            return repr(value)
        return f'{{"$float":"{value!r}"}}'


class DecimalType(ColumnType):
    """Exact decimal numbers that keep their zeros: 1.10 is not written as 1.1.

    Text is positional (``0.0000001``) unless the exponent is above zero (``1E+3``).
    Not-a-number, infinities and negative zero are refused.
    """

    name = "decimal"
    kinds = frozenset({Decimal, type(None)})

    def check(self, value: object) -> Decimal:
        if isinstance(value, Decimal):
            return self._checked(Decimal(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return self._checked(Decimal(int(value)))
        hint = "A float is not exact: give Decimal('1.10')."
        raise self.refuse(value, hint if isinstance(value, float) else "")

    def check_many(self, values: Sequence[object]) -> Sequence[Any]:
        return [None if value is None else self.check(value) for value in values]

    def _checked(self, value: Decimal) -> Decimal:
        if not value.is_finite():
            raise self.refuse(value, "A decimal is finite; use a float column.")
        if not value and value.is_signed():
            raise self.refuse(value, "A decimal has no negative zero: write 0.")
        _, digits, exponent = value.as_tuple()
        if len(digits) > cbor.DECIMAL_DIGITS_MAX:
            raise _too_large("a decimal", cbor.DECIMAL_DIGITS_MAX, "digits")
        if abs(int(exponent)) > DECIMAL_EXPONENT_MAX:
            raise _too_large("a decimal", DECIMAL_EXPONENT_MAX, "places")
        return value

    def parse_text(self, text: str) -> Decimal:
        if not _NUMBER.fullmatch(text):
            raise self.refuse(text)
        try:
            return self._checked(Decimal(text))
        except InvalidOperation:
            raise _too_large("a decimal", DECIMAL_EXPONENT_MAX, "places") from None

    def format_text(self, value: Decimal) -> str:
        text = str(value)
        return f"{value:f}" if "E-" in text else text

    def parse_many(self, texts: Sequence[str]) -> Sequence[Any]:
        full = [text for text in texts if text] if "" in texts else texts
        values = self._plain_many(full)
        if values is None:
            return super().parse_many(texts)
        return values if full is texts else with_empty_as_null(texts, values)

    def _plain_many(self, texts: Sequence[str]) -> list[Decimal] | None:
        """Parse texts without exponents; None when one of them needs a closer look."""
        joined = "".join(texts)
        if joined.strip(PLAIN_CHARACTERS):
            return None
        if _any_long(texts):
            return None
        try:
            values = list(map(Decimal, texts))
        except InvalidOperation:
            return None
        if "-" in joined and any(not value and value.is_signed() for value in values):
            return None
        return values

    def exact_many(self, texts: Sequence[str]) -> bool:
        values = self._plain_many(texts)
        if values is not None and list(map(str, values)) == list(texts):
            return True
        return super().exact_many(texts)

    def from_json(self, form: object) -> Decimal:
        if type(form) is dict and form.keys() == {"$decimal"}:
            form = form["$decimal"]
        if type(form) is float:
            # A JSON number has no binary nature: take the digits that were written.
            form = repr(form)
        return self.parse_text(form) if type(form) is str else self.check(form)

    def to_json(self, value: Decimal) -> Any:
        return {"$decimal": self.format_text(value)}

    def json_text(self, value: Decimal) -> str:
        # JSON numbers are exact by grammar, so a file needs no detour through objects.
        return self.format_text(value)
