"""What the shell completes: commands, options, and names of the repository.

Completion must never disturb who types: whatever fails completes to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, shell_complete

from .command_group import COMPLETION_VARIABLE
from .invocation import Invocation

if TYPE_CHECKING:
    from prolly import Repository


class Word(click.types.StringParamType):
    """Text that names something of the repository."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return the names that there are."""
        raise NotImplementedError

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with what was typed."""
        from prolly import Error

        invocation = ctx.ensure_object(Invocation)
        try:
            names = list(self.names(invocation.repository()))
        except (Error, OSError):
            return []
        finally:
            invocation.close()
        return [CompletionItem(one) for one in names if one.startswith(incomplete)]


class DatasetWord(Word):
    """The name of a dataset in the working state."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return the datasets."""
        return repository.at_working().datasets


class RevisionWord(Word):
    """A branch or a tag."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return branches and tags."""
        return [*repository.branches, *repository.tags, "HEAD"]


# Parameters by name. In `dataset create` and `tag` a name is new, and not in here.
WORDS: dict[str, Word] = {
    "dataset": DatasetWord(),
    "datasets": DatasetWord(),
    "revision": RevisionWord(),
    "revisions": RevisionWord(),
    "at": RevisionWord(),
}


def teach(command: click.Command) -> None:
    """Let every parameter of a command that names something be completed."""
    for one in command.params:
        word = WORDS.get(one.name or "")
        if word is not None and type(one.type) is click.types.StringParamType:
            one.type = word
    if isinstance(command, click.Group):
        for child in command.commands.values():
            teach(child)


def complete(program: click.Command, instruction: str) -> int:
    """Answer the shell, which tells in the environment what was typed so far."""
    settings = {"obj": Invocation()}
    return shell_complete(program, settings, "prolly", COMPLETION_VARIABLE, instruction)
