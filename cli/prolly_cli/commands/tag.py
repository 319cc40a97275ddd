"""``prolly tag``: names that stay on a commit."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import short_id


@click.command("tag", cls=Verb)
@click.argument("name", required=False)
@click.argument("revision", required=False, metavar="[REV]")
@click.option("-d", "--delete", is_flag=True, help="Delete the tag NAME.")
@click.pass_obj
def command(
    invocation: Invocation, name: str | None, revision: str | None, delete: bool
) -> None:
    """List the tags, or name the commit REV (by default HEAD) with the tag NAME."""
    if delete and (name is None or revision is not None):
        raise click.UsageError("-d takes the name of one tag")
    if name is None:
        list_tags(invocation)
        return
    repository = invocation.repository(writable=True)
    output = invocation.output
    if delete:
        was = repository.tags.require(name)
        del repository.tags[name]
        if output.json:
            output.document({"deleted": name, "commit": str(was)})
        output.say(f"deleted tag {visible(name)} (was {short_id(was)})")
        return
    commit_id = repository.resolve(revision or "HEAD")
    repository.tags.create(name, commit_id)
    if output.json:
        output.document({"tag": name, "commit": str(commit_id)})
    output.say(f"tagged {short_id(commit_id)} as {visible(name)}")


def list_tags(invocation: Invocation) -> None:
    """Print the tags with their commits."""
    repository = invocation.repository()
    output = invocation.output
    tags = dict(repository.tags)
    if output.json:
        named = {name: str(commit_id) for name, commit_id in tags.items()}
        output.document({"tags": named})
        return
    width = max((len(name) for name in tags), default=0)
    for name, commit_id in tags.items():
        message = repository.commit_of(bytes(commit_id)).message.partition("\n")[0]
        line = f"{name:{width}}  {short_id(commit_id)}  {visible(message)}"
        output.line(line.rstrip())
    if not tags:
        output.note("no tags yet; `prolly tag NAME` names the current commit")
