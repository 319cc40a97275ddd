"""Datasets that lose as a whole, once and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prolly.chunks import RefMove
from prolly.codec import Commit, encode_commit
from prolly.datasets import Manifest
from prolly.history import BRANCHES
from prolly.maps import read_blob
from prolly.merge import Rules, merge_manifests
from prolly.repo import Transaction
from prolly.tables import Schema
from prolly.testing.repositories import diverged, write_on
from prolly.tree import NodeReader, Versions

Step = Callable[[Transaction], object]


def written(data: bytes, name: str = "b") -> Step:
    """Return a step that writes a blob."""

    def step(tx: Transaction) -> None:
        with tx.blob(name, "wb") as blob:
            blob.write(data)

    return step


def nothing(tx: Transaction) -> None:
    """Change nothing."""


def keyed(key: str, row: dict[str, Any]) -> list[Step]:
    """Return steps that make the table anew, with some key."""
    schema = Schema.create([("id", "int"), ("a", "int")], key)
    return [
        lambda tx: tx.drop("t"),
        lambda tx: tx.table("t", schema=schema).upsert(row),
    ]


class Replicas:
    """Branches that are merged as replicas do it, either side being called ours."""

    def __init__(self, base: Step, ours: list[Step], theirs: list[Step]) -> None:
        self.repo = diverged(base, nothing, nothing)
        self.repo.create_branch("base", "main")
        for name, steps in (("main", ours), ("feature", theirs)):
            for step in steps:
                write_on(self.repo, name, step)
        root = self.merged("base", "main", "feature")
        self.stand(root)
        [self.lost] = [one for one in self.shown(root) if "~" in one]

    def root(self, revision: str) -> bytes:
        """Return the manifest of a revision."""
        return bytes(self.repo.commit_of(revision).root)

    def merged(self, base: str, ours: str, theirs: str) -> bytes:
        """Return the manifest of a merge that nobody attends."""
        roots = [self.root(one) for one in (base, ours, theirs)]
        found = set()
        for versions in (Versions(*roots), Versions(roots[0], roots[2], roots[1])):
            with self.repo.store.writer() as writer:
                reader = NodeReader(writer.get)
                rules = Rules(on_conflict="keep-both")
                found.add(merge_manifests(reader, writer, versions, rules).root)
                writer.commit()
        [root] = found
        return root

    def stand(self, root: bytes) -> None:
        """Commit a manifest on the main branch."""
        head = self.repo.resolve("main")
        before = self.repo.commit_of("main")
        with self.repo.store.writer() as writer:
            made = Commit(
                parents=(bytes(head),),
                root=root,
                author="somebody",
                time_us=before.time_us + 1,
                message="merge",
                generation=before.generation + 1,
            )
            address = writer.put(encode_commit(made))
            writer.commit([RefMove(BRANCHES + "main", bytes(head), address)])

    def again(
        self, loser: list[Step], other: Callable[[int], list[Step]], here: Step | None
    ) -> bytes:
        """Merge branches of main, in one of which what lost before loses again.

        ``other`` gives what may win; ``here`` is done beside it.
        """
        tag = str(len(self.repo.branches))
        self.repo.create_branch(f"loser{tag}", "main")
        for step in loser:
            write_on(self.repo, f"loser{tag}", step)
        for number in range(100):
            name = f"other{tag}-{number}"
            self.repo.create_branch(name, "main")
            for step in [*other(number), *([here] if here else [])]:
                write_on(self.repo, name, step)
            root = self.merged("main", name, f"loser{tag}")
            if self.shown(root, "bt") == self.shown(self.root(name), "bt"):
                return root
        raise AssertionError("nothing prevails")

    def shown(self, root: bytes, names: str = "") -> dict[str, Any]:
        """Return the bytes of blobs, and the key of tables, by name."""
        reader = NodeReader(self.repo.store.get)
        manifest = Manifest(reader, root)
        return {
            one.name: read_blob(reader.get_chunk, one.roots[0])
            if one.kind == "blob"
            else Schema.from_value(one.schema).key
            for one in manifest.by_id.values()
            if not names or one.name in names
        }


def blobs() -> tuple[Replicas, bytes]:
    """Return replicas of a blob, and the content that lost."""
    replicas = Replicas(written(b"0"), [written(b"1")], [written(b"2")])
    return replicas, replicas.shown(replicas.root("main"))[replicas.lost]


def other_blob(number: int) -> list[Step]:
    """Return a content that may win."""
    return [written(b"w%d" % number)]


def test_what_lost_before_stands_once() -> None:
    """The same content loses a second time: the same datasets, under the same names."""
    replicas, losing = blobs()
    root = replicas.again([written(losing)], other_blob, None)
    found = replicas.shown(root)
    assert sorted(found) == ["b", replicas.lost] and found[replicas.lost] == losing


def test_an_edited_loser_and_the_new_one_are_both_there() -> None:
    """Edited in between: the edit, under its name, and what lost; a third time too."""
    replicas, losing = blobs()
    write_on(replicas.repo, "main", written(b"edited", replicas.lost))
    first = replicas.again([written(losing)], other_blob, None)
    found = replicas.shown(first)
    assert found[replicas.lost] == b"edited"
    assert sorted(found.values())[1:] == sorted([b"edited", found["b"]])
    assert losing in found.values() and len(found) == 3
    replicas.stand(first)
    third = replicas.again([written(losing)], lambda n: other_blob(n + 500), None)
    assert {**replicas.shown(third), "b": b""} == {**found, "b": b""}


@pytest.mark.parametrize("is_dropped", [False, True])
def test_an_edit_beside_the_loss_stays(is_dropped: bool) -> None:
    """One side edits or drops what lost before, the other loses it again: all there."""
    replicas, losing = blobs()

    def beside(tx: Transaction) -> None:
        if is_dropped:
            tx.drop(replicas.lost)
        else:
            written(b"edited", replicas.lost)(tx)

    found = replicas.shown(replicas.again([written(losing)], other_blob, beside))
    assert losing in found.values()
    assert found[replicas.lost] == (losing if is_dropped else b"edited")
    assert len(found) == 2 + (not is_dropped)


def test_a_renamed_loser_keeps_its_name() -> None:
    """Renamed since: it is known by its id, and nothing is put beside it."""
    replicas, losing = blobs()
    write_on(replicas.repo, "main", lambda tx: tx.rename(replicas.lost, "mine"))
    found = replicas.shown(replicas.again([written(losing)], other_blob, None))
    assert sorted(found) == ["b", "mine"] and found["mine"] == losing


def test_a_table_that_lost_before_stands_once() -> None:
    """A table with another key: the same, once as it was, twice if it was edited."""

    one, two = {"id": 1, "a": 1}, {"id": 2, "a": 2}
    replicas = Replicas(keyed("id", one)[1], keyed("a", two), keyed("id", two))
    [key] = replicas.shown(replicas.root("main"))[replicas.lost]

    def other(number: int) -> list[Step]:
        return [lambda tx: tx.table("t").upsert({"id": 100 + number, "a": number})]

    root = replicas.again(keyed(key, two), other, None)
    assert sorted(replicas.shown(root)) == ["t", replicas.lost]
    write_on(replicas.repo, "main", lambda tx: tx.table(replicas.lost).upsert(one))
    root = replicas.again(keyed(key, two), other, None)
    assert len(replicas.shown(root)) == 3
