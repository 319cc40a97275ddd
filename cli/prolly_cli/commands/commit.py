"""``prolly commit``: the working state becomes a commit."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import counts_json, counts_lines, short_id


@click.command("commit", cls=Verb)
@click.option(
    "-m", "--message", metavar="MSG", required=True, help="What changed, why."
)
@click.pass_obj
def command(invocation: Invocation, message: str) -> None:
    """Make the working state of the current branch a commit.

    The author is PROLLY_AUTHOR, else the login name.
    """
    from prolly import Stale

    repository = invocation.repository(writable=True)
    branch = repository.head
    try:
        commit_id = repository.working_area().commit(message)
    except Stale as error:
        error.hint = "`prolly diff HEAD` shows both sides; `prolly reset --hard` drops "
        error.hint += "what is uncommitted here, to be done again on the new commit"
        raise
    parent = repository.commit_of(commit_id).parents[0]
    counts = repository.diff_counts(parent, commit_id)
    output = invocation.output
    if output.json:
        output.document({"commit": str(commit_id), "datasets": counts_json(counts)})
        return
    first = visible(message.partition("\n")[0])
    output.say(f"[{branch} {output.style(short_id(commit_id), 'id')}] {first}")
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
