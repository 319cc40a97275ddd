"""The option ``--jobs`` of work that other processes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def jobs_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds ``--jobs`` with a help text."""
    return click.option(
        "--jobs", type=int, default=1, metavar="N", show_default=True, help=text
    )
