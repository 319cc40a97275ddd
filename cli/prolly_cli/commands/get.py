"""``prolly get``: one record."""

from __future__ import annotations

from typing import Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import at_option, read_version


@click.command("get", cls=Verb)
@click.argument("dataset")
@click.argument("key")
@at_option
@click.pass_obj
def command(invocation: Invocation, dataset: str, key: str, at: str | None) -> None:
    """Print the record of DATASET under KEY.

    KEY is text, or a JSON array of its parts where there are several.
    """
    from ..record_text import RecordText
    from ..typed_words import parse_key, require_record

    records = read_version(invocation, at).dataset(dataset)
    parsed = parse_key(key, records)
    value: Any = require_record(parsed, key, records)
    text = RecordText.of(records)
    output = invocation.output
    if output.json:
        output.line(text.record(parsed, value))
    elif not text.is_table:
        output.line(text.value(value))
    else:
        width = max(map(len, map(visible, value)))
        for name, cell in value.items():
            shown = "null" if cell is None else text.plain(name, cell)
            label = output.style(f"{visible(name):{width}}", "faint")
            output.line(f"{label}  {visible(shown)}".rstrip())
