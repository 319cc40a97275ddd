"""``prolly bisect``: find the commit that broke something."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import click

from ..command_group import VerbGroup
from ..commit_words import named
from ..invocation import Invocation
from ..output import Output, plural
from ..versions import counts_json, counts_lines

if TYPE_CHECKING:
    from prolly import Address, Repository
    from prolly.repo import BisectMark, BisectState

# What the command of `bisect run` finds the commit in that it is to test.
COMMIT_VARIABLE = "PROLLY_COMMIT"
# Exit codes of it, as git has them: up to here a commit is bad, and this one skips it.
# What comes behind stops the run: with 126 and 127 a shell says that it cannot run the
# command, which says nothing about any commit.
BAD_LAST = 124
SKIPS = 125


@click.group("bisect", cls=VerbGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> int:
    """Find the commit that broke something; alone: show how far it is.

    Mark a bad commit and a good one below it; then test the commit that is named, with
    `--at COMMIT`, and mark it, until the first bad one is found. No branch moves.
    """
    if context.invoked_subcommand is None:
        invocation = context.obj
        repository = invocation.repository()
        return tell(invocation.output, repository, repository.bisect.state)
    return 0


@command.command("start")
@click.argument("bad", required=False, metavar="[BAD")
@click.argument("good", nargs=-1, metavar="[GOOD...]]")
@click.pass_obj
def start(invocation: Invocation, bad: str | None, good: tuple[str, ...]) -> int:
    """Begin a search between BAD and the GOOD commits below it."""
    repository = invocation.repository(writable=True)
    return tell(invocation.output, repository, repository.bisect.start(bad, good))


@command.command("good")
@click.argument("revisions", nargs=-1, metavar="[REV...]")
@click.pass_obj
def good(invocation: Invocation, revisions: tuple[str, ...]) -> int:
    """Mark REV, by default the commit that is tested, as good."""
    return marked(invocation, "good", revisions)


@command.command("bad")
@click.argument("revision", required=False, metavar="[REV]")
@click.pass_obj
def bad(invocation: Invocation, revision: str | None) -> int:
    """Mark REV, by default the commit that is tested, as bad."""
    return marked(invocation, "bad", () if revision is None else (revision,))


@command.command("skip")
@click.argument("revisions", nargs=-1, metavar="[REV...]")
@click.pass_obj
def skip(invocation: Invocation, revisions: tuple[str, ...]) -> int:
    """Pass over REV, by default the commit that is tested: it cannot be tested."""
    return marked(invocation, "skip", revisions)


def marked(invocation: Invocation, mark: BisectMark, revisions: tuple[str, ...]) -> int:
    """Mark commits, and say how far the search is then."""
    repository = invocation.repository(writable=True)
    state = repository.bisect.mark(mark, *revisions)
    return tell(invocation.output, repository, state)


@command.command("reset")
@click.pass_obj
def reset(invocation: Invocation) -> None:
    """End the search, and forget its marks."""
    invocation.repository(writable=True).bisect.reset()
    if invocation.output.json:
        invocation.output.document({"status": "ended"})
    invocation.output.say("the search is over")


@command.command(
    "run", context_settings={"ignore_unknown_options": True, "help_option_names": []}
)
@click.argument("words", nargs=-1, required=True, metavar="COMMAND...")
@click.pass_obj
def run(invocation: Invocation, words: tuple[str, ...]) -> int:
    """Test commits with COMMAND until the first bad one is found.

    It finds the commit in the variable PROLLY_COMMIT and in place of a word {}. Exit 0
    says good, 1 to 124 bad, 125 that this one cannot be tested; any other ends the run.
    No shell reads COMMAND: for pipes and variables say sh -c '...'.
    """
    repository = invocation.repository(writable=True)
    output = invocation.output

    def test(commit_id: Address) -> bool | None:
        output.note(f"testing {commit_id}")
        return answer_of(words, str(commit_id))

    return tell(output, repository, repository.bisect.run(test))


def answer_of(words: tuple[str, ...], commit_id: str) -> bool | None:
    """Run a command on a commit: good, bad, or None for neither.

    Raises Invalid ``bisect-command`` where it cannot be run, or ends otherwise.
    """
    from prolly import Invalid

    given = [commit_id if word == "{}" else word for word in words]
    try:
        ended = subprocess.run(
            given, env={**os.environ, COMMIT_VARIABLE: commit_id}, check=False
        )
    except OSError as error:
        raise Invalid(
            f"{given[0]}: {error.strerror or error}",
            code="bisect-command",
            hint="Name a program, or `sh -c '...'`.",
        ) from error
    code = ended.returncode
    if code == SKIPS:
        return None
    if not 0 <= code <= BAD_LAST:
        raise Invalid(
            f"{given[0]} ended with {code}",
            code="bisect-command",
            hint="Exit 0 says good, 1 to 124 bad, 125 neither; 126 and 127 are of a "
            "shell that cannot run it. The marks made so far stay: `prolly bisect run` "
            "goes on.",
        )
    return code == 0


def tell(output: Output, repository: Repository, state: BisectState) -> int:
    """Say how far the search is; return the exit code."""
    if output.json:
        output.document(state_json(repository, state))
        return 1 if state.status == "undecided" else 0
    if state.status == "waiting":
        lacks = "good" if state.bad is not None else "bad"
        output.line(f"next: prolly bisect {lacks} REV")
    elif state.status == "testing":
        assert state.candidate is not None
        output.line(f"test {named(output, repository, state.candidate)}")
        output.line(
            f"{plural(len(state.left), 'commit')} left, about "
            f"{plural(state.steps, 'step')}; next: prolly bisect good|bad|skip"
        )
    elif state.status == "found":
        assert state.candidate is not None
        output.line(
            f"{named(output, repository, state.candidate)} is the first bad commit"
        )
        counts = repository.diff_counts(f"{state.candidate}~1", state.candidate)
        for line in counts_lines(counts, output):
            output.line(f"  {line}")
        output.line("next: prolly show, prolly bisect reset")
    else:
        output.line("only commits that were skipped are left; the first bad one is of")
        for one in state.left:
            output.line(f"  {named(output, repository, one)}")
    return 1 if state.status == "undecided" else 0


def state_json(repository: Repository, state: BisectState) -> dict[str, Any]:
    """Return how far the search is, as JSON."""
    told: dict[str, Any] = {"status": state.status}
    if state.candidate is not None:
        told["commit"] = str(state.candidate)
    if state.bad is not None:
        told["bad"] = str(state.bad)
    told["good"] = [str(one) for one in state.good]
    told["skipped"] = [str(one) for one in state.skipped]
    told["left"] = len(state.left)
    if state.status == "undecided":
        told["among"] = [str(one) for one in state.left]
    if state.status == "found":
        counts = repository.diff_counts(f"{state.candidate}~1", str(state.candidate))
        told["datasets"] = counts_json(counts)
    return told
