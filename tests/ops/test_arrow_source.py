"""Parquet and Arrow of other programs: types, several files, and every bad input."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from prolly import Repository
from prolly.errors import Error, Invalid
from prolly.ops import import_table, open_table
from prolly.testing.repositories import memory_repository

PEOPLE = pa.table({"id": [1, 2, 3], "name": ["Ada", "Bob", None], "size": [1.5, 2, 3]})


@pytest.fixture
def repo() -> Iterator[Repository]:
    """An empty repository in memory."""
    with memory_repository() as repo:
        yield repo


def as_parquet(table: Any) -> io.BytesIO:
    """Return a table as a Parquet file."""
    stream = io.BytesIO()
    parquet.write_table(table, stream)
    return io.BytesIO(stream.getvalue())


def as_arrow(table: Any, begin: Any = pa.ipc.new_file) -> io.BytesIO:
    """Return a table as an Arrow file, or as a stream."""
    stream = io.BytesIO()
    with begin(stream, table.schema) as writer:
        writer.write_table(table)
    return io.BytesIO(stream.getvalue())


def as_stream(table: Any) -> io.BytesIO:
    """Return a table as an Arrow stream."""
    return as_arrow(table, pa.ipc.new_stream)


FORMS = [("parquet", as_parquet), ("arrow", as_arrow), ("arrow", as_stream)]


def load(repo: Repository, places: Any, form: str, **how: Any) -> Any:
    """Import into the table ``t`` of the working state."""
    with (
        open_table(places, form) as source,
        repo.working_area().edit("import") as workspace,
    ):
        return import_table(workspace, "t", source, **how)


def rows_of(repo: Repository) -> list[dict[str, Any]]:
    """Return the rows of the table ``t``."""
    return list(repo.at_working().table("t").rows())


@pytest.mark.parametrize(("form", "write"), FORMS)
def test_a_table_of_another_program(repo: Repository, form: str, write: Any) -> None:
    """Its own types are the columns' types; a key must be named."""
    with pytest.raises(Invalid) as caught:
        load(repo, write(PEOPLE), form)
    assert caught.value.code == "missing-key"
    assert load(repo, write(PEOPLE), form, key="id").rows == 3
    schema = repo.at_working().table("t").schema
    assert [one.type for one in schema.columns] == ["int", "text", "float"]
    assert rows_of(repo)[2] == {"id": 3, "name": None, "size": 3.0}
    assert load(repo, write(PEOPLE), form).widened == ()


def test_several_files_are_one_table(repo: Repository) -> None:
    """Their columns may stand in another order, and whole numbers among floats."""
    second = pa.table({"size": [7], "name": ["Di"], "id": [4]})
    load(repo, [as_parquet(PEOPLE), as_parquet(second)], "parquet", key="id")
    assert rows_of(repo)[3] == {"id": 4, "name": "Di", "size": 7.0}
    wrong = [as_parquet(PEOPLE), as_parquet(second.drop_columns(["size"]))]
    with pytest.raises(Invalid) as caught:
        load(repo, wrong, "parquet")
    assert (caught.value.code, caught.value.missing) == ("columns-differ", ["size"])


@pytest.mark.parametrize(("form", "write"), FORMS)
def test_every_cut_is_refused(form: str, write: Any) -> None:
    """No prefix of a file, however it is cut, is a shorter table."""
    whole = write(PEOPLE).getvalue()
    for cut in range(0, len(whole), 1 + len(whole) // 200):
        with (
            pytest.raises(Invalid) as caught,
            open_table(io.BytesIO(whole[:cut]), form) as source,
        ):
            list(source)
        assert caught.value.code == f"bad-{form}"
        assert caught.value.hint


@pytest.mark.parametrize(("form", "write"), FORMS)
def test_a_stream_cut_between_batches_is_refused(form: str, write: Any) -> None:
    """A cut that leaves whole messages is seen, too."""
    table = pa.concat_tables([PEOPLE, PEOPLE])
    whole = write(table).getvalue()
    with pytest.raises(Invalid), open_table(io.BytesIO(whole[:-8]), form) as source:
        list(source)


@pytest.mark.parametrize(("form", "write"), FORMS)
def test_damage_is_refused_or_harmless(form: str, write: Any) -> None:
    """A changed byte raises an error of ours, or is read; nothing else happens."""
    whole = write(PEOPLE).getvalue()
    for place in range(0, len(whole), 1 + len(whole) // 150):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            with open_table(io.BytesIO(bytes(damaged)), form) as source:
                source.infer()
                list(source)
        except Error as error:
            assert error.code in (f"bad-{form}", "arrow-value", "arrow-type"), place


def test_an_archive_or_another_format_is_refused(tmp_path: Path) -> None:
    """Bytes that are compressed as a whole, or CSV, are named as what is wrong."""
    packed = io.BytesIO(gzip.compress(as_parquet(PEOPLE).getvalue()))
    with pytest.raises(Invalid) as caught:
        open_table(packed, "parquet")
    assert caught.value.code == "format-compressed"
    for form in ("parquet", "arrow"):
        with (
            pytest.raises(Invalid) as refused,
            open_table(io.BytesIO(b"a,b\n1,2\n"), form) as source,
        ):
            source.infer()
        assert refused.value.code == f"bad-{form}"


def test_timestamps_need_a_zone(repo: Repository) -> None:
    """Without one a column is refused, unless a schema says text."""
    when = datetime(2026, 1, 31, 12)
    naive = pa.table({"id": [1], "at": pa.array([when], pa.timestamp("us"))})
    with pytest.raises(Invalid) as caught:
        load(repo, as_parquet(naive), "parquet", key="id")
    assert (caught.value.code, caught.value.column) == ("naive-timestamp", "at")
    from prolly import Schema

    text = Schema.create([("id", "int"), ("at", "text")], "id")
    load(repo, as_parquet(naive), "parquet", types=text)
    assert rows_of(repo) == [{"id": 1, "at": "2026-01-31T12:00:00"}]


def test_a_stored_schema_takes_what_fits(repo: Repository) -> None:
    """Whole numbers become floats and decimals; anything else names row and column."""
    from prolly import Schema

    schema = Schema.create([("id", "int"), ("a", "float"), ("b", "decimal")], "id")
    with repo.working_area().edit("make") as workspace:
        workspace.table("t", schema=schema)
    good = pa.table({"id": [1], "a": [2], "b": ["1.10"]})
    load(repo, as_arrow(good), "arrow")
    assert rows_of(repo) == [{"id": 1, "a": 2.0, "b": Decimal("1.10")}]
    wrong = pa.table({"id": [1, 2], "a": [2, 3], "b": pa.array([None, 1.5])})
    with pytest.raises(Invalid) as caught:
        load(repo, as_arrow(wrong), "arrow")
    assert (caught.value.code, caught.value.column) == ("schema-violation", "b")
    assert "row 2" in caught.value.message
    missing = pa.table({"id": [1], "a": [2]})
    with pytest.raises(Invalid) as caught:
        load(repo, as_arrow(missing), "arrow")
    assert caught.value.code == "columns-differ"


def test_widening_by_typed_values(repo: Repository) -> None:
    """A column grows to hold what was there and what comes; new ones join."""
    load(repo, as_parquet(pa.table({"id": [1], "v": [1]})), "parquet", key="id")
    more = pa.table({"id": [2], "v": [2.5], "w": [True]})
    result = load(repo, as_parquet(more), "parquet", mode="update", widen=True)
    assert result.widened == ("v", "w")
    assert rows_of(repo) == [
        {"id": 1, "v": 1.0, "w": None},
        {"id": 2, "v": 2.5, "w": True},
    ]
    huge = pa.table({"id": [3], "v": [2**53 + 1], "w": [None]})
    assert load(repo, as_parquet(huge), "parquet", mode="update", widen=True).widened
    assert rows_of(repo)[2]["v"] == 2**53 + 1


@pytest.mark.parametrize(
    ("keys", "code", "where"),
    [
        ([1, 2, 1], "duplicate-key", "in rows 1 and 3"),
        ([1, None, 3], "null-key", "row 2"),
        (["a", "b", "c" * 2000], "key-too-long", "row 3"),
    ],
)
def test_bad_keys_name_their_rows(
    repo: Repository, keys: list[Any], code: str, where: str
) -> None:
    """A file without lines has rows, from 1."""
    with pytest.raises(Error) as caught:
        load(repo, as_parquet(pa.table({"id": keys})), "parquet", key="id")
    assert caught.value.code == code
    assert where in caught.value.message


def test_a_value_past_our_types_names_its_row(repo: Repository) -> None:
    """Nanoseconds are more than a datetime holds."""
    times = pa.array([10**18, 10**18 + 1], pa.timestamp("ns", "UTC"))
    table = pa.table({"id": [1, 2], "at": times})
    with pytest.raises(Invalid) as caught:
        load(repo, as_arrow(table), "arrow", key="id")
    error = caught.value
    assert (error.code, error.line, error.column) == ("arrow-value", 2, "at")
    fine = pa.table({"id": [1], "at": times[:1]})
    load(repo, as_arrow(fine), "arrow", key="id")
    assert rows_of(repo)[0]["at"] == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)


def test_what_pandas_writes_is_read(repo: Repository, tmp_path: Path) -> None:
    """A nameless index is no column, a named one is."""
    import pandas

    frame = pandas.DataFrame({"id": [3, 1, 2], "v": ["c", "a", None]})
    frame[frame["id"] != 1].to_parquet(tmp_path / "x.parquet")
    load(repo, tmp_path / "x.parquet", "parquet", key="id")
    assert rows_of(repo) == [{"id": 2, "v": None}, {"id": 3, "v": "c"}]
    frame.set_index("id").to_parquet(tmp_path / "y.parquet")
    load(repo, tmp_path / "y.parquet", "parquet")
    assert [row["id"] for row in rows_of(repo)] == [1, 2, 3]


def test_progress_reaches_the_size(repo: Repository) -> None:
    """The position never passes the size, and is there at the end."""
    seen: list[tuple[int, int]] = []
    table = pa.table({"id": range(10_000)})
    for write, form in ((as_parquet, "parquet"), (as_stream, "arrow")):
        load(
            repo,
            write(table),
            form,
            key="id",
            progress=lambda done, total: seen.append((done, total)),
        )
        assert all(done <= total for done, total in seen)
        # The mark at the end of a stream is read when nobody asks any more.
        assert seen[-1][1] - seen[-1][0] <= 8
