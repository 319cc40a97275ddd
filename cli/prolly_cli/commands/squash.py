"""``prolly squash``: make one commit of the newest ones."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..commit_words import made_line, named
from ..invocation import Invocation
from ..output import visible
from ..versions import counts_json, counts_lines


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
    output = invocation.output
    counts = repository.diff_counts(since, commit_id)
    if output.json:
        output.document({"commit": str(commit_id), "datasets": counts_json(counts)})
    if commit_id == since:
        shown = named(output, repository, commit_id)
        output.say(f"nothing was left: {visible(repository.head)} is at {shown}")
        return
    output.say(made_line(output, repository, commit_id))
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
