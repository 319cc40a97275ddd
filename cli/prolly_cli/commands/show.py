"""``prolly show``: one commit and what it holds."""

from __future__ import annotations

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..merge_text import merge_lines, origin_lines, settled_lines
from ..versions import commit_json, counts_lines, datasets_json, datasets_lines


@click.command("show", cls=Verb)
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.pass_obj
def command(invocation: Invocation, revision: str) -> None:
    """Show the commit REV: who, when, why, its datasets, and what it changed.

    Of a merge also its policy, how conflicts were settled, and the first of them; of a
    revert or a pick the commit that it was made of.
    """
    from prolly import LogEntry
    from prolly.codec import json_form

    from ..styled_line import painted
    from .log import lines_of, ref_names

    repository = invocation.repository()
    output = invocation.output
    commit_id = repository.resolve(revision)
    commit = repository.commit_of(commit_id)
    snapshot = repository.at(commit_id, local=False)
    if output.json:
        shown = commit_json(commit_id, commit)
        if commit.metadata:
            shown["metadata"] = json_form.to_json(commit.metadata, exact=True)
        output.document({**shown, "datasets": datasets_json(snapshot)})
        return
    with output.paged():
        names = ref_names(repository).get(bytes(commit_id), [])
        entry = LogEntry(commit_id, commit)
        for parts in lines_of(entry, names, "whole", output.line_limit):
            output.line(painted(output, parts, output.line_limit))
        told = list(origin_lines(output, repository, commit.metadata))
        told += merge_lines(commit.metadata)
        told += settled_lines(repository, commit_id)
        for line in [*told, ""] if told else []:
            output.line(line)
        for line in datasets_lines(snapshot):
            output.line(f"  {line}")
        if repository.is_cut(commit_id):
            output.note("its parents were not fetched: history was cut off here")
        elif commit.parents:
            counts = repository.diff_counts(commit.parents[0], commit_id)
            if counts:
                output.line()
                which = "first parent" if len(commit.parents) > 1 else "parent"
                output.line(f"changed against its {which}:")
            for line in counts_lines(counts, output):
                output.line(f"  {line}")
