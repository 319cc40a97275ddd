"""``prolly delete``: remove one record."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..waiting_merges import note_open


@click.command("delete", cls=Verb)
@click.argument("dataset")
@click.argument("key")
@click.pass_obj
def command(invocation: Invocation, dataset: str, key: str) -> None:
    """Remove the record under KEY of DATASET.

    The change waits in the working state for `prolly commit`.
    """
    from ..record_text import key_parts, key_words
    from ..typed_words import parse_key, require_record

    repository = invocation.repository(writable=True)
    output = invocation.output
    with invocation.editing(repository, f"delete from {dataset}") as workspace:
        entry = workspace.require(dataset)
        is_table = entry.kind == "table"
        opened = workspace.table if is_table else workspace.map
        records = opened(dataset)
        parsed = parse_key(key, records)
        require_record(parsed, key, records)
        del records[parsed]
    if output.json:
        parts = key_parts(parsed, typed=is_table)
        output.document({"dataset": dataset, "key": parts, "change": "removed"})
    typed = key_words(parsed, typed=is_table)
    output.say(f"{visible(dataset)}: removed {typed}")
    note_open(output, repository, dataset, (parsed, typed))
