"""Random edits of whole versions, as plain data and as what a transaction writes."""

from __future__ import annotations

import random
from typing import Any

from prolly.repo import Transaction
from prolly.tables import MutableTable, Schema

from .history_model import COUNTERS, EXTRA_COLUMNS, FLEETING, WIDE, Version
from .merge_model import SCHEMAS, is_valid

_KEYS = 4
_LONG = "long" * 600
_WIDE_SCHEMA = Schema.create(
    [("id", "int"), ("title", "text"), ("amount", "int"), ("count", "int")], "id"
)

# What is edited, and how often: columns seldom.
_PARTS = ("map", "parents", "children", COUNTERS, WIDE, "columns", FLEETING)
_PART_ODDS = (5, 5, 5, 3, 8, 1, 2)


def edited(version: Version, source: random.Random) -> Version:
    """Return a version after one change; the same where it would break a constraint."""
    changed = version.copy()
    (part,) = source.choices(_PARTS, _PART_ODDS)
    key = source.randrange(_KEYS)
    if part == "columns":
        _edit_columns(changed, source)
    elif part == COUNTERS:
        before = changed.counters.get(key, 0)
        changed.counters[key] = before + source.randrange(1, 3)
    elif part == WIDE:
        _edit_row(changed, key, source)
    elif part == FLEETING:
        is_dropped = changed.fleeting is not None and source.random() < 0.4
        there = {**(changed.fleeting or {}), key: source.randrange(3)}
        changed.fleeting = None if is_dropped else there
    elif source.random() < 0.2:
        changed.plain[part].pop(key, None)
    else:
        changed.plain[part][key] = _plain_value(part, source)
    return changed if is_valid(changed.plain) else version


def _plain_value(part: str, source: random.Random) -> Any:
    if part == "map":
        return source.choice([None, 1, 2, 3, _LONG])
    number = source.choice([None, 1, 50])
    if part == "parents":
        return {"tag": source.choice([None, "a", "b", "c", "d"]), "number": number}
    parent = source.choice([None, *range(_KEYS)])
    return {"parent": parent, "number": number, "note": source.choice(["x", "y"])}


def _edit_row(version: Version, key: int, source: random.Random) -> None:
    row = version.wide.get(key)
    if row is None:
        row = dict.fromkeys(version.columns) | {"count": 0}
    elif source.random() < 0.15:
        del version.wide[key]
        return
    version.wide[key] = row
    name = source.choice(version.columns)
    if name == "count":
        row[name] += source.randrange(1, 3)
    elif name == "amount":
        value = source.choice([None, 1, 2, 3])
        is_text = version.amount == "text" and value is not None
        row[name] = str(value) if is_text else value
    else:
        row[name] = source.choice([None, "p", "q", _LONG])


def _edit_columns(version: Version, source: random.Random) -> None:
    act = source.randrange(4)
    if act == 0:
        version.title = f"title{source.randrange(3)}"
    elif act == 1 and version.amount == "int":
        version.amount = "text"
        for row in version.wide.values():
            row["amount"] = None if row["amount"] is None else str(row["amount"])
    elif act > 1:
        name = source.choice(EXTRA_COLUMNS)
        is_there = name in version.extras
        version.extras ^= {name}
        for row in version.wide.values():
            if is_there:
                del row[name]
            else:
                row[name] = None


def write_difference(tx: Transaction, before: Version, after: Version) -> None:
    """Write what turns one version into another, descriptions first."""
    if tx.find(WIDE) is None:
        _create(tx)
    if (before.title, before.amount, before.extras) != (
        after.title,
        after.amount,
        after.extras,
    ):
        _alter(tx.table(WIDE), before, after)
    if after.fleeting is None and before.fleeting is not None:
        tx.drop(FLEETING)
    if after.fleeting is not None:
        tx.map(FLEETING)
    old, new = {FLEETING: {}, **before.records()}, after.records()
    for name in new:
        gone = old[name].keys() - new[name].keys()
        written = {
            key: one for key, one in new[name].items() if old[name].get(key, tx) != one
        }
        if not gone and not written:
            continue
        is_table = name not in ("map", COUNTERS, FLEETING)
        held = tx.table(name) if is_table else tx.map(name)
        for key in gone:
            del held[key]
        for key, one in written.items():
            held[key] = one


def _create(tx: Transaction) -> None:
    tx.map("map")
    tx.map(COUNTERS)
    tx.set_policy(COUNTERS, "counter")
    tx.table(WIDE, schema=_WIDE_SCHEMA)
    tx.set_policy(WIDE, "counter", column="count")
    for name, schema in SCHEMAS.items():
        tx.table(name, schema=schema)


def _alter(table: MutableTable, before: Version, after: Version) -> None:
    if after.title != before.title:
        table.alter().rename_column(before.title, after.title)
    if after.amount != before.amount:
        table.alter().widen_column("amount", after.amount)
    for name in sorted(before.extras - after.extras):
        table.alter(force=True).drop_column(name)
    for name in sorted(after.extras - before.extras):
        table.alter().add_column(name, "text")
