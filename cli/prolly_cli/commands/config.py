"""``prolly config``: settings of the repository."""

from __future__ import annotations

import click

from ..command_group import VerbGroup
from ..invocation import Invocation
from ..output import visible


@click.group("config", cls=VerbGroup, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List, read and change the settings of the repository; alone: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_settings)


@command.command("list")
@click.pass_obj
def list_settings(invocation: Invocation) -> None:
    """List every setting with its value, and what it means."""
    from prolly.repo import SETTINGS

    config = invocation.repository().config
    output = invocation.output
    if output.json:
        output.document({"settings": {one: config.value(one) for one in SETTINGS}})
        return
    width = max(map(len, SETTINGS))
    for name, setting in SETTINGS.items():
        value = visible(config.value(name)) or "-"
        is_set = "" if name in config else " (default)"
        meaning = output.style(setting.meaning, "faint")
        output.line(f"{name:{width}}  {value}{is_set}  {meaning}")


@command.command("get")
@click.argument("name")
@click.pass_obj
def get(invocation: Invocation, name: str) -> None:
    """Print the value of setting NAME; its default where nothing is set."""
    value = invocation.repository().config.value(name)
    output = invocation.output
    if output.json:
        output.document({"name": name, "value": value})
        return
    output.line(visible(value))


@command.command("set")
@click.argument("name")
@click.argument("value")
@click.pass_obj
def change(invocation: Invocation, name: str, value: str) -> None:
    """Give setting NAME a VALUE."""
    invocation.repository(writable=True).config[name] = value
    output = invocation.output
    if output.json:
        output.document({"name": name, "value": value})
    output.say(f"{name} is {visible(value)}")


@command.command("unset")
@click.argument("name")
@click.pass_obj
def unset(invocation: Invocation, name: str) -> None:
    """Go back to the default of setting NAME."""
    config = invocation.repository(writable=True).config
    config.pop(name, None)
    output = invocation.output
    if output.json:
        output.document({"name": name, "value": config.value(name)})
    output.say(f"{name} is {visible(config.value(name)) or 'not set'}")
