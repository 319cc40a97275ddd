"""Random histories of a repository with several branches, beside a plain model of them.

Branches are edited, merged into each other by somebody who settles conflicts this way
or that, crossed, and merged with what they were long ago. Each merge is compared with
the model before anything is settled: records, conflicts, descriptions, and every root
with that of a rebuild. What a side wrote is in the result or among the conflicts.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any, Literal

from prolly.codec import DEFAULT_PARAMETERS
from prolly.datasets import Manifest, stored_table, verify_references
from prolly.errors import Invalid, Unsupported
from prolly.maps import ABSENT
from prolly.repo import Conflict, Conflicts, Repository
from prolly.tables import Trees
from prolly.tree import NodeReader

from .history_model import (
    COUNTERS,
    EXTRA_COLUMNS,
    FLEETING,
    WIDE,
    Graph,
    Merged,
    Version,
    lost,
    merge_versions,
)
from .merge_model import read_state, rebuilt_roots
from .repositories import memory_repository
from .version_edits import edited, write_difference

REPLICAS_MAX = 6
STEPS_MAX = 10

Side = Literal["ours", "theirs", "base"]
_SIDES: tuple[Side, ...] = ("ours", "theirs", "base")

# What is done in a step, and how often among a hundred.
_EDIT, _MERGE, _MERGE_OLD, _CROSS = range(4)
_ODDS = (25, 40, 10, 25)


class MergeHistory:
    """One history, drawn from one source of chance.

    ``merges`` and ``conflicts`` count what there was of them, ``crossed`` the merges
    over several bases.
    """

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._repo = memory_repository()
        self._graph = Graph()
        self.merges = 0
        self.conflicts = 0
        self.crossed = 0
        self._begin(source.randint(2, REPLICAS_MAX))

    def _begin(self, replicas: int) -> None:
        version = Version()
        for _ in range(self._source.randrange(20)):
            version = edited(version, self._source)
        first = self._repo.resolve("main")
        self._graph.add(first, (), Version())
        self._write("main", Version(), version)
        self._branches = ["main"]
        for number in range(1, replicas):
            self._branches.append(f"branch/{number}")
            self._repo.create_branch(self._branches[-1], "main")

    def run(self) -> None:
        """Let chance act so many times; raises AssertionError where it goes wrong."""
        steps = self._source.randint(2, STEPS_MAX)
        for act in self._source.choices(range(len(_ODDS)), _ODDS, k=steps):
            if act == _EDIT:
                self._edit(self._source.choice(self._branches))
                continue
            into, other = self._source.sample(self._branches, 2)
            # What has nothing new would only move forward.
            self._edit(into)
            self._edit(other)
            theirs = self._repo.resolve(other)
            if act == _MERGE:
                self._merge(into, theirs)
            elif act == _MERGE_OLD:
                self._merge(into, self._source.choice(sorted(self._graph.versions)))
            else:
                ours = self._repo.resolve(into)
                self._merge(into, theirs)
                self._merge(other, ours)

    def _head(self, branch: str) -> Version:
        return self._graph.versions[self._repo.resolve(branch)]

    def _edit(self, branch: str) -> None:
        before = after = self._head(branch)
        for _ in range(self._source.randint(1, 5)):
            after = edited(after, self._source)
        self._write(branch, before, after)

    def _write(self, branch: str, before: Version, after: Version) -> None:
        parent = self._repo.resolve(branch)
        with self._repo.transaction(branch, message="edit") as tx:
            write_difference(tx, before, after)
        self._graph.add(tx.commit_id, (parent,), after)

    def _merge(self, branch: str, theirs: bytes) -> None:
        repo, ours = self._repo, self._repo.resolve(branch)
        if ours == theirs:
            return
        base = self._graph.base_of(ours, theirs)
        sides = self._graph.versions[ours], self._graph.versions[theirs]
        expected = merge_versions(base, *sides)
        is_open = bool(expected.records or expected.descriptions)
        if self._source.random() < 0.2:
            tried = repo.merge(theirs, into=branch, dry_run=True)
            assert is_open == (tried.status == "conflicts"), tried
            assert is_open == bool(tried.conflicts)
        result = repo.merge(theirs, into=branch)
        if result.status in ("up-to-date", "fast-forward"):
            wanted = theirs if result.status == "fast-forward" else ours
            assert result.commit_id == wanted
            return
        self.merges += 1
        self.crossed += len(result.base) > 1
        assert is_open == (result.status == "conflicts"), result
        if not is_open:
            self._check(repo.commit_of(branch).root, ours, expected)
            self._graph.add(repo.resolve(branch), (ours, theirs), expected.version)
            return
        self._check(repo.at_working(branch).root, ours, expected)
        conflicts = repo.conflicts(branch)
        self._check_conflicts(conflicts, expected, (base, *sides))
        settle(repo, branch, self._source)
        if repo.working_area(branch).is_clean:
            return
        commit_id = conflicts.commit("settled")
        settled = self._read(repo.commit_of(commit_id).root)
        self._graph.add(commit_id, (ours, theirs), settled)

    def _check(self, root: bytes, ours: bytes, expected: Merged) -> None:
        """Compare a merged manifest with the model, and with a rebuild."""
        with self._repo.store.writer() as writer:
            reader = NodeReader(writer.get)
            state = read_state(reader, root)
            assert state == expected.version.records()
            verify_references(reader, self._repo.commit_of(ours).root, root)
            trees = Trees(reader, writer, DEFAULT_PARAMETERS)
            for entry in Manifest(reader, root).by_id.values():
                roots = tuple(one.address for one in entry.roots)
                assert roots == rebuilt_roots(trees, entry, state[entry.name])

    def _check_conflicts(
        self, found: Conflicts, expected: Merged, versions: tuple[Version, ...]
    ) -> None:
        """Compare conflicts with the model, and look for what a side wrote."""
        listed = list(found.of())
        self.conflicts += len(listed)
        records = {(one.dataset, one.key) for one in listed if one.kind != "schema"}
        told = {(one.dataset, one.key) for one in listed if one.kind == "schema"}
        assert (records, told) == (expected.records, expected.descriptions)
        base, ours, theirs = versions
        shown = {"base": base, "ours": ours, "theirs": theirs}
        for one in listed:
            if one.kind == "schema":
                continue
            for name, version in shown.items():
                row = version.records().get(one.dataset, {}).get(one.key, ABSENT)
                if isinstance(row, dict):
                    row = {"id": one.key, **row}
                assert getattr(one, name) == row, (name, one)
        result = expected.version.records()
        alike = expected.version
        for side in (ours, theirs):
            missing = lost(result, _as(alike, side, base), _as(alike, base, base))
            assert missing <= records, (missing, records)

    def _read(self, root: bytes) -> Version:
        """Return what a manifest holds as the model's own."""
        reader = NodeReader(self._repo.store.get)
        state = read_state(reader, root)
        columns = stored_table(Manifest(reader, root).require(WIDE)).schema.columns
        names = [one.name for one in columns]
        extras = frozenset(EXTRA_COLUMNS) & frozenset(names)
        [title] = [one for one in names if one.startswith("title")]
        [amount] = [one.type for one in columns if one.name == "amount"]
        fleeting = state.pop(FLEETING, None)
        wide = {
            key: {"title" if name == title else name: row[name] for name in row}
            for key, row in state.pop(WIDE).items()
        }
        counters = state.pop(COUNTERS)
        return Version(state, counters, wide, title, amount, extras, fleeting)


def _as(alike: Version, version: Version, base: Version) -> dict[str, Any]:
    """Return the records of a version as if its wide table were that of another.

    To drop a column is to write no row: the cells are as the base has them.
    """
    turned = version.copy()
    turned.title, turned.amount = alike.title, alike.amount
    turned.extras = alike.extras
    for key, row in turned.wide.items():
        for name in EXTRA_COLUMNS:
            row.setdefault(name, base.wide.get(key, {}).get(name))
        if alike.amount == "text" and row["amount"] is not None:
            row["amount"] = str(row["amount"])
    return turned.records()


def settle(repo: Repository, branch: str, source: random.Random) -> None:
    """Settle all conflicts of a branch by chance: one by one, or all at once.

    A side that would break a constraint is not taken: ours is.
    """
    conflicts = repo.conflicts(branch)
    if source.random() < 0.5:
        # A side of a description may want a person to alter it.
        take = source.choice(_SIDES)
        with suppress(Invalid, Unsupported):
            conflicts.settle_all(take)
        if conflicts and take == "ours":
            conflicts.settle_all("keep")
        if conflicts or not _is_whole(repo, branch):
            repo.working_area(branch).discard()
            return
    for one in list(conflicts.of()):
        if one.kind != "schema":
            _settle_record(repo, branch, one, source.choice(_SIDES))
        elif one.key == "dropped":
            take = source.choice(_SIDES[:2])
            conflicts.settle_schema(one.dataset, one.key, take)
        else:
            conflicts.settle_schema(one.dataset, one.key, "keep")
    assert len(conflicts) == 0


def _settle_record(repo: Repository, branch: str, one: Conflict, side: Side) -> None:
    """Settle a conflict for a side, and see that this stands, or ours instead."""
    conflicts = repo.conflicts(branch)
    with suppress(Invalid):
        conflicts.settle(one.dataset, one.key, side)
        if _is_whole(repo, branch):
            now = _stands(repo, branch, one.dataset, one.key)
            assert _agrees(one, now, getattr(one, side)), (one, side, now)
            return
    conflicts.settle(one.dataset, one.key, "ours")


def _agrees(one: Conflict, now: Any, wanted: Any) -> bool:
    """Tell whether a record stands as a side has it, in the fields that clashed."""
    if now is ABSENT or not isinstance(wanted, dict):
        return bool(now == wanted)
    # Counters are sums, and amounts may be texts by now.
    names = set(one.fields or wanted) & wanted.keys() & now.keys()
    return all(now[name] == wanted[name] for name in names - {"count", "amount"})


def _stands(repo: Repository, branch: str, dataset: str, key: Any) -> Any:
    state = repo.at_working(branch)
    is_map = dataset in ("map", FLEETING)
    records = state.map(dataset) if is_map else state.table(dataset)
    return records.get(key, ABSENT)


def _is_whole(repo: Repository, branch: str) -> bool:
    """Tell whether the references of a working state hold."""
    reader = NodeReader(repo.store.get)
    area = repo.working_area(branch)
    try:
        verify_references(reader, area.base_root, area.state.manifest)
    except Invalid:
        return False
    return True
