"""``prolly log``: the commits that led here."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..commit_graph import Graph
from ..display_width import wrapped
from ..invocation import Invocation
from ..output import LANES, Output, visible
from ..page_option import page_options, printing, wants_page
from ..styled_line import Styled, painted
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
@page_options("jsonl")
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
    **how: Any,
) -> None:
    """List commits from REV backwards, by default from HEAD.

    With -- DATASET only those that changed it; with -- DATASET:KEY only those that
    changed that record: KEY is one whole key (`prolly diff -- DATASET:PREFIX` takes
    the beginning of many).
    """
    output = invocation.output
    page = wants_page(output, how["format_name"])
    if how["reflog"]:
        if how["graph"] or how["oneline"] or scope is not None:
            raise click.UsageError("-g stands alone: it lists moves, not commits")
        if page:
            raise click.UsageError("-g is no page: leave --format html out")
        with printing(invocation, how["target"]):
            print_moves(invocation.repository(), output, revision, count)
        return
    repository = invocation.repository()
    found = islice(entries(repository, revision, scope), count)
    with printing(invocation, how["target"]):
        if page:
            from ..pages.log_page import print_page

            names, title = ref_names(repository), f"{revision} {scope or ''}".rstrip()
            print_page(output, found, names, title, graph=scope is None)
        else:
            print_commits(repository, output, found, how)


def print_commits(
    repository: Repository, output: Output, found: Iterable[Any], how: dict[str, Any]
) -> None:
    """Print commits as JSON lines, or for people, with the graph if asked for."""
    names = {} if output.json else ref_names(repository)
    style = "line" if how["oneline"] else "row" if how["graph"] else "whole"
    drawing = Graph() if how["graph"] else None
    limit = output.line_limit
    for entry in found:
        if output.json:
            cut = {"cut": True} if repository.is_cut(entry.id) else {}
            output.document({**commit_json(entry.id, entry.commit), **cut})
            continue
        lines = lines_of(entry, names.get(bytes(entry.id), []), style, limit)
        graph = [""] * len(lines)
        if drawing is not None:
            graph = drawing.draw(bytes(entry.id), entry.commit.parents, [""])
            lines += [[]] * (len(graph) - len(lines))
        for before, parts in zip(graph, lines, strict=True):
            output.line(painted(output, [*lanes(before), *parts], limit))
        if repository.is_cut(entry.id):
            output.note("history was cut off here; `prolly fetch --unshallow`")


def print_moves(
    repository: Repository, output: Output, branch: str, count: int | None
) -> None:
    """Print where a branch stood, newest first, with who moved it and why."""
    name = repository.head if branch in ("HEAD", "@") else branch
    moves = islice(repository.reflog(name), count)
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
    """Return the branches, tags and branches of remotes that stand on each commit."""
    names: dict[bytes, list[str]] = {}
    head = repository.head
    for name, commit_id in repository.branches.items():
        shown = f"HEAD -> {name}" if name == head else name
        names.setdefault(bytes(commit_id), []).append(shown)
    for name, commit_id in repository.tags.items():
        names.setdefault(bytes(commit_id), []).append(f"tag: {name}")
    for name, commit_id in repository.tracking.items():
        names.setdefault(bytes(commit_id), []).append(name)
    return names


def lines_of(
    entry: LogEntry, decoration: list[str], style: str, limit: int | None
) -> list[list[Styled]]:
    """Return the lines that show a commit, in styled parts.

    ``style``: ``line`` for one with what is needed, ``row`` for one with time and
    author, ``whole`` for all that there is.
    """
    names = visible(", ".join(decoration))
    refs = [(" (", ""), (names, "ref"), (")", "")] if decoration else []
    commit = entry.commit
    text = commit.message
    if not text and not commit.parents:
        text = "(the first, empty commit)"
    message = [visible(line) for line in text.rstrip("\n").split("\n")]
    if style == "line":
        return [[(short_id(entry.id), "id"), *refs, (f" {message[0]}", "")]]
    if style == "row":
        who = [(f" {moment(commit.time_us):%Y-%m-%d}", "faint")]
        if commit.author:
            who.append((f" {visible(commit.author)}", ""))
        return [[(short_id(entry.id), "id"), *who, *refs, (f" {message[0]}", "")]]
    lines: list[list[Styled]] = [[(f"commit {entry.id}", "id"), *refs]]
    if len(commit.parents) > 1:
        lines.append([("Merge:  " + " ".join(map(short_id, commit.parents)), "")])
    if commit.author:
        lines.append([(f"Author: {visible(commit.author)}", "")])
    lines.append([(f"Date:   {moment(commit.time_us):%Y-%m-%d %H:%M:%S} UTC", "")])
    if limit is not None:
        message = [part for line in message for part in wrapped(line, limit - 4)]
    return [*lines, [], *([(f"    {line}", "")] for line in message), []]


def lanes(strip: str) -> list[Styled]:
    """Return a line of the graph with each lane in a colour of its own."""
    return [(one, f"lane{at // 2 % LANES}") for at, one in enumerate(strip)]
