"""``prolly status``: what is uncommitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..beside_remotes import replica_json, tell_replica
from ..command_group import Verb
from ..conflict_counts import told_conflicts
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import counts_json, counts_lines, short_id, uncommitted

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.codec import WorkingState


@click.command("status", cls=Verb)
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Show the current branch and what its working state changes."""
    repository = invocation.repository()
    output = invocation.output
    branch = repository.head
    head = repository.branches.require(branch)
    counts = uncommitted(repository)
    state = repository.working_area().state
    merging = state.is_merging
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
        if repository.is_bisecting:
            told["bisecting"] = True
        told |= replica_json(repository, branch)
        output.document({**told, **waiting_json(state)})
        return
    message = repository.commit_of(bytes(head)).message.partition("\n")[0]
    place = f"{output.style(branch, 'ref')} at {output.style(short_id(head), 'id')}"
    output.line(f"on branch {place}" + (f" ({visible(message)})" if message else ""))
    tell_replica(output, repository, branch)
    replay = state.replay
    if head != (state.base if replay is None else replay.began):
        output.line(
            "the branch has moved since; `prolly commit` carries the changes over"
        )
    if merging:
        _tell_merge(repository, output, state, open_counts)
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
    if repository.is_bisecting:
        output.line("a search is under way: prolly bisect")
    if local:
        output.line(f"local, in no commit: {', '.join(map(visible, local))}")


def waiting_json(state: WorkingState) -> dict[str, Any]:
    """Return what waits to be committed: the merge, or the step of a replay."""
    replay = state.replay
    if replay is None:
        return {"merging": state.merge_parents[0].hex()} if state.is_merging else {}
    told: dict[str, Any] = {"verb": replay.verb, "todo": len(replay.todo)}
    if replay.picked is not None:
        told["commit"] = replay.picked.hex()
    return {"replaying": told}


def _tell_merge(
    repository: Repository,
    output: Output,
    state: WorkingState,
    open_counts: dict[str, int],
) -> None:
    """Say which merge waits, or which step of what, and for what."""
    from ..commit_words import named
    from ..replays import waiting_lines

    if state.replay is None:
        lines = [f"merging {named(output, repository, state.merge_parents[0])}"]
    else:
        lines = waiting_lines(output, repository)
    verb = state.verb
    lines += told_conflicts(open_counts, verb=verb) or [
        f"no conflict is open; next: prolly {verb} --continue, or prolly {verb} --abort"
    ]
    for line in lines:
        output.line(line)


def _suggest(repository: Repository, output: Output) -> None:
    """Say how to begin while there is nothing."""
    if not repository.at_working().datasets:
        output.line("next: prolly import DATASET FILE --key COLUMN")
