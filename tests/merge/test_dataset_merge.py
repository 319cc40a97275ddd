"""Datasets made, dropped, renamed and described anew, on one side or on both."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.codec import Descriptor, TreeParameters, dataset_id
from prolly.errors import Unsupported
from prolly.maps import Files, OrderedMap, read_blob
from prolly.merge import BLOB_KEY, ConflictKind, Rules
from prolly.repo import Transaction
from prolly.tables import Schema
from prolly.testing.three_versions import ThreeVersions, nothing

MAP_ID = dataset_id("m", "map", ())


def base(tx: Transaction) -> None:
    """Make a map and a blob."""
    tx.map("m").update({1: "a", 2: "b"})
    tx.map("n")["x"] = 1
    with tx.blob("b", "wb") as blob:
        blob.write(b"base")


def dropped(tx: Transaction) -> None:
    """Drop the map."""
    tx.drop("m")


def changed(tx: Transaction) -> None:
    """Change a record of the map."""
    tx.map("m")[1] = "changed"


def renamed(name: str) -> Any:
    """Return a step that renames the map."""
    return lambda tx: tx.rename("m", name)


def test_a_dataset_dropped_on_one_side_is_dropped() -> None:
    """Dropped and unchanged: gone, whichever side dropped it."""
    three = ThreeVersions(base, dropped, nothing)
    for swapped in (False, True):
        merge = three.merge(swapped=swapped)
        assert "m" not in three.manifest(merge.root).ids()
        assert merge.conflicts is None


@pytest.mark.parametrize("swapped", [False, True])
def test_a_dataset_dropped_and_changed_stays(swapped: bool) -> None:
    """Dropped and changed: as changed, with a conflict."""
    three = ThreeVersions(base, dropped, changed)
    merge = three.merge(swapped=swapped)
    entry = three.manifest(merge.root).require("m")
    assert OrderedMap(three.reader, entry.roots[0].address)[1] == "changed"
    assert three.named(merge) == ["dropped"]
    assert three.conflicts(merge)[0].kind is ConflictKind.SCHEMA


def test_a_dataset_renamed_on_one_side_is_renamed() -> None:
    """The new name and the other side's records are there."""
    three = ThreeVersions(base, renamed("other"), changed)
    merge = three.merge()
    entry = three.manifest(merge.root).require("other")
    assert OrderedMap(three.reader, entry.roots[0].address)[1] == "changed"
    assert merge.conflicts is None
    assert merge.root == three.merge(swapped=True).root


def test_a_dataset_renamed_on_both_sides_has_ours_name() -> None:
    """Two new names: ours stands and it is a conflict; base's in a virtual base."""
    three = ThreeVersions(base, renamed("o"), renamed("t"))
    merge = three.merge()
    assert "o" in three.manifest(merge.root).ids()
    assert three.named(merge) == ["name"]
    virtual = three.merge(Rules(on_conflict="base"))
    assert "m" in three.manifest(virtual.root).ids()


def test_two_datasets_of_one_name_are_told_apart() -> None:
    """Both sides call one dataset so: the greater id gets its id behind the name."""
    three = ThreeVersions(
        base, lambda tx: tx.rename("m", "same"), lambda tx: tx.rename("n", "same")
    )
    merge, swapped = three.merge(), three.merge(swapped=True)
    assert merge.root == swapped.root
    greater = max(MAP_ID, dataset_id("n", "map", ()))
    ids = three.manifest(merge.root).ids()
    assert ids[f"same~{greater.hex()[:8]}"] == greater
    assert len(ids) == 3
    assert three.named(merge) == ["name"]


def test_references_follow_a_table_told_apart() -> None:
    """A table that gets another name in the merge is still the one referred to."""
    parents = Schema.create([("id", "int")], "id")

    def with_tables(tx: Transaction) -> None:
        tx.table("p", schema=parents).upsert({"id": 1})
        tx.table("q", schema=parents).upsert({"id": 2})
        for name, key in (("pc", 1), ("qc", 2)):
            table = tx.table(
                name, schema=Schema.create([("id", "int"), ("r", "int")], "id")
            )
            table.alter().add_reference("r", "r", name[0])
            table.upsert({"id": 1, "r": key})

    three = ThreeVersions(
        with_tables,
        lambda tx: tx.rename("p", "same"),
        lambda tx: tx.rename("q", "same"),
    )
    for swapped in (False, True):
        merge = three.merge(swapped=swapped)
        manifest = three.manifest(merge.root)
        for name in "pq":
            identity = dataset_id(name, "table", ())
            schema = Schema.from_value(manifest.require(f"{name}c").schema)
            assert schema.references[0].table == manifest.by_id[identity].name


def test_a_dataset_made_on_both_sides_is_one() -> None:
    """Both made a map of one name: one map with the records of both."""
    three = ThreeVersions(
        nothing,
        lambda tx: tx.map("new").update({1: 1}),
        lambda tx: tx.map("new").update({2: 2}),
    )
    entry = three.manifest(three.merge().root).require("new")
    assert dict(OrderedMap(three.reader, entry.roots[0].address).items()) == {
        1: 1,
        2: 2,
    }


def described(three: ThreeVersions, side: int, **changes: Any) -> None:
    """Change the description of the map in one version."""
    entry = three.manifest(three.versions[side]).by_id[MAP_ID]
    three.edited(side, {MAP_ID: entry._replace(**changes)})


def test_policies_merge_scope_by_scope() -> None:
    """Each scope takes its change; both changed one: the base's, and a conflict."""
    three = ThreeVersions(base, changed, lambda tx: tx.map("m").update({2: "t"}))
    described(three, 0, policies={"/": "max", "/0261": "ours"})
    described(three, 1, policies={"/": "min", "/0261": "ours", "/0262": "set"})
    described(three, 2, policies={"/": "counter"})
    merge = three.merge()
    entry = three.manifest(merge.root).by_id[MAP_ID]
    assert entry.policies == {"/": "max", "/0262": "set"}
    assert three.named(merge) == ["policy /"]


def test_an_unknown_policy_is_unsupported() -> None:
    """A policy of a newer release is refused by name; nothing is guessed."""
    three = ThreeVersions(base, changed, lambda tx: tx.map("m").update({1: "t"}))
    described(three, 1, policies={"/": "from the future"})
    with pytest.raises(Unsupported) as error:
        three.merge()
    assert error.value.code == "dataset-policy"
    assert error.value.dataset == "m"


def test_a_counter_adds_equal_changes() -> None:
    """Both sides count 1 up to 2 in equal manifests: it is 3."""
    three = ThreeVersions(lambda tx: tx.map("m").update({1: 1}), nothing, nothing)
    described(three, 0, policies={"/": "counter"})

    def counted(side: int) -> None:
        tree = OrderedMap(three.reader, _root(three, 0))
        assert dict(tree.items()) == {1: 1}
        other = ThreeVersions(lambda tx: tx.map("m").update({1: 2}), nothing, nothing)
        root = other.manifest(other.versions.base).by_id[MAP_ID].roots
        chunk = other.reader.read_chunk(root[0].address)
        three.writer.put(chunk)
        described(three, side, policies={"/": "counter"}, roots=root)

    counted(1)
    counted(2)
    merge = three.merge()
    entry = three.manifest(merge.root).by_id[MAP_ID]
    assert OrderedMap(three.reader, entry.roots[0].address)[1] == 3


def _root(three: ThreeVersions, side: int) -> bytes:
    return three.manifest(three.versions[side]).by_id[MAP_ID].roots[0].address


def test_the_smaller_parameters_win() -> None:
    """Trees cut differently: the bytewise smaller parameters, the records of both."""
    three = ThreeVersions(base, changed, lambda tx: tx.map("m").update({3: "t"}))
    described(three, 2, parameters=TreeParameters(4080, 12240, 7))
    described(three, 1, local=True)
    merge = three.merge()
    entry = three.manifest(merge.root).by_id[MAP_ID]
    assert entry.parameters == TreeParameters() and entry.local
    records = dict(OrderedMap(three.reader, entry.roots[0].address).items())
    assert records == {1: "changed", 2: "b", 3: "t"}


def blob_written(data: bytes) -> Any:
    """Return a step that writes the blob."""

    def step(tx: Transaction) -> None:
        with tx.blob("b", "wb") as blob:
            blob.write(data)

    return step


def contents(three: ThreeVersions, entry: Descriptor) -> bytes:
    """Return the bytes of a blob."""
    return read_blob(three.reader.get_chunk, entry.roots[0])


def test_blobs_merge_whole() -> None:
    """One side's change is taken; of two ours stands, with one conflict."""
    three = ThreeVersions(base, nothing, blob_written(b"theirs"))
    merge = three.merge()
    assert contents(three, three.manifest(merge.root).require("b")) == b"theirs"
    three = ThreeVersions(base, blob_written(b"ours"), blob_written(b"theirs"))
    merge = three.merge()
    assert contents(three, three.manifest(merge.root).require("b")) == b"ours"
    assert [one.key for one in three.conflicts(merge)] == [BLOB_KEY]
    policy = three.merge(Rules(policy="theirs"))
    assert contents(three, three.manifest(policy.root).require("b")) == b"theirs"
    virtual = three.merge(Rules(on_conflict="base"))
    assert contents(three, three.manifest(virtual.root).require("b")) == b"base"


def test_a_blob_that_lost_is_a_dataset() -> None:
    """Unattended, both blobs are there, and sides may be swapped."""
    three = ThreeVersions(base, blob_written(b"ours"), blob_written(b"theirs"))
    rules = Rules(on_conflict="keep-both")
    merge = three.merge(rules)
    assert merge.root == three.merge(rules, swapped=True).root
    entries = three.manifest(merge.root).by_id.values()
    found = {contents(three, one) for one in entries if one.kind == "blob"}
    assert found == {b"ours", b"theirs"}


def test_files_that_lost_stand_beside_the_winner() -> None:
    """Unattended, a file that both changed is there twice; no path clashes."""
    three = ThreeVersions(
        base,
        lambda tx: tx.files("f").write("a/x", b"ours"),
        lambda tx: tx.files("f").write("a/x", b"theirs"),
    )
    rules = Rules(on_conflict="keep-both")
    merge = three.merge(rules)
    assert merge.root == three.merge(rules, swapped=True).root
    files = Files(
        three.reader, three.manifest(merge.root).require("f").roots[0].address
    )
    assert {files.read(path) for path in files} == {b"ours", b"theirs"}
    assert all(path.startswith("a/x") for path in files)


def test_a_file_where_a_directory_is_gives_way() -> None:
    """A path and a file below it: theirs is withheld, and in conflict."""
    three = ThreeVersions(
        base,
        lambda tx: tx.files("f").write("a", b"ours"),
        lambda tx: tx.files("f").write("a/x", b"theirs"),
    )
    for swapped, stands in ((False, "a"), (True, "a/x")):
        merge = three.merge(swapped=swapped)
        root = three.manifest(merge.root).require("f").roots[0].address
        assert list(Files(three.reader, root)) == [stands]
        assert three.named(merge) == ["path"]


def test_a_table_with_another_key_stands_whole() -> None:
    """Ours made the table anew with another key: ours stands, one conflict."""
    one = Schema.create([("id", "int"), ("a", "int")], "id")
    other = Schema.create([("id", "int"), ("a", "int")], "a")
    three = ThreeVersions(
        lambda tx: tx.table("t", schema=one).upsert({"id": 1, "a": 2}),
        [
            lambda tx: tx.drop("t"),
            lambda tx: tx.table("t", schema=other).upsert({"id": 5, "a": 6}),
        ],
        lambda tx: tx.table("t").upsert({"id": 1, "a": 3}),
    )
    merge = three.merge()
    assert three.rows(merge, "t") == [{"id": 5, "a": 6}]
    assert three.named(merge) == ["key"]
    rules = Rules(on_conflict="keep-both")
    both = three.merge(rules)
    assert both.root == three.merge(rules, swapped=True).root
    names = list(three.manifest(both.root).ids())
    rows = [three.rows(both, name) for name in names if name.startswith("t")]
    assert sorted(map(str, rows)) == sorted(
        map(str, [[{"id": 5, "a": 6}], [{"id": 1, "a": 3}]])
    )
