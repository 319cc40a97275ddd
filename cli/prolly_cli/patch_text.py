"""``prolly diff --format patch``: what differs, to be applied elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import Output

if TYPE_CHECKING:
    from prolly import Repository, Snapshot


# The first line names the versions, the last one the hash.
LINES_OF_NOTHING = 2


def print_patch(
    output: Output,
    repository: Repository,
    versions: tuple[Snapshot, Snapshot],
    dataset: str | None,
) -> bool:
    """Print a patch that leads from one version to the other, or of one dataset.

    Return whether anything differs.
    """
    number = 0
    with output.paged():
        for line in repository.patch(*versions, dataset):
            output.line(line)
            number += 1
    return number > LINES_OF_NOTHING
