"""Keys and values as people type them, and the one dataset that stands behind ``--``.

A KEY that begins with ``[`` is a JSON array of parts; any other is text, converted to
the key column's type in a table, and a text key in a map. A VALUE is JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

from prolly import Column, Invalid, KeyNotFound, Schema, Table
from prolly.codec import json_form
from prolly.maps import SortedMapping
from prolly.tables import column_type


def parse_json(text: str, what: str) -> Any:
    """Return JSON that was typed; Invalid ``bad-json`` naming what it was meant for."""
    try:
        return json_form.STRICT_DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"{what} is not JSON: {error}",
            code="bad-json",
            hint="Text stands in quotes, as in '\"dark\"'; a list in brackets.",
        ) from None


def parse_key(text: str, dataset: SortedMapping) -> Any:
    """Return the key that ``text`` spells in a dataset.

    Raises Invalid ``bad-json``, ``json-form``, ``key-parts`` and ``value-type``.
    """
    return _parse(text, dataset, whole=True)


def parse_key_of(text: str, schema: Schema) -> Any:
    """Return the key that ``text`` spells under a schema; raises as ``parse_key``."""
    if not text.startswith("["):
        return _text_key(text, schema, True)
    return _table_key(parse_json(text, "the key"), schema, True)


def parse_bound(text: str, dataset: SortedMapping) -> Any:
    """Return a bound: a key, or as an array the leading parts of one."""
    return _parse(text, dataset, whole=False)


def require_record(key: Any, text: str, dataset: SortedMapping) -> Any:
    """Return the record under a key that was typed as ``text``.

    Raises KeyNotFound with a hint how such keys are typed.
    """
    try:
        return dataset[key]
    except KeyNotFound as error:
        schema = dataset.schema if isinstance(dataset, Table) else None
        error.hint = _map_hint(text) if schema is None else _table_hint(schema)
        raise


def _map_hint(text: str) -> str:
    look = "`prolly scan DATASET` shows the keys as they are typed"
    if text.startswith("["):
        return f"Keys are exact, also in type: '[5]' is a number, 5 is text; {look}."
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return f"{text} is text here; the number is typed '[{text}]'; {look}."
    return f"This is a key of text; {look}."


def _table_hint(schema: Schema) -> str:
    parts = ", ".join(f"{one.name} ({one.type})" for one in schema.key_columns)
    return f"The key is {parts}; `prolly scan DATASET` shows the rows."


def _parse(text: str, dataset: SortedMapping, *, whole: bool) -> Any:
    schema = dataset.schema if isinstance(dataset, Table) else None
    if not text.startswith("["):
        return text if schema is None else _text_key(text, schema, whole)
    parts = parse_json(text, "the key")
    if schema is not None:
        return _table_key(parts, schema, whole)
    if not whole and parts == []:
        return ()
    return json_form.key_from_json(parts)


def parse_prefix(text: str, dataset: SortedMapping) -> Any:
    """Return a prefix: text that keys begin with, or an array of leading parts."""
    if isinstance(dataset, Table):
        columns = dataset.schema.key_columns
        if not text.startswith("[") and columns and columns[0].type == "text":
            return text
    elif not text.startswith("["):
        return text
    parts = parse_bound(text, dataset)
    return parts if isinstance(parts, tuple) else (parts,)


def _text_key(text: str, schema: Schema, whole: bool) -> Any:
    columns = schema.key_columns
    if not columns or (whole and len(columns) > 1):
        raise _wrong_parts(text, schema)
    return _typed(columns[0], text)


def _typed(column: Column, part: Any) -> Any:
    """Return one part of a key as its column holds it; text is parsed."""
    try:
        return None if part is None else column_type(column.type).from_json(part)
    except Invalid as error:
        raise Invalid(
            f"key column {column.name!r}: {error.message}",
            code=error.code,
            hint=error.hint or f"Its keys are of type {column.type}.",
            **{**error.facts, "column": column.name},
        ) from None


def _table_key(parts: Any, schema: Schema, whole: bool) -> Any:
    columns = schema.key_columns
    fits = len(parts) == len(columns) if whole else len(parts) <= len(columns)
    if not fits or not columns:
        raise _wrong_parts(json.dumps(parts, ensure_ascii=False), schema)
    key = tuple(map(_typed, columns, parts))
    return key[0] if len(columns) == 1 and key else key


def _wrong_parts(text: str, schema: Schema) -> Invalid:
    names = ", ".join(schema.key)
    parts = ", ".join(f'"{name}"' for name in schema.key)
    return Invalid(
        f"{text} is no key: the key is made of {names}",
        code="key-parts",
        hint=f"Write the parts as a JSON array: '[{parts}]'.",
        key=text,
    )


def parse_row(text: str, key: Any, schema: Schema) -> dict[str, Any]:
    """Return the row that a VALUE spells, with the key's columns filled in.

    Raises Invalid ``not-a-row``, ``key-mismatch``, ``unknown-column``, ``value-type``.
    """
    parts = key if isinstance(key, tuple) else (key,)
    return _row(text, dict(zip(schema.key, parts, strict=True)), schema)


def parse_new_row(text: str, schema: Schema) -> dict[str, Any]:
    """Return the row that a VALUE spells, to which a table makes the key; as above."""
    return _row(text, {}, schema)


def _row(text: str, row: dict[str, Any], schema: Schema) -> dict[str, Any]:
    form = parse_json(text, "the value")
    if not isinstance(form, dict):
        raise Invalid(
            "the value of a table's record is a JSON object",
            code="not-a-row",
            hint=f"Name the columns: '{{\"{schema.names[-1]}\": ...}}'.",
        )
    for name, cell in form.items():
        kind = column_type(schema.column(name).type)
        try:
            value = None if cell is None else kind.from_json(cell)
        except Invalid as error:
            raise _misfit(name, error) from None
        if name in row and row[name] != value:
            raise Invalid(
                f"column {name!r} of the value is not what the key says",
                code="key-mismatch",
                hint="Leave the key's columns out of the value.",
                column=name,
            )
        row[name] = value
    return row


def _misfit(name: str, error: Invalid) -> Invalid:
    return Invalid(
        f"column {name!r}: {error.message}",
        code=error.code,
        hint=error.hint or "`prolly schema DATASET` shows the types.",
        **{**error.facts, "column": name},
    )


def parse_value(text: str) -> Any:
    """Return the value that a VALUE spells, for a map."""
    return json_form.from_json(parse_json(text, "the value"))


def split_scope(scope: str | None) -> tuple[str | None, str | None]:
    """Split ``DATASET[:KEY]``; a dataset's name holds no colon."""
    if scope is None:
        return None, None
    dataset, colon, rest = scope.partition(":")
    return dataset, rest if colon else None
