"""``prolly pull``: fetch, and bring the current branch up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..addresses import remote_name
from ..command_group import Verb
from ..commit_words import named
from ..conflict_counts import told_conflicts
from ..invocation import Invocation
from ..output import Output, visible
from ..transfer_text import TransferProgress, report_json, tell_report
from ..versions import counts_json, counts_lines

if TYPE_CHECKING:
    from prolly import MergeResult, Repository


@click.command("pull", cls=Verb)
@click.argument("remote", default="origin", metavar="[REMOTE]")
@click.argument("branch", required=False, metavar="[BRANCH]")
@click.option(
    "--allow-unrelated",
    is_flag=True,
    help="Merge also what shares nothing but the empty first commit.",
)
@click.pass_obj
def command(
    invocation: Invocation, remote: str, branch: str | None, allow_unrelated: bool
) -> int:
    """Fetch from REMOTE (origin), and merge its BRANCH into ours.

    BRANCH is by default the current one. Where ours has nothing of its own it just
    moves on. Conflicts wait as those of `prolly merge` do, and exit with 1.
    """
    repository = invocation.repository(writable=True)
    output = invocation.output
    name = remote_name(invocation, repository, remote)
    with TransferProgress("receiving", quiet=output.quiet) as progress:
        report = repository.pull(
            name,
            branch,
            progress=progress,
            before_moving=invocation.no_way_back,
            allow_unrelated=allow_unrelated,
        )
    merge = report.merge
    conflicts = 0 if merge is None else sum(merge.conflicts.counts().values())
    if output.json:
        told = report_json(report)
        if merge is not None:
            told["merge"] = merge_json(merge, conflicts)
        output.document(told)
        return 1 if conflicts else 0
    tell_report(output, report)
    if merge is not None:
        tell_merge(output, repository, merge, branch or repository.head)
    elif not report.updated:
        output.say(f"nothing new from {visible(remote)}")
    return 1 if conflicts else 0


def merge_json(merge: MergeResult, conflicts: int) -> dict[str, object]:
    """Return how the merge of a pull ended, as `prolly merge` does."""
    told: dict[str, object] = {"status": merge.status}
    if merge.commit_id is not None:
        told["commit"] = str(merge.commit_id)
    return {**told, "conflicts": conflicts, "datasets": counts_json(merge.datasets)}


def tell_merge(
    output: Output, repository: Repository, merge: MergeResult, branch: str
) -> None:
    """Say how the merge of a pull ended."""
    if merge.status == "up-to-date":
        output.say(f"{visible(branch)} has all of it already")
    elif merge.commit_id is not None:
        output.say(named(output, repository, merge.commit_id))
    for line in counts_lines(merge.datasets, output):
        output.say(f"  {line}")
    for line in told_conflicts(merge.conflicts.counts(), tried=False):
        output.say(line)
