"""Keys that change their type, rules and deletions: no side's work is lost unsaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prolly import ABSENT, Transaction
from prolly.datasets import Manifest, records_of
from prolly.errors import Error
from prolly.merge import LOSERS_NAME, Rules, merge_manifests
from prolly.ops.fsck import Check
from prolly.repo import Repository
from prolly.tables import MutableTable, Schema
from prolly.testing.repositories import diverged, memory_repository, write_on
from prolly.tree import NodeReader, Versions

# Keys of the base as text; some become other text on the way to a number and back.
SPELT = ("0", "1", "07", "2.50")
# What nobody wrote but a side alone: the side, then how many writes before.
FIRST_MARK = 100

Step = tuple[Any, ...]
Rows = list[dict[str, Any]]


class Side:
    """One side's steps on the table, each skipped where the table refuses it."""

    def __init__(self, number: int, steps: Sequence[Step]) -> None:
        self._mark = FIRST_MARK * number
        self._steps = steps
        self._kinds: list[str] = []

    def __call__(self, tx: Transaction) -> None:
        for step in self._steps:
            with suppress(Error):
                self._take(tx.table("t"), step)

    def _take(self, table: MutableTable, step: Step) -> None:
        what, *words = step
        self._mark += 1
        if what == "retype":
            [kind] = [one.type for one in table.schema.key_columns]
            self._kinds.append(kind)
            # A second change that loses something leads back to nothing.
            is_first = len(self._kinds) == 1
            if is_first or self._kinds == ["int", "float"]:
                table.alter(force=is_first).widen_column("id", words[0])
        elif what == "unique":
            table.alter().add_index("u", "u", unique=True)
        elif what == "check":
            table.alter().add_check("k", f"u < {words[0]}")
        elif what == "insert":
            [kind] = [one.type for one in table.schema.key_columns]
            key = {"int": int, "float": float, "text": str}.get(kind, int)(words[0])
            row = {"id": key, "tag": f"new {self._mark}", "w": self._mark}
            table.insert({**row, "u": words[1]})
        else:
            key = next((one for one in table if table[one]["tag"] == words[0]), None)
            if key is None:
                return
            if what == "delete":
                table.delete(key)
            elif what == "write":
                table.upsert({**table[key], "w": self._mark, "u": words[1]})
            else:
                if "z" not in table.schema.names:
                    table.alter().add_column("z", "int")
                table.upsert({**table[key], "z": self._mark})


def fill(kind: str) -> Any:
    """Return what writes the base, with a key of this type."""
    schema = Schema.create(
        [("id", kind), ("tag", "text"), ("w", "int"), ("u", "int")], "id"
    )
    kept = SPELT if kind == "text" else SPELT[:2]
    return lambda tx: tx.table("t", schema=schema).load(
        [
            {"id": one if kind == "text" else int(one), "tag": one, "w": 0, "u": at}
            for at, one in enumerate(kept)
        ]
    )


def steps() -> st.SearchStrategy[list[Step]]:
    """What one side does."""
    tags, small = st.sampled_from(SPELT), st.integers(0, 4)
    kinds = st.sampled_from(["int", "float", "text", "decimal"])
    step = st.one_of(
        st.tuples(st.just("retype"), kinds),
        st.tuples(st.just("delete"), tags),
        st.tuples(st.just("write"), tags, small),
        st.tuples(st.just("insert"), st.integers(5, 7), small),
        st.tuples(st.just("fill"), tags),
        st.tuples(st.just("unique")),
        st.tuples(st.just("check"), small),
    )
    return st.lists(step, min_size=1, max_size=4)


def parts(value: Any) -> Iterator[Any]:
    """Yield all that stands anywhere in a value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if type(value) is list:
        for one in value:
            yield from parts(one)
    else:
        yield value


def marks(rows: Any) -> set[int]:
    """Return what sides wrote, as it stands anywhere in a value."""
    return {one for one in parts(rows) if type(one) is int and one > FIRST_MARK}


def tags(rows: Rows) -> list[str]:
    """Return which rows these are, whatever their keys."""
    return [row["tag"] for row in rows]


def require_all(versions: list[Rows], merged: Rows, told: Any, deleted: Any) -> None:
    """Check that what a side did stands, or is told of.

    ``told`` are the values that were told, ``deleted`` the tags of rows that may be
    told as deleted; None is for any.
    """
    base, *sides = versions
    for side in sides:
        assert marks(side) <= marks(merged) | marks(told)
        for tag in set(tags(base)) - set(tags(side)):
            assert tag not in tags(merged) or deleted is None or tag in deleted
    for tag in tags(base):
        if all(tag in tags(side) for side in sides):
            assert tag in tags(merged) or tag in parts(told)


def rows_of(repo: Repository, revision: Any) -> Rows:
    """Return the rows of a version."""
    return list(map(dict, repo.at(revision).table("t").values()))


def check_attended(repo: Repository, versions: list[Rows]) -> None:
    """Merge as a person does; look for what is lost, keep all, and commit."""
    result = repo.merge("feature")
    assert not list(Check(repo.store, full=True))
    if result.commit_id is not None:
        require_all(versions, rows_of(repo, "main"), [], ())
        return
    found = list(result.conflicts.of())
    told: list[Any] = [[one.ours, one.theirs] for one in found]
    deleted = [
        row["tag"]
        for one in found
        if one.kind != "schema" and not one.fields
        for row in (one.base, one.ours, one.theirs)
        if row is not ABSENT
    ]
    merged = list(map(dict, repo.at_working("main").table("t").values()))
    require_all(versions, merged, told, deleted)
    repo.conflicts("main").settle_all("keep")
    result.commit()


def check_unattended(repo: Repository, versions: list[Rows], roots: Versions) -> None:
    """Merge as replicas do: nothing stays open, and what lost is kept."""
    with repo.store.writer() as writer:
        reader = NodeReader(writer.get)
        merged = merge_manifests(reader, writer, roots, Rules(on_conflict="keep-both"))
        assert merged.conflicts is None
        writer.commit()
    reader = NodeReader(repo.store.get)
    manifest = Manifest(reader, merged.root)
    names = manifest.ids()
    rows = list(map(dict, records_of(reader, manifest.require("t")).values()))
    lost: list[Any] = []
    if LOSERS_NAME in names:
        lost = list(records_of(reader, manifest.require(LOSERS_NAME)).values())
    is_told = any("deleted" in one or "value" in one for one in lost)
    require_all(versions, rows, lost, None if is_told else ())


def check_law(kind: str, ours: Sequence[Step], theirs: Sequence[Step]) -> None:
    """Merge two sides in all ways."""
    repo = memory_repository()
    start: Any = write_on(repo, "main", fill(kind))
    repo.create_branch("feature")
    for number, (branch, one) in enumerate((("main", ours), ("feature", theirs)), 1):
        # What breaks a rule is refused as a whole.
        with suppress(Error):
            write_on(repo, branch, Side(number, one))
    three = [start, "main", "feature"]
    versions = [rows_of(repo, one) for one in three]
    roots = Versions(*[repo.at(one).root for one in three])
    check_unattended(repo, versions, roots)
    check_unattended(repo, versions, Versions(roots.base, roots.theirs, roots.ours))
    check_attended(repo, versions)


BOTH_WIDEN = [("retype", "float")], [("retype", "text")]


@settings(max_examples=40)
@given(st.sampled_from(["int", "text"]), steps(), steps())
@example("int", *BOTH_WIDEN)
@example("int", *reversed(BOTH_WIDEN))
@example("int", [("retype", "text"), ("write", "1", 1)], [("retype", "float")])
@example("int", [("retype", "float"), ("retype", "text")], [("delete", "1")])
@example("int", [("delete", "1")], [("retype", "float"), ("retype", "decimal")])
@example("text", [("retype", "float")], [("fill", "1")])
@example("text", [("retype", "float")], [("delete", "0")])
@example("text", [("delete", "07")], [("retype", "float")])
@example("text", [("retype", "float"), ("delete", "07")], [("retype", "int")])
def test_no_work_is_lost_unsaid(
    kind: str, ours: list[Step], theirs: list[Step]
) -> None:
    """Whatever a side wrote or deleted stands, or is a conflict, or a kept loser."""
    check_law(kind, ours, theirs)


@pytest.mark.long
@given(st.sampled_from(["int", "text"]), steps(), steps())
def test_no_work_is_lost_unsaid_in_many_merges(
    kind: str, ours: list[Step], theirs: list[Step]
) -> None:
    """The same over more histories."""
    check_law(kind, ours, theirs)


def forced(tx: Transaction) -> None:
    """Make numbers of keys that are text, whatever they lose."""
    tx.table("t").alter(force=True).widen_column("id", "float")


@pytest.mark.parametrize("take", ["ours", "theirs"])
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_deletion_under_a_changed_key_is_settled(is_ours: bool, take: Any) -> None:
    """Whoever deleted it: the conflict has the row's new key, and either side wins."""
    edits = [Side(1, [("delete", "07")]), forced]
    repo = diverged(fill("text"), *(edits if is_ours else reversed(edits)))
    result = repo.merge("feature")
    [conflict] = result.conflicts.values()
    deleted = "ours" if is_ours else "theirs"
    assert conflict.key == 7.0 and getattr(conflict, deleted) is ABSENT
    assert conflict.reason == f"{deleted} deleted it while its key was '07'"
    repo.conflicts("main").settle("t", 7.0, take)
    result.commit()
    assert (7.0 in repo.at("main").table("t")) is (take != deleted)


WIDENED_TWICE = [("retype", "float"), ("retype", "text")]


@pytest.mark.parametrize("take", ["ours", "theirs"])
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_deletion_of_a_key_widened_twice_is_settled(is_ours: bool, take: Any) -> None:
    """1 is "1.0" by way of a float: who deleted 1 meanwhile is told, and can win."""
    edits = [Side(1, [("delete", "1")]), Side(2, WIDENED_TWICE)]
    repo = diverged(fill("int"), *(edits if is_ours else reversed(edits)))
    result = repo.merge("feature")
    [conflict] = result.conflicts.values()
    deleted = "ours" if is_ours else "theirs"
    assert conflict.key == "1.0" and getattr(conflict, deleted) is ABSENT
    assert conflict.reason == f"{deleted} deleted it while its key was 1"
    repo.conflicts("main").settle("t", "1.0", take)
    result.commit()
    assert sorted(repo.at("main").table("t")) == ["0.0", "1.0"][: 1 + (take != deleted)]


def test_deletions_of_keys_widened_twice_need_not_clash() -> None:
    """Both deleted it, or who widened it; one that was widened at once merges."""

    def merged_keys(ours: list[Step], theirs: list[Step]) -> list[Any]:
        repo = diverged(fill("int"), Side(1, ours), Side(2, theirs))
        assert repo.merge("feature").status == "merged"
        return list(repo.at("main").table("t"))

    gone = ("delete", "1")
    assert merged_keys([gone], [*WIDENED_TWICE, gone]) == ["0.0"]
    assert merged_keys([*WIDENED_TWICE, gone], [("retype", "text")]) == ["0.0"]
    assert merged_keys([gone], [("retype", "text")]) == ["0"]


def test_both_deleted_it_is_no_conflict() -> None:
    """The one under the old key, the other under the new one."""
    one, other = Side(1, [("delete", "07")]), Side(2, [("retype", "float")])

    def retyped(tx: Transaction) -> None:
        other(tx)
        tx.table("t").delete(7.0)

    repo = diverged(fill("text"), one, retyped)
    result = repo.merge("feature")
    assert result.status == "merged" and 7.0 not in repo.at("main").table("t")


def iter_settled(take: Any) -> Iterator[Rows]:
    """Yield the rows after a merge of keys widened in two ways, all settled."""
    for one, other in (("float", "text"), ("text", "float")):
        ours = Side(1, [("retype", one), ("write", "1", 3)])
        theirs = Side(2, [("retype", other), ("write", "1", 4)])
        repo = diverged(fill("int"), ours, theirs)
        result = repo.merge("feature")
        for conflict in list(result.conflicts.of()):
            if conflict.kind == "record":
                repo.conflicts("main").settle("t", conflict.key, take)
        repo.conflicts("main").settle_all("keep")
        result.commit()
        yield rows_of(repo, "main")


@pytest.mark.parametrize(("take", "mark"), [("ours", 102), ("theirs", 202)])
def test_rows_under_keys_of_two_types_are_one(take: Any, mark: int) -> None:
    """What both wrote clashes under the merged key, and is settled by either side."""
    for rows in iter_settled(take):
        assert sorted(tags(rows)) == ["0", "1"]
        assert [row["w"] for row in rows if row["tag"] == "1"] == [mark]
