"""How a branch stands beside those of its name on remotes, as last seen."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .output import Output, number, plural, visible

if TYPE_CHECKING:
    from prolly import Repository

# More are not counted: it would take longer than a glance is worth.
COUNTED_COMMITS_MAX = 10_000


class Beside(NamedTuple):
    """Commits that only the branch has (ahead), and only the remote's (behind)."""

    remote: str
    ahead: int
    behind: int


def beside_remotes(repository: Repository, branch: str) -> list[Beside]:
    """Count what parts a branch from those of its name on remotes, as last seen.

    Nobody is asked. A count ends at ``COUNTED_COMMITS_MAX``; where history was cut off
    it is that of the commits that are here.
    """
    tip = repository.branches.get(branch)
    if tip is None:
        return []
    found = []
    for name, theirs in repository.tracking.items():
        if name.partition("/")[2] == branch:
            ahead = _beyond(repository, tip, theirs)
            found.append(Beside(name, ahead, _beyond(repository, theirs, tip)))
    return found


def _beyond(repository: Repository, one: bytes, other: bytes) -> int:
    from prolly.history import beyond

    commits = repository.storage.commits
    only = beyond(commits, [bytes(one)], [bytes(other)])
    return sum(1 for _ in islice(only, COUNTED_COMMITS_MAX))


def replica_json(repository: Repository, branch: str) -> dict[str, Any]:
    """Return what is to be said of a replica as JSON; nothing where there is none."""
    counts = {
        one.remote: {"ahead": one.ahead, "behind": one.behind}
        for one in beside_remotes(repository, branch)
    }
    told: dict[str, Any] = {"remotes": counts} if counts else {}
    return told | {"partial": True} if repository.is_partial else told


def tell_replica(output: Output, repository: Repository, branch: str) -> None:
    """Say what a push would send and a pull would bring, and what may be absent."""
    for one in beside_remotes(repository, branch):
        parts = [
            f"{_counted(count)} {word}"
            for count, word in ((one.ahead, "ahead of"), (one.behind, "behind"))
            if count
        ]
        name = output.style(visible(one.remote), "ref")
        output.line(f"{', '.join(parts) or 'even with'} {name}")
    if repository.is_partial:
        output.line("a partial replica: what is absent is fetched when it is read")


def _counted(count: int) -> str:
    if count < COUNTED_COMMITS_MAX:
        return plural(count, "commit")
    return f"{number(count)} commits or more"
