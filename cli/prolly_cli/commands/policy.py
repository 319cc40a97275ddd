"""``prolly policy``: how merges settle what both sides changed in a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command_group import Verb
from ..invocation import Invocation
from ..output import visible
from ..versions import at_option, prefix_json, read_version, scope_text

if TYPE_CHECKING:
    from prolly.repo import Workspace


@click.command("policy", cls=Verb)
@click.argument("dataset")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--prefix", metavar="P", help="Only for keys that begin so.")
@click.option("--column", metavar="C", help="Only for this column of a table.")
@click.option("--unset", is_flag=True, help="Remove the policy of just this scope.")
@at_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    dataset: str,
    name: str | None,
    at: str | None,
    **scope: Any,
) -> None:
    """Say how merges settle what both sides changed in DATASET, or list what holds.

    NAME is conflict, ours, theirs, last-writer-wins, counter, max, min, set,
    set:add-wins, map, text, text:characters, keep-both, or app:NAME for a resolver of
    --app. Of several policies the one of a column goes first, then that of the longest
    prefix. It waits in the working state.
    """
    unset = scope.pop("unset")
    if name is None and not unset:
        if scope["prefix"] is not None or scope["column"] is not None:
            raise click.UsageError("a scope wants a NAME, or --unset")
        list_policies(invocation, dataset, at)
        return
    if name is not None and unset:
        raise click.UsageError("--unset takes no NAME")
    if at is not None:
        raise click.UsageError("a policy changes the working state: leave --at out")
    set_policy(invocation, dataset, name, scope)


def list_policies(invocation: Invocation, dataset: str, at: str | None) -> None:
    """Print the policies of a dataset."""
    rules = read_version(invocation, at).policies(dataset)
    output = invocation.output
    if output.json:
        told = [
            {
                "column": one.column,
                "prefix": prefix_json(one.prefix),
                "policy": one.policy,
            }
            for one in rules
        ]
        output.document({"dataset": dataset, "policies": told})
        return
    if not rules:
        output.say("no policy: what both sides change is in conflict")
    for one in rules:
        output.line(f"{one.policy}  {scope_text(one.column, one.prefix)}".rstrip())


def set_policy(
    invocation: Invocation, dataset: str, name: str | None, scope: dict[str, Any]
) -> None:
    """Set the policy of a scope, or remove it."""
    repository = invocation.repository(writable=True)
    with invocation.editing(repository, f"policy {dataset}") as workspace:
        prefix = parsed_prefix(workspace, dataset, scope["prefix"])
        column = scope["column"]
        workspace.set_policy(dataset, name, prefix=prefix, column=column)
    output = invocation.output
    if output.json:
        where = {"column": column, "prefix": prefix_json(prefix)}
        output.document({"dataset": dataset, **where, "policy": name})
    done = "no policy" if name is None else name
    output.say(f"{visible(dataset)}: {done} {scope_text(column, prefix)}")


def parsed_prefix(workspace: Workspace, dataset: str, text: str | None) -> Any:
    """Return the prefix of keys that was typed."""
    from ..typed_words import parse_prefix

    if text is None:
        return None
    entry = workspace.find(dataset)
    if entry is None or entry.kind not in ("map", "table"):
        return text
    records = (
        workspace.map(dataset) if entry.kind == "map" else workspace.table(dataset)
    )
    return parse_prefix(text, records)
