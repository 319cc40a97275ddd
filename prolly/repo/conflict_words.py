"""A conflict in words: what is at odds, where the three values do not show it."""

from __future__ import annotations

from prolly.codec import cbor, shown
from prolly.maps import ABSENT

from .conflict import Conflict, Side


def conflict_words(conflict: Conflict) -> str:
    """Return which rule is broken and by what else, or what each side did.

    Of a policy where it holds, by the name of its column.

    Empty where base, ours and theirs say it all.
    """
    facts = conflict.facts
    if conflict.kind == "schema":
        words = _scope(conflict) if "column" in facts else ""
    else:
        words = _rule(conflict) if "constraint" in facts else _deeds(conflict)
    if conflict.reason.startswith(words):
        return conflict.reason
    return "; ".join((words, conflict.reason)) if conflict.reason else words


def _rule(conflict: Conflict) -> str:
    facts = conflict.facts
    words = str(facts.get("constraint", ""))
    if "other_key" in facts:
        of = facts.get("other_dataset", conflict.dataset)
        words += f", together with {shown(facts['other_key'])} of {shown(of)}"
    return words


def _scope(conflict: Conflict) -> str:
    column, prefix = conflict.facts["column"], conflict.facts["prefix"]
    words = "the policy"
    if column is not None:
        words += f" of column {column}"
    if prefix is not None:
        words += f" for keys from {shown(prefix)}"
    return words if (column, prefix) != (None, None) else "the policy of the dataset"


def _deeds(conflict: Conflict) -> str:
    """Return what a side did to a record that the other side deleted."""
    if conflict.kind != "record" or conflict.fields:
        return ""
    if conflict.base is ABSENT or conflict.settled_fields:
        return ""
    if conflict.ours is ABSENT:
        ours = "ours deleted it"
        if "stands_as" in conflict.facts:
            ours = f"ours has it as {shown(conflict.facts['stands_as'])}"
        return f"{ours}, theirs changed {_changed(conflict, 'theirs')}"
    if conflict.theirs is ABSENT:
        return f"ours changed {_changed(conflict, 'ours')}, theirs deleted it"
    return ""


def _changed(conflict: Conflict, side: Side) -> str:
    base, new = conflict.base, getattr(conflict, side)
    if not (isinstance(base, dict) and isinstance(new, dict)):
        return "it"
    # Columns that the side renamed or added count as changed, as they are called there.
    names = [
        name
        for name, value in new.items()
        if name not in base or cbor.encode([value]) != cbor.encode([base[name]])
    ]
    return ", ".join(names) or "it"
