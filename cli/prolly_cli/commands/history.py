"""``prolly history``: one record through the commits."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output, json_text, visible
from ..versions import (
    at_commit_option,
    commit_json,
    committed_records,
    moment,
    short_id,
)

if TYPE_CHECKING:
    from prolly import Change, Comparison, RecordVersion, Repository

    from ..record_text import ChangeText


@click.command("history", cls=Verb)
@click.argument("dataset")
@click.argument("key")
@at_commit_option
@click.option("-n", "count", type=click.IntRange(min=0), metavar="N", help="At most N.")
@click.pass_obj
def command(
    invocation: Invocation, dataset: str, key: str, at: str | None, count: int | None
) -> None:
    """Show what the record under KEY was, newest first, and who made it so.

    A record that was deleted has a history too. What is uncommitted does not count;
    without --at it begins at the newest commit of the branch.
    """
    from ..record_text import ChangeText
    from ..typed_words import parse_key

    repository = invocation.repository()
    output = invocation.output
    revision = at or "HEAD"
    parsed = parse_key(key, committed_records(repository, revision, dataset))
    found = islice(repository.history(dataset, parsed, revision), count)
    empty = True
    with output.paged():
        for entry in found:
            empty = False
            text = ChangeText(_against_parent(repository, entry))
            if output.json:
                head = commit_json(entry.id, entry.commit)
                told = {name: head[name] for name in ("commit", "author", "time")}
                told["message"] = entry.commit.message
                change = text.json(entry.change, only_fields=False)
                output.line(f"{json_text(told)[:-1]}, {change[1:]}")
                continue
            for line in lines_of(output, entry, text):
                output.line(line)
    if empty and count != 0:
        output.note(f"no commit before {revision} has such a record")


def _against_parent(repository: Repository, entry: RecordVersion) -> Comparison:
    """Return what tells the columns on both sides of a commit."""
    parents = entry.commit.parents or (entry.id,)
    return repository.compare(parents[0], entry.id)


def lines_of(output: Output, entry: RecordVersion, text: ChangeText) -> list[str]:
    """Return the lines on one state: its commit, then what it changed."""
    from ..diff_view import SIGNS

    commit = entry.commit
    title = visible(commit.message.partition("\n")[0])
    date = f"{moment(commit.time_us):%Y-%m-%d}"
    words = [output.style(short_id(entry.id), "id"), date, visible(commit.author)]
    kind = entry.change.kind
    shown = [
        output.style(f"  {SIGNS[kind]} {line}", kind)
        for line in _change_lines(text, entry.change)
    ]
    return ["  ".join([*words, title]).rstrip(), *shown]


def _change_lines(text: ChangeText, change: Change) -> list[str]:
    if change.fields:
        return [
            f"{visible(field)}: {' -> '.join(text.cells(change, field))}"
            for field in change.fields
        ]
    old, new = text.sides(change.dataset)
    if change.kind == "removed":
        return [f"deleted (was {old.value(change.old)})"]
    if change.kind == "added":
        return [new.value(change.new)]
    return [f"{old.value(change.old)} -> {new.value(change.new)}"]
