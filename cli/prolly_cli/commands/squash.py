"""``prolly squash``: make one commit of the newest ones."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import counts_json, counts_lines, short_id


@click.command("squash", cls=Verb)
@click.argument("revision", metavar="REV")
@click.option("-m", "--message", metavar="MSG", help="What the commit says.")
@click.pass_obj
def command(invocation: Invocation, revision: str, message: str | None) -> None:
    """Make one commit of all that the current branch has since REV.

    Its message is by default the first lines of all of theirs. What is uncommitted
    stays so. BRANCH@{1} is the old tip.
    """
    repository = invocation.repository(writable=True)
    since = repository.resolve(revision)
    commit_id = repository.squash(
        revision, message=message, before_moving=invocation.no_way_back
    )
    branch, output = repository.head, invocation.output
    counts = repository.diff_counts(since, commit_id)
    if output.json:
        output.document({"commit": str(commit_id), "datasets": counts_json(counts)})
    first = visible(repository.commit_of(commit_id).message.partition("\n")[0])
    shown = output.style(short_id(commit_id), "id")
    if commit_id == since:
        output.say(f"nothing was left: {visible(branch)} is at {shown} {first}")
        return
    output.say(f"[{visible(branch)} {shown}] {first}")
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
