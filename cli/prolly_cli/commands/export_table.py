"""``prolly export``: a dataset as a plain file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..format_option import format_option
from ..invocation import Invocation
from ..jobs_option import jobs_option
from ..output import plural, visible
from ..versions import at_option, read_version

if TYPE_CHECKING:
    from prolly.ops import CsvLosses


@click.command("export", cls=Verb)
@click.argument("dataset")
@click.argument("file", default="-", metavar="[FILE]")
@at_option
@format_option(
    "The format, where the name of FILE does not say it; csv to standard output."
)
@click.option(
    "--where",
    metavar="PREDICATE",
    help="Only rows of which this is true: \"country = 'US' and feet > 100\".",
)
@jobs_option("So many processes write CSV, TSV or JSON lines of a large table.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    dataset: str,
    file: str,
    at: str | None,
    **how: Any,
) -> None:
    """Write DATASET to FILE, or to standard output.

    A text format under a name that ends in .gz or .zst is compressed. Importing what
    was exported gives the same table; where CSV cannot keep something, a note says so.
    A map is written with the columns key and value, both JSON.
    """
    from prolly.ops import CsvLosses, export_table

    output = invocation.output
    format_name = how.pop("format_name")
    to_stream = file == "-"
    if to_stream and output.json:
        if format_name not in (None, "json", "jsonl"):
            raise click.UsageError(f"--json and --format {format_name} exclude another")
        format_name = format_name or "jsonl"
    is_shared = how["jobs"] != 1 and at is None
    if is_shared and invocation.repository().working_area().is_clean:
        # Other processes can open a commit alone.
        at = "HEAD"
    snapshot = read_version(invocation, at)
    losses = CsvLosses()
    place = output.stream() if to_stream else invocation.path(file)
    if to_stream:
        format_name = format_name or "csv"
    count = export_table(snapshot, dataset, place, format_name, losses=losses, **how)
    if losses:
        output.note(losses_text(dataset, losses))
    if to_stream:
        return
    if output.json:
        output.document({"dataset": dataset, "file": file, "count": count})
    output.say(f"{visible(dataset)}: wrote {plural(count, 'record')} to {file}")


def losses_text(dataset: str, losses: CsvLosses) -> str:
    """Return what CSV does not keep of a table, and which format does."""
    parts = [
        f"{plural(count, noun)} {becomes}"
        for count, noun, becomes in (
            (losses.null_texts, "null", "in text columns as empty text"),
            (losses.empty_bytes, "value", "of no bytes as null"),
            (losses.empty_keys, "row", "with an empty key not at all"),
        )
        if count
    ]
    told = ", ".join(parts)
    return f"{visible(dataset)}: CSV gives back {told}; `--format jsonl` keeps them"
