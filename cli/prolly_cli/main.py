"""The program ``prolly``: its group of commands, and the way in."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from .command_group import Program


@click.group(cls=Program, invoke_without_command=True)
@click.pass_context
def cli(context: click.Context) -> None:
    """A versioned store for datasets: import, commit, branch, diff, export.

    The repository is the nearest directory upwards that holds .prolly.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        from .running import run
    except (KeyboardInterrupt, RuntimeError) as error:
        # Most of a short run is loading modules, so Ctrl-C often comes here; it may
        # arrive as the cause of another exception.
        if not isinstance(error.__cause__ or error, KeyboardInterrupt):
            raise
        print("prolly: interrupted", file=sys.stderr)
        return 130
    return run(cli, list(sys.argv[1:] if arguments is None else arguments))
