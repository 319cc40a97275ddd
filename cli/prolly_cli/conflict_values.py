"""Keys and values of conflicts as people type them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from prolly import Conflict, Conflicts, Invalid, NotFound, Repository, Schema, Table
from prolly.repo import SIDES

from .record_text import key_parts, key_words
from .typed_words import parse_json, parse_key, parse_key_of, parse_row, parse_value


def require_conflicts(
    repository: Repository, conflicts: Conflicts, dataset: str
) -> None:
    """Refuse a dataset of which nothing is, or was, in conflict.

    Raises Invalid ``no-merge``, NotFound ``no-such-dataset`` and ``no-such-conflict``.
    """
    conflicts.require_merge()
    if dataset in conflicts.dataset_names():
        return
    snapshot = repository.at_working(local=False)
    if dataset not in snapshot.datasets:
        snapshot.dataset(dataset)
    raise NotFound(
        f"nothing of {dataset!r} is in conflict",
        code="no-such-conflict",
        hint="`prolly conflicts` lists those that there are.",
        dataset=dataset,
    )


def missing_conflict(dataset: str, key: str | None) -> NotFound:
    """Return (not raise) the error for a key that is not in conflict."""
    return NotFound(
        f"{key} of {dataset!r} is not in conflict",
        code="no-such-conflict",
        hint="`prolly conflicts` lists those that there are.",
        dataset=dataset,
    )


def typed_key(conflicts: Conflicts, dataset: str, text: str) -> Any:
    """Return the key that was typed.

    In a table it may be typed as it is listed: as a side spells it, where the types
    that the key columns have now have no form for it. Raises as ``parse_key``, and
    Invalid ``key-parts`` for a blob.
    """
    if conflicts.is_blob(dataset):
        raise Invalid(
            f"{dataset!r} is a blob, which has no keys",
            code="key-parts",
            hint="Leave KEY out: the blob is in conflict as a whole.",
            dataset=dataset,
        )
    records = conflicts.records(dataset)
    if isinstance(records, Table):
        found = list(_keys_in_conflict(conflicts, dataset, text, records.schema))
        listed = [key for key in found if is_listed_as(key, text)]
        for key in (*listed, *found):
            return key
    return parse_key(text, records)


def _keys_in_conflict(
    conflicts: Conflicts, dataset: str, text: str, now: Schema
) -> Iterator[Any]:
    """Yield the keys in conflict that a text spells, under the schema of now first."""
    sides = [conflicts.schema(dataset, side) for side in SIDES]
    for schema in (now, *sides):
        with suppress(Invalid):
            key = None if schema is None else parse_key_of(text, schema)
            if key is not None and conflicts.find(dataset, key):
                yield key


def is_listed_as(key: Any, text: str) -> bool:
    """Tell whether a text is just how a table's key is listed, not another form."""
    if key_words(key, typed=True) == text:
        return True
    try:
        return bool(parse_json(text, "the key") == key_parts(key, typed=True))
    except Invalid:
        return False


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
