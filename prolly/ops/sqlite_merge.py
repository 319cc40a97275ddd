"""A table of three SQLite files merged into a copy of ours.

Rows are merged as lines of JSON are, see ``json_lines``; only rows that differ from
ours' are written, all in one transaction, and everything else in the file stays. In a
table there is no place for marks: a row in conflict stands as ours has it, with what
merged by itself, and the conflicts are told apart from the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

from prolly.codec import json_form
from prolly.errors import Invalid, Unsupported
from prolly.tables import column_type

from .byte_source import ByteSource, Place
from .cell_merge import CellMerge
from .file_columns import MergedColumns
from .file_row_merge import MergedRow, RowMerge, ThreeFiles
from .json_lines import JsonLines
from .merged_file import FileMerge
from .opened_file import divided_place, require_key
from .output_file import replacement
from .row_order import merged_order
from .sqlite_edits import Edit, apply_edits
from .sqlite_file import connect, failures, pick_table, settle
from .sqlite_source import SqliteSource


class SqliteLines(JsonLines):
    """The rows of a table as lines of JSON.

    ``names`` are its columns, but for those that SQLite computes; ``promised`` is what
    their declared types promise.
    """

    place_word = "row"

    def __init__(self, file: ByteSource, key: Sequence[str], table: str) -> None:
        self._table = table
        self.names: tuple[str, ...] = ()
        self.promised: dict[str, str | None] = {}
        super().__init__(file, key)

    def _read(self) -> None:
        source = SqliteSource([self.file], self._table)
        try:
            if source.is_view:
                raise _no_table(self.name)
            require_key(source, self.key)
            self._take(source)
        finally:
            # It closes the connection; the file itself is somebody else's.
            source.close()

    def _take(self, source: SqliteSource) -> None:
        generated = source.generated
        kept = [one not in generated for one in source.columns]
        self.names = tuple(compress(source.columns, kept))
        self.promised = {name: source.promised[name] for name in self.names}
        spell = column_type("json").json_text
        for batch in source.iter_batches():
            for number, row in zip(batch.lines, batch.rows, strict=True):
                cells = compress(row, kept) if generated else row
                record = dict(zip(self.names, cells, strict=True))
                self.add(self._key(record, number), spell(record), number)


def _no_table(name: str) -> Unsupported:
    return Unsupported(
        f"{name}: a view is not merged",
        code="merge-format",
        hint="Merge the tables that it is made of.",
        source=name,
    )


@dataclass(frozen=True)
class SqliteMerge(FileMerge):
    """A merged table: ours, and what is to change of it."""

    has_markers = False

    _path: Path = field(default=Path(), repr=False)
    _table: str = ""
    _key: Sequence[str] = ()
    _edits: Sequence[Edit] = field(default=(), repr=False)

    def write(self, place: Place) -> None:
        """Write a copy of ours with the merged table, whole or not at all.

        The table may be named behind a colon. Raises Invalid ``not-a-file`` for a
        stream, ``sqlite-constraint`` where the table refuses a merged row;
        StorageFailed ``file-locked`` where another program has the file open; and as
        ``failures``.
        """
        place, _ = divided_place(place, None)
        name = os.fspath(place) if isinstance(place, (str, os.PathLike)) else "-"
        if name == "-":
            raise Invalid(
                "a database is written to a file, not to a stream",
                code="not-a-file",
                hint="Name a file: -o FILE.",
            )
        with replacement(name) as file:
            self._write(Path(file.name), name)
            settle(Path(os.path.realpath(name)), name)

    def chunks(self) -> Iterator[bytes]:
        """Raise Invalid ``not-a-file``: a database is no text."""
        self.write("-")
        return iter(())

    def _write(self, path: Path, name: str) -> None:
        with (
            closing(connect(self._path, str(self._path), writable=False)) as source,
            closing(connect(path, name, writable=True)) as target,
            failures(name),
        ):
            source.backup(target)
            table = pick_table(target, name, self._table)
            apply_edits(target, table, self._key, self._edits)


def merge_sqlite(
    files: Sequence[ByteSource],
    tables: Sequence[str],
    key: Sequence[str],
    cells: CellMerge,
) -> FileMerge:
    """Merge a table of three files: ours, base, which may be empty, and theirs.

    ``tables`` names it in each. Raises as ``merge_files``, Invalid ``columns-differ``.
    """
    ours = SqliteLines(files[0], key, tables[0])
    theirs = SqliteLines(files[2], key, tables[2])
    base = SqliteLines(files[1], key, tables[1]) if files[1].size else None
    for side in (theirs, *([base] if base else [])):
        _require_same(ours, side)
    cells.require_columns(ours.names)
    rows = RowMerge(ThreeFiles(base, ours, theirs), MergedColumns((), {}), cells)
    edits: list[Edit] = []
    conflicts = []
    common = ours.places.keys() & theirs.places.keys()
    for one in merged_order(ours.keys, theirs.keys, common):
        merged = rows.merge(one)
        if merged.conflict is not None:
            conflicts.append(merged.conflict)
        place = ours.places.get(one)
        edit = _edit(merged, None if place is None else ours.bodies[place])
        if edit is not None:
            edits.append(edit)
    path = files[0].path
    assert path is not None
    kinds = [one.change for one in edits]
    return SqliteMerge(
        conflicts,
        kinds.count("added"),
        kinds.count("removed"),
        kinds.count("modified"),
        _path=path,
        _table=tables[0],
        _key=key,
        _edits=edits,
    )


def _edit(merged: MergedRow, before: str | None) -> Edit | None:
    """Return what a merged row changes of ours; nothing where it leaves it as it is."""
    if merged.conflict is not None:
        # The first row of a block is ours, with what merged by itself.
        after = None if before is None else merged.lines[1]
    else:
        after = merged.lines[0] if merged.lines else None
    if after == before:
        return None
    if after is None:
        return Edit("removed", _values(before or ""))
    return Edit("modified" if before is not None else "added", _values(after))


def _values(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json_form.from_json(json_form.STRICT_DECODER.decode(line))
    return found


def _require_same(ours: SqliteLines, other: SqliteLines) -> None:
    """Raise Invalid ``columns-differ`` unless both have columns of these names, types.

    Declared types that promise the same, as INT and INTEGER do, are the same.
    """
    if set(ours.names) != set(other.names):
        missing = [name for name in ours.names if name not in other.names]
        more = [name for name in other.names if name not in ours.names]
        raise Invalid(
            f"{other.name}: its columns are not those of {ours.name}",
            code="columns-differ",
            hint=f"Missing: {', '.join(missing)}; not in ours: {', '.join(more)}. Make "
            "the tables alike first.",
            source=other.name,
            missing=missing,
            more=more,
        )
    for name, promised in ours.promised.items():
        if other.promised.get(name, promised) != promised:
            raise Invalid(
                f"{other.name}: the column {name!r} is of another type than in "
                f"{ours.name}",
                code="columns-differ",
                hint="Make the tables alike first.",
                source=other.name,
                column=name,
            )
