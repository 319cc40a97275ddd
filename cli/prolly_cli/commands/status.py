"""``prolly status``: what is uncommitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..conflict_counts import told_conflicts
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import counts_json, counts_lines, short_id, uncommitted

if TYPE_CHECKING:
    from prolly import Repository


@click.command("status", cls=Verb)
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Show the current branch and what its working state changes."""
    repository = invocation.repository()
    output = invocation.output
    branch = repository.head
    head = repository.branches.require(branch)
    counts = uncommitted(repository)
    merging = repository.working_area().state.merge_parents
    open_counts = repository.conflicts().counts() if merging else {}
    local = repository.at_working().local_names
    if output.json:
        told: dict[str, Any] = {
            "branch": branch,
            "commit": str(head),
            "datasets": counts_json(counts, events=True),
            "conflicts": sum(open_counts.values()),
        }
        if local:
            told["local"] = local
        output.document({**told, "merging": merging[0].hex()} if merging else told)
        return
    message = repository.commit_of(bytes(head)).message.partition("\n")[0]
    place = f"{output.style(branch, 'ref')} at {output.style(short_id(head), 'id')}"
    output.line(f"on branch {place}" + (f" ({visible(message)})" if message else ""))
    if repository.working_area().state.base != head:
        output.line(
            "the branch has moved since; `prolly commit` carries the changes over"
        )
    if merging:
        _tell_merge(repository, output, merging[0], open_counts)
    if counts:
        output.line("uncommitted:")
        for line in counts_lines(counts, output):
            output.line(f"  {line}")
        if not merging:
            output.line(
                "next: prolly diff, prolly commit -m MESSAGE, prolly reset --hard"
            )
    elif not merging:
        output.line("nothing uncommitted")
        _suggest(repository, output)
    if local:
        output.line(f"local, in no commit: {', '.join(map(visible, local))}")


def _tell_merge(
    repository: Repository, output: Output, theirs: bytes, open_counts: dict[str, int]
) -> None:
    """Say which merge waits, and for what."""
    message = repository.commit_of(theirs).message.partition("\n")[0]
    shown = output.style(short_id(theirs), "id")
    output.line(f"merging {shown} {visible(message)}".rstrip())
    for line in told_conflicts(open_counts) or [
        "no conflict is open; next: prolly merge --continue, or prolly merge --abort"
    ]:
        output.line(line)


def _suggest(repository: Repository, output: Output) -> None:
    """Say how to begin while there is nothing."""
    if not repository.at_working().datasets:
        output.line("next: prolly import DATASET FILE --key COLUMN")
