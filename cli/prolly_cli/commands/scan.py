"""``prolly scan``: records in key order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import at_option, read_version

if TYPE_CHECKING:
    from prolly import Table
    from prolly.maps import SortedMapping


@click.command("scan", cls=Verb)
@click.argument("dataset")
@at_option
@click.option("--from", "start", metavar="KEY", help="Begin at KEY.")
@click.option("--to", "stop", metavar="KEY", help="End before KEY.")
@click.option("--prefix", metavar="PREFIX", help="Only keys that begin so.")
@click.option("--reverse", is_flag=True, help="From the last record to the first.")
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="At most N records."
)
@click.option(
    "--columns",
    metavar="NAME,...",
    help="Only these columns of a table, in this order.",
)
@click.option(
    "--where",
    metavar="PREDICATE",
    help="Only rows of which this is true: \"country = 'US' and feet > 100\".",
)
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    dataset: str,
    at: str | None,
    limit: int | None,
    **how: Any,
) -> None:
    """Print the records of DATASET in the order of their keys."""
    from prolly import Table

    from ..typed_words import parse_bound, parse_prefix

    records = read_version(invocation, at).dataset(dataset)
    bounds: dict[str, Any] = {"reverse": how["reverse"]}
    for name in ("start", "stop"):
        if how[name] is not None:
            bounds[name] = parse_bound(how[name], records)
    if how["prefix"] is not None:
        bounds["prefix"] = parse_prefix(how["prefix"], records)
    if isinstance(records, Table):
        names = how["columns"].split(",") if how["columns"] else None
        bounds["where"] = how["where"]
        scan_table(invocation.output, records, (names, limit), bounds)
    elif how["columns"] or how["where"]:
        raise click.UsageError(f"{dataset!r} is a map: it has no columns")
    else:
        scan_map(invocation.output, records, limit, bounds)


def scan_table(
    output: Output,
    table: Table,
    part: tuple[list[str] | None, int | None],
    bounds: dict[str, Any],
) -> None:
    """Print rows; ``part`` is the columns and the number of rows wanted."""
    from ..record_text import aligned, types_of

    columns, limit = part
    kinds = types_of(table.schema)
    wanted = columns or list(table.schema.names)
    batches = table.iter_rows_as_lists(wanted, **bounds)
    rows = islice(chain.from_iterable(batches), limit)
    if output.json:
        from prolly.ops import write_table

        write_table(
            output.stream(), [(name, kinds[name]) for name in wanted], rows, "jsonl"
        )
        return
    numeric = [kinds[name].name in ("int", "float", "decimal") for name in wanted]

    def texts() -> Iterator[list[str]]:
        for row in rows:
            yield [
                visible(cell)
                if type(cell) is str
                else ""
                if cell is None
                else visible(kinds[name].format_text(cell))
                for name, cell in zip(wanted, row, strict=True)
            ]

    lines = aligned(list(map(visible, wanted)), texts(), numeric, output.is_terminal)
    for index, line in enumerate(lines):
        output.line(output.style(line, "name") if index == 0 else line)


def scan_map(
    output: Output, records: SortedMapping, limit: int | None, bounds: dict[str, Any]
) -> None:
    """Print the pairs of a map, or files with what is known of them."""
    from ..record_text import RecordText, key_words

    text = RecordText.of(records)
    for key, value in islice(records.items(**bounds), limit):
        if output.json:
            output.line(text.record(key, value))
        else:
            output.line(f"{key_words(key, typed=False)}: {text.value(value)}")
