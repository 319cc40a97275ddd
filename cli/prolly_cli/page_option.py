"""The options ``--format`` and ``-o`` of what is a table on a terminal, or a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from .invocation import Invocation
from .output import Output, visible

# What ``--json`` says in a word of ``--format``.
JSON_FORMATS = ("json", "jsonl")


def output_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-o FILE``."""
    return click.option(
        "-o",
        "--output",
        "target",
        metavar="FILE",
        help="Write to FILE, whole or not at all, instead of standard output.",
    )(function)


def page_options(json_name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the decorator that adds ``--format`` and ``-o``.

    ``json_name``: ``json`` for one document, ``jsonl`` for one a line.
    """
    choice = click.Choice(("table", json_name, "html"))
    option = click.option(
        "--format", "format_name", type=choice, help="table by default."
    )
    return lambda function: option(output_option(function))


def wants_page(output: Output, format_name: str | None) -> bool:
    """Tell whether a page is asked for, and take note if it is JSON.

    UsageError if ``--json`` says otherwise.
    """
    if output.json and format_name not in (None, *JSON_FORMATS):
        raise click.UsageError(f"--json and --format {format_name} exclude each other")
    if format_name in JSON_FORMATS:
        output.json = True
    return format_name == "html"


@contextmanager
def printing(invocation: Invocation, target: str | None) -> Iterator[None]:
    """Print the block's output to a file, or through a pager if a person looks on."""
    output = invocation.output
    path = None if target is None else invocation.path(target)
    with output.into(path), output.paged():
        yield
    if target not in (None, "-"):
        output.say(f"wrote {visible(str(target))}")
