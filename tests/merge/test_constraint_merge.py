"""Constraints that only both changes together break."""

from __future__ import annotations

from prolly.chunks import CountingStore, MemoryStore
from prolly.merge import Rules, merge_manifests
from prolly.repo import Transaction
from prolly.tables import Check, Index, Schema, as_predicate
from prolly.testing.repositories import memory_repository
from prolly.testing.three_versions import Step, ThreeVersions
from prolly.tree import NodeReader, Versions

SCHEMA = Schema.create(
    [("id", "int"), ("a", "int"), ("b", "int"), ("note", "text")],
    "id",
    indexes=[Index("a", ("a",), unique=True), Index("pair", ("note", "b"))],
    checks=[Check("sum", as_predicate("a < 50 or b < 50"))],
)


def base(tx: Transaction) -> None:
    """Make a table of five rows."""
    rows = [{"id": key, "a": key, "b": key, "note": "x"} for key in range(5)]
    tx.table("t", schema=SCHEMA).load(rows)


def row(key: int, **cells: object) -> Step:
    """Return a step that writes some cells of a row."""

    def step(tx: Transaction) -> None:
        table = tx.table("t")
        known = dict(table[key]) if key in table else {"id": key, "b": 0, "note": "n"}
        table.upsert({**known, **cells})

    return step


def cells(three: ThreeVersions, root: bytes, name: str) -> list[object]:
    """Return a column of the merged table."""
    merge = three.merge()
    assert merge.root == root
    return [one[name] for one in three.rows(merge, "t")]


def test_a_check_that_only_both_break() -> None:
    """Each wrote one cell of a row: theirs gives way, the row is in conflict."""
    three = ThreeVersions(base, row(1, a=70), row(1, b=70))
    merge = three.merge()
    assert three.rows(merge, "t")[1] == {"id": 1, "a": 70, "b": 1, "note": "x"}
    assert three.named(merge) == ["check sum"]
    assert merge.datasets["t"].withheld == 1


def test_whatever_gives_way_is_named() -> None:
    """Columns that no rule asks about are withheld with the rest, and listed so."""
    three = ThreeVersions(base, row(1, a=70), row(1, b=70, note="new"))
    [conflict] = three.conflicts(three.merge())
    names = {one.id: one.name for one in SCHEMA.columns}
    assert {names[one] for one in conflict.entry.fields} == {"a", "b", "note"}
    assert conflict.entry.reason == "check sum is false for the row"


def test_two_rows_with_one_unique_cell() -> None:
    """Both sides added a row with the same cell: theirs is withheld, and names ours."""
    three = ThreeVersions(base, row(10, a=77), row(11, a=77))
    merge = three.merge()
    assert [one["id"] for one in three.rows(merge, "t")] == [0, 1, 2, 3, 4, 10]
    [conflict] = three.conflicts(merge)
    assert conflict.entry.facts["constraint"] == "index a"
    assert conflict.entry.facts["other_key"] == b"\x15\x0a"


def test_what_is_withheld_may_collide_again() -> None:
    """Theirs moved a cell on from row to row; ours took the last: all go back."""

    def moved(tx: Transaction) -> None:
        table = tx.table("t")
        for key in range(4, -1, -1):
            table.upsert({**table[key], "a": key + 1})

    three = ThreeVersions(base, row(10, a=5), moved)
    merge = three.merge()
    assert [one["a"] for one in three.rows(merge, "t")] == [0, 1, 2, 3, 4, 5]
    assert len(three.conflicts(merge)) == 5


def test_swapped_cells_are_no_violation() -> None:
    """Two rows of theirs swapped their cells, ours changed others: all is taken."""

    def swapped(tx: Transaction) -> None:
        table = tx.table("t")
        one, two = dict(table[1]), dict(table[2])
        table.upsert({**one, "a": 2})
        table.upsert({**two, "a": 1})

    three = ThreeVersions(base, row(3, note="ours"), swapped)
    merge = three.merge()
    assert [one["a"] for one in three.rows(merge, "t")] == [0, 2, 1, 3, 4]
    assert merge.conflicts is None


def test_cells_that_are_too_long_together() -> None:
    """Each side's cell fits into the index, both do not: theirs is withheld."""
    schema = Schema.create(
        [("id", "int"), ("p", "text"), ("q", "text")],
        "id",
        indexes=[Index("pq", ("p", "q"))],
    )

    def short(tx: Transaction) -> None:
        tx.table("t", schema=schema).upsert({"id": 1, "p": "", "q": ""})

    three = ThreeVersions(
        short,
        lambda tx: tx.table("t").upsert({"id": 1, "p": "p" * 800, "q": ""}),
        lambda tx: tx.table("t").upsert({"id": 1, "p": "", "q": "q" * 800}),
    )
    merge = three.merge()
    assert three.rows(merge, "t") == [{"id": 1, "p": "p" * 800, "q": ""}]
    assert three.named(merge) == ["index pq"]


def test_a_check_of_theirs_that_ours_breaks_is_left_out() -> None:
    """A check of theirs that a row of ours breaks goes: the row stays."""
    three = ThreeVersions(
        base, row(9, a=40), lambda tx: tx.table("t").alter().add_check("low", "a < 30")
    )
    merge = three.merge()
    assert {"id": 9, "a": 40, "b": 0, "note": "n"} in three.rows(merge, "t")
    assert three.named(merge) == ["check low"]
    swapped = three.merge(swapped=True)
    assert 9 not in [one["id"] for one in three.rows(swapped, "t")]
    assert three.named(swapped) == ["check low"]


def test_a_unique_index_of_theirs_that_ours_breaks_is_left_out() -> None:
    """Theirs made an index unique, ours wrote equal cells: the rows stay."""
    three = ThreeVersions(
        base,
        row(1, b=0),
        lambda tx: tx.table("t").alter().add_index("b", "b", unique=True),
    )
    merge = three.merge()
    assert [one["b"] for one in three.rows(merge, "t")] == [0, 0, 2, 3, 4]
    assert three.named(merge) == ["index b"]
    [conflict] = three.conflicts(merge)
    assert conflict.entry.reason == (
        "records of ours break it: rows have equal cells: 0 (b 0) and 1 (b 0)"
    )


def test_a_null_where_theirs_allows_none() -> None:
    """Theirs forbids nulls, ours wrote one: it is a conflict, and no null stands."""
    three = ThreeVersions(
        base, row(1, b=None), lambda tx: tx.table("t").alter().set_nullable("b", False)
    )
    merge = three.merge()
    rows = three.rows(merge, "t")
    assert [one["b"] for one in rows] == [0, 1, 2, 3, 4]
    [conflict] = three.conflicts(merge)
    assert conflict.key == b"\x15\x01"
    assert "null" in conflict.entry.reason


def reads_of_merge(records: int) -> int:
    """Merge ten changes a side of a table with two indexes; return the nodes read."""
    store = CountingStore(MemoryStore())
    repo = memory_repository(store)
    rows = [{"id": key, "a": key, "b": 1, "note": f"{key}"} for key in range(records)]
    with repo.transaction("main", message="base") as tx:
        tx.table("t", schema=SCHEMA).load(rows)
    roots = [repo.commit_of(repo.branches["main"]).root]
    step = records // 20
    for side in (0, 1):
        name = f"side{side}"
        repo.branches[name] = repo.branches["main"]
        with repo.transaction(name, message="side") as tx:
            for key in range(side * step // 2, records, 2 * step):
                tx.table("t").upsert({"id": key, "a": key, "b": 2, "note": "new"})
        roots.append(repo.commit_of(repo.branches[name]).root)
    with store.writer() as writer:
        reader = NodeReader(writer.get)
        store.costs.reset()
        merge = merge_manifests(reader, writer, Versions(*roots), Rules())
        assert merge.conflicts is None
        return store.costs.gets


def test_the_cost_follows_the_change() -> None:
    """Ten times the records cost a level more at most, not ten times the nodes."""
    small, large = reads_of_merge(2_000), reads_of_merge(20_000)
    assert large < 2.5 * small


def test_a_rule_that_is_left_out_blames_nobody() -> None:
    """Rows of ours break it, and rows of theirs do: those stand, both."""
    plain = Schema.create([("id", "int"), ("a", "int"), ("b", "int")], "id")

    def write(*rows: tuple[int, int, int]) -> Step:
        def step(tx: Transaction) -> None:
            table = tx.table("t") if "t" in tx else tx.table("t", schema=plain)
            cells = [{"id": key, "a": a, "b": b} for key, a, b in rows]
            table.load(cells, mode="update")

        return step

    def unique(tx: Transaction) -> None:
        tx.table("t").alter().add_index("a", "a", unique=True)
        write((4, 6, 0))(tx)

    def check(tx: Transaction) -> None:
        tx.table("t").alter().add_check("low", "a <= 4 or b >= 6")
        write((2, 2, 3))(tx)

    ours = write((1, 5, 5), (2, 5, 9), (3, 6, 0))
    for theirs, rule in ((unique, "index a"), (check, "check low")):
        three = ThreeVersions(write((1, 1, 9), (2, 2, 9)), ours, theirs)
        merge = three.merge()
        assert rule in three.named(merge)
        assert {1, 2, 3} <= {one["id"] for one in three.rows(merge, "t")}
