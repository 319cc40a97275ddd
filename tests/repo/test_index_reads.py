"""Reads through an index in a serializable transaction: kept as stretches of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.errors import Stale
from prolly.repo import Repository, Transaction
from prolly.tables import Index, Schema
from prolly.testing.repositories import memory_repository

Work = Callable[[Transaction], Any]

COLUMNS = [("id", "int"), ("group", "text"), ("code", "int"), ("text", "text")]
INDEXES = [Index("by_group", ("group",)), Index("by_code", ("code",), unique=True)]


def race(repo: Repository, ours: Work, theirs: Work) -> Stale | None:
    """Read in a serializable transaction, let another commit, write and commit."""
    tx = repo.transaction("main", message="ours", isolation="serializable")
    ours(tx)
    with repo.transaction("main", message="theirs") as other:
        theirs(other)
    tx.map("result")["done"] = True
    try:
        tx.commit()
    except Stale as error:
        assert error.code == "read-conflict"
        return error
    return None


def upsert(key: int, **cells: Any) -> Work:
    """Return work that writes one row of the indexed table."""
    row = {"id": key, "group": "x", "code": 100 + key, "text": "-", **cells}
    return lambda tx: tx.table("i").upsert(row)


def by_group(*values: Any, **bounds: Any) -> Work:
    """Return work that reads rows through an index."""
    return lambda tx: list(tx.table("i").index("by_group").rows(*values, **bounds))


def where(text: str) -> Work:
    """Return work that reads rows by a predicate."""
    return lambda tx: list(tx.table("i").rows(where=text))


def keys_of_a(tx: Transaction) -> list[Any]:
    """Read the keys of a group."""
    return list(tx.table("i").index("by_group").keys("a"))


def length_of_a(tx: Transaction) -> int:
    """Read how many rows a group has."""
    return len(tx.table("i").index("by_group").rows("a"))


def code(number: int) -> Work:
    """Return work that reads one row through the unique index."""
    return lambda tx: tx.table("i").index("by_code").get(number)


# What is read, what another commits meanwhile, and whether the two conflict. Rows 0
# to 99 have the groups a, b, c and d in turn, and the codes 100 on.
INDEX_READS: list[tuple[str, Work, Work, bool]] = [
    ("another group", by_group("a"), upsert(1, group="c"), False),
    ("a row comes in", by_group("a"), upsert(1, group="a"), True),
    ("a row goes", by_group("a"), upsert(4, group="b"), True),
    ("a row changes beside the index", by_group("a"), upsert(4, group="a"), True),
    ("a new row elsewhere", by_group("a"), upsert(1000, group="b"), False),
    ("an empty group fills", by_group("e"), upsert(1000, group="e"), True),
    ("a range of groups", by_group(start="b", stop="d"), upsert(0, group="d"), False),
    ("a range, inside", by_group(start="b", stop="d"), upsert(0, group="c"), True),
    ("keys alone", keys_of_a, upsert(4, group="a"), False),
    ("keys alone, one more", keys_of_a, upsert(1, group="a"), True),
    ("a length", length_of_a, upsert(4, group="a"), False),
    ("a length, one less", length_of_a, upsert(4, group="b"), True),
    ("by code", code(105), upsert(7), False),
    ("by code, its row", code(105), upsert(5, text="new"), True),
    ("by code, absent", code(999), upsert(7, code=999), True),
    ("by code, absent still", code(999), upsert(7, code=998), False),
    ("predicate", where("code = 105"), upsert(7), False),
    ("predicate, its row", where("code = 105"), upsert(5, text="new"), True),
    ("predicate, another row", where("code = 999"), upsert(7, code=999), True),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [one[1:] for one in INDEX_READS],
    ids=[one[0] for one in INDEX_READS],
)
def test_a_read_through_an_index_is_what_it_looked_through(
    ours: Work, theirs: Work, conflict: bool
) -> None:
    """Other rows of the table may change, also while the reader writes some itself."""
    for edits in (False, True):
        repo = indexed_repository()

        def read(tx: Any, edits: bool = edits) -> None:
            if edits:
                upsert(500, group="a", code=5000)(tx)
            ours(tx)

        assert (race(repo, read, theirs) is not None) == conflict


def indexed_repository() -> Repository:
    """Return a repository with the table that the list above speaks of."""
    repo = memory_repository()
    rows = [
        {"id": one, "group": "abcd"[one % 4], "code": 100 + one, "text": str(one)}
        for one in range(100)
    ]
    with repo.transaction("main", message="base") as tx:
        schema = Schema.create(COLUMNS, key="id", indexes=INDEXES)
        tx.table("i", schema=schema).load(rows)
    return repo


def test_an_index_conflict_names_the_index() -> None:
    """The error says through which index of which dataset was read."""
    error = race(indexed_repository(), by_group("e"), upsert(1000, group="e"))
    assert error is not None
    assert (error.dataset, error.index) == ("i", "by_group")


def test_an_index_made_here_counts_as_the_whole_table() -> None:
    """What has no stored tree to compare is as exact as the records."""
    for key in (1, 1000):

        def read(tx: Any) -> None:
            tx.table("i").alter().add_index("by_text", "text")
            list(tx.table("i").index("by_text").rows("7"))

        repo = indexed_repository()
        tx = repo.transaction("main", isolation="serializable")
        read(tx)
        with repo.transaction("main") as other:
            upsert(key)(other)
        with pytest.raises(Stale) as caught:
            tx.commit()
        assert caught.value.code == "read-conflict"


def test_write_skew_through_an_index_is_prevented() -> None:
    """Two who count a group and add to it: the second learns of the first."""
    repo = indexed_repository()
    first, second = (
        repo.transaction("main", isolation="serializable") for _ in range(2)
    )
    for number, tx in ((1000, first), (1001, second)):
        assert length_of_a(tx) == 25
        upsert(number, group="a")(tx)
    first.commit()
    with pytest.raises(Stale) as caught:
        second.commit()
    assert caught.value.code == "read-conflict"


GROUPS = st.sampled_from("ab")
KEYS = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("rows"), GROUPS),
    st.tuples(st.just("keys"), GROUPS),
    st.tuples(st.just("from"), GROUPS),
    st.tuples(st.just("code"), KEYS),
    st.tuples(st.just("where"), GROUPS),
    st.tuples(st.just("put"), KEYS, GROUPS),
    st.tuples(st.just("note"), KEYS),
    st.tuples(st.just("delete"), KEYS),
)
Step = tuple[Any, ...]


def do_step(rows: Any, step: Step, seen: list[Any]) -> None:
    """Do a step on a table, or on a dict of rows that stands for one."""
    name, word = step[:2]
    ordered = [rows[key] for key in sorted(rows)] if isinstance(rows, dict) else []
    by_group = sorted(ordered, key=lambda row: (row["group"], row["id"]))
    found: Any = None
    if name in ("rows", "where"):
        found = [row for row in ordered if row["group"] == word]
    elif name == "keys":
        found = [row["id"] for row in ordered if row["group"] == word]
    elif name == "from":
        found = [row["id"] for row in by_group if row["group"] >= word]
    elif name == "code":
        found = next((row for row in ordered if row["code"] == word), None)
    else:
        change(rows, step, seen)
        return
    if not isinstance(rows, dict):
        index = rows.index("by_code" if name == "code" else "by_group")
        found = {
            "rows": lambda: list(index.rows(word)),
            "keys": lambda: list(index.keys(word)),
            "from": lambda: list(index.keys(start=word)),
            "code": lambda: index.get(word),
            "where": lambda: list(rows.rows(where=f"\"group\" = '{word}'")),
        }[name]()
    seen.append(found)


def change(rows: Any, step: Step, seen: list[Any]) -> None:
    """Write or delete one row; what is written may depend on what was read."""
    name, key, *more = step
    if name == "delete":
        rows.pop(key, None)
        return
    group = more[0] if more else "ab"[len(repr(seen[-1:])) % 2]
    text = repr(seen[-1:])[:40] if name == "note" else "-"
    rows[key] = {"id": key, "group": group, "code": key, "text": text}


@settings(max_examples=300)
@given(
    programs=st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=2, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_what_commits_is_as_if_one_followed_the_other(
    programs: list[list[Step]], seed: int
) -> None:
    """Any programs, interleaved: a replay in the order of commits reads the same."""
    repo = memory_repository()
    start = {
        key: {"id": key, "group": "ab"[key // 2], "code": key, "text": ""}
        for key in range(0, 4, 2)
    }
    with repo.transaction("main") as tx:
        schema = Schema.create(COLUMNS, key="id", indexes=INDEXES)
        tx.table("i", schema=schema).load(list(start.values()))
    running = [repo.transaction("main", isolation="serializable") for _ in programs]
    turns = [place for place, steps in enumerate(programs) for _ in (*steps, 0)]
    random.Random(seed).shuffle(turns)
    left = [list(steps) for steps in programs]
    seen: list[list[Any]] = [[] for _ in programs]
    committed = []
    for place in turns:
        if left[place]:
            table = running[place].table("i")
            do_step(table, left[place].pop(0), seen[place])
            continue
        try:
            if running[place].commit() != running[place].base:
                committed.append(place)
        except Stale:
            continue
    model: dict[int, Any] = dict(start)
    for place in committed:
        again: list[Any] = []
        for step in programs[place]:
            do_step(model, step, again)
        assert again == seen[place]
    stored = {row["id"]: row for row in repo.at("main").table("i").rows()}
    assert stored == model
