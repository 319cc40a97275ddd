"""``prolly blame``: who changed which field last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output, visible
from ..versions import (
    at_commit_option,
    committed_records,
    moment,
    moment_json,
    short_id,
)

if TYPE_CHECKING:
    from prolly import Blame, LogEntry


@click.command("blame", cls=Verb)
@click.argument("dataset")
@click.argument("key", required=False)
@at_commit_option
@click.pass_obj
def command(
    invocation: Invocation, dataset: str, key: str | None, at: str | None
) -> None:
    """Show which commit last changed each field of DATASET, or of one record.

    Fields with one commit stand on one line. What is uncommitted does not count;
    without --at it is about the newest commit of the branch.
    """
    from ..typed_words import parse_key

    repository = invocation.repository()
    output = invocation.output
    revision = at or "HEAD"
    records = committed_records(repository, revision, dataset)
    if key is not None:
        found = repository.blame(dataset, parse_key(key, records), revision)
        print_blame(output, dataset, found, typed=hasattr(records, "schema"))
        return
    with output.paged():
        for one in repository.blame_all(dataset, revision):
            print_blame(output, dataset, one, typed=hasattr(records, "schema"))


def print_blame(output: Output, dataset: str, found: Blame, *, typed: bool) -> None:
    """Print what is known of one record."""
    from ..record_text import key_parts, key_words

    if output.json:
        fields = {name: entry_json(entry) for name, entry in found.fields.items()}
        head = {"dataset": dataset, "key": key_parts(found.key, typed=typed)}
        output.document({**head, "fields": fields})
        return
    output.line(output.style(key_words(found.key, typed=typed), "name"))
    grouped: dict[bytes, tuple[LogEntry, list[str]]] = {}
    for name, entry in found.fields.items():
        grouped.setdefault(bytes(entry.id), (entry, []))[1].append(visible(name))
    newest_first = sorted(grouped.values(), key=lambda one: -one[0].commit.generation)
    for entry, names in newest_first:
        commit = entry.commit
        date = f"{moment(commit.time_us):%Y-%m-%d}"
        title = visible(commit.message.partition("\n")[0])
        words = [output.style(short_id(entry.id), "id"), date, visible(commit.author)]
        output.line("  " + "  ".join([*words, title, ", ".join(names)]))


def entry_json(entry: LogEntry) -> dict[str, Any]:
    """Return a commit as far as a blame tells it."""
    commit = entry.commit
    return {
        "commit": str(entry.id),
        "author": commit.author,
        "time": moment_json(commit.time_us),
        "message": commit.message,
    }
