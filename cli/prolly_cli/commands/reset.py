"""``prolly reset``: move the branch to another commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import counts_json, counts_lines, short_id, uncommitted

if TYPE_CHECKING:
    from prolly import Repository


@click.command("reset", cls=Verb)
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--hard", is_flag=True, help="Drop what is uncommitted, and the data.")
@click.option(
    "--dataset",
    "datasets",
    metavar="D",
    multiple=True,
    help="Drop only what is uncommitted in D; the branch stays. Repeatable.",
)
@click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="Only of the record under KEY of the one --dataset. Repeatable.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    revision: str,
    hard: bool,
    datasets: tuple[str, ...],
    keys: tuple[str, ...],
) -> None:
    """Move the current branch to REV, by default HEAD.

    The data stays as it is, so what differs from REV becomes uncommitted; with --hard
    the data becomes that of REV. `prolly log BRANCH@{1}` still shows the old commit.

    With --dataset the branch stays, and D, or one record of it, becomes what the commit
    has.
    """
    repository = invocation.repository(writable=True)
    if datasets or keys:
        if revision != "HEAD" or hard:
            raise click.UsageError("--dataset and --key stand without REV and --hard")
        restore_part(invocation, repository, datasets, keys)
        return
    target = repository.resolve(revision)
    why = f"reset{' --hard' if hard else ''}: {revision}"
    repository.working_area().move_head(target, keep=not hard, why=why)
    tell(invocation.output, repository, target)


def restore_part(
    invocation: Invocation,
    repository: Repository,
    datasets: tuple[str, ...],
    keys: tuple[str, ...],
) -> None:
    """Drop what is uncommitted in some datasets, or in some records of one."""
    from prolly.repo import restore

    from .commit import selection

    if keys and len(datasets) != 1:
        raise click.UsageError("--key wants exactly one --dataset")
    area = repository.working_area()
    wanted = selection(repository, datasets, keys)
    assert wanted is not None
    restore(area, wanted, f"reset: {', '.join(datasets)}")
    tell(invocation.output, repository, area.state.base)


def tell(output: Output, repository: Repository, target: bytes) -> None:
    """Print where the branch is, and what is uncommitted now."""
    branch = repository.head
    counts = uncommitted(repository)
    if output.json:
        what = {"branch": branch, "commit": target.hex()}
        output.document({**what, "datasets": counts_json(counts, events=True)})
    message = repository.commit_of(target).message.partition("\n")[0]
    output.say(f"{branch} is at {short_id(target)} {visible(message)}".rstrip())
    if counts:
        output.say("uncommitted:")
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
