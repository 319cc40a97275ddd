"""``prolly diff``: what differs between two versions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..key_option import input_format_option, key_option
from ..page_option import output_option, printing
from ..versions import is_revision, note_older_base

if TYPE_CHECKING:
    from prolly import Invalid, Repository, Snapshot

    from ..diff_text import Layout

FORMATS = ("table", "jsonl", "csv", "html", "patch")


class DiffVerb(Verb):
    """Its scope is a dataset and a prefix of keys."""

    scope_metavar = "[-- DATASET[:PREFIX]]"


@click.command("diff", cls=DiffVerb, takes_scope=True)
@click.argument("revisions", nargs=-1, metavar="[REV [REV] | FILE FILE]")
@click.option("--stat", is_flag=True, help="Only count the records, by dataset.")
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="table by default."
)
@output_option
@click.option(
    "--fields", is_flag=True, help="Only the fields that differ; one line for each."
)
@click.option(
    "--exit-code", is_flag=True, help="Exit with 1 when there is a difference."
)
@key_option("Compare two files by this column; repeated or comma-separated.")
@input_format_option("Of the files; by default what their names say.")
@click.option(
    "--git-driver", is_flag=True, help="Compare what git hands over, with --key."
)
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    revisions: tuple[str, ...],
    format_name: str | None,
    scope: str | None,
    **how: Any,
) -> int:
    """Show which records differ, in key order.

    Without REV: the working state against its commit. With one: that version against
    the working state. With two, or as A..B: the first against the second. A...B: B
    against the commit that A and B have in common. With -- DATASET:PREFIX only keys
    that begin so (`prolly log -- DATASET:KEY` takes one whole key).

    With --key the two words are plain files, and no repository is needed.
    """
    from ..diff_text import Layout, print_changes, print_counts
    from ..patch_text import print_patch

    output = invocation.output
    if output.json and format_name not in (None, "jsonl"):
        raise click.UsageError(f"--json and --format {format_name} exclude each other")
    if how["stat"] and format_name is not None:
        raise click.UsageError("--stat takes no --format; --json prints one document")
    shown = format_name or ("jsonl" if output.json else "table")
    layout = Layout(shown, how["fields"], titled(revisions, scope))
    if how["key"] or how["git_driver"]:
        found = between_files(invocation, revisions, (layout, scope), how)
        return 1 if found and how["exit_code"] else 0
    if how["input_format"]:
        raise click.UsageError("--input-format is of files, which take --key")
    repository = opened(invocation, revisions)
    versions = sides(repository, revisions)
    if versions[1].commit is None:
        note_older_base(output, repository)
    dataset, bounds = narrowed(repository, versions, scope)
    if format_name == "patch":
        if bounds != (None, None) or how["fields"]:
            raise click.UsageError("a patch is of whole datasets and whole records")
        with printing(invocation, how["target"]):
            found = print_patch(output, repository, versions, dataset)
        return 1 if found and how["exit_code"] else 0
    comparison = repository.compare(*versions)
    with printing(invocation, how["target"]):
        show = print_counts if how["stat"] else print_changes
        found = show(output, comparison, (dataset, bounds), layout)
    return 1 if found and how["exit_code"] else 0


def titled(words: tuple[str, ...], scope: str | None) -> str:
    """Return what a page of differences is about."""
    shown = " and ".join(words) if words else "uncommitted changes"
    where = f" in {scope}" if scope else ""
    return f"Differences{where}: {shown}"


def between_files(
    invocation: Invocation,
    words: tuple[str, ...],
    shown: tuple[Layout, str | None],
    how: dict[str, Any],
) -> bool:
    """Print what differs between two files; return whether anything does."""
    from ..file_diff import diff_files, git_diff

    layout, scope = shown
    if layout.format_name == "patch":
        raise click.UsageError("a patch is of two versions, not of files")
    if scope is not None:
        raise click.UsageError("of two files there is no dataset to stand behind --")
    if not how["key"]:
        raise click.UsageError("--git-driver wants --key COLUMN")
    show = git_diff if how["git_driver"] else diff_files
    return show(invocation, words, layout, how)


def opened(invocation: Invocation, words: tuple[str, ...]) -> Repository:
    """Open the repository; where there is none, whoever named files hears of --key."""
    from prolly import NotFound

    try:
        return invocation.repository()
    except NotFound:
        for word in words:
            if os.path.isfile(invocation.path(word)):
                raise a_file(word) from None
        raise


def sides(
    repository: Repository, revisions: tuple[str, ...]
) -> tuple[Snapshot, Snapshot]:
    """Return the old and the new version that the words ask for."""
    if len(revisions) > 2:
        raise click.UsageError(f"two revisions at most, not {len(revisions)}")
    if not revisions:
        base = repository.working_area().state.base
        return repository.at(base, local=False), repository.at_working(local=False)
    if len(revisions) == 1 and ".." in revisions[0]:
        return between(repository, revisions[0])
    found = [version(repository, one) for one in revisions]
    if len(found) == 1:
        found.append(repository.at_working(local=False))
    return found[0], found[1]


def between(repository: Repository, words: str) -> tuple[Snapshot, Snapshot]:
    """Return the two sides of ``A..B`` or ``A...B``; a side left out is HEAD."""
    from prolly import NotFound

    mark = "..." if "..." in words else ".."
    left, _, right = words.partition(mark)
    old, new = version(repository, left or "HEAD"), version(repository, right or "HEAD")
    if mark == "...":
        base = repository.merge_base(old, new)
        if base is None:
            raise NotFound(
                f"{left or 'HEAD'} and {right or 'HEAD'} have no commit in common",
                code="no-merge-base",
                hint="Compare them with two dots.",
            )
        old = repository.at(base, local=False)
    return old, new


def version(repository: Repository, word: str) -> Snapshot:
    """Return the version that a word names; a file gets an error of its own."""
    if os.path.isfile(word) and not is_revision(repository, word):
        raise a_file(word)
    return repository.at(word, local=False)


def a_file(word: str) -> Invalid:
    """Return (not raise) the error for a file where a revision should stand."""
    from prolly import Invalid

    return Invalid(
        f"{word} is a file, not a revision",
        code="file-not-revision",
        hint=f"`prolly diff {word} OTHER --key COLUMN` compares two files.",
        revision=word,
    )


def narrowed(
    repository: Repository, versions: tuple[Snapshot, Snapshot], scope: str | None
) -> tuple[str | None, tuple[bytes | None, bytes | None]]:
    """Return the dataset and the bounds of keys that ``DATASET[:PREFIX]`` asks for."""
    from prolly.repo import require_committed

    from ..typed_words import parse_prefix, split_scope

    dataset, prefix = split_scope(scope)
    if dataset is None:
        return None, (None, None)
    old, new = versions
    if dataset not in old.datasets:
        require_committed(repository.storage, new.root, {dataset: None})
    records = (new if dataset in new.datasets else old).dataset(dataset)
    if prefix is None:
        return dataset, (None, None)
    return dataset, records.encode_prefix(parse_prefix(prefix, records))
