"""``prolly put``: write one record."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible


@click.command("put", cls=Verb)
@click.argument("dataset")
@click.argument("key")
@click.argument("value")
@click.pass_obj
def command(invocation: Invocation, dataset: str, key: str, value: str) -> None:
    """Write VALUE, which is JSON, under KEY of DATASET.

    In a table VALUE is an object of columns; what it leaves out becomes null. A DATASET
    that is not there is made, as a map. The change waits in the working state for
    `prolly commit`.
    """
    from ..record_text import key_parts, key_words
    from ..typed_words import parse_key, parse_row, parse_value

    repository = invocation.repository(writable=True)
    output = invocation.output
    with repository.working_area().edit(f"put {dataset}") as workspace:
        entry = workspace.find(dataset)
        if entry is not None and entry.kind == "table":
            table = workspace.table(dataset)
            parsed = parse_key(key, table)
            changed = parsed in table
            table.upsert(parse_row(value, parsed, table.schema))
        else:
            mapping = workspace.map(dataset)
            parsed = parse_key(key, mapping)
            changed = parsed in mapping
            mapping[parsed] = parse_value(value)
    if entry is None:
        output.note(f"made the map {dataset!r}")
    done = "replaced" if changed else "added"
    if output.json:
        what = {"dataset": dataset, "key": key_parts(parsed), "change": done}
        output.document(what)
    words = key_words(parsed, typed=entry is not None and entry.kind == "table")
    output.say(f"{visible(dataset)}: {done} {words}")
