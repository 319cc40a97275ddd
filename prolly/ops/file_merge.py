"""Three plain files merged row by row and cell by cell, without a repository.

What nobody changed is ours' byte for byte: the order of rows and columns, quotes, line
ends, blank lines, a byte order mark. Rows are found by key. Conflicts are marked in the
file, so that nobody takes it for settled, and listed for programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from prolly.errors import Unsupported

from .byte_source import UTF8_MARK, ByteSource, Place
from .cell_merge import CellMerge, same
from .csv_lines import CsvLines
from .file_columns import MergedColumns, Side, merge_columns
from .file_row_merge import FileConflict, MergedRow, RowMerge, ThreeFiles
from .format_names import require_format
from .json_lines import JsonLines
from .line_file import Key, LineFile
from .merged_file import FileMerge
from .opened_file import divided_place
from .plain_files import byte_source
from .row_order import merged_order

_FORMATS = ("csv", "tsv", "jsonl", "sqlite")


def merge_files(
    ours: Place,
    base: Place,
    theirs: Place,
    *,
    key: str | Sequence[str],
    format_name: str | None = None,
    policies: Sequence[str] = (),
    name: str = "",
) -> FileMerge:
    """Merge three plain files of one format: csv, tsv, jsonl, or a table of sqlite.

    The format is ``format_name``, else what the name of ours says, where a table may
    stand behind a colon (``shop.db:prices``). A base without a
    byte is none: then rows that both files have must be equal. ``policies`` are names,
    ``ours`` say, for all that clashes, or for a column, ``stock=counter``; the last
    one counts. Errors call the files ``name`` and their side, or as they are called.
    All three are in memory as text.

    Raises Invalid ``missing-key``, ``null-key``, ``duplicate-key`` (``lines``),
    ``conflict-markers`` for a file with an unsettled conflict, ``key-type``,
    ``unknown-policy``, ``policy-type``, ``unknown-column``, and what reading raises:
    ``no-header`` where ours or theirs is empty and the base is not; Unsupported
    ``merge-format`` for another format.
    """
    names = (key,) if isinstance(key, str) else tuple(key)
    divided = [divided_place(one, format_name) for one in (ours, base, theirs)]
    form = require_format(*divided[0], _FORMATS).name
    if form not in _FORMATS:
        raise Unsupported(
            f"files of format {form} are not merged",
            code="merge-format",
            hint=f"Convert them to {', '.join(_FORMATS)}, or merge in a repository.",
            format=form,
        )
    cells = CellMerge(policies, is_text=form in ("csv", "tsv"))
    with ExitStack() as opened:
        files = [opened.enter_context(byte_source(place)) for place, _ in divided]
        for file, side in zip(files, ("ours", "base", "theirs"), strict=True):
            file.name = f"{name} ({side})" if name else file.name
        if form == "sqlite":
            from .sqlite_merge import merge_sqlite

            tables = [(told or "").partition(":")[2] for _, told in divided]
            return merge_sqlite(files, tables, names, cells)
        if not files[1].size and not (files[0].size and files[2].size):
            alone = files[0] if files[0].size else files[2]
            if alone.size:
                # It is taken as it is, but not whatever it is.
                _lines(alone, form, names)
            return _one_alone(alone)
        sides = ThreeFiles(
            _lines(files[1], form, names) if files[1].size else None,
            _lines(files[0], form, names),
            _lines(files[2], form, names),
        )
        found = _merged(sides, cells)
        for file in files:
            file.check_unchanged()
        return found


def _one_alone(file: ByteSource) -> FileMerge:
    """Return a file as it is: beside it there is nothing."""
    with file.open_text() as text:
        mark = UTF8_MARK if file.has_mark else b""
        return FileMerge(_texts=[text.read()], _mark=mark)


def _lines(file: ByteSource, form: str, key: Sequence[str]) -> LineFile:
    if form == "jsonl":
        return JsonLines(file, key)
    return CsvLines(file, key, "\t" if form == "tsv" else ",")


def _merged(sides: ThreeFiles, cells: CellMerge) -> FileMerge:
    base, ours, theirs = sides
    columns = _columns(sides, cells)
    rows = RowMerge(sides, columns, cells)
    common = ours.places.keys() & theirs.places.keys()
    page = _Page(ours)
    page.begin(ours.header(columns.names, [theirs, *([base] if base else [])]))
    for key in merged_order(ours.keys, theirs.keys, common):
        page.put(key, rows.merge(key))
    return page.result()


def _columns(sides: ThreeFiles, cells: CellMerge) -> MergedColumns:
    base, ours, theirs = sides
    if not ours.has_header:
        return MergedColumns((), {})
    before = () if base is None else base.columns
    cells.require_columns([*before, *ours.columns, *theirs.columns])

    def wrote(side: Side, name: str) -> bool:
        # A policy that takes one side takes its columns, too.
        policy = cells.policy(name)
        if policy in ("ours", "theirs"):
            return policy == side and _wrote(sides, side, name)
        return _wrote(sides, side, name)

    return merge_columns(before, ours.columns, theirs.columns, wrote)


def _wrote(sides: ThreeFiles, side: Side, name: str) -> bool:
    """Tell whether a side has other cells in a column than the base has."""
    base, file = sides.base, sides.ours if side == "ours" else sides.theirs
    assert base is not None
    for key, place in file.places.items():
        at = base.places.get(key)
        before = "" if at is None else base.cells(at)[name]
        if not same(before, file.cells(place)[name]):
            return True
    return False


class _Page:
    """The merged file as it is put together."""

    def __init__(self, ours: LineFile) -> None:
        self._ours = ours
        self._texts: list[str] = []
        self._conflicts: list[FileConflict] = []
        self._counts = dict.fromkeys(("added", "removed", "modified", ""), 0)
        self._ends_marked = False

    def begin(self, header: str | None) -> None:
        """Put the header, and the blank lines behind it."""
        if header is not None:
            self._texts.append(header)
        if -1 in self._ours.blanks:
            self._texts.append(self._ours.blanks[-1])

    def put(self, key: Key, row: MergedRow) -> None:
        """Put the lines of a row, and the blank lines that ours has behind it."""
        ours, texts = self._ours, self._texts
        self._counts[row.change] += 1
        if row.conflict is not None:
            self._conflicts.append(row.conflict)
        place = ours.places.get(key)
        if row.lines:
            if texts and texts[-1][-1:] not in ("\n", "\r"):
                texts.append(ours.line_end)
            is_one = place is not None and len(row.lines) == 1
            end = ours.ends[place] if is_one and place is not None else ours.line_end
            texts += [line + end for line in row.lines]
            self._ends_marked = row.conflict is not None
        if place is not None and place in ours.blanks:
            texts.append(ours.blanks[place])

    def result(self) -> FileMerge:
        """Return the whole; it ends without a line end where ours does."""
        texts = self._texts
        if texts and self._ours.is_open and not self._ends_marked:
            texts[-1] = texts[-1].rstrip("\r\n")
        del self._counts[""]
        mark = UTF8_MARK if self._ours.has_mark else b""
        return FileMerge(self._conflicts, **self._counts, _texts=texts, _mark=mark)
