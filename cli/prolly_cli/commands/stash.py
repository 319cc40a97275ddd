"""``prolly stash``: put uncommitted changes aside, and take them up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import visible
from ..versions import counts_json, counts_lines, moment, moment_json, short_id

if TYPE_CHECKING:
    from prolly.repo import StashEntry


@click.group("stash", cls=VerbGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Put what is uncommitted aside, and take it up again; alone: push.

    The changes stay in the repository until they are dropped or popped, on this or
    another branch. The newest has the number 0.
    """
    if context.invoked_subcommand is None:
        context.invoke(push, message="")


@command.command("push")
@click.option("-m", "--message", metavar="MSG", default="", help="What it is.")
@click.pass_obj
def push(invocation: Invocation, message: str) -> None:
    """Put what is uncommitted aside: the working state is as its commit then."""
    repository = invocation.repository(writable=True)
    entry = repository.stash.push(message)
    output = invocation.output
    counts = repository.diff_counts(entry.commit.parents[0], bytes(entry.id))
    if output.json:
        output.document({**entry_json(entry), "datasets": counts_json(counts)})
    output.say(f"stashed {short_id(entry.id)} {visible(first_line(entry))}".rstrip())
    for line in counts_lines(counts, output):
        output.say(f"  {line}")


@command.command("list")
@click.pass_obj
def list_entries(invocation: Invocation) -> None:
    """List what was put aside, the newest first."""
    repository = invocation.repository()
    output = invocation.output
    empty = True
    for entry in repository.stash:
        empty = False
        if output.json:
            output.document(entry_json(entry))
            continue
        where = f"on {visible(entry.branch)}"
        date = f"{moment(entry.commit.time_us):%Y-%m-%d}"
        words = [output.style(short_id(entry.id), "id"), date, where]
        output.line("  ".join([str(entry.index), *words, visible(first_line(entry))]))
    if empty:
        output.note("the stash is empty")


def _index_argument(function: Any) -> Any:
    return click.argument(
        "index", type=click.IntRange(min=0), default=0, metavar="[N]"
    )(function)


@command.command("pop")
@_index_argument
@click.pass_obj
def pop(invocation: Invocation, index: int) -> None:
    """Bring change N (by default 0) back into the working state, and drop it."""
    repository = invocation.repository(writable=True)
    told(invocation, repository.stash.pop(index), "popped")


@command.command("apply")
@_index_argument
@click.pass_obj
def apply(invocation: Invocation, index: int) -> None:
    """Bring change N (by default 0) into the working state; it stays stashed."""
    repository = invocation.repository(writable=True)
    told(invocation, repository.stash.apply(index), "applied")


@command.command("drop")
@_index_argument
@click.pass_obj
def drop(invocation: Invocation, index: int) -> None:
    """Forget change N (by default 0)."""
    repository = invocation.repository(writable=True)
    told(invocation, repository.stash.drop(index), "dropped")


def told(invocation: Invocation, entry: StashEntry, done: str) -> None:
    """Print what was done with a change."""
    output = invocation.output
    if output.json:
        output.document({**entry_json(entry), "done": done})
    output.say(f"{done} {short_id(entry.id)} {visible(first_line(entry))}".rstrip())
    if done != "dropped":
        output.say("next: prolly status, prolly commit -m MESSAGE")


def first_line(entry: StashEntry) -> str:
    """Return the first line of what a change was said to be."""
    return entry.commit.message.partition("\n")[0]


def entry_json(entry: StashEntry) -> dict[str, Any]:
    """Return a change as JSON shows it."""
    return {
        "index": entry.index,
        "commit": str(entry.id),
        "branch": entry.branch,
        "author": entry.commit.author,
        "time": moment_json(entry.commit.time_us),
        "message": entry.commit.message,
    }
