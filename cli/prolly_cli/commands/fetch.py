"""``prolly fetch``: what another replica has, without touching a branch of ours."""

from __future__ import annotations

import click

from ..addresses import remote_name
from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..transfer_text import TransferProgress, report_json, tell_report


@click.command("fetch", cls=Verb)
@click.argument("remote", default="origin", metavar="[REMOTE]")
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    metavar="N",
    help="In a partial replica: history back to N commits of each branch.",
)
@click.option("--unshallow", is_flag=True, help="All of the history.")
@click.pass_obj
def command(
    invocation: Invocation, remote: str, depth: int | None, unshallow: bool
) -> None:
    """Bring what the branches and new tags of REMOTE (origin) hold.

    Its branches are afterwards REMOTE/BRANCH here; no branch of ours moves. A partial
    replica gets what it has of everything.
    """
    if depth is not None and unshallow:
        raise click.UsageError("--depth ends history, --unshallow does not")
    repository = invocation.repository(writable=True)
    output = invocation.output
    name = remote_name(invocation, repository, remote)
    with TransferProgress("receiving", quiet=output.quiet) as progress:
        report = repository.fetch(
            name, depth=depth, unshallow=unshallow, progress=progress
        )
    if output.json:
        output.document(report_json(report))
        return
    tell_report(output, report)
    if not report.updated and not report.objects:
        output.say(f"nothing new from {visible(remote)}")
