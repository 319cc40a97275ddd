"""What one version says of a part of a dataset's description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prolly.codec import Descriptor
from prolly.maps import ABSENT
from prolly.tables import Schema

# The parts of a schema that a conflict names, and where the name stands in each.
_LISTS = {
    "column": ("columns", 1),
    "index": ("indexes", 0),
    "check": ("checks", 0),
    "reference": ("references", 0),
}


def described_part(
    entry: Descriptor | None, what: str, ids: tuple[int, ...] = ()
) -> Any:
    """Return the part that a conflict names, as it is stored; ABSENT without it.

    ``what`` is as in ``SchemaConflict``, and ``ids`` are its columns: one of them is
    found by any name.
    """
    return ABSENT if entry is None else _part(entry, what, ids, entry.schema)


def shown_part(
    entry: Descriptor | None,
    what: str,
    ids: tuple[int, ...] = (),
    *,
    schema: Schema | None = None,
) -> Any:
    """Return the same as people see it: a part of a schema in its JSON form.

    Who has the schema of a table at hand gives it along.
    """
    if entry is None:
        return ABSENT
    if entry.kind != "table":
        return _part(entry, what, ids, {})
    schema = Schema.from_value(entry.schema) if schema is None else schema
    return _part(entry, what, ids, schema.to_json())


def _part(entry: Descriptor, what: str, ids: tuple[int, ...], form: Any) -> Any:
    """Return a part; that of a schema from one of its forms, of the same order."""
    thing, _, name = what.partition(" ")
    plain = {"name": entry.name, "kind": entry.kind}
    if thing in plain:
        return plain[thing]
    if thing == "policy":
        return entry.policies.get(name, ABSENT)
    if thing == "dropped":
        return {"kind": entry.kind, "root": entry.roots[0].address.hex()}
    if entry.kind != "table":
        return ABSENT
    if thing in ("key", "schema"):
        return form["key"] if thing == "key" else form
    return _listed(entry.schema, (thing, name), ids, form)


def _listed(
    stored: Mapping[str, Any], part: tuple[str, str], ids: tuple[int, ...], form: Any
) -> Any:
    thing, name = part
    if thing not in _LISTS:
        # What a newer release calls so.
        return ABSENT
    listed, place_of_name = _LISTS[thing]
    named = [one[place_of_name] for one in stored[listed]]
    if thing == "column":
        known = [at for at, one in enumerate(stored[listed]) if one[0] in ids]
        if known:
            return form[listed][known[0]]
    return form[listed][named.index(name)] if name in named else ABSENT
