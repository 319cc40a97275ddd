"""``prolly export``: a dataset as a plain file."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import plural, visible
from ..versions import at_option, read_version

FORMATS = ("csv", "tsv", "jsonl", "json")


@click.command("export", cls=Verb)
@click.argument("dataset")
@click.argument("file", default="-", metavar="[FILE]")
@at_option
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="The format, where the name of FILE does not say it; csv to standard output.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    dataset: str,
    file: str,
    at: str | None,
    format_name: str | None,
) -> None:
    """Write DATASET to FILE, or to standard output.

    A name that ends in .gz is compressed. Importing what was exported gives the same
    table. A map is written with the columns key and value, both JSON.
    """
    from prolly.ops import export_table

    output = invocation.output
    to_stream = file == "-"
    if to_stream and output.json:
        if format_name not in (None, "json", "jsonl"):
            raise click.UsageError(f"--json and --format {format_name} exclude another")
        format_name = format_name or "jsonl"
    snapshot = read_version(invocation, at)
    if to_stream:
        export_table(snapshot, dataset, output.stream(), format_name or "csv")
        return
    count = export_table(snapshot, dataset, invocation.path(file), format_name)
    if output.json:
        output.document({"dataset": dataset, "file": file, "count": count})
    output.say(f"{visible(dataset)}: wrote {plural(count, 'record')} to {file}")
