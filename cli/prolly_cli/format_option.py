"""The option ``--format`` of import and export: a name, or ``sqlite:TABLE``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

# As ``prolly.ops`` has them; its import is put off until a command runs.
FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "arrow", "sqlite")
_TABLE_OF = "sqlite:"


class FormatName(click.Choice[str]):
    """One of the formats; behind ``sqlite:`` stands the name of a table."""

    def __init__(self) -> None:
        super().__init__(FORMATS)

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the name as it was typed, or fail as a choice does."""
        if value.startswith(_TABLE_OF) and value != _TABLE_OF:
            return value
        return super().convert(value, param, ctx)


def format_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds ``--format`` with a help text."""
    shown = "|".join((*FORMATS[:-1], "sqlite:TABLE"))
    return click.option(
        "--format", "format_name", type=FormatName(), metavar=shown, help=text
    )
