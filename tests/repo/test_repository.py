"""Repositories on disk: made, found, opened, shared by threads and processes."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prolly.codec import Address
from prolly.errors import AlreadyExists, Error, Invalid, NotFound, ReadOnly
from prolly.repo import (
    STORE_DIRECTORY,
    create_repository,
    find_repository,
    open_repository,
)

# The constant first commit: the same bytes everywhere, so that all repositories share
# an ancestor. It may change with a new format version only.
FIRST_COMMIT = "f440560f6ea8bb71f89de92ebab162d81196cc839acdaff023061640a0c9917c"


def test_init_makes_the_constant_first_commit(tmp_path: Path) -> None:
    """Any two repositories begin at one commit: no author, time 0, no dataset."""
    for name in ("one", "two/deep"):
        with create_repository(tmp_path / name) as repo:
            assert str(repo.resolve("main")) == FIRST_COMMIT
            commit = repo.commit_of("main")
            assert (commit.author, commit.time_us, commit.generation) == ("", 0, 0)
            assert not repo.at("main").datasets
            assert repo.head == "main"


def test_init_twice_and_open_nowhere(tmp_path: Path) -> None:
    """A second init is AlreadyExists, an open without a repository NotFound."""
    create_repository(tmp_path).close()
    with pytest.raises(AlreadyExists) as twice:
        create_repository(tmp_path)
    assert twice.value.code == "repository-exists"
    with pytest.raises(NotFound) as missing:
        open_repository(tmp_path / "elsewhere")
    assert missing.value.code == "no-repository"


def test_a_repository_is_found_from_below(tmp_path: Path) -> None:
    """The nearest directory upwards that holds one is it."""
    create_repository(tmp_path).close()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_repository(below) == tmp_path
    with pytest.raises(NotFound):
        find_repository(tmp_path.parent)


def test_data_survive_closing(tmp_path: Path) -> None:
    """What was committed is there after a close, and use after close is refused."""
    repo = create_repository(tmp_path)
    with repo.transaction("main") as tx:
        tx.map("m").update((n, "x" * n) for n in range(0, 3000, 7))
    snapshot = repo.at("main")
    repo.close()
    repo.close()
    for use in (lambda: repo.resolve("main"), lambda: snapshot.map("m")[7]):
        with pytest.raises(Invalid) as caught:
            use()
        assert caught.value.code == "closed"
    with open_repository(tmp_path) as again:
        assert again.at("main").root == snapshot.root
        assert again.at("main").map("m")[2996] == "x" * 2996


def test_an_interrupted_init_is_finished(tmp_path: Path) -> None:
    """A store without its first commit gets it at the next open."""
    from prolly.chunks import LocalStore

    LocalStore.create(tmp_path / STORE_DIRECTORY).close()
    with open_repository(tmp_path) as repo:
        assert str(repo.resolve("main")) == FIRST_COMMIT


def test_read_only_refuses_writes(tmp_path: Path) -> None:
    """Opened read-only, reads work and a commit raises ReadOnly."""
    create_repository(tmp_path).close()
    with open_repository(tmp_path, writable=False) as repo:
        assert str(repo.resolve("main")) == FIRST_COMMIT
        with pytest.raises(ReadOnly), repo.transaction("main") as tx:
            tx.map("m")["a"] = 1


def test_a_snapshot_pickles(tmp_path: Path) -> None:
    """A pickled snapshot opens the same version; a working state does not pickle."""
    with create_repository(tmp_path) as repo:
        with repo.transaction("main") as tx:
            tx.map("m")["a"] = 1
        copy = pickle.loads(pickle.dumps(repo.at("main")))
        assert copy.map("m")["a"] == 1
        assert copy.commit == repo.resolve("main")
        with pytest.raises(Invalid) as caught:
            pickle.dumps(repo.at_working())
        assert caught.value.code == "not-picklable"


def test_threads_share_a_repository(tmp_path: Path) -> None:
    """Eight threads that commit other keys lose nothing; each reads what it wrote."""
    with create_repository(tmp_path) as repo:
        faults: list[object] = []

        def work(number: int) -> None:
            try:
                for step in range(5):
                    with repo.transaction("main", message=f"{number}") as tx:
                        tx.map("m")[f"{number}/{step}"] = step
                    assert repo.at(tx.commit_id).map("m")[f"{number}/{step}"] == step
            except (Error, AssertionError, KeyError) as error:
                faults.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        assert len(repo.at("main").map("m")) == 40
        assert sum(1 for _ in repo.log()) == 41


WRITER = """
import sys, prolly
path, name = sys.argv[1:]
with prolly.open(path) as repo:
    for step in range(6):
        with repo.transaction("main", message=name) as tx:
            tx.map("m")[f"{name}/{step}"] = "v" * 2000
            tx.map("m").update((f"{name}/{step}/{n}", n) for n in range(300))
"""


def test_processes_share_a_repository(tmp_path: Path) -> None:
    """Three processes that write one branch at once lose nothing."""
    create_repository(tmp_path).close()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name])
        for name in ("x", "y", "z")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with open_repository(tmp_path) as repo:
        m = repo.at("main").map("m")
        assert len(m) == 3 * 6 * 301
        assert {m[f"{name}/{n}"] for name in "xyz" for n in range(6)} == {"v" * 2000}
        assert sum(1 for _ in repo.log()) == 19


def test_branches_and_tags_are_mappings(tmp_path: Path) -> None:
    """Refs read and move like a dictionary; misuse is told apart."""
    with create_repository(tmp_path) as repo:
        first = repo.resolve("main")
        repo.branches["side"] = first
        repo.tags.create("v1", first)
        assert dict(repo.branches) == {"main": first, "side": first}
        assert isinstance(repo.tags["v1"], Address)
        with pytest.raises(AlreadyExists):
            repo.create_branch("side")
        with pytest.raises(Invalid) as current:
            repo.delete_branch("main")
        assert current.value.code == "current-branch"
        repo.delete_branch("side")
        with pytest.raises(NotFound):
            repo.delete_branch("side")
        with pytest.raises(NotFound):
            repo.branches["side"] = Address(bytes(32))
        with pytest.raises(NotFound):
            repo.switch("side")
        assert list(repo.branches) == ["main"]


def test_the_log_can_be_filtered(tmp_path: Path) -> None:
    """By dataset and by key, only commits that changed them are listed."""
    with create_repository(tmp_path) as repo:
        for message, dataset, key in (
            ("one", "a", "x"),
            ("two", "b", "x"),
            ("three", "a", "y"),
            ("four", "a", "x"),
        ):
            with repo.transaction("main", message=message) as tx:
                tx.map(dataset)[key] = message
        assert [e.commit.message for e in repo.log(dataset="a")] == [
            "four",
            "three",
            "one",
        ]
        assert [e.commit.message for e in repo.log(dataset="a", key="x")] == [
            "four",
            "one",
        ]
        with pytest.raises(NotFound):
            list(repo.log(dataset="nope"))
        assert repo.merge_base("main", "main~2") == repo.resolve("main~2")
        assert repo.is_ancestor("main~2", "main")


def test_the_log_follows_a_rename(tmp_path: Path) -> None:
    """Asked by its new name, a dataset's commits before the rename are listed too."""
    with create_repository(tmp_path) as repo:
        for message in ("one", "two"):
            with repo.transaction("main", message=message) as tx:
                tx.map("old")[message] = 1
        with repo.transaction("main", message="rename") as tx:
            tx.rename("old", "new")
        messages = [e.commit.message for e in repo.log(dataset="new")]
        assert messages == ["rename", "two", "one"]
        assert [e.commit.message for e in repo.log(dataset="new", key="one")] == ["one"]
        assert [e.commit.message for e in repo.log(dataset="old")] == messages


def test_misuse_of_refs_and_revisions_is_told(tmp_path: Path) -> None:
    """What is no id or no revision is Invalid; a taken name is AlreadyExists."""
    with create_repository(tmp_path) as repo:
        with pytest.raises(Invalid):
            repo.at(5)  # type: ignore[arg-type]  # The misuse is the point.
        with pytest.raises(Invalid):
            repo.tags["v"] = "HEAD"  # type: ignore[assignment]  # As above.
        with pytest.raises(KeyError):
            repo.tags["nope"]
        with pytest.raises(AlreadyExists):
            repo.tags.create("main", repo.resolve("main"))
