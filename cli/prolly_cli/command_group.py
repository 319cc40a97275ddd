"""The group of all commands: loaded one by one, with global options on either side.

Importing a command's module costs more than running it, so the group knows names alone
until one is asked for. A global option may stand before or after the command; both ways
it changes the one ``Invocation`` that all commands are handed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import click

from .invocation import Invocation

# Where the shell tells, when it completes, what it wants; the script of `completion`
# sets it.
COMPLETION_VARIABLE = "_PROLLY_COMPLETE"

# The commands as --help lists them: name and module.
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Begin": {"init": "init", "import": "import_table", "export": "export_table"},
    "Read": {"get": "get", "scan": "scan", "ls": "ls", "schema": "schema"},
    "Edit": {"put": "put", "delete": "delete", "dataset": "dataset", "files": "files"},
    "Versions": {
        "status": "status",
        "commit": "commit",
        "log": "log",
        "show": "show",
        "stash": "stash",
        "diff": "diff",
        "history": "history",
        "blame": "blame",
        "bisect": "bisection",
    },
    "Branches": {
        "branch": "branch",
        "switch": "switch",
        "tag": "tag",
        "reset": "reset",
    },
    "Merging": {
        "merge": "merge",
        "merge-file": "merge_file",
        "conflicts": "conflicts",
        "resolve": "resolve",
        "policy": "policy",
    },
    "Rewriting": {
        "revert": "revert",
        "cherry-pick": "cherry_pick",
        "rebase": "rebase",
        "squash": "squash",
        "apply": "apply",
    },
    "Replicas": {
        "clone": "clone",
        "remote": "remote",
        "fetch": "fetch",
        "pull": "pull",
        "push": "push",
        "pin": "pin",
        "unpin": "unpin",
        "bundle": "bundle",
        "serve": "serve",
        "remote-serve": "remote_serve",
    },
    "Settings": {"config": "config", "completion": "completion"},
    "Care": {
        "gc": "collect_garbage",
        "fsck": "fsck",
        "stats": "stats",
        "demo": "demo",
    },
}

# What other tools call a command, where ours is called quite otherwise.
KNOWN_ELSEWHERE = {"reflog": "log -g"}


def _set_directory(context: click.Context, _: Any, values: tuple[str, ...]) -> None:
    for value in values:
        context.ensure_object(Invocation).enter(value)


def _set_app(context: click.Context, _: Any, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Invocation).app = value


def _set_flag(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Invocation).set_flag(
            str(option.name).removeprefix("global_")
        )


def _show_version(context: click.Context, _: Any, value: bool) -> None:
    if value and not context.resilient_parsing:
        import prolly

        click.echo(f"prolly {prolly.__version__}")
        context.exit()


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """Return the options that every command takes."""

    def flag(
        names: list[str], callback: Callable[..., None], text: str, eager: bool = False
    ) -> click.Option:
        return click.Option(
            names,
            is_flag=True,
            expose_value=False,
            hidden=hidden,
            callback=callback,
            is_eager=eager,
            help=text,
        )

    directory = click.Option(
        ["-C", "global_directory"],
        metavar="DIR",
        multiple=True,
        expose_value=False,
        hidden=hidden,
        callback=_set_directory,
        help="Work in DIR instead of the current directory.",
    )
    app = click.Option(
        ["--app", "global_app"],
        metavar="MODULE:NAME",
        expose_value=False,
        hidden=hidden,
        callback=_set_app,
        help="Take resolvers from the prolly.App of this name.",
    )
    return [
        directory,
        app,
        flag(["--json", "global_json"], _set_flag, "Print the answer as JSON."),
        flag(
            ["-q", "--quiet", "global_quiet"],
            _set_flag,
            "Print no notes and no progress.",
        ),
        flag(
            ["--no-color", "global_no_color"],
            _set_flag,
            "Print no colour, on a terminal too.",
        ),
        flag(
            ["--profile", "global_profile"],
            _set_flag,
            "Say on standard error what the command cost.",
        ),
        flag(
            ["--version", "global_version"],
            _show_version,
            "Print the version and exit.",
            eager=True,
        ),
    ]


class Verb(click.Command):
    """One command: it takes the global options too, without listing them in its help.

    With ``takes_scope`` what stands behind ``--`` is no argument but the one thing the
    command is about, and is handed over as ``scope`` (``None`` without it).
    """

    def __init__(self, *names: Any, takes_scope: bool = False, **settings: Any) -> None:
        settings.setdefault(
            "epilog", "`prolly --help` lists the options that every command takes."
        )
        super().__init__(*names, **settings)
        self.takes_scope = takes_scope
        self.params.extend(global_options(hidden=True))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the scope off before click, which would read it as an argument."""
        scope = None
        if self.takes_scope and "--" in args:
            place = args.index("--")
            args, behind = args[:place], args[place + 1 :]
            if len(behind) > 1:
                message = f"one dataset may stand behind --, not {len(behind)}"
                raise click.UsageError(message, ctx)
            scope = behind[0] if behind else None
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            # Of an option without its value click does not say whose it is.
            error.ctx = error.ctx or ctx
            raise
        if self.takes_scope:
            ctx.params["scope"] = scope
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show the scope in the usage line."""
        pieces = super().collect_usage_pieces(ctx)
        return [*pieces, self.scope_metavar] if self.takes_scope else pieces

    scope_metavar = "[-- DATASET[:KEY]]"


class VerbGroup(click.Group):
    """A command with subcommands, each a :class:`Verb`."""

    command_class = Verb

    def __init__(self, *names: Any, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.params.extend(global_options(hidden=True))


class Program(click.Group):
    """All of ``prolly``: finds commands by name, runs one, gives its exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.params.extend(global_options(hidden=False))
        self._modules = {
            name: module
            for names in SECTIONS.values()
            for name, module in names.items()
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; ``None`` when there is none of the name."""
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        loaded = import_module(f".commands.{module}", __package__)
        command = cast(click.Command, loaded.command)
        if COMPLETION_VARIABLE in os.environ:
            from .completion_words import teach

            teach(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words ask for, or say which are like it."""
        name = args[0]
        if name not in self._modules and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, self._modules, 2)
            near = [KNOWN_ELSEWHERE[name]] if name in KNOWN_ELSEWHERE else near
            more = f"; did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"there is no command {name!r}{more}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands by section."""
        for title, names in SECTIONS.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                assert command is not None
                rows.append((name, command.get_short_help_str(limit=60)))
            with formatter.section(title):
                formatter.write_dl(rows, col_max=12)

    def main(  # type: ignore[override]  # It always ends the process, as click's may.
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,
    ) -> None:
        """Run as a program: print, and exit with the code of the table."""
        import sys

        from .running import run

        sys.exit(run(self, sys.argv[1:] if args is None else list(args)))
