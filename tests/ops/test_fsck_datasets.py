"""What a check says of the descriptors of datasets."""

from __future__ import annotations

import pytest

from prolly.chunks import RefMove
from prolly.codec import encode_commit
from prolly.datasets import Manifest, write_manifest
from prolly.errors import Corrupt
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.waiting_merges import both, rows, sets
from prolly.tree import NodeReader


def with_policies(policies: dict[str, str]) -> Repository:
    """Return a repository whose map ``m`` has policies that nobody could set."""
    repo = memory_repository()
    write_on(repo, "main", both(sets(a=1), rows({"id": 1})))
    head = repo.resolve("main")
    commit = repo.commit_of(head)
    with repo.store.writer() as writer:
        reader = NodeReader(writer.get)
        found = Manifest(reader, commit.root).find("m")
        assert found is not None
        changes = {found[0]: found[1]._replace(policies=policies)}
        root = write_manifest(reader, writer, commit.root, changes)
        parents, generation = (bytes(head),), commit.generation + 1
        forged = commit._replace(root=root, parents=parents, generation=generation)
        commit_id = writer.put(encode_commit(forged))
        writer.commit([RefMove("branches/main", head, commit_id)])
    return repo


@pytest.mark.parametrize("full", [False, True])
def test_policies_that_are_none_are_found(full: bool) -> None:
    """Each of them, with its dataset and its scope; what is right is no fault."""
    policies = {"/": "nonsense", "/016b": "max", "x": "min", "00000001/": "app:"}
    repo = with_policies(policies)
    found = list(check_repository(repo.store, full=full))
    assert [fault.code for fault in found] == ["policies"] * 3
    for fault, (scope, policy) in zip(
        found, (("/", "nonsense"), ("x", "min"), ("00000001/", "app:")), strict=True
    ):
        assert f"dataset 'm' has under '{scope}' the policy '{policy}'" in fault.detail
        assert fault.ref == "branches/main" and fault.address is not None
        assert "prolly policy" in fault.hint


def test_the_hint_helps() -> None:
    """A policy for all of the dataset takes the place of the one that is none."""
    repo = with_policies({"/": "nonsense"})
    with pytest.raises(Corrupt):
        repo.at("main").policies("m")
    with repo.transaction("main") as tx:
        tx.set_policy("m", "max")
    assert [rule.policy for rule in repo.at("main").policies("m")] == ["max"]


def test_policies_of_any_dataset_are_right() -> None:
    """Of a column, of a prefix, of a resolver that is not there."""
    repo = memory_repository()
    write_on(repo, "main", both(sets(a=1), rows({"id": 1, "x": 1})))
    with repo.transaction("main") as tx:
        tx.set_policy("m", "app:mine", prefix="a")
        tx.set_policy("t", "max", column="x")
        tx.set_policy("t", "last-writer-wins")
    assert list(check_repository(repo.store, full=True)) == []
