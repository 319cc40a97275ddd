"""A stored table: rows by key, within bounds, as dictionaries, columns and lists."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, Referring
from prolly.codec import key as key_codec
from prolly.errors import Corrupt, Invalid, KeyNotFound
from prolly.tables import MutableTable, RecordCodec, Schema, Table
from prolly.tables.column import KEY_TYPES
from prolly.testing.strategies import typed_values
from prolly.tree import NodeReader, WorkingTree, build

PLAIN = Schema.create(
    [("name", "text"), ("id", "int"), ("value", "float"), ("note", "bytes")], "id"
)
PLACES = Schema.create(
    [("country", "text"), ("code", "text"), ("size", "int")], ("country", "code")
)


def stored(
    schema: Schema, rows: Sequence[Mapping[str, Any]], reads: list[bytes] | None = None
) -> Table:
    """Load rows and open the stored table; ``reads`` gathers the addresses read."""
    writer = MemoryStore().writer()
    tree = WorkingTree(NodeReader(writer.get), None, DEFAULT_PARAMETERS)
    MutableTable(tree, writer, schema).load(rows)
    root = tree.write(writer)

    def get(address: bytes) -> bytes | None:
        if reads is not None:
            reads.append(address)
        return writer.get(address)

    return Table(NodeReader(get), root, schema)


def plain_rows(count: int) -> list[dict[str, Any]]:
    """Rows of the plain schema; every third value is null, some notes are long."""
    return [
        {
            "name": f"name {number}",
            "id": number,
            "value": number / 4 if number % 3 else None,
            "note": b"n" * (2000 if number % 50 == 7 else 20),
        }
        for number in range(count)
    ]


def places() -> Table:
    """A table with a key of two parts."""
    rows = [
        {"country": country, "code": code, "size": size}
        for size, (country, code) in enumerate(
            [("CA", "A"), ("CA", "B"), ("US", "A"), ("US", "X"), ("USA", "A")]
        )
    ]
    return stored(PLACES, rows)


def test_rows_come_back() -> None:
    """get, in, len and iteration give what was loaded, in key order."""
    rows = plain_rows(300)
    table = stored(PLAIN, rows[::-1])
    assert len(table) == 300 and list(table) == list(range(300))
    assert list(table.rows()) == list(table.values()) == rows
    assert list(table[7]) == ["name", "id", "value", "note"], "in schema order"
    assert all(table[row["id"]] == row for row in rows)
    assert 299 in table and 300 not in table
    assert table.get(300) is None
    assert dict(table.items(start=5, stop=7)) == {5: rows[5], 6: rows[6]}
    with pytest.raises(KeyNotFound) as caught:
        table[300]
    assert caught.value.key == 300


def test_numbers_and_ends_give_rows() -> None:
    """nth, first and last are rows; rank counts keys below."""
    rows = plain_rows(100)
    table = stored(PLAIN, rows)
    assert (table.first(), table.nth(40), table.last()) == (rows[0], rows[40], rows[99])
    assert table.nth(-2) == rows[98] and table.rank(40) == 40


def test_rows_within_bounds_and_backwards() -> None:
    """rows() takes start, stop and reverse, knows its length, and iterates again."""
    rows = plain_rows(200)
    view = stored(PLAIN, rows).rows(start=50, stop=60, reverse=True)
    assert len(view) == 10
    assert list(view) == rows[50:60][::-1] == list(view)
    assert list(reversed(view)) == rows[50:60]


def test_some_columns_in_the_order_asked() -> None:
    """rows(columns=...) holds these columns alone, and refuses an unknown one."""
    rows = plain_rows(120)
    table = stored(PLAIN, rows)
    view = table.rows(columns=["value", "id"], stop=100)
    assert [list(row.items()) for row in view] == [
        [("value", row["value"]), ("id", row["id"])] for row in rows[:100]
    ]
    assert [row["id"] for row in reversed(view)] == list(range(99, -1, -1))
    assert list(table.rows(columns=[], stop=3)) == [{}, {}, {}]
    for use in (table.rows, table.iter_columns, table.iter_rows_as_lists):
        with pytest.raises(Invalid) as caught:
            use(columns=["nothing"])
        assert caught.value.code == "unknown-column"


def test_columns_and_lists_for_exporters() -> None:
    """iter_columns and iter_rows_as_lists give all records once, in large batches."""
    rows = plain_rows(3000)
    table = stored(PLAIN, rows)
    batches = list(table.iter_columns())
    assert len(batches) == 3, "leaves are joined"
    assert [name for batch in batches for name in batch[0]] == [r["name"] for r in rows]
    lists = [one for batch in table.iter_rows_as_lists(["id", "note"]) for one in batch]
    assert lists == [(row["id"], row["note"]) for row in rows]
    some = [one for batch in table.iter_rows_as_lists(start=5, stop=8) for one in batch]
    assert [one[1] for one in some] == [5, 6, 7]
    assert list(stored(PLAIN, []).iter_columns()) == []


def test_keys_of_several_columns() -> None:
    """A composite key is a tuple in key order; bounds may be its leading parts."""
    table = places()
    assert table["US", "X"]["size"] == 3
    assert next(iter(table)) == ("CA", "A")
    assert [row["size"] for row in table.rows(prefix=("US",))] == [2, 3]
    assert [row["size"] for row in table.rows(prefix="US")] == [2, 3, 4]
    assert [row["size"] for row in table.rows(start="US", stop=("US", "X"))] == [2]
    assert [row["size"] for row in table.rows(start=("US",))] == [2, 3, 4]
    assert table.row_key(table["US", "X"]) == ("US", "X")
    for wrong in ("US", ("US",), ("US", "X", 1)):
        with pytest.raises(Invalid) as caught:
            table[wrong]
        assert caught.value.code == "key-parts"
    with pytest.raises(Invalid):
        table.rows(prefix=("US", "X", "Y"))


def test_a_key_of_another_type_is_refused() -> None:
    """A key that its column cannot hold raises Invalid, a null one ``null-key``."""
    table = stored(PLAIN, plain_rows(3))
    for wrong, code in (("1", "schema-violation"), (None, "null-key")):
        with pytest.raises(Invalid) as caught:
            table.get(wrong)
        assert (caught.value.code, caught.value.column) == (code, "id")
    with pytest.raises(Invalid):
        places().rows(prefix=5)


def test_keys_are_converted_as_cells_are() -> None:
    """An int finds a float key, a datetime with another offset its instant, in UTC."""
    schema = Schema.create([("at", "datetime"), ("x", "float")], ("at", "x"))
    moment = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    table = stored(schema, [{"at": moment, "x": 5}])
    [row] = table.rows()
    assert row == {"at": moment, "x": 5.0}
    assert row["at"].tzinfo == UTC and type(row["x"]) is float
    assert table[moment.astimezone(UTC), 5] == row
    assert table.row_key(row) == (moment, 5.0)


@given(st.sampled_from(sorted(KEY_TYPES)), st.data())
def test_a_row_is_the_same_however_it_is_reached(
    kind: str, data: st.DataObject
) -> None:
    """A look-up gives the row that a scan gives, whatever form the key was given in."""
    keys = data.draw(st.lists(typed_values()[kind], min_size=1, max_size=3))
    schema = Schema.create([("cell", "int"), ("key", kind)], "key")
    buffer = {RecordCodec(schema).encode_key(key): key for key in keys}
    table = stored(schema, [{"key": key, "cell": 1} for key in buffer.values()])
    rows = list(map(repr, table.values()))
    found = sorted(buffer)
    for place, encoded in enumerate(found):
        key = buffer[encoded]
        assert repr(table[key]) == repr(table.get(key)) == rows[place]
        assert repr(table.nth(place)) == rows[place]
    assert table.get(keys[0], "default") != "default"


def test_a_key_of_a_kind_of_int_comes_back_as_an_int() -> None:
    """The row shows what is stored, not the object that was asked with."""

    class Kind(enum.IntEnum):
        ONE = 1

    schema = Schema.create([("id", "int"), ("name", "text")], "id")
    table = stored(schema, [{"id": 1, "name": "x"}])
    assert type(table[Kind.ONE]["id"]) is int
    assert table.get(2, "none") == "none"


def test_decimal_keys_keep_their_zeros() -> None:
    """1.1 and 1.10 are two keys and come back as written."""
    schema = Schema.create([("d", "decimal")], "d")
    rows = [{"d": Decimal(text)} for text in ("1.10", "1.1", "-2", "3E+2")]
    table = stored(schema, rows)
    assert [str(row["d"]) for row in table.rows()] == ["-2", "1.1", "1.10", "3E+2"]


def test_a_table_of_keys_alone() -> None:
    """A table may have no column beside its key."""
    schema = Schema.create([("a", "int"), ("b", "text")], ("b", "a"))
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]
    assert list(stored(schema, rows).rows()) == rows


def test_long_rows_are_read_from_out_of_line() -> None:
    """Rows with large cells, many cells, or both come back whole."""
    wide = [(f"c{number}", "json") for number in range(200)]
    schema = Schema.create([("id", "int"), *wide], "id")
    rows = [
        {"id": 0, **{name: None for name, _ in wide}, "c3": "x" * 300_000},
        {"id": 1, **{name: name * 3 for name, _ in wide}},
        {"id": 2, **{name: None for name, _ in wide}},
        {"id": 3, **{name: ["x" * 150] for name, _ in wide}},
    ]
    table = stored(schema, rows)
    assert list(table.rows()) == rows and table[1] == rows[1]
    kinds = [type(one) for _, values in table.raw_batches() for one in values]
    assert kinds == [Referring, Referring, bytes, Referring]


def test_fills_stand_for_cells_that_are_not_stored() -> None:
    """A cell that equals its fill takes no room; an explicit null is another value."""
    schema = Schema.create(
        [("id", "int"), ("n", "int", True, 7), ("t", "text", True)], "id"
    )
    rows = [{"id": 1, "n": 7, "t": None}, {"id": 2, "n": None, "t": "x"}]
    table = stored(schema, rows)
    assert list(table.rows()) == rows
    values = [one for batch in table.raw_batches() for one in batch[1]]
    assert values[0] == b"\x81\x40", "an empty presence alone"


def test_equality_wants_the_same_schema() -> None:
    """Tables are equal by schema and records."""
    left, right = stored(PLAIN, plain_rows(5)), stored(PLAIN, plain_rows(5))
    assert left == right and left != stored(PLAIN, plain_rows(4))
    assert left != places()


def test_look_ups_read_only_the_path() -> None:
    """get, len, nth, rank and the length of a view read O(depth) nodes."""
    reads: list[bytes] = []
    for work in (
        lambda table: table[1500],
        len,
        lambda table: table.nth(1500),
        lambda table: table.rank(1500),
        lambda table: len(table.rows(start=100, stop=2000)),
        lambda table: next(iter(table.rows(start=1500))),
    ):
        table = stored(PLAIN, plain_rows(3000), reads)
        reads.clear()
        work(table)
        assert 0 < len(reads) <= 4


def test_keys_of_another_form_are_corrupt() -> None:
    """A record whose key has another number of parts than the schema is Corrupt."""
    writer = MemoryStore().writer()
    for schema, key in ((PLACES, "US"), (PLAIN, (1, 2)), (PLACES, ("a", "b", "c"))):
        encoded = key_codec.encode_key(key)
        root = build(writer, [([encoded], [b"\x81\x40"])], DEFAULT_PARAMETERS)
        table = Table(NodeReader(writer.get), root, schema)
        uses: list[Callable[[], object]] = [table.keys().__iter__().__next__]
        uses += [table.rows().__iter__().__next__, table.first]
        for use in uses:
            with pytest.raises(Corrupt):
                use()


def test_a_row_that_does_not_decode_is_corrupt() -> None:
    """Bytes that are no row raise Corrupt, one by one and in bulk."""
    codec = RecordCodec(PLAIN)
    key = codec.encode_key(1)
    for bad in (b"", b"\xff", b"\x81\x41\xff", b"\xa0"):
        with pytest.raises(Corrupt):
            codec.decode_row(key, bad, MemoryStore().get)
        with pytest.raises(Corrupt):
            codec.decode_rows([key], [bad], MemoryStore().get)


def test_a_row_without_its_key_has_none() -> None:
    """row_key of a row that lacks a key column raises Invalid."""
    with pytest.raises(Invalid) as caught:
        places().row_key({"country": "US"})
    assert (caught.value.code, caught.value.column) == ("missing-column", "code")
