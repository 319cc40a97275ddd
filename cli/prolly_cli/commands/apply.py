"""``prolly apply``: the changes of a patch on the current branch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..replays import ending_options, run

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.repo import ReplayResult


@click.command("apply", cls=Verb)
@click.argument("patch", required=False, metavar="[PATCH]")
@click.option("-m", "--message", metavar="MSG", help="Commit it, and say this.")
@ending_options
@click.pass_obj
def command(invocation: Invocation, /, patch: str | None, **how: Any) -> int:
    """Apply PATCH, which `prolly diff --format patch` made; `-` is standard input.

    With -m it is committed, else it waits for `prolly commit -m MSG`. A record that is
    not as the patch says that it was is in conflict, and waits as in a merge.
    """
    if patch is None:
        return run(invocation, "apply", how, None)

    def begin(repository: Repository) -> ReplayResult:
        return repository.apply(
            read(invocation.path(patch)),
            message=how["message"],
            policy=how["policy"],
            commit=how["message"] is not None,
            before_moving=invocation.no_way_back,
        )

    return run(invocation, "apply", how, begin)


def read(path: str) -> bytes:
    """Return a patch as bytes; no more of it than one may have, and one byte."""
    from prolly.codec import patch

    size = patch.PATCH_BYTES_MAX + 1
    if path == "-":
        return sys.stdin.buffer.read(size)
    with Path(path).open("rb") as file:
        return file.read(size)
