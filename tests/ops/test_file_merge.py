"""Three plain files merged: cell by cell, ours byte for byte where nothing changed."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly import ABSENT
from prolly.errors import Error
from prolly.ops import FileMerge, merge_files, open_table

Table = dict[str, tuple[str, str]]

CELL = st.sampled_from(["", "a", "b", 'c"d', "e,f", "g\nh", "é"])
TABLE = st.dictionaries(st.sampled_from("pqrstuvw"), st.tuples(CELL, CELL))


def text_of(table: Table, **how: Any) -> str:
    """Return a CSV file of a table, rows in its order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, **how)
    writer.writerow(["k", "v", "w"])
    writer.writerows([key, *cells] for key, cells in table.items())
    return text.getvalue()


def merged(ours: str, base: str, theirs: str, **how: Any) -> tuple[str, FileMerge]:
    """Return the merged text and the answer; the key is ``id``, CSV if not said."""
    files = [io.BytesIO(one.encode()) for one in (ours, base, theirs)]
    found = merge_files(*files, **{"key": "id", "format_name": "csv", **how})
    return b"".join(found.chunks()).decode(), found


def rows_of(text: str) -> list[list[str]]:
    """Return the rows of a CSV file behind its header."""
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def read_all(text: str, form: str) -> None:
    """Read a file as an import does."""
    with open_table(io.BytesIO(text.encode()), form) as source:
        list(source)


def model(base: Table, ours: Table, theirs: Table) -> tuple[Table, set[str]]:
    """Return the merge of three tables, and the keys that clash."""
    found: Table = {}
    clashes = set()
    for key in {*ours, *theirs}:
        old, mine, other = base.get(key), ours.get(key), theirs.get(key)
        if mine is None or other is None:
            row = mine or other
            if old is None and row is not None:
                found[key] = row
            elif old != row:
                clashes.add(key)
            continue
        cells = []
        for place in (0, 1):
            before = old[place] if old else None
            one, another = mine[place], other[place]
            if one != another and before not in (one, another):
                clashes.add(key)
            cells.append(another if one == before else one)
        found[key] = cells[0], cells[1]
    return {one: found[one] for one in found if one not in clashes}, clashes


@given(TABLE, TABLE, TABLE, st.sampled_from(["\n", "\r\n"]))
def test_it_is_the_merge_of_tables(
    base: Table, ours: Table, theirs: Table, line_end: str
) -> None:
    """Cell by cell, whatever quotes and line ends the sides have; from both sides."""
    expected, clashes = model(base, ours, theirs)
    sides = [
        text_of(ours, lineterminator=line_end),
        text_of(base),
        text_of(theirs, quoting=csv.QUOTE_ALL),
    ]
    for one in (sides, sides[::-1]):
        text, found = merged(*one, key="k")
        assert {conflict.key[0] for conflict in found.conflicts} == clashes
        if not clashes:
            rows = rows_of(text)
            assert {key: (v, w) for key, v, w in rows} == expected
            assert len(rows) == len(expected)


@given(TABLE, TABLE, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_ours_stays_byte_for_byte(
    base: Table, ours: Table, line_end: str, is_open: bool
) -> None:
    """Where theirs changed nothing, or just what ours did."""
    text = text_of(ours, lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC)
    text = "\ufeff" + (text[: -len(line_end)] if is_open else text)
    for theirs in (text_of(base), text_of(ours)):
        again, found = merged(text, text_of(base), theirs, key="k")
        assert again == text
        assert (found.added, found.removed, found.modified) == (0, 0, 0)


@given(TABLE, TABLE, TABLE)
def test_the_counts_are_those_against_ours(
    base: Table, ours: Table, theirs: Table
) -> None:
    """Rows in conflict aside."""
    expected, clashes = model(base, ours, theirs)
    _, found = merged(*map(text_of, (ours, base, theirs)), key="k")
    assert found.added == len(expected.keys() - ours.keys())
    assert found.removed == len(ours.keys() - expected.keys() - clashes)
    assert found.modified == sum(
        expected[key] != ours[key] for key in expected.keys() & ours.keys()
    )


@given(TABLE, TABLE, TABLE)
def test_a_marked_file_is_a_table_that_is_refused(
    base: Table, ours: Table, theirs: Table
) -> None:
    """It has as many cells in each row, and is read only when it is settled."""
    text, found = merged(*map(text_of, (ours, base, theirs)), key="k")
    assert {len(row) for row in rows_of(text)} <= {3}
    if not found.conflicts:
        return
    for read in (
        lambda: read_all(text, "csv"),
        lambda: merged(text, text_of(base), text_of(theirs), key="k"),
        lambda: merged(text_of(ours), text_of(base), text, key="k"),
    ):
        with pytest.raises(Error) as raised:
            read()
        assert raised.value.code == "conflict-markers"


@given(TABLE, TABLE, TABLE, st.sampled_from(["ours", "theirs"]))
def test_a_policy_of_one_side_settles_all(
    base: Table, ours: Table, theirs: Table, policy: str
) -> None:
    """Just as whoever keeps the rows of that side between the markers."""
    sides = [text_of(one) for one in (ours, base, theirs)]
    text, _ = merged(*sides, key="k")
    kept, standing = [], None
    for row in rows_of(text):
        if row[0][:7] in ("<<<<<<<", "|||||||", ">>>>>>>"):
            words = row[0].split()[1].rstrip(":")
            standing = None if words == "end" else words
        elif standing in (None, policy):
            kept.append(row)
    settled, found = merged(*sides, key="k", policies=[policy])
    assert not found.conflicts
    assert sorted(rows_of(settled)) == sorted(kept)


BASE = "id,name,h\n1,Ada,1.6\n2,Bob,1.8\n3,Cy,1.7\n"


def test_a_conflict_is_readable() -> None:
    """Marks stand over the cells that clash; what merged stands in every version."""
    ours = BASE.replace("Bob", "Bo")
    theirs = BASE.replace("Bob,1.8", "Bobby,1.9")
    text, found = merged(ours, BASE, theirs)
    assert text.splitlines() == [
        "id,name,h",
        "1,Ada,1.6",
        "<<<<<<< ours,<<<<<<<,",
        "2,Bo,1.9",
        "||||||| base,<<<<<<<,",
        "2,Bob,1.9",
        "||||||| theirs,<<<<<<<,",
        "2,Bobby,1.9",
        ">>>>>>> end,,",
        "3,Cy,1.7",
    ]
    [one] = found.conflicts
    assert (one.key, one.fields, one.reason) == (("2",), ("name",), "both changed it")
    assert one.theirs == {"id": "2", "name": "Bobby", "h": "1.9"}


def test_a_deleted_row_that_changed_is_a_conflict() -> None:
    """Of either side; a marker says who has no row."""
    ours, theirs = BASE.replace("3,Cy,1.7\n", ""), BASE.replace("Cy", "Cyd")
    text, found = merged(ours, BASE, theirs)
    assert text.splitlines()[3:] == [
        "<<<<<<< ours: no row,,",
        "||||||| base,,",
        "3,Cy,1.7",
        "||||||| theirs,,",
        "3,Cyd,1.7",
        ">>>>>>> end,,",
    ]
    assert found.conflicts[0].ours is ABSENT
    assert found.conflicts[0].reason == "ours deleted it, and theirs changed it"
    _, found = merged(theirs, BASE, ours)
    assert found.conflicts[0].theirs is ABSENT


def test_only_the_cells_that_change_are_written_anew() -> None:
    """Quotes, blanks, blank lines and line ends of ours stay, in changed rows too."""
    ours = 'id,name,h\r\n"1","Ada", 1.6\r\n\r\n2,"B\nob",1.8\n3,Cy,1.7'
    base = 'id,name,h\n1,Ada, 1.6\n2,"B\nob",1.8\n3,Cy,1.7\n'
    theirs = 'h,id,name\n" 1.6",1,A\n1.9,2,"B\nob"\n1.5,4,D\n1.7,3,Cy\n'
    text, found = merged(ours, base, theirs)
    assert text == ('id,name,h\r\n"1",A, 1.6\r\n\r\n2,"B\nob",1.9\n4,D,1.5\r\n3,Cy,1.7')
    assert (found.added, found.modified) == (1, 2)


def test_a_file_that_quotes_all_goes_on_so() -> None:
    """And one that does not takes no quotes over that it does not need."""
    quoted = '"id","v"\n"1","a"\n'
    text, _ = merged(quoted, "id,v\n1,a\n", "id,v\n1,b\n2,c\n")
    assert text == '"id","v"\n"1","b"\n"2","c"\n'
    text, _ = merged("id,v\n1,a\n", "id,v\n1,a\n", '"id","v"\n"1","b"\n"2","c,"\n')
    assert text == 'id,v\n1,b\n2,"c,"\n'


def test_columns_merge_by_name() -> None:
    """Added ones of both sides are there, removed ones gone, the order is ours'."""
    ours = "id,new,h,name\n1,x,1.6,Ada\n2,y,1.8,Bob\n3,z,1.7,Cy\n"
    theirs = "id,name,extra\n1,Ada,p\n2,Bo,q\n3,Cy,\n4,Di,r\n"
    text, found = merged(ours, BASE, theirs)
    assert not found.conflicts
    assert text == ("id,new,name,extra\n1,x,Ada,p\n2,y,Bo,q\n3,z,Cy,\n4,,Di,r\n")


@pytest.mark.parametrize("swapped", [False, True])
def test_a_removed_column_that_somebody_wrote_is_a_conflict(swapped: bool) -> None:
    """It stays, and the cells that were written clash with empty ones."""
    without = "id,h\n1,1.6\n2,1.8\n3,1.7\n"
    sides = [without, BASE, BASE.replace("Bob", "Bo")]
    text, found = merged(*(sides[::-1] if swapped else sides))
    [one] = found.conflicts
    assert (one.key, one.fields) == (("2",), ("name",))
    assert "removed the column name" in one.reason
    assert sorted(text.splitlines()[0].split(",")) == ["h", "id", "name"]
    assert "Ada" in text
    for policy, expected in (("ours", not swapped), ("theirs", swapped)):
        order = sides[::-1] if swapped else sides
        text, found = merged(*order, policies=[policy])
        assert not found.conflicts
        assert ("name" not in text) is expected


def test_a_deleted_row_with_cells_in_a_new_column_is_a_conflict() -> None:
    """Somebody worked on it."""
    ours = "id,name,h,new\n1,Ada,1.6,\n2,Bob,1.8,\n3,Cy,1.7,x\n"
    theirs = "id,name,h\n1,Ada,1.6\n"
    _, found = merged(ours, BASE, theirs)
    assert [one.key for one in found.conflicts] == [("3",)]
    assert found.removed == 1


def test_without_a_base_both_files_count() -> None:
    """As git gives an empty file: rows of both, and what differs is a conflict."""
    ours, theirs = "id,v\n1,a\n2,b\n", "id,v\n1,a\n2,c\n3,d\n"
    text, found = merged(ours, "", theirs, policies=["v=counter"])
    assert [one.fields for one in found.conflicts] == [("v",)]
    assert found.conflicts[0].reason == "both added it"
    assert found.conflicts[0].base is ABSENT
    assert (found.added, "||||||| base: no row," in text) == (1, True)
    assert merged("", "", theirs)[0] == theirs
    assert merged("\ufeff" + ours, "", "")[0] == "\ufeff" + ours
    assert merged("", "", "")[0] == ""


@pytest.mark.parametrize(
    ("policy", "cells", "expected"),
    [
        ("counter", ("5", "8", "4"), "7"),
        ("counter", ("1.50", "2", "1.25"), "1.75"),
        ("counter", ("5", "6", "6"), "7"),
        ("counter", ("", "6", "4"), "10"),
        ("counter", ("x", "6", "4"), None),
        ("max", ("5", "10", "9"), "10"),
        ("max", ("5", "1e1", "9"), "9"),
        ("max", ("2026-01-01", "2026-02-01", "2026-03-01"), "2026-03-01"),
        ("min", ("5", "10", "9.0"), "9.0"),
        ("min", ("5", "", "9"), "9"),
        ("text", ("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n"), "x\nb\ny\n"),
        ("text", ("a", "b", "c"), None),
        ("v=theirs", ("a", "b", "c"), "c"),
        ("w=theirs", ("a", "b", "c"), None),
    ],
)
def test_policies(
    policy: str, cells: tuple[str, str, str], expected: str | None
) -> None:
    """Numbers are taken for numbers where a policy wants them; text stays text."""
    base, ours, theirs = (
        text_of({"1": (cell, "")}).replace("k,", "id,") for cell in cells
    )
    text, found = merged(ours, base, theirs, policies=[policy])
    if expected is None:
        assert found.conflicts
    else:
        assert rows_of(text) == [["1", expected, ""]]


def test_json_lines_keep_their_writing() -> None:
    """A line keeps order, blanks and the texts of what does not change."""
    base = '{"id":1,"a":1.50,"b":[1, 2]}\n{"id":2}\n'
    ours = '{ "id":1,  "a":1.50,"b":[1, 2] }\r\n\n{"id":2}\n'
    theirs = '{"id": 1, "a": 2, "c": {"x": 1}}\n{"id": 2, "c": "é"}\n{"id": 3}\n'
    text, found = merged(ours, base, theirs, format_name="jsonl")
    assert text == (
        '{ "id":1,  "a":2,  "c":{"x": 1} }\r\n\n{"id":2,"c":"é"}\n{"id": 3}\r\n'
    )
    assert not found.conflicts
    theirs = theirs.replace('"a": 2', '"a": 1.5')
    ours = ours.replace("1.50", "9")
    text, found = merged(ours, base, theirs, format_name="jsonl")
    assert [one.fields for one in found.conflicts] == [("a",)]
    assert text.startswith('{"<<<<<<< ours": ["a"]}\r\n{ "id":1,  "a":9,')
    with pytest.raises(Error) as raised:
        merged(text, base, theirs, format_name="jsonl")
    assert raised.value.code == "conflict-markers"
    with pytest.raises(Error) as raised:
        read_all(text, "jsonl")
    assert raised.value.code == "conflict-markers"


def test_values_of_json_are_of_types() -> None:
    """1 and 1.0 differ, and a set of values merges."""
    base = '{"id": 1, "s": [1, 2]}\n'
    ours, theirs = base.replace("1, 2]", "1, 2, 3]"), base.replace("1, 2]", "2]")
    text, _ = merged(ours, base, theirs, format_name="jsonl", policies=["s=set"])
    assert text == '{"id": 1, "s": [2,3]}\n'
    sides = ['{"id": 1, "a": 1}\n', "", '{"id": 1, "a": 1.0}\n']
    _, found = merged(*sides, format_name="jsonl")
    assert len(found.conflicts) == 1


@pytest.mark.parametrize(
    ("theirs", "how", "code", "told"),
    [
        ("id,v\n1,a\n2,b\n1,c\n", {}, "duplicate-key", "lines 2 and 4"),
        ("id,v\n1,a\n\n,b\n", {}, "null-key", "line 4"),
        ("id,v\n1,a\n2\n", {}, "ragged-row", "line 3"),
        ('id,v\n1,"a\n', {}, "bad-csv", "line 2"),
        ("", {}, "no-header", "is empty"),
        ("no,v\n", {}, "missing-key", "no column 'id'"),
        ("id;v\n1;a\n", {}, "missing-key", "no column 'id'"),
        ("id,v,v\n", {}, "duplicate-column", "two columns"),
        ("1,a\n2,b\n", {}, "missing-key", "no column 'id'"),
        ("id,v\n<<<<<<< HEAD\n1,a\n", {}, "conflict-markers", "line 2"),
        ("id,v\n1,a\0\n", {}, "nul-character", "line 2"),
        ("id,v\n", {"policies": ["best"]}, "unknown-policy", "best"),
        ("id,v\n", {"policies": ["set"]}, "policy-type", "set"),
        ("id,v\n", {"policies": ["x=max"]}, "unknown-column", "x"),
        ("id,v\n", {"key": ()}, "missing-key", "a key is"),
        ("id,v\n", {"format_name": "parquet"}, "merge-format", "parquet"),
        ('{"id": 1.5}\n', {"format_name": "jsonl"}, "key-type", "1.5"),
        ('{"v": 1}\n', {"format_name": "jsonl"}, "null-key", "line 1"),
        ("[1]\n", {"format_name": "jsonl"}, "bad-json", "line 1"),
        ('{"id": 1, "id": 1}\n', {"format_name": "jsonl"}, "bad-json", "line 1"),
    ],
)
def test_what_is_no_table_is_refused(
    theirs: str, how: dict[str, Any], code: str, told: str
) -> None:
    """The message names the file, and the line where there is one."""
    ours = "" if how.get("format_name") == "jsonl" else "id,v\n1,a\n"
    base = '{"id": 1}\n' if how.get("format_name") == "jsonl" else ours
    with pytest.raises(Error, match=told) as raised:
        merged(ours or base, base, theirs, **how)
    assert raised.value.code == code


def test_another_encoding_is_refused(tmp_path: Any) -> None:
    """With the line and the byte."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,v\n1,a\n")
    bad.write_bytes(b"id,v\n1,\xe9\n")
    with pytest.raises(Error, match="line 2") as raised:
        merge_files(good, good, bad, key="id")
    assert raised.value.code == "encoding"


def test_the_key_may_be_of_several_columns() -> None:
    """In any place of the row."""
    base = "v,a,b\n1,x,y\n1,x,z\n"
    text, _ = merged(
        base.replace("1,x,y", "2,x,y"), base, "b,a,v\ny,x,1\nz,x,3\n", key=("a", "b")
    )
    assert text == "v,a,b\n2,x,y\n3,x,z\n"


def test_a_packed_file_keeps_its_mark(tmp_path: Any) -> None:
    """The byte order mark is within."""
    path = tmp_path / "o.csv.gz"
    path.write_bytes(gzip.compress("\ufeffid\n1\n".encode()))
    merge_files(path, path, path, key="id").write(path)
    assert gzip.decompress(path.read_bytes()) == "\ufeffid\n1\n".encode()


def test_it_is_written_whole(tmp_path: Any) -> None:
    """Over one of the files that were merged, packed if the name says so."""
    for name in ("o.csv", "o.csv.gz"):
        path = tmp_path / name
        _, found = merged("id\n1\n", "id\n1\n", "id\n1\n2\n")
        found.write(path)
        with open_table(path) as source:
            assert [cells for _, cells in source] == [["1"], ["2"]]
