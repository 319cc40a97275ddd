"""What a caller says of the table that it opens: its key, its schema, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prolly.codec import shown
from prolly.errors import Invalid
from prolly.tables import Schema


class TableRequest:
    """The key columns and the schema that a table is asked to have.

    A schema may be given as the JSON object of one. Invalid ``schema`` for a key that
    names no columns, ``schema-mismatch`` where both are given and differ.
    """

    def __init__(
        self,
        name: str,
        key: str | Sequence[str] | None,
        schema: Schema | Mapping[str, Any] | None,
    ) -> None:
        self._name = name
        self._key = _key_names(key)
        self._schema = None if schema is None else Schema.of(schema)
        if self._schema is not None and self._key not in ((), self._schema.key):
            raise self._mismatch(
                f"its key is {self._schema.key}, not {shown(self._key)}"
            )

    def schema_of_new(self) -> Schema:
        """Return the schema of a table to be made; Invalid ``missing-key``.

        Without one the first rows written decide the types.
        """
        if self._schema is not None:
            return self._schema
        if not self._key:
            raise Invalid(
                f"table {self._name!r} is new and has no key",
                code="missing-key",
                hint="Name the key column or columns, or give a schema.",
                dataset=self._name,
            )
        return Schema.unknown(self._key)

    def require_agreement(self, known: Schema) -> None:
        """Raise Invalid ``schema-mismatch`` for a table that is otherwise."""
        schema = self._schema
        if schema is not None and not schema.is_unknown and known != schema:
            raise self._mismatch("its columns differ from the schema given")
        if self._key and self._key != known.key:
            raise self._mismatch(f"its key is {known.key}, not {shown(self._key)}")

    def _mismatch(self, problem: str) -> Invalid:
        return Invalid(
            f"table {self._name!r} is there with another form: {problem}",
            code="schema-mismatch",
            hint="Leave key and schema out to use the table as it is.",
            dataset=self._name,
        )


def _key_names(key: str | Sequence[str] | None) -> tuple[str, ...]:
    if key is not None and not isinstance(key, (str, list, tuple)):
        raise Invalid(
            f"{shown(key)} is no list of key columns",
            code="schema",
            hint="Name the key column, or several in a list.",
        )
    return (key,) if isinstance(key, str) else tuple(key or ())
