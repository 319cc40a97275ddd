"""``prolly cherry-pick``: make the changes of other commits on this branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..replays import ending_options, run

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.repo import ReplayResult


@click.command("cherry-pick", cls=Verb)
@click.argument("revisions", nargs=-1, metavar="[REV...]")
@click.option(
    "-m",
    "--mainline",
    type=int,
    metavar="PARENT",
    help="Of a merge: what it changes against its parent of this number, from 1.",
)
@ending_options
@click.pass_obj
def command(invocation: Invocation, /, revisions: tuple[str, ...], **how: Any) -> int:
    """Make the changes of the commits REV on the current branch, in this order.

    Each becomes a commit with its author, time and message; one that changes nothing
    here is left out. Where one leaves conflicts it waits with those behind it:
    `prolly resolve`, then --continue. The branch moves when all are made.
    """
    if not revisions:
        return run(invocation, "cherry-pick", how, None)

    def begin(repository: Repository) -> ReplayResult:
        return repository.cherry_pick(
            revisions,
            mainline=how["mainline"],
            policy=how["policy"],
            before_moving=invocation.no_way_back,
        )

    return run(invocation, "cherry-pick", how, begin)
