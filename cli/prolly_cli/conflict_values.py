"""Keys and values of conflicts as people type them."""

from __future__ import annotations

from typing import Any

from prolly import Conflict, Conflicts, NotFound, Repository, Table

from .typed_words import parse_key, parse_row, parse_value


def require_conflicts(
    repository: Repository, conflicts: Conflicts, dataset: str
) -> None:
    """Refuse a dataset of which nothing is, or was, in conflict.

    Raises Invalid ``no-merge``, NotFound ``no-such-dataset`` and ``no-such-conflict``.
    """
    conflicts.require_merge()
    if dataset in conflicts.dataset_names():
        return
    snapshot = repository.at_working()
    if dataset not in snapshot.datasets:
        snapshot.dataset(dataset)
    raise NotFound(
        f"nothing of {dataset!r} is in conflict",
        code="no-such-conflict",
        hint="`prolly conflicts` lists those that there are.",
        dataset=dataset,
    )


def typed_key(conflicts: Conflicts, dataset: str, text: str) -> Any:
    """Return the key that was typed. Raises as ``parse_key``."""
    return parse_key(text, conflicts.records(dataset))


def typed_value(conflicts: Conflicts, conflict: Conflict, text: str) -> Any:
    """Return the value that was typed for a conflict; raises Invalid.

    In a table an object of columns: those that it leaves out stay as they stand.
    """
    if conflict.key == ():
        return parse_value(text)
    records = conflicts.records(conflict.dataset)
    if isinstance(records, Table):
        return parse_row(text, conflict.key, records.schema)
    return parse_value(text)
