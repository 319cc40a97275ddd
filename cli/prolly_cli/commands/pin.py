"""``prolly pin``: a dataset that a partial replica is to have, from now on."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..completion_words import DatasetWord
from ..invocation import Invocation
from ..output import visible
from ..spelt_prefix import SpeltPrefix
from ..transfer_text import TransferProgress, report_json, tell_report


@click.command("pin", cls=Verb)
@click.argument("dataset", type=DatasetWord())
@click.option("--prefix", metavar="PREFIX", help="Only records whose keys begin so.")
@click.pass_obj
def command(invocation: Invocation, dataset: str, prefix: str | None) -> None:
    """Bring DATASET into a partial replica, and keep it so.

    It comes for all commits that are here; what is new of it comes with every fetch.
    """
    repository = invocation.repository(writable=True)
    output = invocation.output
    with TransferProgress("receiving", quiet=output.quiet) as progress:
        report = repository.pin(dataset, SpeltPrefix.of(prefix), progress=progress)
    if output.json:
        output.document(report_json(report))
        return
    tell_report(output, report)
    if not report.objects:
        output.say(f"{visible(dataset)} is here already")
