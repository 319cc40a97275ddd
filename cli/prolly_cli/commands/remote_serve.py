"""``prolly remote-serve``: a repository over standard input and output."""

from __future__ import annotations

import sys

import click

from ..command_group import Verb
from ..invocation import Invocation


@click.command("remote-serve", cls=Verb)
@click.argument("directory", metavar="DIR")
@click.option("--read-only", is_flag=True, help="Refuse what others push.")
@click.pass_obj
def command(invocation: Invocation, directory: str, read_only: bool) -> None:
    """Answer another prolly on standard input and output; ssh:// runs this.

    It ends when its input does. It is for programs: what it prints is no text.
    """
    from prolly.server import serve_repository_pipes

    # What is printed by accident must not come between: standard output is the line.
    source, target = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    try:
        serve_repository_pipes(
            invocation.path(directory), source, target, read_only=read_only
        )
    finally:
        sys.stdout = sys.__stdout__
