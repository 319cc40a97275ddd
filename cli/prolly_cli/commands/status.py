"""``prolly status``: what is uncommitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import counts_json, counts_lines, short_id, uncommitted

if TYPE_CHECKING:
    from prolly import Repository


@click.command("status", cls=Verb)
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Show the current branch and what its working state changes."""
    repository = invocation.repository()
    output = invocation.output
    branch = repository.head
    head = repository.branches.require(branch)
    counts = uncommitted(repository)
    if output.json:
        output.document(
            {
                "branch": branch,
                "commit": str(head),
                "datasets": counts_json(counts, events=True),
                "conflicts": 0,
            }
        )
        return
    message = repository.commit_of(bytes(head)).message.partition("\n")[0]
    place = f"{output.style(branch, 'ref')} at {output.style(short_id(head), 'id')}"
    output.line(f"on branch {place}" + (f" ({visible(message)})" if message else ""))
    if repository.working_area().state.base != head:
        output.line(
            "the branch has moved since; `prolly commit` carries the changes over"
        )
    if counts:
        output.line("uncommitted:")
        for line in counts_lines(counts, output):
            output.line(f"  {line}")
        output.line("next: prolly diff, prolly commit -m MESSAGE, prolly reset --hard")
    else:
        output.line("nothing uncommitted")
        _suggest(repository, output)


def _suggest(repository: Repository, output: Output) -> None:
    """Say how to begin while there is nothing."""
    if not repository.at_working().datasets:
        output.line("next: prolly import DATASET FILE --key COLUMN")
