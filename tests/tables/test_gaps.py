"""What rows leave out: kept, or given its default, in every form of input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly import ABSENT, Invalid, KeyNotFound, Repository, Schema
from prolly.tables import ColumnBatches, MutableTable
from prolly.testing.repositories import memory_repository

SCHEMA = Schema.create(
    [("id", "int"), ("name", "text"), ("n", "int", False, 7), ("must", "int", False)],
    "id",
)
DEFAULTS = {"name": None, "n": 7}

patches = st.dictionaries(
    st.integers(0, 6),
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.none() | st.text("ab", max_size=2000),
            "n": st.integers(0, 9),
            "must": st.integers(0, 9),
        },
    ),
)


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A repository in memory with two rows of the table ``t``."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("t", schema=SCHEMA).load(
                [
                    {"id": 1, "name": "one", "n": 1, "must": 10},
                    {"id": 2, "name": None, "n": 2, "must": 20},
                ]
            )
        yield repo


def rows(repo: Repository) -> list[dict[str, Any]]:
    """Return the rows of the table ``t``."""
    return list(repo.at("main").table("t").rows())


def edited(repo: Repository, edit: Callable[[MutableTable], object]) -> Any:
    """Edit the table ``t`` in a transaction; return its rows afterwards."""
    with repo.transaction("main") as tx:
        edit(tx.table("t"))
    return rows(repo)


@given(before=patches, after=patches)
def test_an_update_changes_what_it_names(
    before: dict[int, dict[str, Any]], after: dict[int, dict[str, Any]]
) -> None:
    """Against a dictionary of dictionaries: rows there keep, new ones take defaults."""
    stood = {key: {**DEFAULTS, "must": 0, **cells} for key, cells in before.items()}
    expected: dict[int, dict[str, Any]] | None = dict(stood)
    for key, cells in after.items():
        if key not in stood and "must" not in cells:
            expected = None
            break
        assert expected is not None
        expected[key] = {**(stood.get(key) or DEFAULTS), **cells}
    with memory_repository() as repo, repo.transaction("main") as tx:
        table = tx.table("t", schema=SCHEMA)
        table.load([{"id": key, **cells} for key, cells in stood.items()])
        given = [{"id": key, **cells} for key, cells in after.items()]
        if expected is None:
            with pytest.raises(Invalid) as caught:
                table.load(given, mode="update")
            assert caught.value.code == "missing-column"
            expected = stood
        else:
            table.load(given, mode="update")
        found = {row.pop("id"): row for row in map(dict, table.rows())}
        assert found == {key: dict(cells) for key, cells in expected.items()}


@pytest.mark.parametrize(
    "source",
    [
        [{"id": 1, "n": 5}, {"id": 2, "n": 6}],
        iter([{"n": 5, "id": 1}, {"n": 6, "id": 2}]),
        (("n", "id"), [[5, 1], [6, 2]]),
        ColumnBatches(("id", "n"), [[[1, 2], [5, 6]]]),
        ColumnBatches(("id", "n", "name"), [[[1, 2], [5, 6], [ABSENT] * 2]], gaps=True),
        pandas.DataFrame({"id": [1, 2], "n": [5, 6]}),
        polars.DataFrame({"id": [1, 2], "n": [5, 6]}),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_form_of_input_keeps_other_columns(repo: Repository, source: Any) -> None:
    """Mappings, lists, columns and DataFrames of two columns change these alone."""
    assert edited(repo, lambda table: table.load(source, mode="update")) == [
        {"id": 1, "name": "one", "n": 5, "must": 10},
        {"id": 2, "name": None, "n": 6, "must": 20},
    ]


def test_a_new_row_takes_defaults_and_needs_what_has_none(repo: Repository) -> None:
    """The error names row and column; a null that is given is no gap."""
    found = edited(
        repo, lambda table: table.load([{"id": 3, "must": 1}], mode="update")
    )
    assert found[-1] == {"id": 3, "name": None, "n": 7, "must": 1}
    for source in ([{"id": 1}, {"id": 4}], polars.DataFrame({"id": [1, 4]})):
        with pytest.raises(Invalid) as caught:
            edited(repo, lambda table, source=source: table.load(source, mode="update"))
        error = caught.value
        assert (error.code, error.column, error.row) == ("missing-column", "must", 2)
    patch = [{"id": 1, "name": None}]
    assert edited(repo, lambda table: table.load(patch, mode="update"))[0] == {
        "id": 1,
        "name": None,
        "n": 1,
        "must": 10,
    }


def test_missing_says_otherwise(repo: Repository) -> None:
    """A replacing load may keep cells, an update may take defaults."""
    given = [{"id": 1, "must": 11}]
    found = edited(
        repo, lambda table: table.load(given, mode="update", missing="default")
    )
    assert found[0] == {"id": 1, "name": None, "n": 7, "must": 11}
    found = edited(repo, lambda table: table.load([{"id": 2, "n": 3}], missing="keep"))
    assert found == [{"id": 2, "name": None, "n": 3, "must": 20}]
    wrong: Any = "drop"
    with pytest.raises(Invalid) as caught:
        edited(repo, lambda table: table.load(given, missing=wrong))
    assert caught.value.code == "option"


def test_an_update_sees_the_writes_before_it(repo: Repository) -> None:
    """Cells are kept from what the transaction wrote, and its input from itself."""

    def edit(table: MutableTable) -> None:
        table.upsert({"id": 1, "name": "uno", "n": 8, "must": 0})
        twice = [{"id": 1, "n": 4}, {"id": 1, "must": 5}]
        table.load(twice, mode="update", on_duplicate="last")

    assert edited(repo, edit)[0] == {"id": 1, "name": "uno", "n": 8, "must": 5}


def test_patch_changes_some_columns(repo: Repository) -> None:
    """upsert replaces the row whole; patch keeps the rest, and wants a row."""
    assert edited(repo, lambda table: table.patch(1, {"n": 9}))[0] == {
        "id": 1,
        "name": "one",
        "n": 9,
        "must": 10,
    }
    found = edited(repo, lambda table: table.upsert({"id": 1, "must": 3}))
    assert found[0] == {"id": 1, "name": None, "n": 7, "must": 3}
    with pytest.raises(KeyNotFound):
        edited(repo, lambda table: table.patch(9, {"n": 1}))
    with pytest.raises(Invalid) as caught:
        edited(repo, lambda table: table.patch(1, {"id": 2}))
    assert caught.value.code == "key-mismatch"


def test_a_key_that_is_refused_is_named(repo: Repository) -> None:
    """Rows with gaps are refused for their keys like all others."""
    for key, code in ((None, "null-key"), ("x", "schema-violation")):
        with pytest.raises(Invalid) as caught:
            edited(
                repo, lambda table, key=key: table.load([{"id": key}], mode="update")
            )
        assert (caught.value.code, caught.value.row) == (code, 1)
    with pytest.raises(Invalid) as caught:
        edited(repo, lambda table: table.load([{"n": 1}], mode="update"))
    assert (caught.value.code, caught.value.column) == ("missing-column", "id")


def test_a_row_that_does_not_fit_is_named_by_its_key(repo: Repository) -> None:
    """insert, upsert and patch name key and column; what is no rows is refused."""
    for edit in (
        lambda table: table.upsert({"id": 1, "n": "x", "must": 1}),
        lambda table: table.patch(1, {"n": None}),
    ):
        with pytest.raises(Invalid) as caught:
            edited(repo, edit)
        error = caught.value
        assert (error.code, error.key, error.column) == ("schema-violation", 1, "n")
        assert error.message.startswith("row 1: ")
    lazy: Any = polars.DataFrame({"id": [1]}).lazy()
    with pytest.raises(Invalid) as refused:
        edited(repo, lambda table: table.load(lazy))
    assert refused.value.code == "not-a-row" and "collect()" in refused.value.hint
