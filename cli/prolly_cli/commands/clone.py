"""``prolly clone``: a repository like another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..addresses import directory_name, full_address
from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..spelt_prefix import SpeltPrefix
from ..transfer_text import TransferProgress, report_json, tell_report


@click.command("clone", cls=Verb)
@click.argument("url")
@click.argument("directory", required=False, metavar="[DIR]")
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the newest N commits of each branch.",
)
@click.option("--dataset", multiple=True, metavar="D", help="No dataset but D.")
@click.option(
    "--prefix", metavar="PREFIX", help="Only records of D whose keys begin so."
)
@click.option("--lazy", is_flag=True, help="No records but of D: each when it is read.")
@click.pass_obj
def command(
    invocation: Invocation, /, url: str, directory: str | None, **part: Any
) -> None:
    """Make a repository in DIR that has what the one at URL has.

    URL is a path, file://, http://, https://, ssh:// or bundle:FILE. DIR is by default
    the last part of it. The remote `origin` stands for URL from then on. With an option
    it is a partial replica: what is absent is fetched when it is read.
    """
    import prolly

    path = Path(invocation.path(directory or directory_name(url)))
    address = full_address(invocation, url)
    output = invocation.output
    with TransferProgress("receiving", quiet=output.quiet) as progress:
        repository = prolly.clone(
            address,
            path,
            depth=part["depth"],
            datasets=part["dataset"],
            prefix=SpeltPrefix.of(part["prefix"]),
            lazy=part["lazy"],
            progress=progress,
        )
    with repository:
        report, place = repository.cloned, str(path.resolve())
        if output.json:
            branch = {"path": place, "branch": repository.head}
            output.document({**branch, **report_json(report)})
            return
        tell_report(output, report)
        output.say(
            f"cloned into {visible(place)}, on branch {visible(repository.head)}"
        )
