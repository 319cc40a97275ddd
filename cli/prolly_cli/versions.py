"""Versions as commands name and show them: snapshots, commits, counts of changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from .invocation import Invocation
from .output import Output, json_text, number, visible

if TYPE_CHECKING:
    from prolly import (
        Address,
        DatasetChanges,
        OrderedMap,
        Repository,
        Snapshot,
        Table,
    )
    from prolly.codec import Commit

# Of an id as long as this no two commits of a large repository share one.
SHORT_ID_DIGITS = 12

# What the count of a dataset counts, where it is not records.
COUNTED = {"blob": "byte", "files": "file"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--at REV``, which every reading command takes."""
    text = "Read this version instead of the working state."
    return click.option("--at", metavar="REV", help=text)(function)


def at_commit_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--at REV`` to what reads commits and never the working state."""
    text = "Begin at this version instead of the newest commit of the branch."
    return click.option("--at", metavar="REV", help=text)(function)


def read_version(invocation: Invocation, at: str | None) -> Snapshot:
    """Return the version at a revision, or the current branch's working state."""
    repository = invocation.repository()
    if at is not None:
        return repository.at(at)
    note_older_base(invocation.output, repository)
    return repository.at_working()


def committed_records(
    repository: Repository, revision: str, dataset: str
) -> OrderedMap | Table:
    """Open the records that a commit has of a dataset; Invalid for a local one."""
    from prolly.repo import require_committed

    version = repository.at(revision, local=False)
    require_committed(repository.storage, version.root, {dataset: None})
    return version.dataset(dataset)


def note_older_base(output: Output, repository: Repository) -> None:
    """Say that the branch has commits which its working state does not show yet."""
    area = repository.working_area()
    state = area.state
    # The steps of a rebase that are made already are no commits of the branch yet.
    if state.replay is None and not area.is_clean and state.base != area.head:
        output.note(
            "the branch has moved since the uncommitted changes were begun, and its "
            "newest commits are not in them: --at HEAD reads those; `prolly commit`, "
            "or `prolly stash` and `prolly stash pop`, bring both together"
        )


def short_id(commit_id: bytes) -> str:
    """Return the first digits of an id: enough to type."""
    return commit_id.hex()[:SHORT_ID_DIGITS]


def moment(time_us: int) -> datetime:
    """Return a commit's time in UTC."""
    return _EPOCH + timedelta(microseconds=time_us)


def moment_json(time_us: int) -> str:
    """Return a commit's time as RFC 3339."""
    return moment(time_us).isoformat().replace("+00:00", "Z")


def commit_json(commit_id: Address, commit: Commit) -> dict[str, Any]:
    """Return a commit as ``log`` shows it in JSON."""
    return {
        "commit": str(commit_id),
        "root": commit.root.hex(),
        "parents": [parent.hex() for parent in commit.parents],
        "author": commit.author,
        "time": moment_json(commit.time_us),
        "message": commit.message,
        "generation": commit.generation,
    }


def datasets_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return the datasets of a version as ``show`` and ``ls`` list them in JSON."""
    return {
        name: {
            "kind": info.kind,
            "root": str(info.root),
            "count": info.count,
            **({"local": True} if info.local else {}),
        }
        for name, info in snapshot.datasets.items()
    }


def datasets_lines(snapshot: Snapshot) -> list[str]:
    """Return the datasets of a version as aligned lines."""
    found = snapshot.datasets
    names = [visible(name) for name in found]
    counts = ["?" if one.count is None else number(one.count) for one in found.values()]
    width, digits = max(map(len, names), default=0), max(map(len, counts), default=0)
    return [
        f"{name:{width}}  {info.kind:5}  {count:>{digits}} "
        f"{COUNTED.get(info.kind, 'record')}{'' if info.count == 1 else 's'}"
        f"{'  local' if info.local else ''}"
        for name, count, info in zip(names, counts, found.values(), strict=True)
    ]


def counts_json(
    counts: Mapping[str, DatasetChanges], *, events: bool = False
) -> dict[str, Any]:
    """Return counts of changes by dataset, as ``commit`` and ``status`` print them."""
    shown: dict[str, Any] = {}
    for name, one in counts.items():
        shown[name] = {
            "added": one.added if one.is_counted else None,
            "removed": one.removed if one.is_counted else None,
            "modified": one.modified if one.is_counted else None,
        }
        if events and one.event:
            shown[name]["event"] = one.event
        if events and one.policies:
            shown[name]["policies"] = [
                {
                    "column": held.column,
                    "prefix": prefix_json(held.prefix),
                    "old": held.old,
                    "new": held.new,
                }
                for held in one.policies
            ]
    return shown


def counts_text(counts: DatasetChanges, output: Output) -> str:
    """Return counts in words: ``60 added, 14 removed, 626 modified``.

    Where a partial replica cannot count there are question marks.
    """
    none = "0" if counts.is_counted else "?"
    parts = [
        output.style(f"{number(count)} {name}", name) if count else f"{none} {name}"
        for name, count in (
            ("added", counts.added),
            ("removed", counts.removed),
            ("modified", counts.modified),
        )
    ]
    event = f" ({counts.event})" if counts.event else ""
    return ", ".join(parts) + event + policies_text(counts)


def policies_text(counts: DatasetChanges) -> str:
    """Return which policies differ: ``; policy max -> min of column cents``."""
    told = [
        f"; policy {one.old or 'none'} -> {one.new or 'none'} "
        f"{scope_text(one.column, one.prefix)}"
        for one in counts.policies
    ]
    return "".join(told)


def prefix_json(prefix: Any) -> Any:
    """Return a prefix as it is typed: text, or an array of parts."""
    from .record_text import key_parts

    if prefix is None or type(prefix) is str:
        return prefix
    return key_parts(prefix, typed=False)


def scope_text(column: str | None, prefix: Any) -> str:
    """Return where a policy holds, for people."""
    words = []
    if column is not None:
        words.append(f"column {visible(column)}")
    if prefix is not None:
        spelt = prefix_json(prefix)
        shown = spelt if type(spelt) is str else json_text(spelt)
        words.append(f"keys from {visible(shown)}")
    return ", ".join(words) if words else "everywhere"


def counts_lines(counts: Mapping[str, DatasetChanges], output: Output) -> list[str]:
    """Return one aligned line of counts for each dataset."""
    width = max((len(visible(name)) for name in counts), default=0)
    return [
        f"{visible(name):{width}}  {counts_text(one, output)}"
        for name, one in counts.items()
    ]


def changes_of(
    repository: Repository, before: Snapshot, dataset: str
) -> DatasetChanges:
    """Count what changed of a dataset since a working state, local or not."""
    from prolly import DatasetChanges

    after = repository.at_working()
    local = dataset in after.local_names
    name = after.committed_name(dataset)
    counts = repository.compare(before, after, local=local).counts(name)
    return counts.get(name, DatasetChanges())


def uncommitted(repository: Repository) -> dict[str, DatasetChanges]:
    """Return what the working state changes against the commit it stands on."""
    base = repository.working_area().state.base
    return repository.diff_counts(base, repository.at_working())


def is_revision(repository: Repository, text: str) -> bool:
    """Tell whether a word names a commit."""
    from prolly import Invalid, NotFound

    try:
        repository.resolve(text)
    except (NotFound, Invalid):
        return False
    return True
