"""What `revert`, `cherry-pick`, `rebase` and `apply` have in common as commands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from .commit_words import made_line, named
from .conflict_counts import told_conflicts
from .output import Output, plural, visible
from .versions import counts_json, counts_lines
from .waiting_merges import require_waiting

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.repo import ReplayResult

    from .invocation import Invocation

Begin = Callable[["Repository"], "ReplayResult"]

# What each verb is doing while it waits.
DOING = {
    "revert": "reverting",
    "cherry-pick": "picking",
    "rebase": "rebasing",
    "apply": "applying a patch",
}
# What of a verb's options goes with each way to end what waits, by its parameter: all
# else was said when it was begun.
TAKEN = {"finish": ("message", "policy"), "skip": ("policy",), "abort": ()}


def ending_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--policy``, ``--continue``, ``--skip`` and ``--abort``."""
    for names, text in (
        (["--abort"], "Give all of it up; the branch is as it was."),
        (["--skip"], "Leave out the step that waits, and go on."),
        (["--continue", "finish"], "Commit the step that waits, and go on."),
    ):
        function = click.option(*names, is_flag=True, help=text)(function)
    text = "Settle so what no policy of its dataset settles: ours, theirs, ..."
    return click.option("--policy", metavar="NAME", help=text)(function)


def run(
    invocation: Invocation, verb: str, how: dict[str, Any], begin: Begin | None
) -> int:
    """Begin, or end what waits, as the options say; return the exit code.

    ``begin`` is None where nothing to begin with was named.
    """
    given = [word for word in TAKEN if how[word]]
    if len(given) + (begin is not None) > 1:
        raise click.UsageError("--continue, --skip and --abort stand alone")
    if not given and begin is None:
        raise click.UsageError("say what, or one of --continue, --skip and --abort")
    for word in given:
        _refuse_others(word, how)
    repository = invocation.repository(writable=True)
    if not given:
        assert begin is not None
        # What a resolver prints is no answer of the command.
        with redirect_stdout(sys.stderr):
            result = begin(repository)
        return report(invocation.output, repository, result)
    require_waiting(repository, verb)
    if how["abort"]:
        abort(invocation, repository)
        return 0
    return go_on(invocation, repository, how)


def _refuse_others(ending: str, how: dict[str, Any]) -> None:
    """Refuse options that have no meaning beside one that ends what waits."""
    parameters = click.get_current_context().command.params
    spelt = {one.name: max(one.opts, key=len) for one in parameters}
    for name, value in how.items():
        is_given = value is not None and value is not False
        if is_given and name != ending and name not in TAKEN[ending]:
            raise click.UsageError(
                f"{spelt[name]} does not go with {spelt[ending]}: it is for beginning"
            )


def go_on(invocation: Invocation, repository: Repository, how: dict[str, Any]) -> int:
    """Commit or leave out the step that waits; return the exit code."""
    ready, policy = invocation.no_way_back, how.get("policy")
    skips = bool(how.get("skip"))
    with redirect_stdout(sys.stderr):
        if skips:
            result = repository.skip(policy=policy, before_moving=ready)
        else:
            result = repository.resume(
                message=how.get("message"), policy=policy, before_moving=ready
            )
    return report(invocation.output, repository, result, skips=skips)


def abort(invocation: Invocation, repository: Repository) -> None:
    """Give up what waits, a merge or another."""
    verb = repository.working_area().state.verb
    invocation.no_way_back()
    repository.conflicts().abort()
    output, branch = invocation.output, repository.head
    if output.json:
        head = str(repository.branches.require(branch))
        output.document({"status": "aborted", "commit": head, "conflicts": 0})
    what = "patch" if verb == "apply" else verb
    output.say(f"gave the {what} up; {visible(branch)} is as it was before")


def report(
    output: Output,
    repository: Repository,
    result: ReplayResult,
    *,
    skips: bool = False,
) -> int:
    """Say how it ended, or where it waits; return the exit code."""
    open_counts = result.conflicts.counts()
    number = sum(open_counts.values())
    if output.json:
        told: dict[str, Any] = {"status": result.status}
        if result.commit_id is not None:
            told["commit"] = str(result.commit_id)
        told["conflicts"] = number
        told["made"] = [str(one) for one in result.made]
        told["dropped"] = [str(one) for one in result.dropped]
        told["skipped"] = [str(one) for one in result.skipped]
        told["todo"] = result.todo
        told["datasets"] = counts_json(result.datasets)
        if open_counts:
            told["conflicts_by_dataset"] = open_counts
        output.document(told)
        return 1 if number else 0
    for one in result.skipped:
        output.say(f"skipped {named(output, repository, one)}")
    for one in result.dropped:
        output.say(f"left out {named(output, repository, one)}: nothing of it is new")
    for line in summary(output, repository, result, skips=skips):
        output.say(line)
    for line in counts_lines(result.datasets, output):
        output.say(f"  {line}")
    verb = repository.working_area().state.verb
    for line in told_conflicts(open_counts, verb=verb):
        output.say(line)
    return 1 if number else 0


def summary(
    output: Output, repository: Repository, result: ReplayResult, *, skips: bool
) -> list[str]:
    """Return the lines that say how it ended, or where it waits."""
    branch = visible(repository.head)
    if result.commit_id is None:
        lines = waiting_lines(output, repository)
        if result.status == "prepared":
            verb = repository.working_area().state.verb
            lines.append(f"not committed: `prolly {verb} --continue` commits it")
        return lines
    if result.status == "up-to-date" and not skips:
        return [f"{branch} has all of it already"]
    shown = named(output, repository, result.commit_id)
    if result.status == "fast-forward":
        return [f"{branch} moves on to {shown}"]
    if len(result.made) > 1:
        return [f"{plural(len(result.made), 'commit')}; {branch} is at {shown}"]
    if not result.made:
        return [f"{branch} is at {shown}"]
    return [made_line(output, repository, result.commit_id)]


def waiting_lines(output: Output, repository: Repository) -> list[str]:
    """Say which step of what waits; for a working state with a replay."""
    replay = repository.working_area().state.replay
    assert replay is not None
    words = DOING[replay.verb]
    if replay.picked is not None:
        words += f" {named(output, repository, replay.picked)}"
    lines = [words]
    if replay.todo:
        lines.append(f"{plural(len(replay.todo), 'commit')} still to come")
    return lines
