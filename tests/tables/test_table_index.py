"""Reading through an index: equality, ranges, prefixes, order, length, one row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Corrupt, Invalid, NotFound
from prolly.tables import Index, Schema, Table
from prolly.testing.table_model import TableModel
from prolly.tree import NodeReader

SCHEMA = Schema.create(
    [
        ("icao", "text"),
        ("country", "text"),
        ("feet", "int"),
        ("code", "text"),
        ("price", "decimal"),
    ],
    "icao",
    indexes=[
        Index("by_country", ("country", "feet")),
        Index("by_code", ("code",), True),
        Index("short", ("code", "feet"), False, 2),
        Index("by_price", ("price",)),
    ],
)
COUNTRIES = [None, "", "CA", "US", "USA"]


def rows() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Airports of few countries; some have no code."""
    row = st.fixed_dictionaries(
        {
            "icao": st.integers(0, 40).map(lambda number: f"K{number:03d}"),
            "country": st.sampled_from(COUNTRIES),
            "feet": st.none() | st.integers(-2, 3),
            "code": st.none(),
            "price": st.none(),
        }
    )
    coded = st.lists(row, max_size=20, unique_by=lambda one: one["icao"])
    return coded.map(
        lambda listed: [
            {**one, "code": "abc"[: number % 4] + str(number) if number % 3 else None}
            for number, one in enumerate(listed)
        ]
    )


def ordered(cells: Any) -> Any:
    """Return cells in a form that sorts, null first."""
    return tuple((cell is not None, cell) for cell in cells)


def naive(listed: list[dict[str, Any]], columns: tuple[str, ...]) -> list[Any]:
    """Return (cells, row) in the order of an index without a prefix."""
    found = [(tuple(row[name] for name in columns), row) for row in listed]
    return sorted(found, key=lambda one: (ordered(one[0]), one[1]["icao"]))


BOUNDS = st.none() | st.integers(-2, 3)


@given(rows(), st.sampled_from(COUNTRIES), BOUNDS, BOUNDS, st.booleans())
def test_equality_and_ranges(
    listed: list[dict[str, Any]],
    country: str | None,
    start: int | None,
    stop: int | None,
    reverse: bool,
) -> None:
    """rows and keys are the naive ones, in the order of cells and key."""
    table = TableModel(SCHEMA, listed).table()
    index = table.index("by_country")
    every = naive(listed, ("country", "feet"))
    wanted = [
        row
        for (found, feet), row in every
        if found == country
        and (start is None or (feet is not None and feet >= start))
        and (stop is None or feet is None or feet < stop)
    ]
    view = index.rows(country, start=start, stop=stop, reverse=reverse)
    wanted = wanted[::-1] if reverse else wanted
    assert list(view) == wanted and len(view) == len(wanted)
    assert list(reversed(view)) == wanted[::-1]
    keys = index.keys(country, start=start, stop=stop, reverse=reverse)
    assert list(keys) == [row["icao"] for row in wanted] and len(keys) == len(wanted)
    assert list(index.rows()) == [row for _, row in every]


@given(rows(), st.sampled_from(["", "U", "US", "USA", "X"]))
def test_prefixes(listed: list[dict[str, Any]], prefix: str) -> None:
    """prefix is what text begins with; as a tuple the leading cells."""
    table = TableModel(SCHEMA, listed).table()
    index = table.index("by_country")
    every = naive(listed, ("country", "feet"))
    found = index.rows(prefix=prefix)
    wanted = [
        row for (one, _), row in every if one is not None and one.startswith(prefix)
    ]
    assert list(found) == wanted and len(found) == len(wanted)
    assert list(index.rows(prefix=("US", 1))) == list(index.rows("US", 1))


@given(rows(), st.text("abc0123", max_size=4), st.text("abc0123", max_size=4))
def test_an_index_of_beginnings_answers_exactly(
    listed: list[dict[str, Any]], one: str, two: str
) -> None:
    """Values longer than the prefix are told apart, in every kind of query."""
    table = TableModel(SCHEMA, listed).table()
    index = table.index("short")
    every = [row["code"] for row in listed]
    coded = [code for code in every if code is not None]

    def found(*values: Any, **bounds: Any) -> list[str]:
        view = index.rows(*values, **bounds)
        assert len(view) == len(list(view)) == len(list(index.keys(*values, **bounds)))
        return sorted(row["code"] or "" for row in view)

    assert found(one) == [code for code in coded if code == one]
    assert found(None) == [""] * every.count(None)
    assert found(prefix=one) == sorted(c for c in coded if c.startswith(one))
    nulls = [""] * every.count(None)
    assert found(start=one) == sorted(c for c in coded if c >= one)
    assert found(stop=two) == nulls + sorted(c for c in coded if c < two)
    assert found(start=one, stop=two) == sorted(c for c in coded if one <= c < two)
    assert len(index) == len(every)


@given(rows())
def test_a_unique_index_gives_one_row(listed: list[dict[str, Any]]) -> None:
    """get gives the row with these cells or None; rows with a null do not count."""
    table = TableModel(SCHEMA, listed).table()
    index = table.index("by_code")
    coded = {row["code"]: row for row in listed if row["code"] is not None}
    assert {code: index.get(code) for code in coded} == coded
    assert index.get("nowhere") is index.get(None) is index.get("x" * 5000) is None
    assert list(index.rows("x" * 5000)) == []
    assert len(index) == len(coded) == len(list(index.rows()))
    assert list(index.keys()) == [coded[code]["icao"] for code in sorted(coded)]


def test_equal_decimals_are_found_in_any_spelling() -> None:
    """1.1 finds 1.10; -0.0 would find 0.0."""
    from decimal import Decimal

    blank = dict.fromkeys(["country", "feet", "code"])
    listed = [
        {"icao": text, "price": Decimal(text), **blank}
        for text in ("1.1", "1.10", "1.100", "11", "0", "0.00", "1E+2", "100")
    ]
    index = TableModel(SCHEMA, listed).table().index("by_price")
    assert list(index.keys(Decimal("1.10"))) == ["1.1", "1.10", "1.100"]
    assert list(index.keys(Decimal(0))) == ["0", "0.00"]
    assert list(index.keys(100)) == ["100", "1E+2"]
    assert list(index.keys(start=11)) == ["11", "100", "1E+2"]


def test_what_a_query_refuses() -> None:
    """Too many values, values of another type, get of an index that is not unique."""
    table = TableModel(SCHEMA).table()
    index = table.index("by_country")
    assert (index.name, index.columns) == ("by_country", ("country", "feet"))
    assert not index.is_unique and table.index("by_code").is_unique
    cases: list[tuple[Any, str]] = [
        (lambda: index.rows("US", 1, 2), "index-parts"),
        (lambda: index.rows("US", 1, start=2), "index-parts"),
        (lambda: index.rows(5), "schema-violation"),
        (lambda: index.rows("US", start="x"), "schema-violation"),
        (lambda: index.rows("US", prefix=5), "key-prefix"),
        (lambda: index.get("US", 1), "index-not-unique"),
        (lambda: table.index("by_code").get(), "index-parts"),
    ]
    for ask, code in cases:
        with pytest.raises(Invalid) as caught:
            ask()
        assert caught.value.code == code and caught.value.hint
    with pytest.raises(NotFound) as missing:
        table.index("nothing")
    assert missing.value.code == "no-such-constraint"


def test_an_index_that_is_gone_is_told() -> None:
    """Kept across a drop, or with another one in its place, it is NotFound."""
    blank = {"code": None, "price": None, "feet": 1}
    model = TableModel(SCHEMA, [{"icao": "A", "country": "US", **blank}])
    table, _ = model.edit()
    index = table.index("by_country")
    assert len(index) == 1
    reads: list[Any] = [
        lambda: len(index),
        lambda: list(index.rows("US")),
        lambda: list(index.keys("US")),
        lambda: len(index.rows("US")),
    ]
    for change in (
        lambda: table.alter().drop_index("by_country"),
        lambda: table.alter().add_index("by_country", "feet"),
    ):
        change()
        for read in reads:
            with pytest.raises(NotFound) as caught:
                read()
            assert caught.value.code == "no-such-constraint"
            assert caught.value.name == "by_country"
    unique = table.index("by_code")
    table.alter().drop_index("by_code")
    with pytest.raises(NotFound):
        unique.get("x")


def test_a_query_of_ten_reads_few_nodes() -> None:
    """Ten rows of thousands that match: nodes for those ten, not for all."""
    blank = {"code": None, "price": None, "country": "US"}
    listed = [
        {"icao": f"K{number * 7919 % 20011:05d}", "feet": number, **blank}
        for number in range(20_000)
    ]
    model = TableModel(SCHEMA, listed)
    table = model.table()
    model.store.costs.reset()
    view = iter(table.index("by_country").rows("US", start=5000))
    assert [next(view)["feet"] for _ in range(10)] == list(range(5000, 5010))
    assert model.store.costs.gets <= 40


def test_iterators_see_the_state_at_their_creation() -> None:
    """Later edits show in new iterators; after the end all of them are refused."""
    blank = {"code": None, "price": None, "feet": 1}
    model = TableModel(SCHEMA, [{"icao": "A", "country": "US", **blank}])
    table, tree = model.edit()
    index = table.index("by_country")
    before = iter(index.rows("US"))
    table.upsert({"icao": "B", "country": "US", **blank})
    after = index.keys("US")
    assert list(after) == ["A", "B"] and [row["icao"] for row in before] == ["A"]
    standing = iter(index.rows("US"))
    table.load([{"icao": "C", "country": "US", **blank}])
    assert list(after) == ["C"]
    assert [row["icao"] for row in standing] == ["A", "B"]
    later = iter(index.rows("US"))
    table.close()
    tree.close()
    for view in (later, iter_of(lambda: index.rows("US"))):
        with pytest.raises(Invalid) as caught:
            next(view)
        assert caught.value.code == "closed"


def iter_of(rows: Any) -> Any:
    """Iterate what a function returns, from the first ``next`` on."""
    yield from rows()


def test_an_entry_without_its_record_is_corrupt() -> None:
    """An index of another table's records is found out."""
    blank = {"code": None, "price": None, "feet": 1}
    one = TableModel(SCHEMA, [{"icao": "A", "country": "US", **blank}])
    schema, _, indexes = one.stored
    empty = one.writer
    other = TableModel(SCHEMA)

    def get(address: bytes) -> bytes | None:
        return empty.get(address) or other.writer.get(address)

    assert other.stored.records is not None
    table = Table(NodeReader(get), other.stored.records, schema, indexes)
    with pytest.raises(Corrupt) as caught:
        list(table.index("by_country").rows("US"))
    assert caught.value.code == "index-entry"
