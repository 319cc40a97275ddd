"""``prolly diff --format patch``: what differs, to be applied elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .output import Output

if TYPE_CHECKING:
    from prolly import Repository, Snapshot


def print_patch(
    output: Output,
    repository: Repository,
    versions: tuple[Snapshot, Snapshot],
    told: tuple[str | None, dict[str, Any]],
) -> bool:
    """Print a patch that leads from one version to the other; return whether they
    differ.

    ``told`` is the scope and the options, of which a patch takes none.
    """
    scope, how = told
    if scope is not None or how["fields"]:
        raise click.UsageError("a patch is of all datasets, and of whole records")
    with output.paged():
        for line in repository.patch(*versions):
            output.line(line)
    old, new = versions
    return old.root != new.root
