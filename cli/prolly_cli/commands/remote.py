"""``prolly remote``: other replicas by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..addresses import full_address
from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import visible

if TYPE_CHECKING:
    from prolly import NotFound


@click.group("remote", cls=VerbGroup)
def command() -> None:
    """Name other replicas: `origin` is where a clone came from."""


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
    from prolly.sync import connect

    repository = invocation.repository(writable=True)
    if name in repository.remotes:
        raise AlreadyExists(
            f"there is a remote {name!r} already",
            code="remote-exists",
            hint="Choose another name, or remove that one first.",
            name=name,
        )
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
    url = repository.remotes.get(name)
    if url is None:
        raise missing_remote(name, list(repository.remotes))
    del repository.remotes[name]
    output = invocation.output
    if output.json:
        output.document({"removed": name, "url": url})
    output.say(f"forgot {visible(name)}, which was {visible(url)}")


def missing_remote(name: str, there: list[str]) -> NotFound:
    """Return the error for a name that no remote has."""
    from prolly import NotFound

    known = f"There is: {', '.join(there)}." if there else "There is none yet."
    return NotFound(
        f"there is no remote {name!r}",
        code="no-such-remote",
        hint=f"{known} `prolly remote add NAME URL` adds one.",
        name=name,
    )
