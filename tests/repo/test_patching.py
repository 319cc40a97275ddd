"""Patches of versions, applied to branches here and elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.patch import PATCH_BYTES_MAX
from prolly.codec.patch_lines import with_end
from prolly.errors import Corrupt, Invalid
from prolly.ops import check_repository
from prolly.repo import Repository, Transaction
from prolly.repo.patch_values import PATCH_CONTENT_BYTES_MAX
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.small_histories import small_history
from prolly.testing.waiting_merges import both, refused, rows, sets


def patch_of(repo: Repository, old: str = "main~1", new: str = "main") -> list[str]:
    return list(repo.patch(old, new))


def elsewhere(*writes: Any) -> Repository:
    """Return another repository, which shares no version with the first."""
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("own").update(x=1))
    for write in writes:
        write_on(repo, "main", write)
    return repo


def values(repo: Repository, name: str = "m") -> dict[str, Any]:
    return dict(repo.at("main").map(name).items())


@given(st.integers(0, 10**6))
def test_a_patch_gives_the_root_of_the_version_it_was_made_of(seed: int) -> None:
    """Records, rows, blobs and files of a whole history, here and in an empty
    repository; applied once more it changes nothing."""
    repo = small_history(seed)
    commits = [entry.id for entry in repo.log("main")]
    other = memory_repository()
    old = repo.resolve(commits[-1])
    for new in reversed(commits[:-1][::2]):
        lines = list(repo.patch(old, new))
        repo.create_branch(f"at-{old}", old)
        for place, branch in ((repo, f"at-{old}"), (other, "main")):
            place.apply(lines, branch)
            assert place.at(branch).root == repo.at(new).root
            before = place.resolve(branch)
            again = place.apply(lines, branch)
            assert (again.status, place.resolve(branch)) == ("up-to-date", before)
        repo.delete_branch(f"at-{old}")
        old = new
    assert list(check_repository(other.store, full=True)) == []


def test_what_is_as_it_was_is_taken() -> None:
    """Elsewhere, where the version that it was made on is not known."""
    repo = elsewhere(sets(a=1, b=1, c=1))
    write_on(
        repo, "main", lambda tx: (tx.map("m").update(a=2, d=4), tx.map("m").pop("c"))
    )
    other = elsewhere(sets(a=1, b=7, c=1, z=9))
    result = other.apply(patch_of(repo), message="from Ada")
    assert (result.status, other.commit_of("main").message) == ("replayed", "from Ada")
    assert values(other) == {"a": 2, "b": 7, "d": 4, "z": 9}


def test_what_is_not_as_it_was_is_in_conflict() -> None:
    """Base is what the patch says that it was; it is settled as in any merge."""
    repo = elsewhere(sets(a=1, b=1))
    write_on(repo, "main", sets(a=2, b=2))
    other = elsewhere(sets(a=5, b=1))
    result = other.apply(patch_of(repo))
    assert (result.status, result.commit_id) == ("conflicts", None)
    conflict = result.conflicts["m", "a"]
    assert (conflict.base, conflict.ours, conflict.theirs) == (1, 5, 2)
    result.conflicts.settle("m", "a", "theirs")
    result.commit()
    assert values(other) == {"a": 2, "b": 2}
    assert other.commit_of("main").message == "Apply a patch"
    assert list(check_repository(other.store, full=True)) == []


def test_rows_are_merged_field_by_field() -> None:
    """A field that differs here and not in the patch stays."""
    repo = elsewhere(rows({"id": 1, "x": 1, "y": 1}))
    write_on(repo, "main", rows({"id": 1, "x": 2, "y": 1}))
    other = elsewhere(rows({"id": 1, "x": 1, "y": 5}))
    assert other.apply(patch_of(repo)).status == "replayed"
    assert other.at("main").table("t")[1] == {"id": 1, "x": 2, "y": 5}
    # Here the row is known from the version itself.
    repo.create_branch("side", "main~1")
    write_on(repo, "side", rows({"id": 1, "x": 1, "y": 5}))
    assert repo.apply(patch_of(repo), "side").status == "replayed"
    assert repo.at("side").table("t")[1] == {"id": 1, "x": 2, "y": 5}


def test_columns_go_along() -> None:
    """A new column and what stands in it; rows of others get its fill."""

    def wider(tx: Transaction) -> None:
        table = tx.table("t")
        table.alter().add_column("z", "int", fill=0)
        table.upsert({"id": 1, "x": 1, "z": 9})

    repo = elsewhere(rows({"id": 1, "x": 1}))
    write_on(repo, "main", wider)
    other = elsewhere(rows({"id": 1, "x": 1}, {"id": 2, "x": 2}))
    lines = patch_of(repo)
    assert other.apply(lines).status == "replayed"
    table = other.at("main").table("t")
    assert [dict(row) for row in table.rows()] == [
        {"id": 1, "x": 1, "z": 9},
        {"id": 2, "x": 2, "z": 0},
    ]
    assert other.apply(lines).status == "up-to-date"


def test_a_counter_is_not_counted_twice() -> None:
    """A patch that stands already is found out before anything is merged."""

    def counter(tx: Transaction) -> None:
        tx.map("m").update(n=1)
        tx.set_policy("m", "counter")

    repo = elsewhere(counter)
    write_on(repo, "main", sets(n=3))
    other = elsewhere(counter)
    for _ in range(2):
        other.apply(patch_of(repo))
        assert values(other) == {"n": 3}


def test_it_can_wait_to_be_committed() -> None:
    """With what is edited meanwhile, or be given up."""
    repo = elsewhere(sets(a=1))
    write_on(repo, "main", sets(a=2))
    other = elsewhere(sets(a=1))
    before = other.resolve("main")
    result = other.apply(patch_of(repo), commit=False)
    assert (result.status, result.datasets["m"].modified) == ("prepared", 1)
    assert other.resolve("main") == before
    other.conflicts().abort()
    assert other.working_area().is_clean
    other.apply(patch_of(repo), commit=False).commit("mine")
    assert other.commit_of("main").message == "mine"


def test_files_come_with_their_content() -> None:
    """An old content that is not here cannot be the base: then both are new."""

    def file(content: bytes) -> Any:
        return lambda tx: tx.files("f").write("a", content)

    repo = elsewhere(file(b"one"))
    write_on(repo, "main", both(file(b"two"), lambda tx: tx.blob("b").write(b"new")))
    lines = patch_of(repo)
    same, another = elsewhere(file(b"one")), elsewhere(file(b"other"))
    assert same.apply(lines).status == "replayed"
    assert same.at("main").files("f").read("a") == b"two"
    assert same.at("main").blob("b").read() == b"new"
    result = another.apply(lines)
    assert (result.status, len(result.conflicts)) == ("conflicts", 1)
    result.conflicts.settle("f", "a", "theirs")
    result.commit()
    assert another.at("main").files("f").read("a") == b"two"
    assert list(check_repository(another.store, full=True)) == []


@pytest.mark.parametrize("size", [PATCH_CONTENT_BYTES_MAX, PATCH_CONTENT_BYTES_MAX + 1])
def test_contents_are_embedded_up_to_a_limit(size: int) -> None:
    """One byte more is refused, with a word on bundles."""
    repo = elsewhere(lambda tx: tx.blob("b").write(bytes(size)))
    if size > PATCH_CONTENT_BYTES_MAX:
        error = refused("patch-content", repo, lambda: patch_of(repo))
        assert "bundle" in error.hint
    else:
        other = elsewhere()
        assert other.apply(patch_of(repo)).status == "replayed"
        assert len(other.at("main").blob("b").read()) == size


@pytest.mark.parametrize(
    ("size", "code"),
    [(PATCH_BYTES_MAX, "patch"), (PATCH_BYTES_MAX + 1, "patch-too-long")],
)
def test_a_patch_is_not_longer_than_it_may_be(size: int, code: str) -> None:
    """At the limit it is looked into."""
    repo = elsewhere()
    refused(code, repo, lambda: repo.apply(bytes(size)))


def test_what_is_missing_is_refused() -> None:
    """A dataset, a column; nothing has changed then."""
    repo = elsewhere(rows({"id": 1, "x": 1, "y": 1}), rows({"id": 1, "x": 2, "y": 1}))
    lines = patch_of(repo)
    nowhere = elsewhere()
    refused("no-such-dataset", nowhere, lambda: nowhere.apply(lines))
    narrow = elsewhere(rows({"id": 1, "x": 1}))
    error = refused("patch-schema", narrow, lambda: narrow.apply(lines))
    assert "'y'" in error.message
    dirty = elsewhere(rows({"id": 1, "x": 1, "y": 1}))
    with dirty.working_area().edit("put") as workspace:
        workspace.map("m")["k"] = 1
    refused("uncommitted", dirty, lambda: dirty.apply(lines))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"new": {"id": 1, "x": 2}', '"new": {"id": 1}'),
        ('"new": {"id": 1, "x": 2}', '"new": {"id": 1, "x": "text"}'),
        ('"new": {"id": 1, "x": 2}', '"new": {"id": 7, "x": 2}'),
        ('"new": {"id": 1, "x": 2}', '"new": 5'),
        ('"new": {"id": 1, "x": 2}', '"new": {"id": null, "x": 2}'),
        ('"kind": "table"', '"kind": "files"'),
        ('"kind": "table"', '"kind": "blob"'),
        ('"key": ["id"]', '"key": 5'),
    ],
)
def test_a_forged_patch_is_corrupt(old: str, new: str) -> None:
    """One whose hash is right and whose records do not fit changes nothing."""
    repo = elsewhere(rows({"id": 1, "x": 1}))
    write_on(repo, "main", rows({"id": 1, "x": 2}))
    text = "\n".join(patch_of(repo)[:-1])
    assert old in text
    lines = list(with_end(text.replace(old, new).split("\n")))
    repo.create_branch("side", "main~1")
    other = elsewhere(rows({"id": 1, "x": 1}))
    for place, branch in ((repo, "side"), (other, "main")):
        before = place.store.sequence()
        with pytest.raises((Corrupt, Invalid)) as caught:
            place.apply(lines, branch)
        assert caught.value.code in ("patch", "patch-schema")
        assert place.store.sequence() == before


@pytest.mark.parametrize("form", [None, "5", '"x"', "{}"])
def test_a_blob_whose_new_content_is_none_is_refused(form: str | None) -> None:
    """Whatever a patch says in its place, with the right hash: nothing changes."""
    repo = elsewhere(lambda tx: tx.blob("b").write(b"one"))
    write_on(repo, "main", lambda tx: tx.blob("b").write(b"two"))
    *lines, record, _ = patch_of(repo)
    start, _, _ = record.partition(', "new": ')
    forged = start + ("}" if form is None else f', "new": {form}}}')
    repo.create_branch("side", "main~1")
    before = repo.store.sequence()
    with pytest.raises(Corrupt) as caught:
        repo.apply(list(with_end([*lines, forged])), "side")
    assert (caught.value.code, repo.store.sequence()) == ("patch", before)


@pytest.mark.parametrize("policies", ['{"/": "nonsense"}', '{"x": 5}'])
def test_policies_that_are_none_are_refused(policies: str) -> None:
    """A patch brings none that a merge would stumble over."""
    repo = elsewhere(lambda tx: tx.map("m").update(a=1))

    def change(tx: Transaction) -> None:
        tx.map("m")["a"] = 2
        tx.set_policy("m", "max")

    write_on(repo, "main", change)
    lines = [
        re.sub(r'"policies": \{[^}]*\}', f'"policies": {policies}', line)
        for line in list(patch_of(repo))[:-1]
    ]
    assert policies in "".join(lines)
    repo.create_branch("side", "main~1")
    before = repo.store.sequence()
    with pytest.raises(Corrupt) as caught:
        repo.apply(list(with_end(lines)), "side")
    assert (caught.value.code, repo.store.sequence()) == ("policies", before)
