"""What typical operations cost, in the design's terms: a regression shows here.

Bounds are those of the work, not of the clock. What may only become less is bounded
from above, what is a promise is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import prolly
from prolly.chunks import Costs
from prolly.tables import Index, Schema

COUNT = 20_000
# Root, one inner level, leaves: what 20,000 records of a hundred bytes make.
LEVELS = 3
# The manifest of few datasets is one node.
MANIFEST = 1


def key_of(number: int) -> str:
    """Return the key of a record."""
    return f"key:{number:013d}"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of one map, loaded at once."""
    place = tmp_path_factory.mktemp("costs") / "repository"
    with (
        prolly.init(place) as repo,
        repo.transaction("main", message="load") as tx,
    ):
        tx.map("m").update({key_of(n): b"%0100d" % n for n in range(COUNT)})
    return place


@pytest.fixture
def counted(loaded: Path) -> Iterator[tuple[prolly.Repository, Costs]]:
    """Return the repository just opened, nothing cached, and its costs."""
    with prolly.open(loaded, count=True) as repo:
        assert repo.costs is not None
        repo.costs.reset()
        yield repo, repo.costs


def write(repo: prolly.Repository, branch: str, number: int, value: bytes) -> None:
    """Commit one record."""
    with repo.transaction(branch, message="write") as tx:
        tx.map("m")[key_of(number)] = value


def test_a_repository_that_is_not_counted_has_no_costs(loaded: Path) -> None:
    """Counting is asked for when it is opened."""
    with prolly.open(loaded) as repo:
        assert repo.costs is None


def test_a_look_up_reads_one_path_and_the_next_one_nothing(
    counted: tuple[prolly.Repository, Costs],
) -> None:
    """Cold, a look-up reads the nodes from the root down; warm, none at all."""
    repo, costs = counted
    records = repo.at("main").map("m")
    assert records[key_of(77)] == b"%0100d" % 77
    assert costs.nodes_read <= LEVELS + MANIFEST
    assert costs.cache_misses == costs.nodes_read
    costs.reset()
    assert records[key_of(77)] == b"%0100d" % 77
    assert (costs.gets, costs.nodes_decoded, costs.cache_misses) == (0, 0, 0)
    assert costs.cache_hits == LEVELS
    assert (costs.fsyncs, costs.round_trips) == (0, 0)


def test_a_commit_of_one_record_waits_once_and_writes_one_path(
    counted: tuple[prolly.Repository, Costs],
) -> None:
    """One fsync; the nodes of one path, the manifest and the commit; few reads."""
    repo, costs = counted
    write(repo, "main", 4000, b"x" * 100)
    assert (costs.fsyncs, costs.commits, costs.ref_moves) == (1, 1, 1)
    assert costs.nodes_written == LEVELS + MANIFEST
    assert costs.puts == LEVELS + MANIFEST + 1
    # The path, the manifest, and of what was just written at most two nodes again.
    assert costs.nodes_read <= LEVELS + MANIFEST + 2
    assert costs.put_bytes < (LEVELS + MANIFEST + 1) * 12_240


def test_an_insertion_reads_a_neighbour_or_two(
    counted: tuple[prolly.Repository, Costs],
) -> None:
    """Cuts are looked at on each side, no more; still one fsync."""
    repo, costs = counted
    with repo.transaction("main", message="insert") as tx:
        tx.map("m")[key_of(9000) + "a"] = b"x" * 100
    assert costs.fsyncs == 1
    assert costs.nodes_written <= 2 * LEVELS + MANIFEST
    assert costs.nodes_read <= LEVELS + MANIFEST + 4


def test_a_diff_of_one_record_reads_two_paths(
    counted: tuple[prolly.Repository, Costs], loaded: Path
) -> None:
    """The nodes of one path on each side, and nothing is written."""
    writer, _ = counted
    write(writer, "main", 5000, b"y" * 100)
    with prolly.open(loaded, count=True) as repo:
        assert repo.costs is not None
        assert [change.key for change in repo.diff("main~1", "main")] == [key_of(5000)]
        assert repo.costs.nodes_read <= 2 * (LEVELS + MANIFEST)
        assert repo.costs.nodes_decoded <= 2 * (LEVELS + MANIFEST)
        assert (repo.costs.puts, repo.costs.fsyncs) == (0, 0)


def test_a_merge_of_two_records_reads_paths_and_waits_once(
    counted: tuple[prolly.Repository, Costs], loaded: Path
) -> None:
    """A merge costs what both sides changed: paths of three trees, one of a fourth."""
    writer, _ = counted
    writer.create_branch("side")
    write(writer, "side", 1000, b"theirs")
    write(writer, "main", 15_000, b"ours")
    with prolly.open(loaded, count=True) as repo:
        assert repo.costs is not None
        assert repo.merge("side", into="main").status == "merged"
        assert (repo.costs.fsyncs, repo.costs.commits) == (1, 1)
        assert repo.costs.nodes_written <= LEVELS + MANIFEST
        assert repo.costs.nodes_read <= 4 * (LEVELS + MANIFEST)


def test_a_branch_costs_one_wait_and_no_chunk(
    counted: tuple[prolly.Repository, Costs],
) -> None:
    """Branches are names: what they name is not touched."""
    repo, costs = counted
    repo.create_branch("cheap")
    assert (costs.fsyncs, costs.puts, costs.ref_moves) == (1, 0, 1)


def test_a_scan_reads_each_node_once_and_many_at_a_time(
    counted: tuple[prolly.Repository, Costs],
) -> None:
    """No node is read twice, and leaves are asked for in batches."""
    repo, costs = counted
    levels = repo.dataset_stats("m").levels
    nodes = sum(level.nodes for level in levels)
    assert len(levels) == LEVELS
    costs.reset()
    assert sum(1 for _ in repo.at("main").map("m").values()) >= COUNT
    assert costs.nodes_read <= nodes + MANIFEST
    assert costs.get_calls <= nodes / 8
    assert costs.nodes_decoded <= nodes + MANIFEST


def test_a_load_writes_each_node_once_and_waits_thrice(tmp_path: Path) -> None:
    """For the pack, its name and the index, whatever the number of records."""
    prolly.init(tmp_path / "r").close()
    with prolly.open(tmp_path / "r", count=True) as repo:
        costs = repo.costs
        assert costs is not None
        costs.reset()
        with repo.transaction("main", message="load") as tx:
            tx.map("m").update({key_of(n): b"%0100d" % n for n in range(COUNT)})
        assert (costs.fsyncs, costs.commits) == (3, 1)
        nodes = sum(level.nodes for level in repo.dataset_stats("m").levels)
        assert costs.nodes_written == nodes + MANIFEST


def test_indexes_follow_in_the_same_wait(tmp_path: Path) -> None:
    """A row of a table with two indexes costs a path of each tree, and one fsync."""
    columns = [("id", "int"), ("name", "text"), ("group", "text")]
    indexes = [Index("by_group", ("group",)), Index("by_name", ("name",), True)]
    schema = Schema.create(columns, "id", indexes=indexes)
    prolly.init(tmp_path / "r").close()
    with prolly.open(tmp_path / "r", count=True) as repo:
        costs = repo.costs
        assert costs is not None
        with repo.transaction("main", message="load") as tx:
            rows = [(n, f"name {n:06d}", f"group {n % 97}") for n in range(5000)]
            tx.table("t", schema=schema).load((("id", "name", "group"), rows))
        costs.reset()
        with repo.transaction("main", message="one row") as tx:
            tx.table("t").patch(77, {"name": "another", "group": "other"})
        assert (costs.fsyncs, costs.commits) == (1, 1)
        # An entry goes from one place of an index and comes to another.
        assert costs.nodes_written <= 5 * LEVELS + MANIFEST


def test_scratch_durability_never_waits(tmp_path: Path) -> None:
    """What says that it may be lost in a power cut costs no fsync."""
    prolly.init(tmp_path / "r").close()
    with prolly.open(tmp_path / "r", count=True, durability="scratch") as repo:
        write(repo, "main", 1, b"x")
        assert repo.costs is not None
        assert (repo.costs.fsyncs, repo.costs.commits) == (0, 1)
