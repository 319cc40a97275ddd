"""Patches of one dataset: the old version with just that one as the new has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.patch import PatchSection, decode_patch
from prolly.repo import Repository, Transaction
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.small_histories import small_history
from prolly.testing.waiting_merges import both, refused, rows, sets


def of(repo: Repository, dataset: str) -> list[str]:
    return list(repo.patch("main~1", "main", dataset))


@given(st.integers(0, 10**6))
def test_patches_of_all_datasets_lead_to_the_version(seed: int) -> None:
    """One after the other, in any order of names; each brings its own alone."""
    repo = small_history(seed)
    *_, first = (entry.id for entry in repo.log("main"))
    goal = repo.at("main")
    repo.create_branch("again", first)
    for name in sorted(goal.datasets, key=lambda name: hash((seed, name))):
        before = repo.at("again").datasets.keys()
        repo.apply(repo.patch("again", "main", name), "again")
        assert repo.at("again").datasets.keys() - before <= {name}
    assert repo.at("again").root == goal.root


def test_what_differs_elsewhere_stays_out() -> None:
    """An unchanged dataset gives a patch of nothing; a name of none is an error."""
    repo = memory_repository()
    write_on(repo, "main", both(sets(a=1), rows({"id": 1, "x": 1})))
    write_on(repo, "main", rows({"id": 1, "x": 2}))
    assert len(of(repo, "m")) == 2
    patch = decode_patch("".join(f"{one}\n" for one in of(repo, "m")).encode())
    assert patch.old == patch.new == repo.at("main~1").root
    assert [one.present.name for one in _sections(repo, "t")] == ["t"]
    refused("no-such-dataset", repo, lambda: of(repo, "nothing"))


def _sections(repo: Repository, dataset: str) -> list[PatchSection]:
    text = "".join(f"{one}\n" for one in of(repo, dataset))
    return list(decode_patch(text.encode()).sections)


def test_a_name_that_was_another_dataset_takes_that_along() -> None:
    """No version has two datasets of one name."""
    repo = memory_repository()
    write_on(
        repo, "main", lambda tx: (tx.map("a").update(x=1), tx.map("b").update(x=2))
    )

    def swap(tx: Transaction) -> None:
        tx.rename("b", "c")
        tx.rename("a", "b")
        tx.map("d")["x"] = 4

    write_on(repo, "main", swap)
    repo.create_branch("side", "main~1")
    # By the name that it had, too.
    for name in ("a", "b"):
        assert {one.present.name for one in _sections(repo, name)} == {"b", "c"}
    assert repo.apply(of(repo, "b"), "side").status == "replayed"
    assert list(repo.at("side").datasets) == ["b", "c"]
    assert repo.at("side").map("b")["x"] == 1
