"""``prolly schema``: the columns of a table."""

from __future__ import annotations

import json

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import at_option, read_version


@click.command("schema", cls=Verb)
@click.argument("dataset")
@at_option
@click.option(
    "--set", "file", metavar="FILE.json", help="Change the schema to that of a file."
)
@click.pass_obj
def command(
    invocation: Invocation, dataset: str, at: str | None, file: str | None
) -> None:
    """Print the columns and the key of the table DATASET, as JSON.

    --set reads the same form: columns may be added, dropped, reordered, made nullable
    or given another type that holds every value. The change waits in the working state.
    """
    if file is not None:
        if at is not None:
            raise click.UsageError("--set changes the working state: leave --at out")
        change(invocation, dataset, file)
        return
    form = read_version(invocation, at).table(dataset).schema.to_json()
    output = invocation.output
    if output.json:
        output.document(form)
        return
    columns = [json.dumps(one, ensure_ascii=False) for one in form["columns"]]
    output.line('{"columns": [\n  ' + ",\n  ".join(columns) + "\n ],")
    output.line(f' "key": {json.dumps(form["key"], ensure_ascii=False)}}}')


def change(invocation: Invocation, dataset: str, file: str) -> None:
    """Give a table the schema in a file; its rows are rewritten."""
    from prolly.ops import alter_table

    from .import_table import read_schema

    repository = invocation.repository(writable=True)
    with repository.working_area().edit(f"schema {dataset}") as workspace:
        base = repository.at_working().table(dataset).schema
        schema = read_schema(invocation.path(file), base)
        changed = alter_table(workspace, dataset, schema)
    output = invocation.output
    if output.json:
        output.document({"dataset": dataset, "changed": changed})
    done = "has a new schema" if changed else "has this schema already"
    output.say(f"{visible(dataset)}: {done}")
