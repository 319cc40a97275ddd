"""Importing files into tables, as a library: laws, modes, widening, faults."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly import Invalid, Repository, Schema
from prolly.chunks import MemoryStore
from prolly.env import SYSTEM
from prolly.errors import AlreadyExists, Error, LimitExceeded
from prolly.ops import ImportResult, export_table, import_table, open_table
from prolly.repo import begin_history


def new_repository() -> Repository:
    """Return an empty repository in memory."""
    store = MemoryStore()
    begin_history(store, SYSTEM)
    return Repository(store, None)


@pytest.fixture
def repo() -> Iterator[Repository]:
    """An empty repository in memory."""
    with new_repository() as repo:
        yield repo


def csv_bytes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows as a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    return text.getvalue().encode()


def load(
    repo: Repository, data: bytes, format_name: str = "csv", **how: Any
) -> ImportResult:
    """Import bytes as the table ``t``, into the working state."""
    with (
        open_table(io.BytesIO(data), format_name) as source,
        repo.working_area().edit("import") as workspace,
    ):
        return import_table(workspace, "t", source, **how)


def root_of(repo: Repository) -> bytes:
    """Return the root of the table ``t``."""
    return bytes(repo.at_working().datasets["t"].root)


def types_of(repo: Repository) -> dict[str, str]:
    """Return the column types of the table ``t``."""
    columns = repo.at_working().table("t").schema.columns
    return {column.name: column.type for column in columns}


def exported(repo: Repository, format_name: str = "csv") -> bytes:
    """Return the table ``t`` as a file."""
    stream = io.BytesIO()
    export_table(repo.at_working(), "t", stream, format_name)
    return stream.getvalue()


cells = st.one_of(
    st.sampled_from(["", "0", "007", "1.0", "1.10", "-0", "1e5", "true", "2026-01-31"]),
    st.integers().map(str),
    st.floats(allow_nan=False).map(repr),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
    ),
)
tables = st.dictionaries(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        min_size=1,
        max_size=6,
    ),
    st.tuples(cells, cells),
    min_size=1,
    max_size=12,
)


@given(tables, st.randoms(use_true_random=False))
def test_no_cell_is_ever_changed(
    table: dict[str, tuple[str, str]], shuffle: random.Random
) -> None:
    """What is exported is what was imported; the order of rows makes no difference."""
    rows = [[key, *values] for key, values in table.items()]
    with new_repository() as repo, new_repository() as other:
        load(repo, csv_bytes(["key", "a", "b"], rows), key="key")
        columns = types_of(repo)
        text = exported(repo).decode()
        found = list(csv.reader(io.StringIO(text, newline="")))
        if columns["key"] == "text":
            assert sorted(found[1:]) == sorted(rows)
        shuffle.shuffle(rows)
        load(other, csv_bytes(["key", "a", "b"], rows), key="key")
        assert root_of(repo) == root_of(other)


@given(tables, tables)
def test_replace_equals_a_first_import(
    before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]
) -> None:
    """Whatever stood there, a replaced table has the root of a new one."""
    first, second = (
        csv_bytes(["key", "a", "b"], [[key, *values] for key, values in one.items()])
        for one in (before, after)
    )
    with new_repository() as repo, new_repository() as fresh:
        load(repo, first, key="key", types="text")
        load(repo, second)
        load(fresh, second, key="key", types="text")
        assert root_of(repo) == root_of(fresh)


def test_an_equal_import_writes_nothing(repo: Repository) -> None:
    """Importing the same again leaves the working state as it was."""
    data = csv_bytes(["id", "v"], [[str(n), "x"] for n in range(500)])
    load(repo, data, key="id")
    before = repo.at_working().root
    load(repo, data)
    assert repo.at_working().root == before


def test_progress_reaches_the_end(repo: Repository) -> None:
    """It is told bytes read and bytes in all, never more."""
    told: list[tuple[int, int]] = []
    data = csv_bytes(["id"], [[str(number)] for number in range(50_000)])
    load(repo, data, key="id", progress=lambda *both: told.append(both))
    assert told[-1] == (len(data), len(data))
    assert all(done <= total for done, total in told)
    assert told == sorted(told)


def test_update_and_append(repo: Repository) -> None:
    """Update overwrites and inserts; append inserts or refuses, naming the line."""
    load(repo, b"id,v\n1,a\n2,b\n", key="id")
    assert load(repo, b"id,v\n2,B\n3,C\n", mode="update").rows == 2
    assert exported(repo) == b"id,v\n1,a\n2,B\n3,C\n"
    with pytest.raises(AlreadyExists) as caught:
        load(repo, b"id,v\n4,d\n2,x\n", mode="append")
    assert (caught.value.code, caught.value.line) == ("key-exists", 3)
    load(repo, b"id,v\n4,d\n", mode="append")
    assert exported(repo) == b"id,v\n1,a\n2,B\n3,C\n4,d\n"


@pytest.mark.parametrize("mode", ["replace", "update", "append"])
def test_a_key_twice_in_the_input_is_an_error_in_every_mode(
    repo: Repository, mode: Any
) -> None:
    """Both lines are named, and the table stays."""
    load(repo, b"id,v\n1,a\n", key="id")
    with pytest.raises(Invalid) as caught:
        load(repo, b"id,v\n7,a\n8,b\n7,c\n", mode=mode)
    assert (caught.value.code, caught.value.lines) == ("duplicate-key", [2, 4])
    assert exported(repo) == b"id,v\n1,a\n"


def fault(repo: Repository, data: bytes, format_name: str = "csv", **how: Any) -> Error:
    """Return the error of an import, after proving that it changed nothing."""
    before = repo.at_working().root
    with pytest.raises(Error) as caught:
        load(repo, data, format_name, **how)
    assert repo.at_working().root == before
    return caught.value


def test_a_value_that_does_not_fit_is_placed(repo: Repository) -> None:
    """File, line, the row's key, column and value; the hint says ``--widen``."""
    load(repo, b"id,v\n1,10\n", key="id")
    error = fault(repo, b"id,v\n1,10\n2,x\n")
    assert error.code == "schema-violation"
    assert (error.line, error.key, error.column) == (3, ["2"], "v")
    assert "'x'" in error.value
    assert "--widen" in error.hint


def test_a_null_too_many_is_placed(repo: Repository) -> None:
    """Where a given schema forbids it, an empty cell that is no text is refused."""
    schema = Schema.create([("id", "int"), ("v", "int", False)], "id")
    load(repo, b"id,v\n1,10\n", types=schema)
    error = fault(repo, b"id,v\n1,10\n2,\n")
    assert (error.code, error.line, error.column) == ("schema-violation", 3, "v")


FIRST_FILES = [
    (b"id,v,w\n1,10,x\n", "csv"),
    (b"id\tv\tw\n1\t10\tx\n2\t\t\n", "tsv"),
    (b'{"id":1,"v":10,"w":"x"}\n', "jsonl"),
    (b'[{"id":1,"v":10,"w":"x"},{"id":2,"v":null}]', "json"),
]


@pytest.mark.parametrize(("data", "format_name"), FIRST_FILES)
def test_all_columns_but_the_key_may_be_null(
    repo: Repository, data: bytes, format_name: str
) -> None:
    """One schema whatever file the records come from, with gaps in it or without."""
    load(repo, data, format_name, key="id")
    columns = [("id", "int", False), ("v", "int"), ("w", "text")]
    assert repo.at_working().table("t").schema == Schema.create(columns, "id")
    load(repo, b"id,v,w\n3,,\n")
    assert list(repo.at_working().table("t").rows()) == [{"id": 3, "v": None, "w": ""}]


def test_numbers_in_json_keep_what_was_written(repo: Repository) -> None:
    """A number deep inside is a decimal where no float is written so, and stays one."""
    data = b'{"id":1,"v":{"a":[2.50,1.5,-0.0,1e5]}}\n'
    load(repo, data, "jsonl", key="id")
    [row] = repo.at_working().table("t").rows()
    assert repr(row["v"]) == "{'a': [Decimal('2.50'), 1.5, -0.0, 100000.0]}"
    before = root_of(repo)
    text = exported(repo)
    load(repo, text)
    load(repo, exported(repo, "jsonl"), "jsonl")
    assert (root_of(repo), exported(repo)) == (before, text)
    load(repo, b'id,v\n1,"{""a"":[2.50]}"\n')
    [row] = repo.at_working().table("t").rows()
    assert str(row["v"]["a"][0]) == "2.50"


@pytest.mark.parametrize(
    ("data", "format_name"),
    [
        (b"id,v\nx,1\n,2\n", "csv"),
        (b"id,v\n1,1\n,2\n", "csv"),
        (b'{"id":1,"v":1}\n{"v":2}\n', "jsonl"),
        (b'[{"id":1,"v":1},\n{"id":null,"v":2}]', "json"),
    ],
)
def test_a_row_without_a_key_is_placed(
    repo: Repository, data: bytes, format_name: str
) -> None:
    """An empty cell, a null or nothing at all: its line is named."""
    error = fault(repo, data, format_name, key="id")
    assert error.code == "null-key"
    assert error.line == (2 if format_name != "csv" else 3)


def test_a_key_of_several_columns_may_have_an_empty_part(repo: Repository) -> None:
    """Only a key that is empty altogether is none."""
    load(repo, b"a,b\nx,\n,y\n", key=["a", "b"])
    assert len(repo.at_working().table("t")) == 2
    error = fault(repo, b"a,b\nx,\n,\n")
    assert (error.code, error.line) == ("null-key", 3)


def test_a_key_at_the_limit_and_one_byte_past_it(repo: Repository) -> None:
    """1,024 encoded bytes pass; the line of a longer one is named."""
    load(repo, b"id,v\n%b,1\n" % (b"k" * 1022), key="id")
    error = fault(repo, b"id,v\na,1\n%b,1\n" % (b"k" * 1023))
    assert isinstance(error, LimitExceeded)
    assert (error.code, error.line) == ("key-too-long", 3)


def test_the_first_import_wants_a_key(repo: Repository) -> None:
    """It must be named, and be a column."""
    assert fault(repo, b"id,v\n1,2\n").code == "missing-key"
    assert fault(repo, b"id,v\n1,2\n", key="icao").code == "missing-key"


def test_the_wrong_delimiter_is_suspected(repo: Repository) -> None:
    """A header of one column that semicolons divide: without a key, and with one."""
    for how in ({}, {"key": "id"}):
        error = fault(repo, b"id;v\n1;2\n", **how)
        assert (error.code, "divided by semicolons" in error.hint) == (
            "missing-key",
            True,
        )
    load(repo, b"id,v\n1,2\n", key="id")
    error = fault(repo, b"id\tv\n1\t2\n")
    assert (error.code, "--format tsv" in error.hint) == ("columns-differ", True)
    error = fault(repo, b"id,v\n1,2\n", "tsv")
    assert "--format csv" in error.hint


def test_columns_that_differ_are_named(repo: Repository) -> None:
    """Missing and new ones; in JSON one that may be null may be left out."""
    schema = Schema.create([("id", "int"), ("a", "int", False), ("b", "int")], "id")
    load(repo, b'{"id":1,"a":1,"b":null}\n', "jsonl", types=schema)
    load(repo, b'{"id":1,"a":1}\n', "jsonl")
    error = fault(repo, b'{"id":1,"b":1}\n', "jsonl")
    assert (error.code, error.missing, error.new) == ("columns-differ", ["a"], [])
    error = fault(repo, b"id,a,c\n1,2,3\n")
    assert (error.missing, error.new) == (["b"], ["c"])


def test_types_that_contradict_the_stored_schema_are_refused(repo: Repository) -> None:
    """Types are for a new table: they are never ignored."""
    load(repo, b"id,v\n1,2\n", key="id")
    assert fault(repo, b"id,v\n1,2\n", types="text").code == "schema-mismatch"
    schema = Schema.create([("id", "int"), ("v", "float")], "id")
    assert fault(repo, b"id,v\n1,2\n", types=schema).code == "schema-mismatch"
    assert fault(repo, b"id,v\n1,2\n", key="v").code == "schema-mismatch"
    stored = repo.at_working().table("t").schema
    load(repo, b"id,v\n1,2\n", types=stored)


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        ("1", "1.5", "decimal"),
        ("1.5", "2", "decimal"),
        ("1.25", "x", "text"),
        ("true", "no", "text"),
        ("2026-01-31", "soon", "text"),
        ("1", "007x", "text"),
    ],
)
@pytest.mark.parametrize("mode", ["replace", "update"])
def test_widening_finds_the_narrowest_type_that_holds_both(
    repo: Repository, old: str, new: str, wider: str, mode: Any
) -> None:
    """The old rows come back as they were, and the root is that of a fresh import."""
    load(repo, f"id,v\n1,{old}\n".encode(), key="id")
    result = load(repo, f"id,v\n2,{new}\n".encode(), mode=mode, widen=True)
    if result.widened:
        assert types_of(repo)["v"] == wider
    rows = f"2,{new}\n" if mode == "replace" else f"1,{old}\n2,{new}\n"
    if result.widened:
        assert exported(repo).decode() == "id,v\n" + rows
        with new_repository() as fresh:
            schema = repo.at_working().table("t").schema
            load(fresh, ("id,v\n" + rows).encode(), types=schema)
            assert root_of(fresh) == root_of(repo)


def test_widening_a_key_rewrites_every_row(repo: Repository) -> None:
    """Whole numbers become text when a key is a word."""
    load(repo, b"id,v\n9,a\n10,b\n", key="id")
    assert load(repo, b"id,v\nx,c\n", mode="update", widen=True).widened == ("id",)
    assert exported(repo) == b"id,v\n10,b\n9,a\nx,c\n"


def test_widening_adds_columns_and_nulls(repo: Repository) -> None:
    """A new column is null, or empty text, in old rows; a null makes it nullable."""
    schema = Schema.create([("id", "int"), ("v", "int", False)], "id")
    load(repo, b"id,v\n1,10\n", types=schema)
    data = b"id,v,n,w\n2,,5,x\n"
    assert load(repo, data, mode="update", widen=True).widened == ("v", "n", "w")
    rows = list(repo.at_working().table("t").rows())
    assert rows == [
        {"id": 1, "v": 10, "n": None, "w": ""},
        {"id": 2, "v": None, "n": 5, "w": "x"},
    ]
    assert all(one.nullable for one in repo.at_working().table("t").schema.cell_columns)


def test_widening_from_json(repo: Repository) -> None:
    """Numbers become decimals, mixtures json; stored values keep their meaning."""
    load(repo, b'{"id":1,"a":1,"b":true}\n', "jsonl", key="id")
    data = b'{"id":2,"a":1.5,"b":[1]}\n'
    load(repo, data, "jsonl", mode="update", widen=True)
    assert types_of(repo) == {"id": "int", "a": "decimal", "b": "json"}
    rows = list(repo.at_working().table("t").rows())
    assert rows == [
        {"id": 1, "a": Decimal(1), "b": True},
        {"id": 2, "a": Decimal("1.5"), "b": [1]},
    ]


def test_widening_what_fits_changes_nothing(repo: Repository) -> None:
    """A column that takes every value keeps its type, text above all."""
    load(repo, b"id,v\n1,x\n", key="id")
    assert load(repo, b"id,v\n1,5\n", widen=True).widened == ()
    assert types_of(repo)["v"] == "text"


@pytest.mark.parametrize("format_name", ["csv", "tsv", "jsonl", "json"])
def test_every_format_reads_what_it_wrote(repo: Repository, format_name: str) -> None:
    """Export then import into a fresh repository gives the same root."""
    data = b"id,v,w,d\n1,a,1.50,2026-01-31\n2,,2,2026-02-28\n"
    load(repo, data, key="id")
    schema = repo.at_working().table("t").schema
    with new_repository() as other:
        load(other, exported(repo, format_name), format_name, types=schema)
        assert root_of(other) == root_of(repo)


def test_a_table_that_knows_only_its_key_takes_the_types_of_the_input(
    repo: Repository,
) -> None:
    """Made in Python without a row, it is filled by its first import."""
    with repo.working_area().edit("make") as workspace:
        workspace.table("t", key="id")
    load(repo, b"id,v\n1,10\n")
    assert types_of(repo) == {"id": "int", "v": "int"}


def test_paths_are_opened_and_closed(repo: Repository, tmp_path: Any) -> None:
    """A path or several may be given instead of a source."""
    places = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for number, place in enumerate(places):
        place.write_text(json.dumps({"id": number}))
    with repo.working_area().edit("import") as workspace:
        assert import_table(workspace, "t", places, key="id").rows == 2


IDS = Schema.create([("group", "text"), ("id", "uuid"), ("n", "int")], ["group", "id"])


@pytest.mark.parametrize(
    ("data", "format_name"),
    [
        (b"group,n\na,1\na,1\nb,2\n", "csv"),
        (b'{"group":"a","n":1}\n{"group":"a","n":1}\n{"group":"b","n":2}\n', "jsonl"),
    ],
)
def test_keys_that_a_table_makes_are_made(
    repo: Repository, data: bytes, format_name: str
) -> None:
    """Rows that leave out a last key column of type uuid get an id each, as in load."""
    load(repo, data, format_name, types=IDS)
    table = repo.at_working().table("t")
    rows = list(table.rows(columns=["group", "n"]))
    assert rows == [{"group": one, "n": n} for one, n in (("a", 1), ("a", 1), ("b", 2))]
    before = {row["id"] for row in table.rows()}
    assert len(before) == 3
    load(repo, data, format_name, mode="append")
    after = repo.at_working().table("t")
    assert len(after) == 6 and before < {row["id"] for row in after.rows()}
    load(repo, data, format_name, widen=True)
    assert len(repo.at_working().table("t")) == 3


def test_a_made_key_changes_no_error(repo: Repository) -> None:
    """Other columns are asked for as before, and too long a key is placed."""
    with pytest.raises(Invalid) as caught:
        load(repo, b"group\na\n", types=IDS)
    assert (caught.value.code, caught.value.missing) == ("columns-differ", ["n"])
    with pytest.raises(LimitExceeded) as long:
        load(repo, b"group,n\na,1\n" + b"x" * 1100 + b",2\n", types=IDS)
    assert (long.value.code, long.value.line) == ("key-too-long", 3)
    with pytest.raises(Invalid) as empty:
        load(repo, b"group,id,n\na,,1\n", types=IDS)
    assert empty.value.code == "null-key"
