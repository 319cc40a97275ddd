"""``prolly delete``: remove one record."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible


@click.command("delete", cls=Verb)
@click.argument("dataset")
@click.argument("key")
@click.pass_obj
def command(invocation: Invocation, dataset: str, key: str) -> None:
    """Remove the record under KEY of DATASET.

    The change waits in the working state for `prolly commit`.
    """
    from ..record_text import key_parts, key_words
    from ..typed_words import parse_key

    repository = invocation.repository(writable=True)
    output = invocation.output
    with repository.working_area().edit(f"delete from {dataset}") as workspace:
        entry = workspace.require(dataset)
        opened = workspace.map if entry.kind == "map" else workspace.table
        records = opened(dataset)
        parsed = parse_key(key, records)
        del records[parsed]
    if output.json:
        what = {"dataset": dataset, "key": key_parts(parsed)}
        output.document({**what, "change": "removed"})
    output.say(
        f"{visible(dataset)}: removed {key_words(parsed, typed=entry.kind == 'table')}"
    )
