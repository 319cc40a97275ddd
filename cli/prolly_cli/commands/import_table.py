"""``prolly import``: a table, or a map, from plain files."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..command_group import Verb
from ..format_option import format_option
from ..invocation import Invocation
from ..jobs_option import jobs_option
from ..output import Output, visible
from ..progress import Progress
from ..versions import changes_of, counts_json, counts_text, short_id
from ..waiting_merges import refuse_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prolly import Address, DatasetChanges, Repository, Schema, Snapshot
    from prolly.ops import TableSource, Types
    from prolly.tables import LoadMode

MODES: tuple[LoadMode, ...] = ("replace", "update", "append")


@click.command("import", cls=Verb)
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--key",
    multiple=True,
    metavar="COLUMN",
    help="A key column, repeated or comma-separated; the first import wants it.",
)
@format_option("The format of the files, where their names do not say it.")
@click.option(
    "--types",
    default="infer",
    metavar="infer|text|SCHEMA.json",
    help="Column types of a new table: found out, all text, or as in a file.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Afterwards the table equals the files (the default).",
)
@click.option(
    "--update",
    is_flag=True,
    help="Insert and overwrite; columns that the files lack stay.",
)
@click.option("--append", is_flag=True, help="Insert; a key there is an error.")
@click.option(
    "--widen", is_flag=True, help="Let columns change their type to hold the values."
)
@click.option(
    "--missing",
    type=click.Choice(("keep", "default", "error")),
    help="What becomes of columns that the files lack.",
)
@click.option(
    "--empty-as-null",
    multiple=True,
    metavar="COLUMN",
    help="A column of text whose empty CSV cells are null; * is all of them.",
)
@click.option(
    "--map",
    "as_map",
    is_flag=True,
    help="The files hold a map: columns key and value, as export writes them.",
)
@jobs_option("So many processes read CSV or TSV of some size into a table.")
@click.option("-m", "--message", metavar="MSG", help="Commit the result.")
@click.pass_obj
def command(
    invocation: Invocation, /, dataset: str, message: str | None, **how: Any
) -> None:
    """Import FILE... as the table DATASET, or into the map that it is.

    FILE may be - for standard input; text may be compressed with gzip or zst. Several
    files are one input. Only records that differ are written. Without -m the result
    waits in the working state for `prolly commit`.
    """
    how["mode"] = mode_of(how)
    repository = invocation.repository(writable=True)
    if message is not None:
        refuse_open(repository)
    loaded = load(invocation, repository, dataset, how)
    commit_id = None
    area = repository.working_area()
    if message is not None and not loaded.local and not area.is_clean:
        commit_id = area.commit(message, why="import")
    report(invocation.output, repository, dataset, (loaded, commit_id, message))


class Loaded(NamedTuple):
    """What an import changed: counts, and columns by name with old and new form.

    What is ``local`` is stored with that, and there is nothing to commit.
    """

    counts: DatasetChanges
    widened: dict[str, tuple[str, str]]
    local: bool


def mode_of(how: dict[str, Any]) -> LoadMode:
    """Return the one mode that was asked for."""
    chosen = [mode for mode in MODES if how[mode]]
    if len(chosen) > 1:
        words = " and ".join(f"--{mode}" for mode in chosen)
        raise click.UsageError(f"{words} exclude each other")
    return chosen[0] if chosen else "replace"


def load(
    invocation: Invocation, repository: Repository, dataset: str, how: dict[str, Any]
) -> Loaded:
    """Import into the working state; return what that changed in the dataset."""
    from prolly.ops import import_map, import_table, open_table

    before = repository.at_working()
    is_map = takes_map(before, dataset, how)
    files = [invocation.path(name) for name in how["files"]]
    quiet = invocation.output.quiet
    result = None
    with (
        open_table(files, how["format_name"]) as source,
        Progress(f"importing {visible(dataset)}", quiet=quiet) as progress,
        placing(source, lambda: None if result is None else result.schema),
        invocation.editing(repository, f"import {dataset}") as workspace,
    ):
        how_far = {"mode": how["mode"], "progress": progress}
        if is_map:
            import_map(workspace, dataset, source, **how_far)
        else:
            how_taken = {
                "key": words_of(how["key"]),
                "types": read_types(invocation, how["types"]),
                "widen": how["widen"],
                "missing": how["missing"],
                "empty_as_null": words_of(how["empty_as_null"]),
                "jobs": how["jobs"],
            }
            result = import_table(workspace, dataset, source, **how_taken, **how_far)
    counts = changes_of(repository, before, dataset)
    widened = {}
    if result is not None and result.widened:
        stored = before.table(dataset).schema
        widened = {
            name: (column_form(stored, name), column_form(result.schema, name))
            for name in result.widened
        }
    return Loaded(counts, widened, dataset in before.local_names)


@contextmanager
def placing(
    source: TableSource, get_schema: Callable[[], Schema | None]
) -> Iterator[None]:
    """Name file and line in what storing the rows of a source raises.

    ``get_schema`` gives the schema of the table, once all rows were taken.
    """
    from prolly import Invalid
    from prolly.ops import located

    try:
        yield
    except Invalid as error:
        schema = get_schema()
        placed = error if schema is None else located(error, source, schema)
        if placed is error:
            raise
        raise placed from error


def words_of(given: Sequence[str]) -> list[str]:
    """Return the names in an option that is repeated or comma-separated."""
    return [name for word in given for name in word.split(",") if name]


def takes_map(before: Snapshot, dataset: str, how: dict[str, Any]) -> bool:
    """Tell whether a map is imported: one is asked for, or there is one."""
    stands = before.datasets.get(dataset)
    is_map = how["as_map"] or (stands is not None and stands.kind == "map")
    typed = how["key"] or how["widen"] or how["types"] != "infer"
    if is_map and (typed or how["missing"] or how["empty_as_null"]):
        raise click.UsageError(
            "--key, --types, --widen, --missing and --empty-as-null are for tables, "
            "not maps"
        )
    return bool(is_map)


def column_form(schema: Schema, name: str) -> str:
    """Return what a column holds, in words; empty when there is none of the name."""
    column = schema.by_name.get(name)
    if column is None:
        return ""
    is_open = column.nullable or name in schema.key
    return column.type if is_open else f"{column.type} without null"


def read_types(invocation: Invocation, word: str) -> Types:
    """Return what ``--types`` says: ``infer``, ``text``, or the schema in a file."""
    if word == "infer":
        return "infer"
    return "text" if word == "text" else read_schema(invocation.path(word))


def read_schema(path: str, base: Schema | None = None) -> Schema:
    """Return the schema in a JSON file, as ``prolly schema`` prints one."""
    from prolly import Invalid, NotFound, Schema

    try:
        form = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(
            f"{path}: no such file", code="no-file", hint="Check the name.", path=path
        ) from None
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"{path} is not JSON: {error}",
            code="schema-json",
            hint="`prolly schema DATASET` prints the form.",
            path=path,
        ) from None
    return Schema.from_json(form, base=base)


def report(
    output: Output,
    repository: Repository,
    dataset: str,
    result: tuple[Loaded, Address | None, str | None],
) -> None:
    """Print what changed, and what became of it."""
    (counts, widened, local), commit_id, message = result
    if output.json:
        answer: dict[str, Any] = {} if commit_id is None else {"commit": str(commit_id)}
        answer["datasets"] = counts_json({dataset: counts})
        if widened:
            answer["widened"] = {
                name: {"old": old, "new": new} if old else {"new": new}
                for name, (old, new) in widened.items()
            }
        output.document(answer)
        return
    output.say(f"{visible(dataset)}: {counts_text(counts, output)}")
    for name, (old, new) in widened.items():
        change = f"was {old}, is {new}" if old else f"is new, {new}"
        output.say(f"  column {visible(name)} {change}")
    if commit_id is not None:
        where = f"{repository.head} {short_id(commit_id)}"
        output.say(
            f"committed [{where}] {visible((message or '').partition(chr(10))[0])}"
        )
    elif local:
        output.say("local: stored, and in no commit")
    elif message is not None:
        output.say("nothing to commit: the table equals the files already")
    elif not repository.working_area().is_clean:
        output.say("not committed yet: prolly commit -m MESSAGE")
