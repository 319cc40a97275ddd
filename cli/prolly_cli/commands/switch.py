"""``prolly switch``: work on another branch."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..waiting_merges import what_waits


@click.command("switch", cls=Verb)
@click.argument("name")
@click.pass_obj
def command(invocation: Invocation, name: str) -> None:
    """Make NAME the current branch.

    Uncommitted changes stay with the branch they were made on.
    """
    repository = invocation.repository(writable=True)
    before = repository.head
    left_clean, left_waiting = True, ""
    if before in repository.branches:
        area = repository.working_area(before)
        left_clean, left_waiting = area.is_clean, what_waits(area.state)
    repository.switch(name)
    output = invocation.output
    if output.json:
        commit_id = str(repository.branches.require(name))
        output.document({"branch": name, "commit": commit_id})
    output.say(f"on branch {visible(name)}")
    if before != name and left_waiting:
        output.note(f"{left_waiting} waits on {visible(before)}, and goes on there")
    elif before != name and not left_clean:
        output.note(f"what is uncommitted on {visible(before)} waits there")
