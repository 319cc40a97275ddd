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
        # What was typed may begin with something that is not part of the name.
        lead, typed = self.split(incomplete)
        try:
            names = list(self.names(invocation.repository()))
        except (Error, OSError):
            return []
        finally:
            invocation.close()
        return [CompletionItem(lead + one) for one in names if one.startswith(typed)]

    def split(self, incomplete: str) -> tuple[str, str]:
        """Split what was typed into what stays and the beginning of a name."""
        return "", incomplete


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


class RangeWord(RevisionWord):
    """A revision, or two of them as ``main..other``."""

    def split(self, incomplete: str) -> tuple[str, str]:
        """Keep what stands before the last dots."""
        start = incomplete.rfind("..") + 2 if ".." in incomplete else 0
        return incomplete[:start], incomplete[start:]


class BranchWord(Word):
    """The name of a branch."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return the branches."""
        return repository.branches


class TagWord(Word):
    """The name of a tag."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return the tags."""
        return repository.tags


class RemoteWord(Word):
    """The name of a remote."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return the remotes."""
        return repository.remotes


class SettingWord(Word):
    """The name of a setting."""

    def names(self, repository: Repository) -> Iterable[str]:
        """Return the settings, set or not."""
        from prolly.repo import SETTINGS

        return SETTINGS


# Parameters by name.
WORDS: dict[str, Word] = {
    "dataset": DatasetWord(),
    "datasets": DatasetWord(),
    "revision": RevisionWord(),
    "revisions": RangeWord(),
    "at": RevisionWord(),
    "words": DatasetWord(),
    "remote": RemoteWord(),
}
# Parameters whose names say less, by command. In `dataset create` and `tag` a name is
# new and not in here; `branch` and `tag` have those that -d deletes.
WORDS_OF: dict[tuple[str, str], Word] = {
    ("switch", "name"): BranchWord(),
    ("branch", "name"): BranchWord(),
    ("tag", "name"): TagWord(),
    ("drop", "name"): DatasetWord(),
    ("rename", "old"): DatasetWord(),
    ("get", "name"): SettingWord(),
    ("set", "name"): SettingWord(),
    ("unset", "name"): SettingWord(),
    ("remove", "name"): RemoteWord(),
    ("pull", "branch"): BranchWord(),
    ("push", "branch"): BranchWord(),
}


def teach(command: click.Command) -> None:
    """Let every parameter of a command that names something be completed."""
    for one in command.params:
        name = one.name or ""
        word = WORDS_OF.get((command.name or "", name), WORDS.get(name))
        if word is not None and type(one.type) is click.types.StringParamType:
            one.type = word
    if isinstance(command, click.Group):
        for child in command.commands.values():
            teach(child)


def complete(program: click.Command, instruction: str) -> int:
    """Answer the shell, which tells in the environment what was typed so far."""
    settings = {"obj": Invocation()}
    return shell_complete(program, settings, "prolly", COMPLETION_VARIABLE, instruction)
