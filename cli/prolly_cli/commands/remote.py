"""``prolly remote``: other replicas by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..addresses import full_address
from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import visible

if TYPE_CHECKING:
    from prolly import Repository


@click.group("remote", cls=VerbGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Name other replicas: `origin` is where a clone came from; alone: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_remotes)


@command.command("list")
@click.pass_obj
def list_remotes(invocation: Invocation) -> None:
    """List the remotes with their addresses."""
    repository = invocation.repository()
    output = invocation.output
    remotes = dict(repository.remotes)
    if output.json:
        output.document({"remotes": remotes})
        return
    width = max(map(len, remotes), default=0)
    for name, url in remotes.items():
        output.line(f"{visible(name):{width}}  {visible(url)}")


@command.command("add")
@click.argument("name")
@click.argument("url")
@click.pass_obj
def add(invocation: Invocation, name: str, url: str) -> None:
    """Call the replica at URL by NAME.

    URL is a path, file://, http://, https://, ssh:// or bundle:FILE. Nothing is asked
    of it yet.
    """
    from prolly import AlreadyExists

    repository = invocation.repository(writable=True)
    if name in repository.remotes:
        raise AlreadyExists(
            f"there is a remote {name!r} already",
            code="remote-exists",
            hint="Choose another name; `prolly remote set NAME URL` moves that one.",
            name=name,
        )
    _keep(invocation, repository, name, url)


@command.command("set")
@click.argument("name")
@click.argument("url")
@click.pass_obj
def set_address(invocation: Invocation, name: str, url: str) -> None:
    """Give the remote NAME another address.

    Where its branches stood when last seen stays: it is the same replica elsewhere.
    """
    repository = invocation.repository(writable=True)
    repository.remotes.require(name)
    _keep(invocation, repository, name, url)


def _keep(invocation: Invocation, repository: Repository, name: str, url: str) -> None:
    from prolly.sync import connect

    address = full_address(invocation, url)
    # Nothing is asked of it yet: this tells whether it can be an address at all.
    connect(address).close()
    repository.remotes[name] = address
    output = invocation.output
    if output.json:
        output.document({"remote": name, "url": address})
    output.say(f"{visible(name)} is {visible(address)}")
    output.say(f"next: prolly fetch {visible(name)}")


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(invocation: Invocation, name: str) -> None:
    """Forget the remote NAME, and where its branches stood."""
    repository = invocation.repository(writable=True)
    url = repository.remotes.require(name)
    del repository.remotes[name]
    output = invocation.output
    if output.json:
        output.document({"removed": name, "url": url})
    output.say(f"forgot {visible(name)}, which was {visible(url)}")
