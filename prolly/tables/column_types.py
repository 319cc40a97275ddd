"""The contract of a column type, and the table of the ten that there are.

A column type says which Python values a column holds, and how they are spelt as text
(in CSV) and as JSON. It knows nothing of columns, schemas or bytes.

Three laws hold for every type, and are tested for all ten:

- ``parse_text(format_text(value))`` is the value, and so is
  ``from_json(to_json(value))``;
- ``exact(text)`` is true only if ``format_text(parse_text(text))`` is that very text,
  so a type inferred from exact texts never changes what an export gives back;
- nothing is converted silently but what keeps the value: an int in a float column
  becomes the float that equals it, or is refused.

Values may come from outside, so a value that does not fit raises ``Invalid`` with code
``value-type`` (facts ``expected``, ``value``) and one past a limit ``LimitExceeded``
with code ``value-too-large``. Null is no value: the ``*_many`` forms pass ``None``
through, the single forms refuse it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from prolly.codec import shown
from prolly.codec.kernel import kernel
from prolly.errors import Error, Invalid


class ColumnType(ABC):
    """One column type. Stateless; there is one object of each."""

    name: str
    kinds: frozenset[type]
    # The type whose values are those of the column as they are: of whole numbers those
    # of 64 bits, of texts those that have an encoding.
    plain: type | None = None
    article = "a"

    @abstractmethod
    def check(self, value: object) -> Any:
        """Return the value as the column holds it, or raise Invalid ``value-type``."""

    @abstractmethod
    def parse_text(self, text: str) -> Any:
        """Return the value that ``text`` spells, or raise Invalid ``value-type``."""

    @abstractmethod
    def format_text(self, value: Any) -> str:
        """Return the one text of a value that ``check`` returned."""

    def exact(self, text: str) -> bool:
        """Tell whether ``text`` is exactly what its value would be written as."""
        try:
            return self.format_text(self.parse_text(text)) == text
        except Error:
            return False

    def exact_many(self, texts: Sequence[str]) -> bool:
        """Tell whether every text is exact."""
        return all(map(self.exact, texts))

    def from_json(self, form: object) -> Any:
        """Return the value of a JSON cell; a string spells what JSON lacks."""
        if type(form) is str:
            return self.parse_text(form)
        return self.check(form)

    def to_json(self, value: Any) -> Any:
        """Return the value as an object that ``json`` can write."""
        return self.format_text(value)

    def json_text(self, value: Any) -> str:
        """Return the value as JSON text, in the spelling of exported files."""
        return json.dumps(self.to_json(value), ensure_ascii=False)

    def are_plain(self, values: Sequence[object]) -> bool:
        """Tell whether it is known, by one call, that no value is null or refused."""
        if kernel is None or self.plain is None:
            return False
        return kernel.are_plain(values, self.plain)

    def check_many(self, values: Sequence[object]) -> Sequence[Any]:
        """Check a whole column; ``None`` passes."""
        if set(map(type, values)) <= self.kinds:
            return values
        return [None if value is None else self.check(value) for value in values]

    def parse_many(self, texts: Sequence[str]) -> Sequence[Any]:
        """Parse a whole column; an empty text is null."""
        parse = self.parse_text
        return [parse(text) if text else None for text in texts]

    def format_many(self, values: Sequence[Any]) -> Sequence[Any]:
        """Format a whole column; null is an empty text."""
        form = self.format_text
        return ["" if value is None else form(value) for value in values]

    def from_json_many(self, forms: Sequence[object]) -> Sequence[Any]:
        """Read a whole column of JSON cells; ``None`` passes."""
        read = self.from_json
        return [None if form is None else read(form) for form in forms]

    def json_text_many(self, values: Sequence[Any]) -> Sequence[str]:
        """Write a whole column as JSON texts."""
        write = self.json_text
        return ["null" if value is None else write(value) for value in values]

    def refuse(self, value: object, hint: str = "") -> Invalid:
        """Return (not raise) the error for a value that does not fit this type."""
        return Invalid(
            f"{shown(value)} is not {self.article} {self.name}",
            code="value-type",
            hint=hint,
            expected=self.name,
            value=shown(value),
        )


def with_empty_as_null(texts: Sequence[str], values: list[Any]) -> list[Any]:
    """Put ``None`` where a text is empty; ``values`` are those of the other texts."""
    following = iter(values)
    return [next(following) if text else None for text in texts]
