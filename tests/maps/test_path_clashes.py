"""Files that exclude each other by their paths."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, key
from prolly.errors import Invalid
from prolly.maps import iter_path_clashes, require_no_path_clash
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.testing.repositories import diverged, memory_repository
from prolly.tree import NodeReader, build

PATHS = st.lists(st.sampled_from("ab-0"), min_size=1, max_size=3).map("/".join)


def tree(store: MemoryStore, paths: set[str]) -> bytes:
    writer = store.writer()
    keys = sorted(key.encode((path,)) for path in paths)
    root = build(writer, [(keys, [b"x"] * len(keys))], DEFAULT_PARAMETERS)
    writer.commit([])
    return root


@settings(max_examples=150, deadline=None)
@given(st.sets(PATHS, max_size=8), st.sets(PATHS, max_size=4))
def test_exactly_the_clashes_of_new_paths_are_found(
    old: set[str], new: set[str]
) -> None:
    """A new path is told when it lies below a file, or files lie below it."""
    store = MemoryStore()
    reader = NodeReader(store.get)
    before, after = tree(store, old), tree(store, old | new)
    found = {key.decode_key(one) for one, _ in iter_path_clashes(reader, before, after)}
    known = old | new
    assert found == {
        one
        for one in known - old
        for other in known
        if other.startswith(f"{one}/") or one.startswith(f"{other}/")
    }


def test_the_error_names_both_paths() -> None:
    """Invalid ``file-path-clash`` with path and other; silent where all is well."""
    store = MemoryStore()
    reader = NodeReader(store.get)
    good, bad = tree(store, {"a", "a-b"}), tree(store, {"a", "a-b", "a/b"})
    require_no_path_clash(reader, None, good)
    with pytest.raises(Invalid) as caught:
        require_no_path_clash(reader, good, bad)
    assert caught.value.code == "file-path-clash"
    assert {caught.value.facts["path"], caught.value.facts["other"]} == {"a", "a/b"}


def clashing() -> Repository:
    """Two branches: a file on one stands where the other has a directory."""
    return diverged(
        lambda tx: tx.files("f").write("x", b"x"),
        lambda tx: tx.files("f").write("clash/f", b"ours"),
        lambda tx: tx.files("f").write("clash", b"theirs"),
    )


def test_a_conflict_of_paths_is_not_settled_into_a_clash() -> None:
    """To take theirs is refused while ours' file is in the way, and works then."""
    repo = clashing()
    conflicts = repo.merge("feature").conflicts
    for take in (
        lambda: conflicts.settle("f", "clash", "theirs"),
        lambda: conflicts.settle_all("theirs"),
    ):
        with pytest.raises(Invalid) as caught:
            take()
        assert caught.value.code == "file-path-clash"
    assert len(conflicts) == 1
    with repo.working_area().edit("test") as workspace:
        workspace.files("f").rename("clash/f", "kept/f")
    conflicts.settle("f", "clash", "theirs")
    conflicts.commit()
    assert list(repo.at("main").files("f")) == ["clash", "kept/f", "x"]


def test_transactions_at_once_do_not_clash_either() -> None:
    """The second of two that exclude each other by their paths is refused."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.files("f").write("x", b"x")
    first, second = repo.transaction("main"), repo.transaction("main")
    first.files("f").write("clash/f", b"1")
    second.files("f").write("clash", b"2")
    first.commit()
    with pytest.raises(Invalid) as caught:
        second.commit()
    assert caught.value.code == "file-path-clash"


def test_a_check_in_full_finds_clashing_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that holds such files is told by a full check, and by no other."""
    repo = clashing()
    conflicts = repo.merge("feature").conflicts
    with monkeypatch.context() as patch:
        patch.setattr("prolly.maps.require_no_path_clash", lambda *told: None)
        conflicts.settle("f", "clash", "theirs")
    conflicts.commit()
    with repo.transaction("main") as tx:
        tx.files("f").write("y", b"y")
    assert [one.code for one in check_repository(repo.store, full=False)] == []
    found = [one.code for one in check_repository(repo.store, full=True)]
    assert set(found) == {"file-path-clash"}
