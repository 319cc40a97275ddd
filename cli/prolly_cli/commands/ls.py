"""``prolly ls``: the datasets of a version."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..versions import at_option, datasets_json, datasets_lines, read_version


@click.command("ls", cls=Verb)
@at_option
@click.pass_obj
def command(invocation: Invocation, at: str | None) -> None:
    """List the datasets with their kind and number of records."""
    snapshot = read_version(invocation, at)
    output = invocation.output
    if output.json:
        output.document({"datasets": datasets_json(snapshot)})
        return
    lines = datasets_lines(snapshot)
    for line in lines:
        output.line(line)
    if not lines:
        output.note("no datasets yet; `prolly import DATASET FILE --key COLUMN`")
