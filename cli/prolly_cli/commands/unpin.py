"""``prolly unpin``: a partial replica is to get no more of a dataset."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..completion_words import DatasetWord
from ..invocation import Invocation
from ..output import visible
from ..spelt_prefix import SpeltPrefix


@click.command("unpin", cls=Verb)
@click.argument("dataset", type=DatasetWord())
@click.option("--prefix", metavar="PREFIX", help="End this pin of DATASET alone.")
@click.pass_obj
def command(invocation: Invocation, dataset: str, prefix: str | None) -> None:
    """Let fetches bring no more of DATASET into a partial replica.

    What is here stays; what is new of it comes when it is read.
    """
    repository = invocation.repository(writable=True)
    repository.unpin(dataset, SpeltPrefix.of(prefix))
    output = invocation.output
    if output.json:
        output.document({"unpinned": dataset})
    output.say(f"{visible(dataset)} is pinned no more; what is here stays")
