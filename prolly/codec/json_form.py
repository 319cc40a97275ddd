"""Values and keys as JSON, for people and for other programs.

What JSON has stays as it is; integers are exact. What it lacks has an escape, a map
whose one key begins with ``$``:

    bytes      {"$bytes": base64}        decimal    {"$decimal": "1.10"}
    NaN, infinities  {"$float": "nan"}, "inf", "-inf"
    datetime   {"$datetime": RFC 3339}   date  {"$date": "2026-01-31"}
    uuid       {"$uuid": text}           a map that looks like an escape  {"$map": ...}

By default dates, times and uuids are written as plain text, as a reader expects; with
``exact`` they are escaped, and what is read equals what was written. Reading takes all
escapes always. Page: docs/spec/values.md.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from prolly.errors import Invalid, LimitExceeded

from .cbor import VALUE_DEPTH_MAX

# Digits of a whole number that Python reads, unless its user set another bound: to read
# twice as many takes four times as long. A value holds fewer (``INT_BYTES_MAX``).
JSON_INT_DIGITS_MAX = 4300

_PLAIN = frozenset({type(None), bool, int, str})
_SPECIAL_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_json(value: object, *, exact: bool = False) -> Any:
    """Return the JSON form of a value: what ``json.dumps`` takes.

    With ``exact`` datetimes, dates and uuids are escaped too, and :func:`from_json`
    gives back the value. Raises Invalid ``value-type`` for a type that is no value.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, dict):
        form = {name: to_json(item, exact=exact) for name, item in value.items()}
        return {"$map": form} if _looks_escaped(value) else form
    if isinstance(value, (list, tuple)):
        return [to_json(item, exact=exact) for item in value]
    if kind is float:
        return _float_form(value)
    form_of = _FORMS.get(kind)
    if form_of is None:
        raise Invalid(
            f"a value cannot be of type {kind.__name__}",
            code="value-type",
            hint="Convert it to one of the types of a value.",
            type=kind.__name__,
            path=[],
        )
    name, write = form_of
    text = write(value)
    return {name: text} if exact or name in _ALWAYS_ESCAPED else text


def number_from_json(text: str) -> float | Decimal:
    """Return a number with a point or an exponent so that nothing of it is lost.

    The float if it is written just so, or has the same value and no decimal is written
    so (``1e5``); a Decimal otherwise (``2.50``). Raises ValueError past the limits.
    """
    number = float(text)
    if repr(number) == text:
        return number
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {text[:40]} is too large") from None
    if not exact and exact.is_signed():
        return number  # No decimal is a negative zero, a float is.
    is_lost = math.isinf(number) or Decimal(repr(number)) != exact
    return exact if is_lost or str(exact) == text else number


class _LooseError(ValueError):
    """JSON that other readers take in one way or another, and this one does not."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _LooseError("a name stands twice in one object")
    return found


def _refuse_constant(text: str) -> Any:
    raise _LooseError(f'{text} is no JSON: write {{"$float": ...}}')


def _number(text: str) -> float | Decimal:
    try:
        return number_from_json(text)
    except ValueError as error:
        raise _LooseError(str(error)) from None


class StrictDecoder(json.JSONDecoder):
    """Reads JSON without its looseness, and a number as it was written.

    A name twice in one object, NaN and wrong syntax raise ValueError, nesting past
    Python's limit RecursionError, and a whole number past ``JSON_INT_DIGITS_MAX``
    LimitExceeded ``integer-too-long``.
    """

    def __init__(self) -> None:
        super().__init__(
            object_pairs_hook=_object,
            parse_float=_number,
            parse_constant=_refuse_constant,
        )

    def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
        """Return the value that begins at a place of a text, and its end."""
        try:
            return super().raw_decode(s, idx)
        except (json.JSONDecodeError, _LooseError):
            raise
        except ValueError:
            # A hook that counts digits would cost more than all else of a number.
            raise LimitExceeded(
                f"a whole number has more than {JSON_INT_DIGITS_MAX} digits",
                code="integer-too-long",
                hint="Write it as text, or as a number with an exponent.",
            ) from None


STRICT_DECODER = StrictDecoder()


def from_json(form: object) -> Any:
    """Return the value of a JSON form, as ``json.loads`` gives it.

    Raises Invalid ``json-form`` for an unknown or misspelt escape and for nesting past
    the limit of a value.
    """
    return _from_json(form, 0)


def key_to_json(key: object, *, exact: bool = False) -> list[Any]:
    """Return the parts of a user key as a JSON array; a scalar is an array of one.

    A nested tuple is a nested array: keys have no other arrays.
    """
    parts = key if isinstance(key, tuple) else (key,)
    return [to_json(part, exact=exact) for part in parts]


def key_from_json(parts: object) -> Any:
    """Return the user key of a JSON array: of one part the scalar, else a tuple.

    Raises Invalid ``json-form`` for what is no array, is empty, or is misspelt.
    """
    if type(parts) is not list or not parts:
        raise _misspelt("a key is a JSON array of at least one part")
    key = tuple(_key_part(from_json(part)) for part in parts)
    return key if len(key) > 1 else key[0]


def _key_part(part: Any) -> Any:
    return tuple(map(_key_part, part)) if type(part) is list else part


def _looks_escaped(value: dict[Any, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def _float_form(value: Any) -> Any:
    if math.isfinite(value):
        return value
    return {"$float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}


def _datetime_text(value: datetime) -> str:
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


_FORMS: dict[type, tuple[str, Callable[[Any], str]]] = {
    bytes: ("$bytes", lambda value: base64.b64encode(value).decode()),
    Decimal: ("$decimal", str),
    datetime: ("$datetime", _datetime_text),
    date: ("$date", date.isoformat),
    UUID: ("$uuid", str),
}
_ALWAYS_ESCAPED = frozenset({"$bytes", "$decimal"})


def _from_json(form: Any, depth: int) -> Any:
    if depth > VALUE_DEPTH_MAX:
        raise _misspelt(f"nested deeper than {VALUE_DEPTH_MAX} levels")
    if type(form) is list:
        return [_from_json(item, depth + 1) for item in form]
    if type(form) is not dict:
        return form
    if not _looks_escaped(form):
        return {name: _from_json(item, depth + 1) for name, item in form.items()}
    ((name, inner),) = form.items()
    if name == "$map":
        if type(inner) is not dict:
            raise _misspelt("$map holds a map")
        return {key: _from_json(item, depth + 1) for key, item in inner.items()}
    read = _READERS.get(name)
    if read is None or type(inner) is not str:
        raise _misspelt(f"{name!r} is no known escape of text")
    try:
        return read(inner)
    except (ValueError, KeyError, InvalidOperation, binascii.Error) as error:
        raise _misspelt(f"{inner[:80]!r} is not valid in {name}") from error


def _read_datetime(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    offset = value.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        raise ValueError("an offset of whole minutes is missing")
    return value


_READERS: dict[str, Callable[[str], Any]] = {
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$decimal": Decimal,
    "$float": _SPECIAL_FLOATS.__getitem__,
    "$datetime": _read_datetime,
    "$date": date.fromisoformat,
    "$uuid": UUID,
}


def _misspelt(reason: str) -> Invalid:
    return Invalid(
        f"not the JSON form of a value: {reason}",
        code="json-form",
        hint='A map whose only key begins with "$" is an escape; write such a map as '
        '{"$map": ...}.',
    )
