"""A part of what is uncommitted: whole datasets, or single records of one.

The part is written onto the base as if nothing else had been edited, so indexes and
constraints are kept as at any edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from prolly.codec import Descriptor, shown
from prolly.datasets import Manifest, missing_dataset, records_of
from prolly.errors import Invalid, KeyNotFound
from prolly.maps import key_not_found
from prolly.tree import NodeReader, get

from .workspace import Workspace

# Dataset name -> None for all of it, or the user keys of records.
Selection = Mapping[str, Sequence[Any] | None]


def select(
    workspace: Workspace, reader: NodeReader, working: bytes, wanted: Selection
) -> None:
    """Bring the chosen changes of the manifest ``working`` into a workspace.

    The workspace stands on the manifest that the changes were made on. A dataset may be
    named as it is called on either side. NotFound ``no-such-dataset``; KeyNotFound for
    a record that is on neither side; Invalid ``partial-commit`` where the choice cannot
    stand alone: records of a dataset that was altered or dropped, or a name that is
    taken without another part of the change.
    """
    _check_selection(wanted)
    after = Manifest(reader, working)
    before = workspace.base
    for name, keys in wanted.items():
        found = _ids(before, after, name)
        if not found:
            raise missing_dataset(name, after)
        for identity in found if keys is None else found[:1]:
            old, new = before.by_id.get(identity), after.by_id.get(identity)
            if keys is None:
                workspace.adopt(identity, new)
            else:
                _select_records(workspace, reader, (identity, old, new), keys)
    _check_names(workspace)


def _check_selection(wanted: object) -> None:
    """Raise Invalid ``option`` for what is no selection, such as one key as text."""
    fits = isinstance(wanted, Mapping) and not any(
        isinstance(keys, (str, bytes))
        or not (keys is None or isinstance(keys, Iterable))
        for keys in wanted.values()
    )
    if not fits:
        raise Invalid(
            f"{shown(wanted)} does not say what to commit",
            code="option",
            hint="Give a mapping from dataset to a list of keys, or to None for all.",
        )


def _ids(before: Manifest, after: Manifest, name: str) -> list[bytes]:
    """Return the ids that have the name on either side, that of the new side first."""
    found = (after.find(name), before.find(name))
    return list(dict.fromkeys(one[0] for one in found if one is not None))


def _select_records(
    workspace: Workspace,
    reader: NodeReader,
    dataset: tuple[bytes, Descriptor | None, Descriptor | None],
    keys: Sequence[Any],
) -> None:
    identity, old, new = dataset
    if new is None or (old is not None and old.schema != new.schema):
        name = new.name if new is not None else old.name if old is not None else ""
        done = "dropped" if new is None else "given another schema"
        raise Invalid(
            f"single records of {name!r} cannot be committed: it was {done}",
            code="partial-commit",
            hint="Commit the dataset whole.",
            dataset=name,
        )
    records = records_of(reader, new)
    edits: dict[bytes, bytes | None] = {}
    for key in keys:
        encoded = records.encode_key(key)
        stands = None
        if old is not None:
            stands = get(reader, old.roots[0].address, encoded)
        edits[encoded] = get(reader, new.roots[0].address, encoded)
        if stands is None and edits[encoded] is None:
            raise _no_record(key)
    stamps = None
    if new.stamps is not None:
        root = new.stamps.address
        stamps = {encoded: get(reader, root, encoded) for encoded in edits}
    workspace.put_stored(identity, new, edits, stamps)


def _no_record(key: Any) -> KeyNotFound:
    error = key_not_found(key)
    error.hint = "`prolly diff` shows the records that are uncommitted."
    return error


def _check_names(workspace: Workspace) -> None:
    names = list(workspace)
    for name, following in pairwise(names):
        if name == following:
            raise Invalid(
                f"with this part alone two datasets would be called {name!r}",
                code="partial-commit",
                hint="Choose the dataset that had the name, too.",
                dataset=name,
            )
