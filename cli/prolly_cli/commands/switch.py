"""``prolly switch``: work on another branch."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible


@click.command("switch", cls=Verb)
@click.argument("name")
@click.pass_obj
def command(invocation: Invocation, name: str) -> None:
    """Make NAME the current branch.

    Uncommitted changes stay with the branch they were made on.
    """
    repository = invocation.repository(writable=True)
    before = repository.head
    left_merging = before in repository.branches and bool(
        repository.working_area(before).state.is_merging
    )
    left_clean = before not in repository.branches or (
        repository.working_area(before).is_clean
    )
    repository.switch(name)
    output = invocation.output
    if output.json:
        commit_id = str(repository.branches.require(name))
        output.document({"branch": name, "commit": commit_id})
    output.say(f"on branch {visible(name)}")
    if before != name and left_merging:
        output.note(f"a merge waits on {visible(before)}, and goes on there")
    elif before != name and not left_clean:
        output.note(f"what is uncommitted on {before} waits there")
