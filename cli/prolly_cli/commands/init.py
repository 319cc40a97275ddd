"""``prolly init``: make a repository."""

from __future__ import annotations

from pathlib import Path

import click

from ..command_group import Verb
from ..invocation import Invocation


@click.command("init", cls=Verb)
@click.argument("directory", default=".", metavar="[DIR]")
@click.pass_obj
def command(invocation: Invocation, directory: str) -> None:
    """Make a repository in DIR, by default here.

    It gets the branch main with a first, empty commit.
    """
    import prolly
    from prolly.repo import refuse_address

    refuse_address(directory)
    path = Path(invocation.path(directory))
    output = invocation.output
    with prolly.init(path) as repository:
        place = str(path.resolve())
        if output.json:
            head = repository.head
            commit_id = str(repository.branches[head])
            output.document({"path": place, "branch": head, "commit": commit_id})
        output.say(f"made a repository in {place}")
        output.say("next: prolly import DATASET FILE --key COLUMN")
