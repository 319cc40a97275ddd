"""``prolly pin``: a dataset that a partial replica is to have, from now on."""

from __future__ import annotations

from typing import Any

import click

from ..command_group import Verb
from ..completion_words import DatasetWord
from ..invocation import Invocation
from ..output import visible
from ..spelt_prefix import SpeltPrefix
from ..transfer_text import TransferProgress, report_json, tell_report


@click.command("pin", cls=Verb)
@click.argument("dataset", type=DatasetWord(), required=False)
@click.option("--prefix", metavar="PREFIX", help="Only records whose keys begin so.")
@click.pass_obj
def command(invocation: Invocation, dataset: str | None, prefix: str | None) -> None:
    """Bring DATASET into a partial replica, and keep it so.

    It comes for all commits that are here; what is new of it comes with every fetch.
    Without DATASET the pins are listed: `prolly unpin` ends one.
    """
    if dataset is None:
        if prefix is not None:
            raise click.UsageError("--prefix wants the dataset whose keys begin so")
        _list(invocation)
        return
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


def _list(invocation: Invocation) -> None:
    pins = invocation.repository().pins
    output = invocation.output
    if output.json:
        told = None if pins is None else [pin_json(*pin) for pin in pins]
        output.document({"pins": told})
    elif pins is None:
        output.say("no record is left out of this replica")
    elif not pins:
        output.say("nothing is pinned: records come when they are read")
    for dataset, prefix in () if output.json else pins or ():
        behind = "" if prefix is None else f"  keys that begin with {spelt(prefix)}"
        output.line(f"{visible(dataset)}{behind}")


def pin_json(dataset: str, prefix: Any) -> dict[str, Any]:
    """Return a pin as JSON shows it: whole leading parts of keys are an array."""
    return {"dataset": dataset} | ({} if prefix is None else {"prefix": spelt(prefix)})


def spelt(prefix: Any) -> str:
    """Return a prefix of keys as it can be typed."""
    from ..record_text import key_words

    return key_words(prefix, typed=False)
