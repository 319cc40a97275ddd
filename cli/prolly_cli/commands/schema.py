"""``prolly schema``: the columns of a table."""

from __future__ import annotations

import json
from typing import Any

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
@click.option("--force", is_flag=True, help="With --set: values may be lost.")
@click.pass_obj
def command(
    invocation: Invocation,
    dataset: str,
    at: str | None,
    file: str | None,
    force: bool,
) -> None:
    """Print columns, key, indexes, checks and references of the table DATASET as JSON.

    --set reads the same form: columns may be added, dropped, reordered, made nullable,
    renamed ("was": OLD) or given another type that holds every value; indexes, checks
    and references come and go. The change waits in the working state.
    """
    if file is not None:
        if at is not None:
            raise click.UsageError("--set changes the working state: leave --at out")
        change(invocation, dataset, file, force=force)
        return
    if force:
        raise click.UsageError("--force stands with --set")
    form = read_version(invocation, at).table(dataset).schema.to_json()
    output = invocation.output
    if output.json:
        output.document(form)
        return
    output.line(
        "{" + ",\n ".join(f'"{name}": {laid_out(form[name])}' for name in form) + "}"
    )


def laid_out(part: list[Any]) -> str:
    """Return one part of a schema as JSON: of objects each has a line of its own."""
    texts = [json.dumps(one, ensure_ascii=False) for one in part]
    if not part or not isinstance(part[0], dict):
        return f"[{', '.join(texts)}]"
    return "[\n  " + ",\n  ".join(texts) + "\n ]"


def change(invocation: Invocation, dataset: str, file: str, *, force: bool) -> None:
    """Give a table the schema in a file; rows change where they must."""
    from prolly.ops import alter_table

    from .import_table import read_schema

    repository = invocation.repository(writable=True)
    with invocation.editing(repository, f"schema {dataset}") as workspace:
        base = repository.at_working().table(dataset).schema
        schema = read_schema(invocation.path(file), base)
        changed = alter_table(workspace, dataset, schema, force=force)
    output = invocation.output
    if output.json:
        output.document({"dataset": dataset, "changed": changed})
    done = "has a new schema" if changed else "has this schema already"
    output.say(f"{visible(dataset)}: {done}")
