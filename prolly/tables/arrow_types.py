"""Which column type an Arrow type becomes, and its values in Python.

    bool, bool8               bool        timestamp with a zone      datetime
    integers of all sizes     int         arrow.uuid                 uuid
    half, float, double       float       list, struct, map of text  json
    decimals                  decimal     arrow.json                 json
    strings                   text        time                       text, 12:30:00
    binaries                  bytes       null                       text, all null
    date32, date64            date        timestamp without a zone   see below

A dictionary or run-end encoded column is what it encodes, an extension that is not
named here what it is stored as. Text that is marked with ``prolly.type`` becomes that
type. Timestamps come in microseconds; a finer one that is not whole is refused.

A timestamp without a zone is no point in time. Its column is text as Python spells it
(``2026-01-31T12:00:00``) where a schema says text; a type is never inferred for it.
Durations, intervals, unions and maps with other keys are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from prolly.errors import Invalid

from .arrow_library import TYPE_METADATA, require_pyarrow
from .type_registry import COLUMN_TYPES, column_type

# As deep as the codec lets values nest; a deeper type could hold none that fits.
NESTING_MAX = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Read = Callable[[Any], Sequence[Any]]


class Reading(NamedTuple):
    """How one Arrow column is read: its column type, and an array to its values.

    ``is_naive``: the column holds timestamps without a zone.
    """

    type_name: str
    read: Read
    is_naive: bool = False


class _NotHeld(Exception):
    """An Arrow type that no column type holds; the text says why."""


def reading_of(field: Any) -> Reading:
    """Return how a field is read; Invalid ``arrow-type`` if no column type holds it."""
    try:
        found = _reading(field.type)
    except _NotHeld as error:
        raise Invalid(
            f"column {field.name!r}: {error}",
            code="arrow-type",
            hint="Convert the column, or leave it out.",
            column=field.name,
            type=str(field.type),
        ) from None
    marked = (field.metadata or {}).get(TYPE_METADATA, b"").decode("utf-8", "replace")
    if found.type_name != "text" or found.is_naive or marked not in COLUMN_TYPES:
        return found
    return Reading(marked, _parsed(found.read, column_type(marked).parse_text))


def _parsed(read: Read, parse: Callable[[str], Any]) -> Read:
    def parsed(array: Any) -> list[Any]:
        return [None if text is None else parse(text) for text in read(array)]

    return parsed


def _values(array: Any) -> Sequence[Any]:
    values: list[Any] = array.to_pylist()
    return values


def _cast(target: Any) -> Read:
    return lambda array: _values(array.cast(target))


def _reading(kind: Any) -> Reading:
    pyarrow = require_pyarrow()
    types = pyarrow.types
    if types.is_dictionary(kind):
        inner = _reading(kind.value_type)
        return inner._replace(read=lambda one: inner.read(one.dictionary_decode()))
    if types.is_run_end_encoded(kind):
        return _run_ends(kind)
    if isinstance(kind, pyarrow.BaseExtensionType):
        return _extension(kind)
    if types.is_timestamp(kind):
        return _timestamp(kind)
    if types.is_time(kind):
        return Reading("text", _spelt_times)
    for test, type_name in _plain_types(types):
        if test(kind):
            read = _cast(pyarrow.float64()) if type_name == "float" else _values
            return Reading(type_name, read)
    if types.is_nested(kind):
        return _nested(kind)
    raise _NotHeld(f"no column holds the Arrow type {kind}")


def _plain_types(types: Any) -> list[tuple[Callable[[Any], bool], str]]:
    return [
        (types.is_null, "text"),
        (types.is_boolean, "bool"),
        (types.is_integer, "int"),
        (types.is_floating, "float"),
        (types.is_decimal, "decimal"),
        (types.is_string, "text"),
        (types.is_large_string, "text"),
        (types.is_string_view, "text"),
        (types.is_binary, "bytes"),
        (types.is_large_binary, "bytes"),
        (types.is_binary_view, "bytes"),
        (types.is_fixed_size_binary, "bytes"),
        (types.is_date, "date"),
    ]


def _run_ends(kind: Any) -> Reading:
    import pyarrow.compute as compute

    inner = _reading(kind.value_type)
    return inner._replace(read=lambda one: inner.read(compute.run_end_decode(one)))


def _extension(kind: Any) -> Reading:
    name = kind.extension_name
    if name == "arrow.uuid":
        return Reading("uuid", _values)
    inner = _reading(kind.storage_type)
    if name == "arrow.bool8":
        bits = inner.read
        return Reading(
            "bool",
            lambda one: [
                None if bit is None else bit != 0 for bit in bits(one.storage)
            ],
        )
    if name == "arrow.json" and inner.type_name == "text":
        parse = column_type("json").parse_text
        return Reading("json", _parsed(lambda one: inner.read(one.storage), parse))
    return inner._replace(read=lambda one: inner.read(one.storage))


def _timestamp(kind: Any) -> Reading:
    micros = _cast(require_pyarrow().timestamp("us", kind.tz))
    if kind.tz == "UTC":
        return Reading("datetime", _in_utc)
    if kind.tz is not None:
        return Reading("datetime", micros)

    def spelt(array: Any) -> list[Any]:
        return [None if one is None else one.isoformat() for one in micros(array)]

    return Reading("text", spelt, is_naive=True)


def _in_utc(array: Any) -> list[Any]:
    # Six times as fast as to let pyarrow make the datetimes.
    pyarrow = require_pyarrow()
    micros = array.cast(pyarrow.timestamp("us", "UTC")).cast(pyarrow.int64())
    return [
        None if one is None else _EPOCH + timedelta(0, 0, one)
        for one in _values(micros)
    ]


def _spelt_times(array: Any) -> list[Any]:
    times = _values(array.cast(require_pyarrow().time64("us")))
    return [None if one is None else one.isoformat() for one in times]


def _nested(kind: Any) -> Reading:
    """Read lists, structs and maps as json, what is in them as values of the format."""
    target = _target(kind, 1)

    def read(array: Any) -> list[Any]:
        fitting = array if target == kind else array.cast(target)
        values: list[Any] = fitting.to_pylist(maps_as_pydicts="strict")
        return values

    return Reading("json", read)


def _target(kind: Any, depth: int) -> Any:
    """Return the type that a part of a nested one is cast to before it is read."""
    pyarrow = require_pyarrow()
    types = pyarrow.types
    if types.is_nested(kind) and depth > NESTING_MAX:
        raise _NotHeld(f"it is nested deeper than {NESTING_MAX} levels")
    if types.is_struct(kind):
        return pyarrow.struct([_target_field(one, depth) for one in kind])
    if types.is_map(kind):
        key, item = _target(kind.key_type, depth), kind.item_field
        if not (types.is_string(key) or types.is_large_string(key)):
            raise _NotHeld(f"the keys of a map are text, not {kind.key_type}")
        return pyarrow.map_(key, _target_field(item, depth))
    for test, make in (
        (types.is_list, pyarrow.list_),
        (types.is_list_view, pyarrow.list_),
        (types.is_large_list, pyarrow.large_list),
        (types.is_large_list_view, pyarrow.large_list),
    ):
        if test(kind):
            return make(_target_field(kind.value_field, depth))
    if types.is_fixed_size_list(kind):
        return pyarrow.list_(_target_field(kind.value_field, depth), kind.list_size)
    return _target_leaf(kind, depth)


def _target_field(field: Any, depth: int) -> Any:
    return field.with_type(_target(field.type, depth + 1))


def _target_leaf(kind: Any, depth: int) -> Any:
    pyarrow = require_pyarrow()
    if pyarrow.types.is_dictionary(kind):
        return _target(kind.value_type, depth)
    if pyarrow.types.is_floating(kind):
        return pyarrow.float64()
    if pyarrow.types.is_timestamp(kind) and kind.tz is not None:
        return pyarrow.timestamp("us", kind.tz)
    if isinstance(kind, pyarrow.BaseExtensionType):
        uuids = kind.extension_name == "arrow.uuid"
        return kind if uuids else _target(kind.storage_type, depth)
    if any(test(kind) for test, _ in _plain_types(pyarrow.types)):
        return kind
    if pyarrow.types.is_timestamp(kind):
        raise _NotHeld("a timestamp without a zone is no point in time")
    raise _NotHeld(f"no value holds the Arrow type {kind}")


def describe(error: Exception) -> str:
    """Return an error of pyarrow or Python in one line."""
    lines = str(error).splitlines() or [type(error).__name__]
    return json.dumps(lines[0], ensure_ascii=False)[1:-1]
