"""Two plain files compared: as two versions of a table, without a repository."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly import ABSENT
from prolly.errors import Error, Invalid
from prolly.ops import FileComparison, compare_files

Row = list[str]


def csv_stream(header: Row, rows: list[Row], **how: Any) -> io.BytesIO:
    """Return a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, **how)
    writer.writerow(header)
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


CELL = st.text("ab1,\"\n'é ", max_size=3)
TABLE = st.dictionaries(st.text("abc", min_size=1, max_size=2), CELL, max_size=8)


@given(TABLE, TABLE, st.randoms(use_true_random=False))
def test_it_is_the_difference_of_two_dictionaries(
    old: dict[str, str], new: dict[str, str], random: Any
) -> None:
    """Whatever the order, the quoting and the line ends are."""
    sides = []
    for table, how in ((old, {"quoting": csv.QUOTE_ALL}), (new, {})):
        rows = [[key, cell, "x"] for key, cell in table.items()]
        random.shuffle(rows)
        sides.append(csv_stream(["k", "v", "w"], rows, **how))
    with compare_files(*sides, key="k", format_name="csv") as found:
        changes = {one.key: one for one in found}
        assert changes.keys() == {
            key for key in {*old, *new} if old.get(key) != new.get(key)
        }
        assert list(changes) == sorted(changes)
        for key, one in changes.items():
            for side, table in ((one.old, old), (one.new, new)):
                if key in table:
                    assert side == {"k": key, "v": table[key], "w": "x"}
                else:
                    assert side is ABSENT
            assert one.fields == (("v",) if one.kind == "modified" else ())
        counts = found.counts()
        if changes:
            [count] = counts.values()
            kinds = [one.kind for one in changes.values()]
            assert (count.added, count.removed, count.modified, count.event) == (
                kinds.count("added"),
                kinds.count("removed"),
                kinds.count("modified"),
                "",
            )
        else:
            assert counts == {}


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., FileComparison]:
    """Compare two texts, written to files of a suffix, by ``id`` or other columns."""

    def compare(old: str, new: str, suffix: str = ".csv", **how: Any) -> FileComparison:
        paths = []
        for name, text in (("old", old), ("new", new)):
            path = tmp_path / f"{name}{suffix}"
            path.write_bytes(text.encode())
            paths.append(str(path))
        return compare_files(*paths, **{"key": "id", "name": "t", **how})

    return compare


def kinds(found: FileComparison) -> list[tuple[Any, str, tuple[str, ...]]]:
    """Return (key, kind, fields) of all changes, and let go of the files."""
    with found:
        return [(one.key, one.kind, one.fields) for one in found]


def test_whole_numbers_are_in_their_order(compare: Any) -> None:
    """10 stands behind 9, and -1 first; one cell that is no number makes all text."""
    numbers = compare("id,v\n9,a\n10,a\n-1,a\n", "id,v\n10,b\n9,b\n-1,b\n")
    assert [key for key, _, _ in kinds(numbers)] == [-1, 9, 10]
    words = compare("id,v\n9,a\n10,a\n", "id,v\n10,b\n9,b\n007,b\n")
    assert [key for key, _, _ in kinds(words)] == ["007", "10", "9"]


def test_keys_of_several_columns(compare: Any) -> None:
    """The key is a tuple in the order in which its columns are named."""
    found = compare("a,b,v\n1,x,1\n2,x,1\n", "a,b,v\n2,x,2\n1,x,1\n", key=("b", "a"))
    assert kinds(found) == [(("x", 2), "modified", ("v",))]


def test_columns_are_told_once(compare: Any) -> None:
    """Rows are compared in the columns that both files have."""
    found = compare("id,a,b,c\n1,x,y,z\n2,x,y,z\n", "id,c,a,n\n1,z,x,1\n2,z,Y,2\n")
    assert found.events() == {
        "t": "column n added, column b removed, columns in another order"
    }
    assert kinds(found) == [(2, "modified", ("a",))]
    with compare("id,a\n1,x\n", "id,a,b\n1,x,\n") as found:
        assert list(found) == []
        assert found.counts()["t"].event == "column b added"
        [old, new] = found.schemas("t")
        assert old is not None and new is not None
        assert (old.names, new.names) == (("id", "a"), ("id", "a", "b"))


def test_quotes_line_ends_marks_and_packing_are_no_difference(tmp_path: Path) -> None:
    """Nor is a tab in place of a comma."""
    plain, packed = tmp_path / "a.csv", tmp_path / "b.tsv.gz"
    plain.write_bytes(b"id,v\n1,a\n2,b\n")
    packed.write_bytes(gzip.compress(b'\xef\xbb\xbf"id"\tv\r\n2\t"b"\r\n\r\n1\ta'))
    with compare_files(plain, packed, key="id") as found:
        assert found.counts() == {}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("", "id\n1\n", "created"), ("id\n1\n", "", "dropped"), ("", "", "")],
)
def test_a_file_without_a_byte_is_not_there(
    compare: Any, old: str, new: str, told: str
) -> None:
    """The whole table is created, dropped, or nothing at all."""
    with compare(old, new) as found:
        assert found.events() == ({"t": told} if told else {})
        assert len(list(found)) == bool(told)
        assert bool(found.counts()) == bool(told)


def test_the_null_device_needs_no_format() -> None:
    """As git names a file that is not there."""
    stream = csv_stream(["id"], [["1"]])
    with compare_files("/dev/null", stream, key="id", format_name="csv") as found:
        assert [one.kind for one in found] == ["added"]


def test_json_lines(compare: Any) -> None:
    """Values are JSON, order and spelling aside; a name left out is null."""
    old = '{"id": 1, "a": 1.0, "b": {"x": 1, "y": 2}}\n{"id": 2, "a": null}\n'
    new = '{"b": {"y": 2, "x": 1}, "id": 1, "a": 1.0}\n{"id": 2}\n'
    with compare(old, new, ".jsonl") as found:
        assert found.counts() == {}
    new = '{"id": 1, "a": 1, "b": {"x": 1}}\n{"id": 2, "a": "x"}\n'
    assert kinds(compare(old, new, ".jsonl")) == [
        (1, "modified", ("a", "b")),
        (2, "modified", ("a",)),
    ]
    assert kinds(compare("[]", json.dumps([{"id": "x"}]), ".json")) == [
        ("x", "added", ())
    ]


def test_keys_of_json_are_of_one_type(compare: Any) -> None:
    """Dates beside other words are text; numbers beside words are refused."""
    found = compare('{"id": "2026-01-31"}\n', '{"id": "x"}\n', ".jsonl")
    assert [key for key, _, _ in kinds(found)] == ["2026-01-31", "x"]
    with pytest.raises(Invalid) as raised:
        compare('{"id": 1}\n', '{"id": "x"}\n', ".jsonl")
    assert raised.value.code == "key-type"


def test_tables_of_databases(tmp_path: Path) -> None:
    """A table is named behind the file, or for both as the format."""
    for name, cell in (("a", 1.5), ("b", "x")):
        with sqlite3.connect(tmp_path / f"{name}.db") as opened:
            opened.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
            opened.execute("CREATE TABLE u (id INTEGER PRIMARY KEY, v)")
            opened.executemany("INSERT INTO t VALUES (?, ?)", [(1, cell), (2, None)])
        opened.close()
    old, new = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    with compare_files(f"{old}:t", f"{new}:t", key="id", name="t") as found:
        assert found.events() == {"t": "column v float -> text"}
        assert [(one.key, one.fields) for one in found] == [(1, ("v",))]
    with compare_files(old, old, key="id", format_name="sqlite:t") as found:
        assert found.counts() == {}


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("id,v\n1,a\n2,b\n1,c\n", "id,v\n", "duplicate-key", "lines 2 and 4"),
        ("id,v\n", "id,v\n,a\n", "null-key", "line 2"),
        ("id,v\n", "no,v\n", "missing-key", "no column 'id'"),
        ("id,v\n", "id;v\n", "missing-key", "no column 'id'"),
        ("id,v\n", "id,v\n1\n", "ragged-row", "line 2"),
        ("id,v\n", "\n\n", "no-header", "is empty"),
        ("id,v\n", "id,v\n" + "x" * 1100 + ",\n", "key-too-long", "line 2"),
    ],
)
def test_what_is_no_table_is_refused(
    compare: Any, old: str, new: str, code: str, told: str
) -> None:
    """The message tells the file, and the line where there is one."""
    with pytest.raises(Error, match=told) as raised:
        compare(old, new)
    assert raised.value.code == code


def test_a_key_is_named_once_and_formats_agree(compare: Any, tmp_path: Path) -> None:
    """No key, a key twice and a CSV beside JSON are refused."""
    for key in ((), ("id", "id")):
        with pytest.raises(Invalid) as raised:
            compare("id\n", "id\n", key=key)
        assert raised.value.code == "missing-key"
    (tmp_path / "x.csv").write_text("id\n1\n")
    (tmp_path / "x.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(Invalid) as raised:
        compare_files(tmp_path / "x.csv", tmp_path / "x.jsonl", key="id")
    assert raised.value.code == "mixed-formats"


def test_bounds_and_names_narrow(compare: Any) -> None:
    """As in a comparison of versions, by encoded keys and the name."""
    with compare("id\n1\n2\n", "id\n2\n3\n") as found:
        every = list(found.changes())
        assert [one.key for one in every] == [1, 3]
        assert list(found.changes("other")) == []
        assert found.events("other") == {}
        assert found.schemas("other") == (None, None)
        assert [one.key for one in found.changes("t", (b"\x15\x02", None))] == [3]
        assert [one.key for one in found.changes("t", (None, b"\x15\x02"))] == [1]
