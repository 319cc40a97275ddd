"""``prolly revert``: take back what a commit changed, in a new commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..replays import ending_options, run

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.repo import ReplayResult


@click.command("revert", cls=Verb)
@click.argument("revision", required=False, metavar="[REV]")
@click.option(
    "-m",
    "--mainline",
    type=int,
    metavar="PARENT",
    help="Of a merge: go back to its parent of this number, from 1.",
)
@click.option("--message", metavar="MSG", help="What the commit says.")
@click.option("--no-commit", is_flag=True, help="Leave it to be committed.")
@ending_options
@click.pass_obj
def command(invocation: Invocation, /, revision: str | None, **how: Any) -> int:
    """Take back what the commit REV of the branch changed, in a new commit.

    What was changed since stays; where that is the same field, it is in conflict, and
    the revert waits as a merge does: `prolly resolve`, then --continue.
    """
    if revision is None:
        return run(invocation, "revert", how, None)

    def begin(repository: Repository) -> ReplayResult:
        return repository.revert(
            revision,
            mainline=how["mainline"],
            message=how["message"],
            policy=how["policy"],
            commit=not how["no_commit"],
            before_moving=invocation.no_way_back,
        )

    return run(invocation, "revert", how, begin)
