"""``prolly branch``: list, make and delete branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import short_id

if TYPE_CHECKING:
    from prolly import Address, Repository


@click.command("branch", cls=Verb)
@click.argument("name", required=False)
@click.argument("revision", required=False, metavar="[REV]")
@click.option("-d", "--delete", is_flag=True, help="Delete the branch NAME.")
@click.option(
    "--force", is_flag=True, help="With -d: drop what is uncommitted on it too."
)
@click.pass_obj
def command(
    invocation: Invocation,
    name: str | None,
    revision: str | None,
    delete: bool,
    force: bool,
) -> None:
    """List the branches, or make the branch NAME at REV (by default HEAD)."""
    if delete and (name is None or revision is not None):
        raise click.UsageError("-d takes the name of one branch")
    if force and not delete:
        raise click.UsageError("--force stands with -d")
    if name is None:
        list_branches(invocation)
        return
    repository = invocation.repository(writable=True)
    output = invocation.output
    if delete:
        was = delete_branch(repository, name, force)
        if output.json:
            output.document({"deleted": name, "commit": str(was)})
        output.say(f"deleted branch {visible(name)}, which stood at {short_id(was)}")
        output.say(f"to bring it back: prolly branch {visible(name)} {short_id(was)}")
        return
    commit_id = repository.create_branch(name, revision or "HEAD")
    if output.json:
        output.document({"branch": name, "commit": str(commit_id)})
    output.say(f"made branch {visible(name)} at {short_id(commit_id)}")
    output.say(f"next: prolly switch {visible(name)}")


def delete_branch(repository: Repository, name: str, force: bool) -> Address:
    """Delete a branch; return where it stood."""
    from prolly import Invalid

    try:
        return repository.delete_branch(name, force=force)
    except Invalid as error:
        if error.code == "uncommitted":
            error.hint = "Switch to it and commit them, or drop them with --force."
        raise


def list_branches(invocation: Invocation) -> None:
    """Print the branches, the current one marked."""
    repository = invocation.repository()
    output = invocation.output
    branches = dict(repository.branches)
    head = repository.head
    if output.json:
        named = {name: str(commit_id) for name, commit_id in branches.items()}
        output.document({"branches": named, "current": head})
        return
    width = max((len(name) for name in branches), default=0)
    for name, commit_id in branches.items():
        message = repository.commit_of(bytes(commit_id)).message.partition("\n")[0]
        mark = "*" if name == head else " "
        padded = f"{name:{width}}"
        shown = output.style(padded, "ref") if name == head else padded
        output.line(
            f"{mark} {shown}  {short_id(commit_id)}  {visible(message)}".rstrip()
        )
