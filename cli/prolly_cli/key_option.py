"""The option ``--key``: columns by name, repeated or with commas between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from .format_option import FORMATS, FormatName


def key_columns(words: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that ``--key a,b --key c`` names."""
    return tuple(name for word in words for name in word.split(",") if name)


def key_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds ``--key`` with a help text."""
    return click.option("--key", metavar="COL", multiple=True, help=text)


def input_format_option(
    text: str,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds ``--input-format`` with a help text."""
    shown = "|".join((*FORMATS[:-1], "sqlite:TABLE"))
    return click.option("--input-format", type=FormatName(), metavar=shown, help=text)
