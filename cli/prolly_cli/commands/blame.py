"""``prolly blame``: who changed which field last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import Output, visible
from ..page_option import page_options, printing, wants_page
from ..versions import (
    at_commit_option,
    committed_records,
    moment,
    moment_json,
    short_id,
)

if TYPE_CHECKING:
    from prolly import Blame, LogEntry

TITLES = ("key", "fields", "commit", "date", "author", "message")
# Of an id and of a date a part says little.
FIRM = frozenset((2, 3))


@click.command("blame", cls=Verb)
@click.argument("dataset")
@click.argument("key", required=False)
@at_commit_option
@page_options("jsonl")
@click.pass_obj
def command(
    invocation: Invocation, /, dataset: str, key: str | None, **how: Any
) -> None:
    """Show which commit last changed each field of DATASET, or of one record.

    Fields with one commit stand on one line. What is uncommitted does not count;
    without --at it is about the newest commit of the branch.
    """
    from ..typed_words import parse_key

    repository = invocation.repository()
    output = invocation.output
    page = wants_page(output, how["format_name"])
    revision = how["at"] or "HEAD"
    records = committed_records(repository, revision, dataset)
    typed = hasattr(records, "schema")
    found: Iterable[Blame]
    if key is not None:
        found = [repository.blame(dataset, parse_key(key, records), revision)]
    else:
        found = repository.blame_all(dataset, revision)
    with printing(invocation, how["target"]):
        if page:
            from ..pages.blame_page import print_page

            print_page(output, found, dataset, typed=typed)
        elif output.json:
            for one in found:
                output.document(blame_json(dataset, one, typed=typed))
        else:
            print_table(output, found, typed=typed)


def blame_json(dataset: str, found: Blame, *, typed: bool) -> dict[str, Any]:
    """Return what is known of one record as JSON shows it."""
    from ..record_text import key_parts

    fields = {name: entry_json(entry) for name, entry in found.fields.items()}
    head = {"dataset": dataset, "key": key_parts(found.key, typed=typed)}
    return {**head, "fields": fields}


def print_table(output: Output, found: Iterable[Blame], *, typed: bool) -> None:
    """Print a line for each commit of each record; the key stands on the first."""
    from ..aligned_table import print_aligned

    rows = (row for one in found for row in blame_rows(one, typed=typed))
    print_aligned(output, TITLES, rows, firm=FIRM)


def blame_rows(found: Blame, *, typed: bool) -> Iterator[list[tuple[str, str]]]:
    """Yield the cells of one record, styled, a row for each commit."""
    from ..blame_view import commits_of
    from ..record_text import key_words

    key = visible(key_words(found.key, typed=typed))
    for entry, names in commits_of(found):
        commit = entry.commit
        yield [
            (key, "name"),
            (", ".join(names), ""),
            (short_id(entry.id), "id"),
            (f"{moment(commit.time_us):%Y-%m-%d}", ""),
            (visible(commit.author), "ref"),
            (visible(commit.message.partition("\n")[0]), ""),
        ]
        key = ""


def entry_json(entry: LogEntry) -> dict[str, Any]:
    """Return a commit as far as a blame tells it."""
    commit = entry.commit
    return {
        "commit": str(entry.id),
        "author": commit.author,
        "time": moment_json(commit.time_us),
        "message": commit.message,
    }
