"""``prolly merge-file``: three plain files become one, without a repository."""

from __future__ import annotations

from typing import Any

import click

from ..command_group import Verb
from ..file_words import hints_of_input_format, refuse_overwriting
from ..invocation import Invocation
from ..key_option import input_format_option, key_columns, key_option
from ..output import Output, number, plural, visible

# Git takes 1 to 128 for so many conflicts, and ends the merge at more.
FAILED = 129

# More conflicts than a person reads on standard error.
_TOLD = 10


class MergeFileVerb(Verb):
    """Every error ends it with the code that git takes for one."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **settings: Any,
    ) -> click.Context:
        """Parse the words."""
        as_json = "--json" in args
        if parent is not None:
            as_json |= parent.ensure_object(Invocation).output.json
        try:
            return super().make_context(info_name, args, parent, **settings)
        except click.ClickException as error:
            raise _failed(error, as_json) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        from ..running import is_interruption

        try:
            return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except Exception as error:
            if is_interruption(error):
                raise
            raise _failed(error, ctx.ensure_object(Invocation).output.json) from error


def _failed(error: Exception, as_json: bool) -> click.exceptions.Exit:
    """Say what is wrong, and return what ends the program."""
    from ..failures import failure_of

    click.echo(failure_of(error, as_json).text, err=True)
    return click.exceptions.Exit(FAILED)


@click.command("merge-file", cls=MergeFileVerb)
@click.argument("ours")
@click.argument("base")
@click.argument("theirs")
@key_option("Rows are told by this column; repeated or comma-separated.")
@input_format_option("By default what the name of OURS says.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, whole or not.")
@click.option(
    "--conflicts", metavar="FILE", help="List the conflicts there: .csv or JSON lines."
)
@click.option(
    "--policy",
    "policies",
    metavar="[COL=]NAME",
    multiple=True,
    help="Settle clashes by this policy, or those in one column.",
)
@click.option("--name", metavar="NAME", help="What messages call the file.")
@click.pass_obj
def command(
    invocation: Invocation, /, ours: str, base: str, theirs: str, **how: Any
) -> int:
    """Merge what two sides made of a plain file, row by row and cell by cell.

    CSV, TSV and JSON lines, by key; what nobody changed stays OURS byte for byte. An
    empty BASE is none. Exit 0: merged; 1: with conflicts, which are marked in the file;
    129: an error. For git: `prolly merge-file %A %O %B --key COL --input-format csv
    -o %A`.
    """
    from prolly.ops import merge_files, write_file_conflicts

    output = invocation.output
    key = key_columns(how["key"])
    if not key:
        raise click.UsageError("--key names the columns that tell rows apart")
    if output.json and how["output"] in (None, "-"):
        raise click.UsageError("--json wants -o FILE: the file is no JSON document")
    paths = [invocation.path(word) for word in (ours, base, theirs)]
    listed = how["conflicts"] and invocation.path(how["conflicts"])
    if listed:
        written = [] if how["output"] in (None, "-") else [how["output"]]
        others = [*paths, *map(invocation.path, written)]
        refuse_overwriting("--conflicts", listed, others)
    with hints_of_input_format():
        merge = merge_files(
            *paths,
            key=key,
            format_name=how["input_format"],
            policies=how["policies"],
            name=how["name"] or "",
        )
    name = how["name"] or ours
    if listed:
        write_file_conflicts(listed, merge.conflicts, name)
    if how["output"] in (None, "-"):
        merge.write(output.stream())
    else:
        merge.write(invocation.path(how["output"]))
    _tell(output, merge, name)
    return 1 if merge.conflicts else 0


def _tell(output: Output, merge: Any, name: str) -> None:
    count = len(merge.conflicts)
    if output.json:
        output.document(
            {
                "status": "conflicts" if count else "merged",
                "conflicts": count,
                "added": merge.added,
                "removed": merge.removed,
                "modified": merge.modified,
            }
        )
        return
    for conflict in merge.conflicts[:_TOLD]:
        key = ", ".join(visible(str(part)) for part in conflict.key)
        fields = ", ".join(map(visible, conflict.fields))
        where = f" in {fields}" if fields else ""
        output.note(f"conflict: {key}{where}: {conflict.reason}")
    if count > _TOLD:
        output.note(f"and {number(count - _TOLD)} more")
    if count:
        how = "marked by <<<<<<< and >>>>>>>"
        if not merge.has_markers:
            how = "rows stand as ours has them; --conflicts FILE lists them"
        output.note(f"{plural(count, 'conflict')} in {visible(name)}, {how}")
