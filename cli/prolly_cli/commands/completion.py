"""``prolly completion``: commands, options and names completed by the shell."""

from __future__ import annotations

import click

from ..command_group import COMPLETION_VARIABLE, Verb
from ..invocation import Invocation

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete what is typed behind `prolly`.

    In bash: `prolly completion bash >> ~/.bashrc`; in zsh the same with .zshrc; in fish
    `prolly completion fish > ~/.config/fish/completions/prolly.fish`.
    """
    from click.shell_completion import get_completion_class

    invocation = context.ensure_object(Invocation)
    completer = get_completion_class(shell)
    assert completer is not None
    program = context.find_root().command
    script = completer(program, {}, "prolly", COMPLETION_VARIABLE).source()
    if invocation.output.json:
        invocation.output.document({"shell": shell, "script": script})
        return
    invocation.output.line(script.rstrip("\n"))
