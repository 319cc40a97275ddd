"""``prolly merge``: another version's changes into the current branch."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..commit_words import made_line, named
from ..conflict_counts import conflict_name_line, conflict_names, told_conflicts
from ..invocation import Invocation
from ..output import Output, plural, visible
from ..replays import abort
from ..versions import counts_json, counts_lines, short_id
from ..waiting_merges import require_waiting

if TYPE_CHECKING:
    from prolly import MergeResult, Repository
    from prolly.merge import DatasetReport

# How a merge of histories may end that share nothing.
UNRELATED_STATUSES = ("merged", "prepared", "conflicts")


@click.command("merge", cls=Verb)
@click.argument("revision", required=False, metavar="[REV]")
@click.option("-m", "--message", metavar="MSG", help="What the merge commit says.")
@click.option(
    "--policy",
    metavar="NAME",
    help="Settle so what no policy of its dataset settles: ours, theirs, ...",
)
@click.option("--no-commit", is_flag=True, help="Leave it to be committed.")
@click.option("--dry-run", is_flag=True, help="Say how it would end; change nothing.")
@click.option("--abort", is_flag=True, help="Give the merge up that waits.")
@click.option("--continue", "finish", is_flag=True, help="Commit the merge that waits.")
@click.option(
    "--allow-unrelated",
    is_flag=True,
    help="Merge also what shares nothing but the empty first commit.",
)
@click.option("--no-ff", is_flag=True, help="Commit a merge even where none is needed.")
@click.option("--explain", is_flag=True, help="Say what was merged over, and how.")
@click.pass_obj
def command(invocation: Invocation, /, revision: str | None, **how: Any) -> int:
    """Merge REV into the current branch, and commit it.

    Where both sides changed one thing and no policy settles it, it is in conflict: the
    command exits with 1, the branch stays, and the merge waits in the working state
    until `prolly resolve` has settled all and --continue commits it.
    """
    repository = invocation.repository(writable=True)
    if how["abort"] or how["finish"]:
        return end_merge(invocation, repository, revision, how)
    if revision is None:
        raise click.UsageError("missing argument 'REV'")
    if how["dry_run"] and how["no_commit"]:
        raise click.UsageError("--dry-run commits nothing: leave --no-commit out")
    # What a resolver prints is no answer of the command.
    with redirect_stdout(sys.stderr):
        merged = repository.merge(
            revision,
            message=how["message"],
            policy=how["policy"],
            commit=not how["no_commit"],
            dry_run=how["dry_run"],
            allow_unrelated=how["allow_unrelated"],
            fast_forward=not how["no_ff"],
            before_moving=invocation.no_way_back,
        )
    with merged as result:
        tell_notes(invocation.output, result, how)
        tell_doubled(invocation.output, repository, result, (revision, how))
        return report(invocation.output, repository, result, how)


def tell_notes(output: Output, result: MergeResult, how: dict[str, Any]) -> None:
    """Say what somebody may have meant otherwise."""
    if result.missing_resolvers:
        names = ", ".join(map(visible, result.missing_resolvers))
        output.note(
            f"no resolver is called {names}: what a policy leaves to it is in "
            "conflict; --app MODULE:NAME brings resolvers"
        )
    if how["policy"] == "last-writer-wins" and result.base:
        output.note(
            "a policy of one merge finds no stamps: the greater value stands, and what "
            "loses is not kept; `prolly policy` sets it in a dataset"
        )
    if result.status == "fast-forward" and not how["dry_run"]:
        if how["message"] is not None:
            output.note("the branch just moved on, and no commit has the message")
        if how["no_commit"]:
            output.note("the branch just moved on; --no-ff with --no-commit waits")


def tell_doubled(
    output: Output,
    repository: Repository,
    result: MergeResult,
    asked: tuple[str, dict[str, Any]],
) -> None:
    """Name datasets whose counters were added up without a base to count from.

    What is equal on both sides comes out doubled there.
    """
    revision, how = asked
    if not how["allow_unrelated"] or result.status not in UNRELATED_STATUSES:
        return
    base = None if not result.base else repository.at(str(result.base[0]))
    if base is not None and base.datasets:
        return
    sides = [repository.at(one, local=False) for one in ("HEAD", revision)]
    names = []
    for name, one in result.report.items():
        counts = how["policy"] == "counter" or any(
            rule.policy == "counter"
            for side in sides
            if name in side.datasets
            for rule in side.policies(name)
        )
        if one.event == "merged" and counts:
            names.append(visible(name))
    if names:
        output.note(
            f"counters of {', '.join(names)} were added up without a base: what both "
            "sides have alike is doubled"
        )


def end_merge(
    invocation: Invocation,
    repository: Repository,
    revision: str | None,
    how: dict[str, Any],
) -> int:
    """Give up or commit the merge that waits; return the exit code."""
    given = {name for name, value in how.items() if value} - {"message"}
    if revision is not None or len(given) > 1 or (how["abort"] and how["message"]):
        word = "--abort" if how["abort"] else "--continue"
        raise click.UsageError(f"{word} stands alone: no REV, and no other option")
    require_waiting(repository, "merge")
    if how["abort"]:
        abort(invocation, repository)
        return 0
    invocation.no_way_back()
    output = invocation.output
    conflicts = repository.conflicts()
    commit_id = conflicts.commit(how["message"])
    commit = repository.commit_of(commit_id)
    counts = repository.diff_counts(commit.parents[0], commit_id)
    if output.json:
        told = {"status": "merged", "commit": str(commit_id), "conflicts": 0}
        output.document({**told, "datasets": counts_json(counts)})
        return 0
    output.say(made_line(output, repository, commit_id))
    for line in counts_lines(counts, output):
        output.say(f"  {line}")
    return 0


def report(
    output: Output, repository: Repository, result: MergeResult, how: dict[str, Any]
) -> int:
    """Say how a merge ended; return the exit code."""
    open_counts = result.conflicts.counts()
    number = sum(open_counts.values())
    if output.json:
        told: dict[str, Any] = {"status": result.status}
        if result.commit_id is not None:
            told["commit"] = str(result.commit_id)
        told["conflicts"] = number
        told["datasets"] = counts_json(result.datasets)
        if open_counts:
            told["conflicts_by_dataset"] = open_counts
        if how["dry_run"]:
            told["dry_run"] = True
            if number:
                told["conflict_keys"] = list(conflict_names(repository, result))
        if how["explain"]:
            told["explain"] = explained(result)
        output.document(told)
        return 1 if number else 0
    output.say(summary(output, repository, result, dry_run=how["dry_run"]))
    for line in counts_lines(result.datasets, output):
        output.say(f"  {line}")
    for line in told_conflicts(open_counts, tried=how["dry_run"]):
        output.say(line)
    if how["dry_run"] and number:
        for told in conflict_names(repository, result):
            output.line(conflict_name_line(told))
    if how["explain"]:
        for line in explained_lines(result):
            output.line(line)
    elif how["dry_run"]:
        for name, one in result.report.items():
            if one.settled:
                output.line(f"{visible(name)}: {settled_words(one)}")
    return 1 if number else 0


def summary(
    output: Output, repository: Repository, result: MergeResult, *, dry_run: bool
) -> str:
    """Return one line on how it ended."""
    branch = repository.head
    if result.status == "up-to-date":
        return f"{visible(branch)} has all of it already"
    if result.status == "conflicts":
        verb = "would wait" if dry_run else "waits"
        return f"the merge {verb}: not everything settles by itself"
    if result.status == "prepared":
        return "merged and not committed: `prolly merge --continue` commits it"
    if dry_run:
        how = "move on to it" if result.status == "fast-forward" else "take it cleanly"
        return f"{visible(branch)} would {how}; nothing was changed"
    assert result.commit_id is not None
    if result.status == "fast-forward":
        shown = named(output, repository, result.commit_id)
        return f"{visible(branch)} moves on to {shown}"
    return made_line(output, repository, result.commit_id)


def explained(result: MergeResult) -> dict[str, Any]:
    """Return over which commits it was merged, and how, as JSON."""
    datasets = {name: walked(one) for name, one in result.report.items()}
    return {"bases": [str(one) for one in result.base], "datasets": datasets}


def walked(report: DatasetReport) -> dict[str, Any]:
    """Return how one dataset was merged, as JSON."""
    told: dict[str, Any] = {"event": report.event}
    if report.walk is not None:
        walk = report.walk
        told["leaves_from_ours"] = walk.from_ours
        told["leaves_from_theirs"] = walk.from_theirs
        told["leaves_written"] = walk.leaves_cut
        told["stretches_compared"] = walk.patches_merged
        told["records_of_both"] = walk.both
    if report.rewritten:
        told["rewritten"] = list(report.rewritten)
    if report.withheld:
        told["withheld"] = report.withheld
    if report.settled:
        told["settled"] = dict(report.settled)
    return told


def settled_words(report: DatasetReport) -> str:
    """Return how many records, in tables cells, each policy settled."""
    told = [f"{visible(name)} {count:,}" for name, count in report.settled.items()]
    return f"settled by policy: {', '.join(told)}"


def explained_lines(result: MergeResult) -> list[str]:
    """Return the same for people."""
    if not result.base:
        return ["nothing was merged: one side is part of the other, or shares nothing"]
    names = ", ".join(map(short_id, result.base))
    virtual = ", merged with each other" if len(result.base) > 1 else ""
    lines = [f"merged over {names}{virtual}"]
    for name, one in result.report.items():
        lines.append(f"{visible(name)}: {one.event}")
        if one.walk is not None:
            walk = one.walk
            lines.append(
                f"  {plural(walk.from_ours, 'leaf', 'leaves')} of ours alone and "
                f"{walk.from_theirs:,} of theirs used as they are, "
                f"{walk.leaves_cut:,} written"
            )
            lines.append(
                f"  {plural(walk.both, 'record')} changed on both sides, in "
                f"{plural(walk.patches_merged, 'stretch', 'stretches')} compared"
            )
        if one.rewritten:
            lines.append(f"  rows rewritten of {', '.join(one.rewritten)}")
        if one.withheld:
            lines.append(f"  {plural(one.withheld, 'record')} of theirs withheld")
        if one.settled:
            lines.append(f"  {settled_words(one)}")
    return lines
