"""``prolly put``: write one record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..waiting_merges import note_open

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prolly.repo import Workspace


@click.command("put", cls=Verb)
@click.argument("dataset")
@click.argument("key")
@click.argument("value", required=False)
@click.option(
    "--new",
    is_flag=True,
    help="The table makes the key, of type uuid: leave KEY out.",
)
@click.option(
    "--update",
    is_flag=True,
    help="Change only the columns in VALUE of the row that is there.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    dataset: str,
    key: str,
    value: str | None,
    new: bool,
    update: bool,
) -> None:
    """Write VALUE, which is JSON, under KEY of DATASET.

    VALUE may be - for standard input. In a table VALUE is an object of columns; what it
    leaves out becomes null, or with --update stays. A DATASET that is not there is
    made, as a map. The change waits in the working state for `prolly commit`.

    With --new, KEY is left out: the table makes one where the last column of its key is
    a uuid, and prints it.
    """
    from ..record_text import key_parts, key_words

    repository = invocation.repository(writable=True)
    output = invocation.output
    if new:
        if value is not None or update:
            raise click.UsageError("--new stands with DATASET and VALUE alone")
        key, value = "", key
    if value is None:
        raise click.UsageError(
            "Missing argument 'VALUE'; where the table makes the key, say --new"
        )
    if value == "-":
        value = read_value()
    with invocation.editing(repository, f"put {dataset}") as workspace:
        entry = workspace.find(dataset)
        is_table = entry is not None and entry.kind == "table"
        near = [] if entry is not None else near_names(dataset, workspace)
        write = put_row if is_table else put_value
        if new:
            write = put_new_row
        parsed, changed = write(workspace, dataset, (key, value), update=update)
    if entry is None:
        instead = f"; there is {' and '.join(map(repr, near))} too" if near else ""
        output.note(f"made the map {dataset!r}{instead}")
    done = ("updated" if update else "replaced") if changed else "added"
    if output.json:
        parts = key_parts(parsed, typed=is_table)
        output.document({"dataset": dataset, "key": parts, "change": done})
    typed = key_words(parsed, typed=is_table)
    output.say(f"{visible(dataset)}: {done} {typed}")
    note_open(output, repository, dataset, (parsed, typed))


def read_value() -> str:
    """Return what stands on standard input."""
    from prolly import Invalid

    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise Invalid(
            f"the value is no UTF-8: {error}",
            code="encoding",
            hint='Put bytes as {"$bytes": base64}.',
        ) from None


def put_row(
    workspace: Workspace, dataset: str, words: tuple[str, str], *, update: bool
) -> tuple[Any, bool]:
    """Write a row; return its key, and whether there was one."""
    from ..typed_words import parse_key, parse_row, require_record

    key, value = words
    table = workspace.table(dataset)
    parsed = parse_key(key, table)
    row = parse_row(value, parsed, table.schema)
    if update:
        row = {**require_record(parsed, key, table), **row}
    changed = parsed in table
    table.upsert(row)
    return parsed, changed


def put_new_row(
    workspace: Workspace, dataset: str, words: tuple[str, str], *, update: bool
) -> tuple[Any, bool]:
    """Add a row whose key the table makes; return that key, and False."""
    from prolly import Invalid
    from prolly.tables import automatic_column

    from ..typed_words import parse_new_row

    workspace.require(dataset)
    table = workspace.table(dataset)
    if automatic_column(table.schema) is None:
        raise Invalid(
            f"table {dataset!r} makes no keys: the last column of its key is no uuid",
            code="missing-key",
            hint="Give the key: `prolly put DATASET KEY VALUE`.",
            dataset=dataset,
        )
    return table.insert(parse_new_row(words[1], table.schema)), False


def put_value(
    workspace: Workspace, dataset: str, words: tuple[str, str], *, update: bool
) -> tuple[Any, bool]:
    """Write a value of a map; return its key, and whether there was one."""
    from ..typed_words import parse_key, parse_value

    if update:
        raise click.UsageError(
            f"--update changes columns of a row, and {dataset!r} is no table"
        )
    key, value = words
    mapping = workspace.map(dataset)
    parsed = parse_key(key, mapping)
    changed = parsed in mapping
    mapping[parsed] = parse_value(value)
    return parsed, changed


def near_names(dataset: str, names: Iterable[str]) -> list[str]:
    """Return the datasets whose names are like this one, which may be misspelt."""
    from difflib import get_close_matches

    return get_close_matches(dataset, list(names), 2)
