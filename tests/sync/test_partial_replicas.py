"""A partial replica is the whole one, as far as it goes, and knows where it ends."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prolly
from prolly.errors import Corrupt, Invalid, NotFound, Stale, Unsupported
from prolly.history import walk
from prolly.ops import check_repository, collect_garbage, create_bundle
from prolly.repo import Repository, read_coverage
from prolly.sync import (
    Remote,
    SyncReport,
    Wish,
    clone,
    fetch,
    fetch_range,
    pin,
    pull,
    push,
)
from prolly.tables import Index, Schema
from prolly.testing.part_histories import LETTERS, change, grown
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_lines import line_to

EXAMPLES = settings(max_examples=6)

WISHES = st.one_of(
    st.builds(Wish, depth=st.integers(1, 3)),
    st.builds(Wish, datasets=st.just(("m",))),
    st.builds(Wish, datasets=st.just(("m",)), prefix=st.sampled_from(LETTERS)),
    st.builds(
        Wish,
        depth=st.integers(1, 2),
        datasets=st.just(("m",)),
        prefix=st.sampled_from(LETTERS),
    ),
    st.just(Wish(lazy=True)),
)


@contextmanager
def cloned(
    theirs: Repository, wish: Wish, *, line: Remote | None = None
) -> Iterator[tuple[Repository, SyncReport]]:
    """Make a partial replica in a directory of its own; nobody fills it."""
    with tempfile.TemporaryDirectory() as place:
        ours, report = clone(
            "test:", Path(place) / "r", wish=wish, remote=line or line_to(theirs)
        )
        with ours:
            yield ours, report


def records(
    repo: Repository, name: str = "m", prefix: str | None = None
) -> list[object]:
    """Return the records of a map on main, of those that begin with a prefix."""
    found = repo.at("main").map(name)
    return list(found.items() if prefix is None else found.items(prefix=prefix))


def assert_equal_within(ours: Repository, theirs: Repository, wish: Wish) -> None:
    """Check that the replica reads as the whole one does, as far as it goes."""
    assert ours.at("main").root == theirs.at("main").root
    if wish.datasets:
        assert records(ours, "m", wish.prefix) == records(theirs, "m", wish.prefix)
    elif not wish.lazy:
        for name, info in theirs.at("main").datasets.items():
            if info.kind == "map":
                assert records(ours, name) == records(theirs, name)


def faults(repo: Repository) -> list[object]:
    """Return what a full check finds."""
    return list(check_repository(repo.store, full=True))


@EXAMPLES
@given(st.integers(0, 2**32), WISHES)
def test_a_part_reads_as_the_whole_does(seed: int, wish: Wish) -> None:
    """Cloned, then fetched after more commits, it reads equal within its scope."""
    source = random.Random(seed)
    theirs = grown(memory_repository(), source, source.randrange(1, 6))
    with cloned(theirs, wish) as (ours, _):
        assert_equal_within(ours, theirs, wish)
        for _ in range(source.randrange(1, 5)):
            change(theirs, source)
        pull(ours, remote=line_to(theirs))
        assert_equal_within(ours, theirs, wish)
        assert faults(ours) == []
        collect_garbage(ours.store, grace_us=0)
        assert_equal_within(ours, theirs, wish)
        again = fetch(ours, remote=line_to(theirs))
        assert (again.updated, again.round_trips) == ({}, 1)


@EXAMPLES
@given(st.integers(0, 2**32), WISHES)
def test_what_is_written_on_a_part_is_the_whole_ones(seed: int, wish: Wish) -> None:
    """Random writes within the scope, made offline and pushed, give the same roots."""
    source = random.Random(seed)
    theirs = grown(memory_repository(), source, source.randrange(1, 5))
    whole = memory_repository()
    pull(whole, "test:", "main", remote=line_to(theirs), allow_unrelated=True)
    with cloned(theirs, wish) as (ours, _):
        for _ in range(3):
            seed = source.randrange(2**32)
            letter = str(wish.prefix or "") if wish.datasets else ""
            if wish.lazy or (wish.datasets and not letter):
                letter = "x"
            if wish.lazy:
                pin(ours, "m", "x", remote=line_to(theirs))
            change(ours, random.Random(seed), letter=letter)
            change(whole, random.Random(seed), letter=letter)
            push(ours, remote=line_to(theirs))
            assert ours.at("main").root == whole.at("main").root
            assert theirs.at("main").root == whole.at("main").root
        assert faults(ours) == faults(theirs) == []


@EXAMPLES
@given(st.integers(0, 2**32), st.sampled_from(LETTERS))
def test_what_is_pinned_stays(seed: int, letter: str) -> None:
    """A pinned range is here offline, in each commit, after fetches and collections."""
    source = random.Random(seed)
    theirs = grown(memory_repository(), source, 3)
    wish = Wish(lazy=True, depth=source.choice([None, 2]))
    with cloned(theirs, wish) as (ours, _):
        pin(ours, "m", letter, remote=line_to(theirs))
        change(theirs, source)
        pull(ours, remote=line_to(theirs))
        fetch_range(ours, "m", remote=line_to(theirs))
        ours.create_branch("old", "main")
        ours.delete_branch("old")
        collect_garbage(ours.store, grace_us=0)
        assert faults(ours) == []
        for commit_id in walk(ours.storage.commits, [ours.resolve("main")]):
            if "m" in ours.at(commit_id).entries:
                mine, whole = ours.at(commit_id).map("m"), theirs.at(commit_id).map("m")
                assert list(mine.items(prefix=letter)) == list(
                    whole.items(prefix=letter)
                )
                assert ours.at(commit_id).coverage("m", letter).is_whole
        again = pin(ours, "m", letter, remote=line_to(theirs))
        assert (again.round_trips, again.objects) == (0, 0)


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_history_can_be_brought_later(seed: int, depth: int) -> None:
    """Deepened, then made whole, a shallow replica has what the other side has."""
    source = random.Random(seed)
    theirs = grown(memory_repository(), source, source.randrange(1, 8))
    with cloned(theirs, Wish(depth=depth)) as (ours, _):
        commits = [entry.id for entry in theirs.log("main")]
        found = [entry.id for entry in ours.log("main")]
        assert found == commits[: len(found)] and len(found) >= min(depth, len(commits))
        fetch(ours, depth=depth + 2, remote=line_to(theirs))
        assert len(list(ours.log("main"))) >= min(depth + 2, len(commits))
        assert faults(ours) == []
        fetch(ours, unshallow=True, remote=line_to(theirs))
        assert [entry.id for entry in ours.log("main")] == commits
        assert read_coverage(ours.store) is None
        assert faults(ours) == []


def filled(values: int = 3_000) -> Repository:
    """Return a repository with a large map, a table and a small map."""
    repo = memory_repository()

    def write(tx: prolly.Transaction) -> None:
        keys = [f"{LETTERS[at % 6]}{at:05d}" for at in range(values)]
        tx.map("m").update({one: one * 9 for one in keys})
        tx.map("small")["one"] = 1
        tx.table("table", key="id").load([{"id": 1, "n": 2}], mode="update")

    write_on(repo, "main", write)
    return repo


def test_what_is_absent_is_named() -> None:
    """Without an answer from elsewhere reading is `absent`, with dataset and keys."""
    theirs = filled()
    with cloned(theirs, Wish(datasets=("m",), prefix="a")) as (ours, _):
        version = ours.at("main")
        with pytest.raises(NotFound, match="small") as of_whole:
            list(version.map("small").items())
        assert of_whole.value.code == "absent"
        assert of_whole.value.facts["dataset"] == "small"
        with pytest.raises(NotFound, match="up to") as of_range:
            version.map("m")["d00003"]
        facts = of_range.value.facts
        assert facts["dataset"] == "m"
        assert str(facts["start"]) < "d00003" <= str(facts["stop"])
        assert version.datasets["small"].count is None
        assert version.datasets["m"].count == 3_000


def test_a_write_that_needs_what_is_absent_changes_nothing() -> None:
    """It is `absent`, and refs and chunks are as before."""
    theirs = filled()
    with cloned(theirs, Wish(datasets=("m",), prefix="a")) as (ours, _):
        before = dict(ours.store.iter_refs()), list(ours.store.iter_addresses())
        with pytest.raises(NotFound) as caught:
            write_on(ours, "main", lambda tx: tx.map("m").update({"e00004": 1}))
        assert caught.value.code == "absent"
        after = dict(ours.store.iter_refs()), list(ours.store.iter_addresses())
        assert after == before


def test_coverage_counts_without_asking() -> None:
    """A range that came is whole; another tells how much of it is here."""
    theirs = filled()
    with cloned(theirs, Wish(datasets=("m",), prefix="c")) as (ours, _):
        version = ours.at("main")
        here = version.coverage("m", "c")
        assert (here.records, here.present, here.absent) == (500, 500, [])
        some = version.coverage("m")
        assert some.records == 3_000 and 500 <= some.present < 2_000
        assert not some.is_whole and some.absent
        assert version.coverage("small").records is None


def test_a_lazy_replica_brings_what_is_read(tmp_path: Path) -> None:
    """What is read once stays; the next read asks nobody."""
    prolly.init(tmp_path / "whole").close()
    theirs = prolly.open(tmp_path / "whole")
    write_on(theirs, "main", lambda tx: tx.map("m").update({"a": 1, "b": 2}))
    with prolly.clone(str(tmp_path / "whole"), tmp_path / "lazy", lazy=True) as ours:
        assert records(ours) == [("a", 1), ("b", 2)]
        ours.remotes["origin"] = str(tmp_path / "nowhere")
    theirs.close()
    with prolly.open(tmp_path / "lazy") as ours:
        assert records(ours) == [("a", 1), ("b", 2)]
        assert [entry.commit.message for entry in ours.log("main")][1:] == [""]


def test_a_cut_history_never_gives_a_wrong_base() -> None:
    """Merging branches that parted before the cut is `shallow`; fetched, it merges."""
    theirs = memory_repository()
    write_on(theirs, "main", lambda tx: tx.map("m").update({"a": 1}))
    theirs.create_branch("side", "main")
    for number in range(3):
        write_on(theirs, "main", lambda tx, n=number: tx.map("m").update({"b": n}))
        write_on(theirs, "side", lambda tx, n=number: tx.map("m").update({"c": n}))
    with cloned(theirs, Wish(depth=1)) as (ours, _):
        with pytest.raises(NotFound) as caught:
            ours.merge("origin/side", into="main")
        assert caught.value.code == "shallow" and "--unshallow" in caught.value.hint
        with pytest.raises(NotFound) as beyond_it:
            ours.resolve("main~1"), ours.at("main~1")
        assert beyond_it.value.code == "shallow"
        fetch(ours, depth=4, remote=line_to(theirs))
        assert ours.merge("origin/side", into="main").status == "merged"
        assert records(ours) == [("a", 1), ("b", 2), ("c", 2)]


def test_a_branch_that_moved_far_is_not_torn_apart() -> None:
    """After more commits than the depth a pull still moves forward."""
    theirs = filled(50)
    with cloned(theirs, Wish(depth=1)) as (ours, _):
        for number in range(4):
            write_on(theirs, "main", lambda tx, n=number: tx.map("m").update({"b": n}))
        report = pull(ours, remote=line_to(theirs))
        assert report.merge is not None and report.merge.status == "fast-forward"
        assert report.mode == "ops"


def test_others_are_told_what_it_lacks(tmp_path: Path) -> None:
    """A partial replica serves what it has, tells `absent`, and takes no pushes."""
    theirs = filled()
    wish = Wish(datasets=("m",), prefix="a")
    with cloned(theirs, wish) as (ours, _):
        other = memory_repository()
        with pytest.raises(NotFound) as caught:
            fetch(other, "test:", remote=line_to(ours))
        assert caught.value.code == "absent"
        assert "where it came from" in caught.value.hint
        pull(other, "test:", "main", remote=line_to(theirs), allow_unrelated=True)
        write_on(other, "main", lambda tx: tx.map("m").update({"a": 1}))
        with pytest.raises(Unsupported) as refused:
            push(other, "test:", remote=line_to(ours))
        assert refused.value.code == "partial-replica"
        with cloned(ours, wish) as (third, _):
            assert records(third, "m", "a") == records(theirs, "m", "a")
        with pytest.raises(NotFound) as unbundled:
            create_bundle(ours, tmp_path / "some.bundle")
        assert unbundled.value.code == "absent"


def test_damage_within_the_scope_is_a_fault() -> None:
    """Chunks that should be here are missed by fsck, and stop a collection."""
    theirs = filled()
    with cloned(theirs, Wish(datasets=("small",))) as (ours, _):
        check = check_repository(ours.store)
        assert list(check) == [] and check.absent > 0
        root = ours.at("main").entries["small"].roots[0].address
        local = ours.storage.here.store
        while hasattr(local, "inner"):
            local = local.inner
        local.maintenance().sweep(bytearray(root), lambda _: lambda _: False)
        assert {one.code for one in check_repository(ours.store)} == {"chunk-missing"}
        with pytest.raises(Corrupt):
            collect_garbage(ours.store, grace_us=0)


def test_a_part_of_a_table_is_written_offline() -> None:
    """Rows change without its index, which is asked for where it would change."""
    theirs = memory_repository()
    schema = Schema.create(
        [("id", "text"), ("name", "text"), ("n", "int")],
        "id",
        indexes=[Index("by_name", ("name",))],
    )
    rows = [
        {"id": f"{letter}{at:04d}", "name": f"{at % 7}{letter}{at}", "n": at}
        for letter in "abc"
        for at in range(900)
    ]
    write_on(theirs, "main", lambda tx: tx.table("t", schema=schema).load(rows))
    with cloned(theirs, Wish(datasets=("t",), prefix="b")) as (ours, _):
        changed = {**rows[1000], "n": -1}
        write_on(ours, "main", lambda tx: tx.table("t").upsert(changed))
        assert push(ours, remote=line_to(theirs)).mode == "ops"
        assert theirs.at("main").table("t")[changed["id"]]["n"] == -1
        new = {"id": "b9999", "name": "new", "n": 1}
        with pytest.raises(NotFound) as caught:
            write_on(ours, "main", lambda tx: tx.table("t").insert(new))
        assert caught.value.code == "absent"
        pin(ours, "t", remote=line_to(theirs))
        write_on(ours, "main", lambda tx: tx.table("t").insert(new))
        push(ours, remote=line_to(theirs))
        assert faults(ours) == faults(theirs) == []


def test_a_part_of_files_has_their_bytes() -> None:
    """Of the files in a range each byte is here, also where some was read before."""
    theirs = memory_repository()
    source = random.Random(1)

    def write(tx: prolly.Transaction) -> None:
        for at in range(1_500):
            size = 200_000 if at in (3, 150, 999) else 20
            tx.files("f").write(f"{'xy'[at % 2]}/{at}", source.randbytes(size))

    write_on(theirs, "main", write)
    with cloned(theirs, Wish(datasets=("f",), prefix="x/")) as (ours, _):
        mine, whole = ours.at("main").files("f"), theirs.at("main").files("f")
        paths = [path for path in whole if path.startswith("x/")]
        assert [mine.read(path) for path in paths] == list(map(whole.read, paths))
        with pytest.raises(NotFound):
            mine.read("y/999")
        pin(ours, "f", "y/", remote=line_to(theirs))
        assert [mine.read(path) for path in whole] == list(map(whole.read, whole))
        assert faults(ours) == []


def test_a_dataset_stays_under_another_name() -> None:
    """What is covered is told by its id: a rename takes nothing out of the scope."""
    theirs = filled(60)
    with cloned(theirs, Wish(datasets=("m",))) as (ours, _):
        write_on(theirs, "main", lambda tx: tx.rename("m", "maps"))
        write_on(theirs, "main", lambda tx: tx.map("maps").update({"new": 1}))
        write_on(theirs, "main", lambda tx: tx.map("other").update({"new": 1}))
        pull(ours, remote=line_to(theirs))
        assert records(ours, "maps") == records(theirs, "maps")
        assert ours.at("main").datasets["other"].count is None


def test_a_pull_counts_without_fetching() -> None:
    """What changed outside of the scope is `absent` among the counts of a merge."""
    theirs = filled(60)
    with cloned(theirs, Wish(datasets=("m",))) as (ours, _):
        write_on(theirs, "main", lambda tx: tx.map("small").update({"two": 2}))
        write_on(theirs, "main", lambda tx: tx.map("m").update({"new": 1}))
        merge = pull(ours, remote=line_to(theirs)).merge
        assert merge is not None
        assert merge.datasets["small"].event == "absent"
        assert merge.datasets["m"].added == 1


def test_two_writers_on_a_part_beside_a_collection() -> None:
    """A transaction that lost a race after a sweep commits, or nothing of it stands."""
    theirs = filled(60)
    with cloned(theirs, Wish(datasets=("m",))) as (ours, _):
        with ours.transaction("main", message="slow") as slow:
            slow.map("m")["slow"] = 1
            write_on(ours, "main", lambda tx: tx.map("m").update({"fast": 1}))
            ours.create_branch("gone", "main")
            write_on(ours, "gone", lambda tx: tx.map("m").update({"x": 1}))
            ours.delete_branch("gone")
            collect_garbage(ours.store, grace_us=0)
        assert {"slow", "fast"} <= {one for one, _ in ours.at("main").map("m").items()}
        assert faults(ours) == []
        ours.create_branch("lost", "main")
        write_on(ours, "lost", lambda tx: tx.map("m").update({"lost": 1}))
        with suppress(Stale), ours.transaction("lost", message="late") as late:
            late.map("m")["late"] = 1
            ours.branches.delete("lost", force=True)
            ours.create_branch("lost", "main")
            collect_garbage(ours.store, grace_us=0)
        assert faults(ours) == []


def test_a_part_moves_little() -> None:
    """A sixth of the records takes about a sixth of the bytes, and few trips."""
    theirs = filled(12_000)
    with cloned(theirs, Wish()) as (_, whole):
        pass
    with cloned(theirs, Wish(datasets=("m",), prefix="b")) as (_, part):
        assert part.bytes_received < whole.bytes_received / 3
        assert part.round_trips <= 7


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(prefix="a"), "clone-prefix"),
        (Wish(prefix="a", datasets=("m", "small")), "clone-prefix"),
        (Wish(depth=0), "clone-depth"),
        (Wish(datasets=("none",)), "no-such-dataset"),
    ],
)
def test_a_wish_that_means_nothing_is_refused(
    wish: Wish, code: str, tmp_path: Path
) -> None:
    """There is a code, and no repository afterwards."""
    theirs = filled(20)
    with pytest.raises((Invalid, NotFound)) as caught:
        clone("test:", tmp_path / "r", wish=wish, remote=line_to(theirs))
    assert caught.value.code == code
    assert not (tmp_path / "r" / ".prolly").exists()
