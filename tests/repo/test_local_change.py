"""Changes of local datasets: stored with others, beside others, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import is_local_id
from prolly.datasets import Manifest
from prolly.errors import Stale
from prolly.history import LOCAL_DATASETS
from prolly.ops import check_repository
from prolly.testing.repositories import memory_repository

Datasets = dict[str, dict[str, int]]
Edit = tuple[str, str, int | None]

# Of one map or another, local or not, one record is written or deleted.
SHARED, LOCAL = ("a", "b"), ("x", "y")
EDITS = st.lists(
    st.tuples(
        st.sampled_from(SHARED + LOCAL),
        st.sampled_from("kl"),
        st.none() | st.integers(0, 3),
    ),
    max_size=4,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("transaction"), EDITS),
        st.tuples(st.just("abort"), EDITS),
        st.tuples(st.just("race"), EDITS, EDITS),
        st.tuples(st.just("edit"), EDITS),
        st.tuples(st.just("rival"), EDITS, EDITS),
        st.tuples(st.just("commit")),
        st.tuples(st.just("reset")),
    ),
    max_size=8,
)


def write(open_map: Callable[..., Any], edits: list[Edit]) -> None:
    """Write edits to the maps of a transaction or workspace."""
    for name, key, value in edits:
        records = open_map(name, local=name in LOCAL)
        if value is None:
            records.pop(key, None)
        else:
            records[key] = value


def applied(datasets: Datasets, edits: list[Edit], names: tuple[str, ...]) -> Datasets:
    """Return what the datasets of these names are after edits."""
    after = {name: dict(records) for name, records in datasets.items()}
    for name, key, value in edits:
        if name in names:
            records = after.setdefault(name, {})
            records.pop(key, None)
            if value is not None:
                records[key] = value
    return after


def changes(old: Datasets, new: Datasets) -> dict[tuple[str, str], int | None]:
    """Return the records that differ, as they are now."""
    keys = {(name, key) for one in (old, new) for name in one for key in one[name]}
    found = {}
    for name, key in keys:
        after = new.get(name, {}).get(key)
        if old.get(name, {}).get(key) != after:
            found[name, key] = after
    return found


class Model:
    """Two dicts: what a branch holds, and what is local; and what is uncommitted.

    ``main`` is written by transactions, ``side`` by the working state.
    """

    def __init__(self) -> None:
        self.repo = memory_repository()
        self.repo.create_branch("side")
        self.main: Datasets = {}
        self.side: Datasets = {}
        self.working: Datasets = {}
        self.local: Datasets = {}
        self.commits = 1

    def transaction(self, edits: list[Edit]) -> None:
        """Commit a transaction."""
        before = self.repo.resolve("main")
        with self.repo.transaction("main") as tx:
            write(tx.map, edits)
        main = applied(self.main, edits, SHARED)
        assert (tx.commit_id == before) == (main == self.main)
        self.commits += main != self.main
        self.main, self.local = main, applied(self.local, edits, LOCAL)

    def abort(self, edits: list[Edit]) -> None:
        """Begin a transaction, and discard it."""
        with (
            pytest.raises(ZeroDivisionError),
            self.repo.transaction("main") as tx,
        ):
            write(tx.map, edits)
            raise ZeroDivisionError

    def race(self, ours: list[Edit], theirs: list[Edit]) -> None:
        """Let a transaction commit beside another that began before."""
        stood = self.main, self.local
        tx = self.repo.transaction("main")
        write(tx.map, ours)
        self.transaction(theirs)
        made = applied(stood[0], ours, SHARED), applied(stood[1], ours, LOCAL)
        now = self.main, self.local
        if self.clash(stood, made, now):
            with pytest.raises(Stale) as caught:
                tx.commit()
            assert caught.value.code == "write-conflict"
            return
        tx.commit()
        main = self.carried(stood[0], made[0], now[0])
        self.commits += main != self.main
        self.main, self.local = main, self.carried(stood[1], made[1], now[1])

    def clash(self, base: Any, ours: Any, theirs: Any) -> bool:
        """Tell whether both sides changed one record of either part."""
        return any(
            changes(one, our) and changes(one, our).keys() & changes(one, their).keys()
            for one, our, their in zip(base, ours, theirs, strict=True)
        )

    def carried(self, base: Datasets, ours: Datasets, theirs: Datasets) -> Datasets:
        """Return theirs with the change of ours."""
        edits = [(*key, value) for key, value in changes(base, ours).items()]
        new = {name: {} for name in ours if name not in base}
        return applied({**new, **theirs}, edits, SHARED + LOCAL)

    def edit(self, edits: list[Edit]) -> None:
        """Edit the working state of ``side``."""
        with self.repo.working_area("side").edit("put") as workspace:
            write(workspace.map, edits)
        self.working = applied(self.working, edits, SHARED)
        self.local = applied(self.local, edits, LOCAL)

    def rival(self, ours: list[Edit], theirs: list[Edit]) -> None:
        """Edit the working state beside another edit that began before."""
        stood = self.working, self.local
        made = applied(stood[0], ours, SHARED), applied(stood[1], ours, LOCAL)
        now = applied(stood[0], theirs, SHARED), applied(stood[1], theirs, LOCAL)
        try:
            with self.repo.working_area("side").edit("put") as workspace:
                write(workspace.map, ours)
                self.edit(theirs)
        except Stale:
            assert self.clash(stood, made, now)
            return
        assert not self.clash(stood, made, now)
        self.working = self.carried(stood[0], made[0], now[0])
        self.local = self.carried(stood[1], made[1], now[1])

    def commit(self) -> None:
        """Commit what waits, if anything does."""
        area = self.repo.working_area("side")
        assert area.is_clean == (self.working == self.side)
        if not area.is_clean:
            area.commit("side")
            self.commits += 1
        self.side = self.working

    def reset(self) -> None:
        """Drop what waits: what is local does not wait."""
        self.repo.working_area("side").discard()
        self.working = self.side

    def check(self) -> None:
        """Compare every view with the model; commits hold nothing local."""
        repo = self.repo
        snapshots = repo.at("main"), repo.at_working("side"), repo.at("side")
        for found, shared in zip(
            snapshots, (self.main, self.working, self.side), strict=True
        ):
            assert contents(found) == {**shared, **self.local}
            assert found.local_names == sorted(self.local)
        seen = set()
        for branch in ("main", "side"):
            for entry in repo.log(branch):
                seen.add(entry.id)
                manifest = Manifest(repo.storage.reader, entry.commit.root)
                assert not any(map(is_local_id, manifest.by_id))
        assert len(seen) == self.commits
        assert contents(repo.at("main", local=False)) == self.main
        assert (repo.store.read_ref(LOCAL_DATASETS) is None) == (not self.local)


def contents(snapshot: Any) -> Datasets:
    """Return the records of all maps of a version."""
    return {name: dict(snapshot.map(name)) for name in snapshot.datasets}


@settings(max_examples=60)
@given(STEPS)
def test_two_dicts_tell_what_is_seen(steps: list[tuple[Any, ...]]) -> None:
    """Whatever happens, in transactions or working states, beside others or not."""
    model = Model()
    for name, *words in steps:
        getattr(model, name)(*words)
        model.check()
    assert list(check_repository(model.repo.store, full=True)) == []
