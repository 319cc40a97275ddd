"""A part of a dataset's description as one side of a merge has it, written.

dropped     the dataset goes, or is there again
name        the name
policy      the policy of that scope
others      nothing is written: they stand so, or it is refused
"""

from __future__ import annotations

from typing import Any

from prolly.codec import Descriptor, cbor
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
    elif not _stands_so(view, stored, side, now):
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
        if workspace.find(there.name) is not None:
            raise AlreadyExists(
                f"there is another dataset {there.name!r} by now",
                code="dataset-exists",
                hint="Rename or drop that one first.",
                dataset=there.name,
            )
        workspace.adopt(identity, there)


def _stands_so(
    view: ConflictView, stored: StoredConflict, side: Side, now: Descriptor | None
) -> bool:
    """Tell whether all that a side changed of a part stands.

    What only another side changed of it is merged, and no matter. For the base the part
    must be the base's.
    """
    what = str(stored.entry.facts.get("what", ""))
    stands = shown_part(now, what, stored.entry.fields)
    wanted = view.described(side, stored, what)
    if cbor.encode(_plain(stands)) == cbor.encode(_plain(wanted)):
        return True
    base = view.described("base", stored, what)
    if side == "base" or not all(type(one) is dict for one in (stands, wanted, base)):
        return False
    return all(
        stands.get(name) == value or base.get(name, ABSENT) == value
        for name, value in wanted.items()
    )


def _plain(part: Any) -> Any:
    return [] if part is ABSENT else [part]
