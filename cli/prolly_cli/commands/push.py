"""``prolly push``: our branch to another replica."""

from __future__ import annotations

import click

from ..addresses import remote_name
from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..transfer_text import TransferProgress, report_json, tell_report
from ..waiting_merges import note_unpushed


@click.command("push", cls=Verb)
@click.argument("remote", default="origin", metavar="[REMOTE]")
@click.argument("branch", required=False, metavar="[BRANCH]")
@click.option(
    "--force-with-lease",
    is_flag=True,
    help="Move it there although it drops commits, if it stands where last seen.",
)
@click.pass_obj
def command(
    invocation: Invocation, remote: str, branch: str | None, force_with_lease: bool
) -> None:
    """Move BRANCH (the current one) of REMOTE (origin) on to where ours stands.

    Where the other side has commits that ours does not contain it exits with 4: pull
    first.
    """
    repository = invocation.repository(writable=True)
    output = invocation.output
    name = remote_name(invocation, repository, remote)
    note_unpushed(output, repository, branch or repository.head)
    with TransferProgress("sending", quiet=output.quiet) as progress:
        report = repository.push(
            name, branch, force_with_lease=force_with_lease, progress=progress
        )
    if output.json:
        output.document(report_json(report))
        return
    tell_report(output, report)
    if not report.updated:
        output.say(f"{visible(remote)} has all of it already")
