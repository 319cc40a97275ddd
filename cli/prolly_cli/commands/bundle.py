"""``prolly bundle``: commits as one file, made, looked into and taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import Output, plural, visible
from ..sizes import size_text
from ..transfer_text import TransferProgress, report_json, tell_report
from ..versions import short_id

if TYPE_CHECKING:
    from prolly import Address


@click.group("bundle", cls=VerbGroup)
def command() -> None:
    """Carry commits as one file, where no line goes."""


@command.command("create")
@click.argument("file")
@click.argument("revisions", nargs=-1, metavar="[REV|A..B]...")
@click.option("--all", "everything", is_flag=True, help="Every branch and every tag.")
@click.pass_obj
def create(
    invocation: Invocation, file: str, revisions: Sequence[str], everything: bool
) -> None:
    """Write FILE with branches and tags, and all that they hold.

    REV names a branch or a tag; by default it is the current branch. A..B is what B has
    and A has not: a small file, for whoever has A.
    """
    from prolly.ops import create_bundle

    repository = invocation.repository()
    path = invocation.path(file)
    made = create_bundle(repository, path, revisions, everything=everything)
    output = invocation.output
    if output.json:
        output.document(
            {
                "path": path,
                "refs": {name: str(one) for name, one in made.refs.items()},
                "prerequisites": [str(one) for one in made.prerequisites],
                "commits": made.commits,
                "objects": made.objects,
                "bytes": made.bytes,
            }
        )
        return
    tell_content(output, made.refs, made.prerequisites)
    commits, size = plural(made.commits, "commit"), size_text(made.bytes)
    output.say(f"wrote {visible(path)}: {commits}, {size}")


@command.command("verify")
@click.argument("file")
@click.pass_obj
def verify(invocation: Invocation, file: str) -> int:
    """Check every byte of FILE, and say what it holds and what it builds upon.

    Exits with 1 where it builds upon commits that this repository has not, and with 5
    where it is damaged. A whole bundle is checked without a repository, too.
    """
    from prolly import NotFound
    from prolly.ops import verify_bundle

    try:
        store = invocation.repository().store
    except NotFound as error:
        if error.code != "no-repository":
            raise
        store = None
    found = verify_bundle(invocation.path(file), store)
    output = invocation.output
    if output.json:
        output.document(
            {
                "refs": {name: str(one) for name, one in found.refs.items()},
                "prerequisites": [str(one) for one in found.prerequisites],
                "missing": [str(one) for one in found.missing],
                "objects": found.objects,
                "bytes": found.bytes,
            }
        )
    else:
        tell_content(output, found.refs, found.prerequisites)
        chunks = plural(found.objects, "chunk")
        output.say(f"looked at {chunks} ({size_text(found.bytes)}), all in order")
        for one in found.missing:
            output.line(f"missing: {short_id(one)}")
    return 1 if found.missing else 0


@command.command("apply")
@click.argument("file")
@click.pass_obj
def apply(invocation: Invocation, file: str) -> None:
    """Take what FILE holds: its branches move on to where they stand there.

    A branch that is not here is made. Where one would lose commits of ours nothing
    moves, and it exits with 4: `prolly pull bundle:FILE` merges.
    """
    from prolly.ops import apply_bundle

    repository = invocation.repository(writable=True)
    output = invocation.output
    with TransferProgress("reading", quiet=output.quiet) as progress:
        report = apply_bundle(repository, invocation.path(file), progress=progress)
    if output.json:
        output.document(report_json(report))
        return
    tell_report(output, report)
    if not report.updated:
        output.say("nothing new in it")


def tell_content(
    output: Output, refs: Mapping[str, Address], prerequisites: Sequence[Address]
) -> None:
    """Say which refs a bundle has, and which commits it wants."""
    width = max(map(len, map(visible, refs)), default=0)
    for name, commit_id in refs.items():
        output.say(f"{visible(name):{width}}  {short_id(commit_id)}")
    for one in prerequisites:
        output.say(f"for who has {short_id(one)}")
