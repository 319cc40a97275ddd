"""A part of a dataset's description as one side of a merge has it, written.

dropped     the dataset goes, or is there again
name        the name
policy      the policy of that scope
column      its name, where nothing else of it stands otherwise, and none has it
others      nothing is written: they stand so, or it is refused
"""

from __future__ import annotations

from typing import Any

from prolly.codec import Descriptor, cbor
from prolly.datasets import stored_table
from prolly.errors import AlreadyExists, Unsupported
from prolly.maps import ABSENT
from prolly.merge import StoredConflict, shown_part

from .conflict import Side
from .conflict_view import ConflictView
from .workspace import Workspace


def take_part(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, side: Side
) -> None:
    """Let a part be as one side has it.

    Unsupported ``settle-by-hand`` where a word does not bring that about, AlreadyExists
    ``dataset-exists`` for a name that is taken.
    """
    what = str(stored.entry.facts.get("what", ""))
    there = view.entry(side, stored.dataset)
    now = workspace.entry(stored.dataset)
    if what == "dropped" and (there is None or now is None):
        _drop_or_restore(workspace, stored.dataset, there)
    elif what == "dropped" and side != "base":
        # Whoever changed it has it, with what the merge and edits since made of it.
        return
    elif what == "name" and there is not None and now is not None:
        if there.name != now.name:
            workspace.rename(now.name, there.name)
    elif what.startswith("policy ") and there is not None and now is not None:
        scope = what.removeprefix("policy ")
        workspace.set_scope(now.name, scope, there.policies.get(scope))
    elif now is not None and _is_renamed(view, stored, side, now):
        stands = shown_part(now, what, stored.entry.fields)
        wanted = view.described(side, stored, what)
        table = workspace.table(now.name)
        table.alter().rename_column(stands["name"], wanted["name"])
    elif lacking(view, stored, side, now):
        name = view.known(stored.dataset).name
        raise Unsupported(
            f"{what} of {name!r} does not stand as {side} has it, and one word does "
            "not bring that about",
            code="settle-by-hand",
            hint="Alter the dataset (`prolly schema --set`, `prolly dataset`), then "
            f"settle it as it stands: `prolly resolve {name} --schema '{what}' "
            "--keep`.",
            dataset=name,
        )


def _drop_or_restore(
    workspace: Workspace, identity: bytes, there: Descriptor | None
) -> None:
    """Let a dataset be gone, or be there again, as a side has it."""
    now = workspace.entry(identity)
    if there is None and now is not None:
        workspace.drop(now.name)
    elif there is not None:
        restore(workspace, identity, there)


def restore(workspace: Workspace, identity: bytes, there: Descriptor) -> None:
    """Let a dataset be there again; AlreadyExists ``dataset-exists`` for its name."""
    if workspace.find(there.name) is not None:
        raise AlreadyExists(
            f"there is another dataset {there.name!r} by now",
            code="dataset-exists",
            hint="Rename or drop that one first.",
            dataset=there.name,
        )
    workspace.adopt(identity, there)


def is_takeable(view: ConflictView, stored: StoredConflict, side: Side) -> bool:
    """Tell whether a part can be as one side has it, by a word alone.

    Of a dataset that is back, or renamed, its name may be taken by now all the same.
    """
    what = str(stored.entry.facts.get("what", ""))
    there = view.entry(side, stored.dataset)
    now = view.merged.by_id.get(stored.dataset)
    is_both = there is not None and now is not None
    if what == "dropped" and (not is_both or side != "base"):
        return True
    if is_both and (what == "name" or what.startswith("policy ")):
        return True
    if not lacking(view, stored, side, now):
        return True
    return now is not None and _is_renamed(view, stored, side, now)


def _is_renamed(
    view: ConflictView, stored: StoredConflict, side: Side, now: Descriptor
) -> bool:
    """Tell whether a column stands as wanted, but for its name, which is free."""
    what = str(stored.entry.facts.get("what", ""))
    if not what.startswith("column ") or lacking(view, stored, side, now) != {"name"}:
        return False
    wanted = view.described(side, stored, what)
    return wanted["name"] not in stored_table(now).schema.names


def lacking(
    view: ConflictView, stored: StoredConflict, side: Side, now: Descriptor | None
) -> set[str]:
    """Return what of all that a side changed of a part does not stand: names of its
    fields, or an empty one for the whole.

    What only another side changed of it is merged, and no matter. For the base the part
    must be the base's.
    """
    what = str(stored.entry.facts.get("what", ""))
    stands = shown_part(now, what, stored.entry.fields)
    wanted = view.described(side, stored, what)
    if _same(stands, wanted):
        return set()
    base = view.described("base", stored, what)
    if type(stands) is not dict or type(wanted) is not dict:
        return {""}
    if side == "base" or type(base) is not dict:
        return {
            name
            for name in stands.keys() | wanted.keys()
            if not _same(stands.get(name, ABSENT), wanted.get(name, ABSENT))
        }
    return {
        name
        for name, value in wanted.items()
        if not _same(stands.get(name, ABSENT), value)
        and not _same(base.get(name, ABSENT), value)
    }


def _same(one: Any, other: Any) -> bool:
    return cbor.encode(_plain(one)) == cbor.encode(_plain(other))


def _plain(part: Any) -> Any:
    return [] if part is ABSENT else [part]
