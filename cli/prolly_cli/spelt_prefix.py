"""The prefix of keys that somebody typed, before it is known of what keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prolly import OrderedMap, Table


@dataclass(frozen=True)
class SpeltPrefix:
    """What was typed; called with a dataset it gives the prefix of its keys."""

    text: str

    def __call__(self, dataset: OrderedMap | Table) -> Any:
        """Return the prefix; Invalid for what cannot be one there."""
        from .typed_words import parse_prefix

        return parse_prefix(self.text, dataset)

    @classmethod
    def of(cls, text: str | None) -> SpeltPrefix | None:
        """Return the prefix of a text; none of none."""
        return None if text is None else cls(text)
