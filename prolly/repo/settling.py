"""Settling conflicts: what is to stand is written, and the conflict marked, together.

    take       record                                   part of a description
    ours       the clashing fields as ours has them     as it stands
    theirs     the clashing fields as theirs has them   name, policy, dropped: theirs
    base       as they were                             the same of the base
    a value    that value, or row                       -

Without fields the whole record is meant, deletion included. A field is written onto the
row as it stands, so edits of other fields stay. Theirs of a record that broke a
constraint is all that theirs changed in it, since all of that was withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import Address, Descriptor, cbor
from prolly.codec import key as key_codec
from prolly.datasets import missing_dataset, records_of
from prolly.errors import Error, Invalid, NotFound, Unsupported
from prolly.maps import ABSENT, OrderedMap
from prolly.merge import ConflictKind, ConflictTree, StoredConflict
from prolly.tables import Column, Schema, Table, converted

from .conflicts import (
    SIDES,
    Conflict,
    ConflictName,
    ConflictView,
    Kind,
    Side,
    no_conflict,
    no_merge,
)
from .storage import Storage
from .takes import Marks, Take, settled_meanwhile
from .waiting_merge import Settlement
from .working_area import WorkingArea
from .workspace import Workspace


class Conflicts(Mapping[ConflictName, Conflict]):
    """The open conflicts of a merge, by (dataset, key); to be settled.

    A conflict about the dataset itself has the name (dataset, what, "schema"). The
    mapping shows the state as it stands at each call: another process may settle some.
    """

    def __init__(self, storage: Storage, area: WorkingArea) -> None:
        self._storage = storage
        self._area = area
        self._seen: tuple[bytes, ConflictView] | None = None

    def _view(self) -> ConflictView | None:
        found = self._found()
        return None if found is None else found[0]

    def _found(self) -> tuple[ConflictView, tuple[bytes, ...]] | None:
        """Return the conflicts and the parents of the merge, if one waits."""
        address, state = self._area.read()
        if address is None or state.conflicts is None:
            return None
        if self._seen is None or self._seen[0] != address:
            # States are named by what they hold, so a view of one stays true.
            storage = self._storage
            view = ConflictView.of_state(storage.reader, storage.commits, state)
            self._seen = address, view
        return self._seen[1], state.merge_parents

    def __len__(self) -> int:
        """Return how many names are open: a record that clashes and also breaks a
        constraint is one."""
        view = self._view()
        return 0 if view is None else view.name_count()

    def __iter__(self) -> Iterator[ConflictName]:
        """Yield the names of what is open, by dataset, kind and key, each once."""
        view = self._view()
        return iter(()) if view is None else view.names()

    def __getitem__(self, name: ConflictName) -> Conflict:
        """Return an open conflict; KeyNotFound ``no-such-conflict``."""
        view = self._view()
        if view is not None:
            for stored in view.find(name):
                if stored.entry.settled is None:
                    return view.shown(stored)
        raise no_conflict(name)

    def __contains__(self, name: object) -> bool:
        """Tell whether something is open under a name; nothing is under a wrong one."""
        if not isinstance(name, tuple) or len(name) not in (2, 3):
            return False
        try:
            self[name]
        except (NotFound, Invalid):
            return False
        return True

    def of(
        self, dataset: str | None = None, *, open_only: bool = True
    ) -> Iterator[Conflict]:
        """Yield conflicts by dataset, kind and key, those of one dataset or all."""
        view = self._view()
        return (
            iter(()) if view is None else view.conflicts(dataset, open_only=open_only)
        )

    def settle(
        self, dataset: str, key: Any, take: Side, *, fields: Sequence[str] = ()
    ) -> None:
        """Settle a conflict as ours, theirs or the base has it, or some fields of it.

        May be done again, until the merge is committed. NotFound ``no-such-conflict``,
        Invalid ``no-merge``, Stale ``merge-ended``, Unsupported ``settle-by-hand``, and
        as writing the record does (``unique-violation`` and others). An error changes
        nothing.
        """
        self.settle_each([Take(dataset, key, take, tuple(fields))])

    def settle_schema(self, dataset: str, what: str, take: Side) -> None:
        """Settle a conflict about the dataset itself; raises as ``settle``.

        Unsupported ``settle-by-hand`` for theirs or the base of a part that a word does
        not bring about: alter the dataset, then take ours, which is as it stands.
        """
        self.settle_each([Take(dataset, what, take, kind="schema")])

    def settle_value(self, dataset: str, key: Any, value: Any) -> None:
        """Settle a conflict with a value or row; ``ABSENT`` deletes the record.

        A row may leave columns out: they stay as they stand. Raises as ``settle``.
        """
        self.settle_each([Take(dataset, key, value=value)])

    def settle_each(self, takes: Iterable[Take]) -> int:
        """Settle several conflicts at once; return how many takes there were.

        Raises as ``settle``, and what ``takes`` raises; then none is settled.
        """
        view, parents = self._require_found()
        marks = Marks()
        number = 0
        with self._area.edit("resolve", Settlement(parents, marks.mark)) as edited:
            for take in takes:
                number += 1
                for stored in take.found(view):
                    ids = take.field_ids(view, stored)
                    if take.side is None:
                        write_value(edited, view, stored, take.value)
                    else:
                        take_side(edited, view, stored, take.side, ids)
                    marks.add(stored, take, ids)
        return number

    def counts(self) -> dict[str, int]:
        """Return how many conflicts are open by dataset, of those that have any."""
        view = self._view()
        if view is None:
            return {}
        found = view.tree.open_by_dataset()
        names = sorted(view.datasets().items())
        return {name: found[one] for name, one in names if one in found}

    def dataset_names(self) -> list[str]:
        """Return the datasets that have conflicts, settled ones included."""
        view = self._view()
        if view is None:
            return []
        return sorted(view.datasets())

    def find(self, dataset: str, key: Any, kind: Kind | None = None) -> list[Conflict]:
        """Return what is or was in conflict under a name, settled or not.

        NotFound ``no-such-dataset`` for a dataset that is not there.
        """
        view = self._view()
        if view is None:
            return []
        name = Take(dataset, key, kind=kind).name
        found = [view.shown(one) for one in view.find(name)]
        return [one for one in found if kind in (None, one.kind)]

    def schema(self, dataset: str, side: Side) -> Schema | None:
        """Return the schema that a side gives a table in conflict; ``None`` for none.

        NotFound for a dataset without conflicts.
        """
        view, _ = self._require_found()
        entry = view.entry(side, view.require(dataset))
        is_table = entry is not None and entry.kind == "table"
        return Schema.from_value(entry.schema) if entry and is_table else None

    def columns(self, dataset: str, side: Side) -> dict[str, Column]:
        """Return the columns of a side, by the names that they have now.

        Empty for what is no table on that side, or now. As ``schema`` else.
        """
        view, _ = self._require_found()
        now = view.known(view.require(dataset))
        there = self.schema(dataset, side)
        if now.kind != "table" or there is None:
            return {}
        names = view.column_names(view.require(dataset))
        return {names[one.id]: one for one in there.columns if one.id in names}

    def is_blob(self, dataset: str) -> bool:
        """Tell whether a dataset in conflict is a blob, whose key is ``()``."""
        view, _ = self._require_found()
        return view.known(view.require(dataset)).kind == "blob"

    def records(self, dataset: str) -> OrderedMap | Table:
        """Return a dataset in conflict for reading, as its newest description has it.

        NotFound for a dataset without conflicts.
        """
        view, _ = self._require_found()
        return records_of(view.reader, view.known(view.require(dataset)))

    def abort(self) -> None:
        """Give the merge up: the branch stands as before it. Invalid ``no-merge``."""
        self.require_merge()
        self._area.discard("merge: given up")

    def settle_all(self, take: Side, dataset: str | None = None) -> int:
        """Settle all that is open, or that of one dataset; return how many there were.

        Raises as ``settle``; then none is settled.
        """
        view, parents = self._require_found()
        identity = None if dataset is None else view.require(dataset)
        number = 0

        def mark(tree: ConflictTree, writer: ChunkWriter) -> bytes:
            if tree.root != view.tree.root:
                raise settled_meanwhile(dataset or "all")
            return tree.settle_all(writer, take, identity)

        settlement = Settlement(parents, mark)
        with self._area.edit(f"resolve {dataset or 'all'}", settlement) as edited:
            for stored in view.tree.entries(identity, open_only=True):
                ids = stored.entry.open_fields
                take_side(edited, view, stored, take, ids)
                number += 1
        return number

    def commit(
        self, message: str | None = None, *, author: str | None = None
    ) -> Address:
        """Commit the merge, all settled; raises as ``WorkingArea.commit``.

        Invalid ``no-merge`` where none waits: other edits may, which are nobody's here.
        """
        self.require_merge()
        return self._area.commit(message, author=author, why="merge")

    def require_merge(self) -> None:
        """Raise Invalid ``no-merge`` where none waits."""
        if not self._area.state.merge_parents:
            raise no_merge(self._area.branch)

    def _require_found(self) -> tuple[ConflictView, tuple[bytes, ...]]:
        found = self._found()
        if found is None:
            raise no_merge(self._area.branch)
        return found


def take_side(
    workspace: Workspace,
    view: ConflictView,
    stored: StoredConflict,
    side: Side,
    fields: Sequence[int],
) -> None:
    """Write what one side has for a conflict, in some columns or, with none, whole."""
    if stored.kind == ConflictKind.SCHEMA:
        _take_description(workspace, view, stored, side)
        return
    if side == "ours" and workspace.entry(stored.dataset) is None:
        # Somebody dropped the dataset since, with all that was in conflict.
        return
    entry = _require_entry(workspace, view, stored)
    there = view.entry(side, stored.dataset)
    if entry.kind == "blob":
        if there is None:
            workspace.drop(entry.name)
        else:
            workspace.put_blob(stored.dataset, there.roots[0])
    elif entry.kind != "table":
        edits = {stored.key: view.record(side, stored)}
        workspace.put_stored(stored.dataset, entry, edits)
    else:
        _take_row(workspace, view, stored, (entry, there, side, fields))


def _require_entry(
    workspace: Workspace, view: ConflictView, stored: StoredConflict
) -> Descriptor:
    """Return the dataset as it stands; NotFound when it was dropped since."""
    entry = workspace.entry(stored.dataset)
    if entry is None:
        raise missing_dataset(view.known(stored.dataset).name, workspace.base)
    return entry


def _take_row(
    workspace: Workspace,
    view: ConflictView,
    stored: StoredConflict,
    versions: tuple[Descriptor, Descriptor | None, Side, Sequence[int]],
) -> None:
    entry, there, side, fields = versions
    table = workspace.table(entry.name)
    schema = table.schema
    key = table.decode_keys([stored.key])[0]
    row = view.value(side, stored)
    if row is ABSENT or there is None:
        if key in table:
            table.delete(key)
        return
    old = Schema.from_value(there.schema)
    cells = _as_columns_now(old, schema, row)
    stands = table.get(key)
    if stands is not None:
        if fields:
            ids = set(fields)
            is_whole = ids == set(stored.entry.fields)
            if stored.kind == ConflictKind.CONSTRAINT and side == "theirs" and is_whole:
                ids |= _changed_by_theirs(view, stored)
            named = {one.name for one in schema.columns if one.id in ids}
            cells = {name: cells[name] for name in named if name in cells}
        cells = {**stands, **cells}
    table.upsert({**cells, **dict(zip(schema.key, _parts(key, schema), strict=True))})


def _changed_by_theirs(view: ConflictView, stored: StoredConflict) -> set[int]:
    """Return the columns in which theirs differs from the base, all without one."""
    base, theirs = [_spelt_cells(view, stored, side) for side in (SIDES[0], SIDES[2])]
    return {one for one, cell in theirs.items() if base.get(one) != cell}


def _spelt_cells(
    view: ConflictView, stored: StoredConflict, side: Side
) -> dict[int, bytes]:
    """Return the cells of one side's row, encoded, by column id; none without a row."""
    entry, row = view.entry(side, stored.dataset), view.value(side, stored)
    if entry is None or row is ABSENT:
        return {}
    columns = Schema.from_value(entry.schema).columns
    return {one.id: cbor.encode([row[one.name]]) for one in columns}


def _as_columns_now(
    old: Schema, schema: Schema, row: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the cells of a row under the names and types that columns have now."""
    before = {one.id: one for one in old.columns}
    cells = {}
    for column in schema.columns:
        found = before.get(column.id)
        if found is None:
            continue
        value = row[found.name]
        if found.type != column.type and value is not None:
            value = _converted(found, column, value)
        cells[column.name] = value
    return cells


def _converted(old: Column, new: Column, value: Any) -> Any:
    try:
        return converted(old, new, [value])[0]
    except Error as error:
        raise Invalid(
            f"column {new.name!r} is of type {new.type} now, and the value is not: "
            f"{error.message}",
            code="settle-type",
            hint="Give a value of your own.",
            column=new.name,
            value=value,
        ) from error


def _parts(key: Any, schema: Schema) -> tuple[Any, ...]:
    return key if len(schema.key) > 1 else (key,)


def write_value(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, value: Any
) -> None:
    """Write a value of the user's own for a record in conflict."""
    entry = _require_entry(workspace, view, stored)
    if entry.kind == "map":
        mapping = workspace.map(entry.name)
        key = mapping.decode_keys([stored.key])[0]
        if value is not ABSENT:
            mapping[key] = value
        elif key in mapping:
            del mapping[key]
    elif entry.kind == "table":
        table = workspace.table(entry.name)
        key = table.decode_keys([stored.key])[0]
        if value is ABSENT:
            if key in table:
                table.delete(key)
            return
        if not isinstance(value, Mapping):
            raise Invalid(
                f"{type(value).__name__} is no row of {entry.name!r}",
                code="value-type",
                hint="Give a row, column by column; what is left out stays.",
                dataset=entry.name,
            )
        parts = dict(zip(table.schema.key, _parts(key, table.schema), strict=True))
        table[key] = {**(table.get(key) or {}), **parts, **value}
    elif entry.kind == "files":
        _write_file(workspace, entry, key_codec.decode_key(stored.key), value)
    elif value is ABSENT:
        workspace.drop(entry.name)
    else:
        with workspace.blob(entry.name, "wb") as blob:
            blob.write(_content(entry, value))


def _write_file(workspace: Workspace, entry: Descriptor, path: str, value: Any) -> None:
    files = workspace.files(entry.name)
    if value is not ABSENT:
        files.write(path, _content(entry, value))
    elif path in files:
        del files[path]


def _content(entry: Descriptor, value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Invalid(
            f"{entry.name!r} holds bytes, and {type(value).__name__} is no content",
            code="value-type",
            hint="Give bytes, or write what is to stand and take ours, which is as "
            "it stands.",
            dataset=entry.name,
        )
    return bytes(value)


def _take_description(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, side: Side
) -> None:
    """Let a part of a dataset's description be as one side has it."""
    what = str(stored.entry.facts.get("what", ""))
    there = view.entry(side, stored.dataset)
    now = workspace.entry(stored.dataset)
    if what == "dropped" and there is None:
        if now is not None:
            workspace.drop(now.name)
        return
    if side == "ours" or (what == "dropped" and side == "theirs"):
        # As it stands: which of the two has the dataset stands, merged or not.
        return
    if what == "name" and there is not None and now is not None:
        if there.name != now.name:
            workspace.rename(now.name, there.name)
        return
    if what.startswith("policy ") and there is not None and now is not None:
        scope = what.removeprefix("policy ")
        workspace.set_scope(now.name, scope, there.policies.get(scope))
        return
    raise Unsupported(
        f"{what} of {view.known(stored.dataset).name!r} is not changed by one word",
        code="settle-by-hand",
        hint="Alter the dataset (`prolly schema --set`, `prolly dataset`), then take "
        "ours, which is as it stands.",
        dataset=view.known(stored.dataset).name,
    )
