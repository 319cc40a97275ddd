"""``prolly reset``: move the branch to another commit."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import counts_json, counts_lines, short_id, uncommitted


@click.command("reset", cls=Verb)
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--hard", is_flag=True, help="Drop what is uncommitted, and the data.")
@click.pass_obj
def command(invocation: Invocation, revision: str, hard: bool) -> None:
    """Move the current branch to REV, by default HEAD.

    The data stays as it is, so what differs from REV becomes uncommitted; with --hard
    the data becomes that of REV. `prolly log BRANCH@{1}` still shows the old commit.
    """
    repository = invocation.repository(writable=True)
    target = repository.resolve(revision)
    why = f"reset{' --hard' if hard else ''}: {revision}"
    repository.working_area().move_head(target, keep=not hard, why=why)
    output = invocation.output
    branch = repository.head
    counts = uncommitted(repository)
    if output.json:
        what = {"branch": branch, "commit": str(target)}
        output.document({**what, "datasets": counts_json(counts, events=True)})
    message = repository.commit_of(target).message.partition("\n")[0]
    output.say(f"{branch} is at {short_id(target)} {visible(message)}".rstrip())
    if counts:
        output.say("uncommitted:")
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
