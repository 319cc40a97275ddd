"""``prolly conflicts``: what a merge left to people; out to a CSV file and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..conflict_counts import all_settled, report_settled, told_conflicts
from ..invocation import Invocation
from ..output import plural, visible
from ..page_option import page_options, printing, wants_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prolly import Conflict, Conflicts

SHEET_WORDS = ("export", "import")


class ConflictsVerb(Verb):
    """Its scope is a dataset, for one that is called as what stands there else."""

    scope_metavar = "[-- DATASET]"


@click.command("conflicts", cls=ConflictsVerb, takes_scope=True)
@click.argument(
    "words", nargs=-1, metavar="[DATASET [KEY] | export FILE | import FILE]"
)
@click.option("--stat", is_flag=True, help="Only count the conflicts, by dataset.")
@click.option("--all", "all_", is_flag=True, help="Those that are settled, too.")
@click.option("--full", is_flag=True, help="Cut no value, however long.")
@page_options("jsonl")
@click.option("--force", is_flag=True, help="With export: overwrite a sheet.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    words: tuple[str, ...],
    scope: str | None,
    **how: Any,
) -> None:
    """List what is in conflict, base, ours and theirs side by side.

    export writes the conflicts to a CSV file, a line for each field; import settles
    those for which the columns `take` (ours, theirs, base, keep or value) and `value`
    say what is to stand. A dataset called export or import stands behind --.
    """
    how["page"] = wants_page(invocation.output, how["format_name"])
    if words[:1] and words[0] in SHEET_WORDS:
        is_export = words[0] == "export"
        if scope is not None or how["stat"] or how["full"]:
            raise click.UsageError(f"{words[0]} takes a FILE and nothing else")
        if (how["all_"] or how["force"]) and not is_export:
            raise click.UsageError("import takes a FILE and nothing else")
        if how["format_name"] is not None or how["target"] is not None:
            raise click.UsageError(f"{words[0]} takes a FILE, no --format and no -o")
        if len(words) != 2:
            raise click.UsageError(
                f"{words[0]} takes one FILE; a dataset of this name stands behind --"
            )
        if is_export:
            export_sheet(invocation, words[1], how)
        else:
            import_sheet(invocation, words[1])
        return
    if how["stat"] and (how["page"] or how["target"]):
        raise click.UsageError("--stat is no page: leave --format and -o out")
    if how["force"]:
        raise click.UsageError("--force stands with export FILE")
    given = [*words, *([] if scope is None else [scope])]
    if len(given) > 2:
        raise click.UsageError(f"a DATASET and a KEY at most, not {len(given)} words")
    dataset, key = [*given, None, None][:2]
    if key is not None and how["stat"]:
        raise click.UsageError("--stat counts by dataset: leave KEY out")
    conflicts = invocation.repository().conflicts()
    if dataset is not None:
        require_dataset(invocation, conflicts, dataset)
    if how["stat"]:
        print_counts(invocation, conflicts, dataset)
    else:
        print_conflicts(invocation, conflicts, (dataset, key), how)


def require_dataset(invocation: Invocation, conflicts: Conflicts, dataset: str) -> None:
    """Refuse a dataset that is neither there nor in conflict."""
    if dataset not in conflicts.dataset_names():
        snapshot = invocation.repository().at_working(local=False)
        if dataset not in snapshot.datasets:
            snapshot.dataset(dataset)


def print_counts(
    invocation: Invocation, conflicts: Conflicts, dataset: str | None
) -> None:
    """Print how many conflicts are open, by dataset."""
    counts = conflicts.counts()
    if dataset is not None:
        counts = {name: n for name, n in counts.items() if name == dataset}
    output = invocation.output
    if output.json:
        output.document({"conflicts": sum(counts.values()), "datasets": counts})
        return
    verb = invocation.repository().working_area().state.verb
    for line in told_conflicts(counts, verb=verb) or ["no conflicts"]:
        output.line(line)


def print_conflicts(
    invocation: Invocation,
    conflicts: Conflicts,
    place: tuple[str | None, str | None],
    how: dict[str, Any],
) -> None:
    """Print conflicts of a dataset and key, as JSON lines or side by side."""
    from ..conflict_text import ConflictText, conflict_lines
    from ..conflict_values import missing_conflict, require_conflicts, typed_key

    dataset, key = place
    asked: Iterable[Conflict] = conflicts.of(dataset, open_only=not how["all_"])
    if dataset is not None and key is not None:
        require_conflicts(invocation.repository(), conflicts, dataset)
        asked = conflicts.find(dataset, typed_key(conflicts, dataset, key))
        if not asked:
            raise missing_conflict(dataset, key)

    output = invocation.output
    if how["page"]:
        from ..pages.conflict_page import print_page

        with printing(invocation, how["target"]):
            print_page(output, conflicts, asked)
        return
    text = ConflictText(conflicts)
    number = 0
    with printing(invocation, how["target"]):
        for conflict in asked:
            number += 1
            if output.json:
                output.line(text.json(conflict))
                continue
            for line in conflict_lines(output, text, conflict, full=how["full"]):
                output.line(line)
        if output.json:
            return
        if not number:
            output.say("no conflicts")
        elif conflicts:
            output.say(
                f"{plural(len(conflicts), 'conflict')} open; next: prolly resolve "
                "DATASET [KEY] --ours|--theirs|--keep|-i"
            )
        else:
            verb = invocation.repository().working_area().state.verb
            output.say(all_settled(verb))


def export_sheet(invocation: Invocation, file: str, how: dict[str, Any]) -> None:
    """Write the open conflicts to a CSV file, or all.

    AlreadyExists ``sheet-exists`` for one that is there: hours of answers may be in it.
    """
    from prolly import AlreadyExists
    from prolly.ops import export_conflicts

    conflicts, place = invocation.repository().conflicts(), invocation.path(file)
    if file != "-" and not how["force"] and os.path.isfile(place):
        raise AlreadyExists(
            f"{file} is there already, and may hold answers",
            code="sheet-exists",
            hint="Choose another name, or overwrite it with --force.",
            file=file,
        )
    number = export_conflicts(conflicts, place, open_only=not how["all_"])
    output = invocation.output
    if output.json and file != "-":
        output.document({"file": file, "lines": number})
    if file != "-":
        output.say(f"wrote {plural(number, 'line')} to {visible(file)}")


def import_sheet(invocation: Invocation, file: str) -> None:
    """Settle what a CSV file says; all of it or nothing."""
    from prolly.ops import import_conflicts

    repository = invocation.repository(writable=True)
    conflicts = repository.conflicts()
    empty = 0

    def count(lines: int) -> None:
        nonlocal empty
        empty = lines

    number = import_conflicts(
        conflicts,
        invocation.path(file),
        before_writing=invocation.no_way_back,
        on_empty=count,
    )
    done = f"took {plural(number, 'line')}"
    if empty:
        done += f", {empty} of them with an empty value: null, or the record goes"
    report_settled(invocation.output, repository, number, done)
