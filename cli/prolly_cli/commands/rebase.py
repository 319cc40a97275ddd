"""``prolly rebase``: make the commits of this branch again on another version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..replays import ending_options, run

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.repo import ReplayResult


@click.command("rebase", cls=Verb)
@click.argument("revision", required=False, metavar="[REV]")
@ending_options
@click.pass_obj
def command(invocation: Invocation, /, revision: str | None, **how: Any) -> int:
    """Make the commits that the branch has beyond REV again, on top of REV.

    In conflicts ours is what stands there already, theirs the commit that is made
    again. The branch moves when all are made; BRANCH@{1} is its old tip then.
    """
    if revision is None:
        return run(invocation, "rebase", how, None)

    def begin(repository: Repository) -> ReplayResult:
        return repository.rebase(
            revision, policy=how["policy"], before_moving=invocation.no_way_back
        )

    return run(invocation, "rebase", how, begin)
