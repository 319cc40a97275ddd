"""Say where in the input a refused record stands.

The happy path carries no line numbers. When the table refuses something, the input is
read once more to find the file and the line, and the key of the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from prolly.codec import json_form
from prolly.errors import Error, Invalid, LimitExceeded
from prolly.tables import InferredColumn, RecordCodec, Schema, automatic_column

from .table_source import TableSource, iter_typed

_MISFITS = ("value-type", "value-null", "value-too-large", "schema-violation")


# What is found when an import is stored, over all rows of the table.
_AT_THE_END = (
    "unique-violation",
    "index-key-too-long",
    "index-value",
    "reference-missing",
)

_ANY_ID = UUID(int=0)


class Found(NamedTuple):
    """One row of the input: its file, its line and the cells of its key."""

    source: str
    line: int
    cells: tuple[Any, ...]
    word: str = "line"

    @property
    def place(self) -> str:
        """The file and the line, as messages begin."""
        return f"{self.source} {self.word} {self.line}"

    @property
    def preposition(self) -> str:
        """A record stands on a line, and in a row."""
        return "on" if self.word == "line" else "in"


def located(error: Error, source: TableSource, schema: Schema) -> Error:
    """Return the error that names file and line, and the row's key where it has one.

    An error that cannot be placed is returned as it is.
    """
    facts = error.facts
    if error.code == "duplicate-key" and "key" in facts:
        return _duplicate(error, source, schema)
    if error.code == "key-exists":
        rows = list(_rows_of_key(facts["key"], source, schema))
        return _placed(error, rows[0]) if rows else error
    if error.code in _AT_THE_END and "key" in facts:
        return _placed_at_the_end(error, source, schema)
    if error.code in _MISFITS and "line" in facts:
        return _misfit(error, _row_at(facts["source"], facts["line"], source, schema))
    if "line" in facts:
        return error
    if "row" in facts:
        return _placed(error, _row_number(facts["row"], source, schema))
    if error.code == "key-too-long":
        found = _long_key(source, schema)
        return error if found is None else _placed(error, found)
    return error


def null_key(found: Found, column: str) -> Invalid:
    """Return the error for a row without a key."""
    return Invalid(
        f"{found.place}: key column {column!r} is empty",
        code="null-key",
        hint="Every record needs a key: fill it in, or choose another key.",
        source=found.source,
        line=found.line,
        column=column,
    )


def _placed(error: Error, found: Found) -> Error:
    """Return the same error, with its place in the input in front."""
    if error.code == "null-key":
        return null_key(found, error.facts.get("column", ""))
    facts = {name: fact for name, fact in error.facts.items() if name != "row"}
    message = error.message
    if "row" in error.facts:
        message = message.removeprefix(f"row {error.facts['row']}: ")
    return type(error)(
        f"{found.place}: {message}",
        code=error.code,
        hint=error.hint,
        **{**facts, "source": found.source, "line": found.line},
    )


def _misfit(error: Error, found: Found) -> Error:
    """Return the error for a value that its column does not take."""
    column = error.facts["column"]
    key = ", ".join("" if cell is None else str(cell) for cell in found.cells)
    reason = error.message.split(f"column {column}: ", 1)[-1]
    kind = LimitExceeded if isinstance(error, LimitExceeded) else Invalid
    hint = "Correct it, or let the column change its type with `--widen`."
    is_limit = kind is LimitExceeded
    return kind(
        f"{found.place}, row {key!r}, column {column!r}: {reason}",
        code=error.code if is_limit else "schema-violation",
        hint=error.hint if is_limit else hint,
        **{**error.facts, "key": list(found.cells)},
    )


def _duplicate(error: Error, source: TableSource, schema: Schema) -> Error:
    rows = list(_rows_of_key(error.facts["key"], source, schema))
    key = json_form.key_to_json(error.facts["key"])
    shown = key[0] if len(key) == 1 else key
    assert len(rows) > 1
    name, is_one_file = rows[0].source, len(source.files) == 1
    places = [str(one.line) if is_one_file else one.place for one in rows]
    where = f"{', '.join(places[:-1])} and {places[-1]}"
    place = f"{name}: " if is_one_file else ""
    return Invalid(
        f"{place}the key {shown!r} stands {rows[0].preposition} "
        f"{rows[0].word + 's ' if is_one_file else ''}{where}",
        code="duplicate-key",
        hint="Remove all but one of these rows, or name more key columns.",
        key=key,
        source=name,
        lines=[one.line for one in rows],
    )


def _placed_at_the_end(error: Error, source: TableSource, schema: Schema) -> Error:
    """Return an error about stored rows with the place of those that were imported."""
    keys = [error.facts["key"]]
    if error.code == "unique-violation":
        keys.append(error.facts["other_key"])
    made = automatic_column(schema)
    if made is not None and made not in source.columns:
        return error
    rows = [row for key in keys for row in _rows_of_key(key, source, schema)]
    if not rows:
        return error
    rows.sort(key=lambda row: row.line)
    places = " and ".join(dict.fromkeys(row.place for row in rows))
    hint = error.hint
    if error.code == "unique-violation" and source.text_cells:
        hint = (
            "Change one of the two rows; where empty cells mean nothing, "
            f"`--empty-as-null {','.join(error.facts['columns'])}`."
        )
    return type(error)(
        f"{places}: {error.message}",
        code=error.code,
        hint=hint,
        **{**error.facts, "source": rows[0].source, "lines": [r.line for r in rows]},
    )


def _columns(source: TableSource, schema: Schema) -> list[InferredColumn]:
    """Return the columns that the source has; no null is refused."""
    return [
        InferredColumn(one.name, one.type, True)
        for one in schema.columns
        if one.name in source.columns
    ]


def _rows_of_key(key: Any, source: TableSource, schema: Schema) -> Iterator[Found]:
    """Yield every row of the input with this key."""
    codec = RecordCodec(schema)
    wanted = codec.encode_key(key)
    columns = _columns(source, schema)
    names = [one.name for one in columns]
    places = [names.index(name) for name in schema.key]
    at = [names.index(one) if one in names else places[0] for one in schema.names]
    for batch in iter_typed(source, columns):
        found = list(zip(*batch.rows, strict=True))
        # Only the key is encoded; what is not in the source may be anything.
        encoded = codec.encode_keys([found[place] for place in at])
        if wanted in encoded:
            for line, row, one in zip(batch.lines, batch.rows, encoded, strict=True):
                if one == wanted:
                    cells = tuple(row[place] for place in places)
                    yield Found(batch.source, line, cells, source.place_word)


def _row_at(name: str, line: int, source: TableSource, schema: Schema) -> Found:
    places = _key_places(source, schema)
    for batch in source.iter_batches():
        if batch.source == name and line in batch.lines:
            row = batch.rows[list(batch.lines).index(line)]
            return _found(source, (name, line), row, places)
    return Found(name, line, (), source.place_word)


def _row_number(number: int, source: TableSource, schema: Schema) -> Found:
    places = _key_places(source, schema)
    before = 0
    for batch in source.iter_batches():
        if before + len(batch.rows) >= number:
            at = number - before - 1
            return _found(
                source, (batch.source, batch.lines[at]), batch.rows[at], places
            )
        before += len(batch.rows)
    return Found(source.files[0].name, number, (), source.place_word)


def _long_key(source: TableSource, schema: Schema) -> Found | None:
    """Return the first row whose key is refused for its length."""
    codec = RecordCodec(schema)
    readers = [
        source.cell_reader(InferredColumn(one.name, one.type, False))
        for one in schema.key_columns
    ]
    places = _key_places(source, schema)
    for batch in source.iter_batches():
        for line, row in zip(batch.lines, batch.rows, strict=True):
            found = _found(source, (batch.source, line), row, places)
            # A key that the table makes is not there yet; its length is known.
            parts = tuple(
                _ANY_ID if place is None else read([cell])[0]
                for place, read, cell in zip(places, readers, found.cells, strict=True)
            )
            try:
                codec.encode_key(parts if len(parts) > 1 else parts[0])
            except LimitExceeded:
                return found
    return None


def _key_places(source: TableSource, schema: Schema) -> list[int | None]:
    """Return where the key's columns stand in a row; None for one left out."""
    names = {name: place for place, name in enumerate(source.columns)}
    return [names.get(name) for name in schema.key]


def _found(
    source: TableSource,
    place: tuple[str, int],
    row: list[Any],
    key_places: list[int | None],
) -> Found:
    cells = tuple(None if one is None else row[one] for one in key_places)
    return Found(*place, cells, source.place_word)
