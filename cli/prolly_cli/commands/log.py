"""``prolly log``: the commits that led here."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..commit_graph import Graph
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import (
    commit_json,
    committed_records,
    moment,
    moment_json,
    short_id,
)

if TYPE_CHECKING:
    from prolly import LogEntry, Repository


@click.command("log", cls=Verb, takes_scope=True)
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--oneline", is_flag=True, help="One line for each commit.")
@click.option("--graph", is_flag=True, help="Draw how commits follow one another.")
@click.option("-n", "count", type=click.IntRange(min=0), metavar="N", help="At most N.")
@click.option(
    "-g", "--reflog", is_flag=True, help="Where the branch REV has stood, move by move."
)
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    revision: str,
    count: int | None,
    scope: str | None,
    **how: bool,
) -> None:
    """List commits from REV backwards, by default from HEAD.

    With -- DATASET only those that changed it; with -- DATASET:KEY only those that
    changed that record: KEY is one whole key (`prolly diff -- DATASET:PREFIX` takes
    the beginning of many).
    """
    repository = invocation.repository()
    output = invocation.output
    graph, oneline = how["graph"], how["oneline"]
    if how["reflog"]:
        if graph or oneline or scope is not None:
            raise click.UsageError("-g stands alone: it lists moves, not commits")
        print_moves(repository, output, revision, count)
        return
    names = {} if output.json else ref_names(repository)
    drawing = Graph() if graph else None
    with output.paged():
        for entry in islice(entries(repository, revision, scope), count):
            if output.json:
                cut = {"cut": True} if repository.is_cut(entry.id) else {}
                output.document({**commit_json(entry.id, entry.commit), **cut})
                continue
            decoration = names.get(bytes(entry.id), [])
            lines = lines_of(output, entry, decoration, oneline or graph)
            if drawing is not None:
                lines = drawing.draw(bytes(entry.id), entry.commit.parents, lines)
            for line in lines:
                output.line(line)
            if repository.is_cut(entry.id):
                output.note("history was cut off here; `prolly fetch --unshallow`")


def print_moves(
    repository: Repository, output: Output, branch: str, count: int | None
) -> None:
    """Print where a branch stood, newest first, with who moved it and why."""
    name = repository.head if branch in ("HEAD", "@") else branch
    moves = islice(repository.reflog(name), count)
    with output.paged():
        for number, move in enumerate(moves):
            place = f"{name}@{{{number}}}"
            if output.json:
                ids = {"old": move.old, "new": move.new}
                spelt = {end: one and one.hex() for end, one in ids.items()}
                told = {"who": move.who, "time": moment_json(move.time_us)}
                output.document({"ref": place, **spelt, **told, "why": move.why})
                continue
            shown = "(deleted)" if move.new is None else short_id(move.new)
            date = f"{moment(move.time_us):%Y-%m-%d %H:%M:%S}"
            words = [output.style(shown, "id"), output.style(visible(place), "ref")]
            words += [date, visible(move.who), visible(move.why)]
            output.line("  ".join(words).rstrip())


def entries(repository: Repository, revision: str, scope: str | None) -> Any:
    """Return the commits to list."""
    from ..typed_words import parse_key, split_scope

    dataset, key = split_scope(scope)
    if dataset is None:
        return repository.log(revision)
    parsed = None
    if key is not None:
        parsed = parse_key(key, committed_records(repository, revision, dataset))
    return repository.log(revision, dataset=dataset, key=parsed)


def ref_names(repository: Repository) -> dict[bytes, list[str]]:
    """Return the branches and tags that stand on each commit."""
    names: dict[bytes, list[str]] = {}
    head = repository.head
    for name, commit_id in repository.branches.items():
        shown = f"HEAD -> {name}" if name == head else name
        names.setdefault(bytes(commit_id), []).append(shown)
    for name, commit_id in repository.tags.items():
        names.setdefault(bytes(commit_id), []).append(f"tag: {name}")
    return names


def lines_of(
    output: Output, entry: LogEntry, decoration: list[str], short: bool
) -> list[str]:
    """Return the lines that show a commit."""
    refs = f" ({output.style(', '.join(decoration), 'ref')})" if decoration else ""
    text = entry.commit.message
    if not text and not entry.commit.parents:
        text = "(the first, empty commit)"
    message = [visible(line) for line in text.rstrip("\n").split("\n")]
    if short:
        words = f"{output.style(short_id(entry.id), 'id')}{refs} {message[0]}"
        return [words.rstrip()]
    commit = entry.commit
    lines = [output.style(f"commit {entry.id}", "id") + refs]
    if len(commit.parents) > 1:
        lines.append("Merge:  " + " ".join(map(short_id, commit.parents)))
    if commit.author:
        lines.append(f"Author: {visible(commit.author)}")
    lines.append(f"Date:   {moment(commit.time_us):%Y-%m-%d %H:%M:%S} UTC")
    return [*lines, "", *(f"    {line}".rstrip() for line in message), ""]
