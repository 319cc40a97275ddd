"""``prolly dataset``: create, drop and rename datasets."""

from __future__ import annotations

import click

from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import visible


@click.group("dataset", cls=VerbGroup)
def command() -> None:
    """Create, drop or rename a dataset in the working state."""


@command.command("create")
@click.argument("name")
@click.option(
    "--schema",
    "file",
    metavar="FILE.json",
    help="Make a table with this schema, as `prolly schema` prints one.",
)
@click.option("--local", is_flag=True, help="It stays here, outside of commits.")
@click.pass_obj
def create(invocation: Invocation, name: str, file: str | None, local: bool) -> None:
    """Make an empty map NAME, or with --schema an empty table."""
    from prolly import AlreadyExists

    from .import_table import read_schema

    schema = None if file is None else read_schema(invocation.path(file))
    repository = invocation.repository(writable=True)
    with invocation.editing(repository, f"create {name}") as workspace:
        if workspace.find(name) is not None:
            raise AlreadyExists(
                f"there is a dataset {name!r} already",
                code="dataset-exists",
                hint="Choose another name, or drop that one first.",
                dataset=name,
            )
        if schema is None:
            workspace.map(name, local=local)
        else:
            workspace.table(name, schema=schema, local=local)
    kind = "map" if schema is None else "table"
    if invocation.output.json:
        invocation.output.document({"dataset": name, "kind": kind, "event": "created"})
    invocation.output.say(f"created the {kind} {visible(name)}")


@command.command("drop")
@click.argument("name")
@click.pass_obj
def drop(invocation: Invocation, name: str) -> None:
    """Remove the dataset NAME with all its records; history keeps them."""
    repository = invocation.repository(writable=True)
    with invocation.editing(repository, f"drop {name}") as workspace:
        workspace.drop(name)
    if invocation.output.json:
        invocation.output.document({"dataset": name, "event": "dropped"})
    invocation.output.say(f"dropped {visible(name)}")


@command.command("rename")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def rename(invocation: Invocation, old: str, new: str) -> None:
    """Rename the dataset OLD to NEW."""
    repository = invocation.repository(writable=True)
    with invocation.editing(repository, f"rename {old}") as workspace:
        workspace.rename(old, new)
    if invocation.output.json:
        document = {"dataset": new, "old": old, "event": "renamed"}
        invocation.output.document(document)
    invocation.output.say(f"renamed {visible(old)} to {visible(new)}")
