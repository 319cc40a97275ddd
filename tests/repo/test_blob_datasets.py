"""Blobs and files in commits: stored whole, compared, carried over, in the log."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from prolly.codec import Address
from prolly.errors import Invalid, Stale
from prolly.maps import ABSENT, write_blob
from prolly.repo import Repository, create_repository
from prolly.testing.repositories import memory_repository
from prolly.tree import reachable

LONG = random.Random(19).randbytes(2_000_000)


@pytest.fixture
def repo() -> Repository:
    """A repository with a blob and two files in one commit."""
    repo = memory_repository()
    with repo.transaction("main", message="base") as tx:
        tx.blob("logo").write(b"first")
        files = tx.files("model")
        files.write("a", b"1", mode=0o644, mtime_ns=5)
        files.write("d/b", LONG)
    return repo


def test_a_blob_comes_back(repo: Repository) -> None:
    """What was written is read from the commit, in ranges too."""
    with repo.transaction("main") as tx:
        blob = tx.blob("logo", "wb")
        blob.write(LONG)
        assert tx.blob("logo").read(5) == LONG[:5]
    with repo.at("main").blob("logo") as file:
        assert file.seek(1_000_000) == 1_000_000
        assert file.read(10) == LONG[1_000_000:1_000_010]
    info = repo.at("main").datasets["logo"]
    assert (info.kind, info.count) == ("blob", len(LONG))
    with repo.store.writer() as writer:
        assert info.root == write_blob(writer, LONG).address


def test_an_untouched_blob_is_empty(repo: Repository) -> None:
    """A blob that was only opened is stored, and opening one changes nothing."""
    before = repo.at("main").datasets["logo"]
    with repo.transaction("main") as tx:
        tx.blob("new")
        assert tx.blob("logo").read() == b"first"
    assert repo.at("main").blob("new").read() == b""
    assert repo.at("main").datasets["logo"] == before


def test_everything_referred_to_is_reachable(repo: Repository) -> None:
    """Walking links from the commit finds the pieces of blobs and files."""
    head = repo.resolve("main")
    found = dict(reachable(repo.store.get_many, [head]))
    wanted = {bytes(repo.at("main").datasets["logo"].root)}
    wanted |= {bytes(repo.at("main").files("model")[path].content) for path in "a"}
    assert wanted <= found.keys()
    assert sum(len(chunk) for chunk in found.values()) > len(LONG)


def test_differences_name_what_changed(repo: Repository) -> None:
    """A blob is one change without a key; a file names content, mode and mtime."""
    with repo.transaction("main") as tx:
        tx.blob("logo", "ab").write(b"!")
        tx.blob("other").write(b"x")
        files = tx.files("model")
        files.write("a", b"1", mode=0o600, mtime_ns=6)
        files.write("d/b", LONG + b"x")
        files.write("new", b"")
    changes = {
        (change.dataset, change.key): change for change in repo.diff("main~1", "main")
    }
    blob = changes["logo", ()]
    assert (blob.kind, blob.fields) == ("modified", ("content",))
    assert (blob.old["size"], blob.new["size"]) == (5, 6)
    assert blob.new["content"] == str(repo.at("main").datasets["logo"].root)
    assert changes["other", ()].old is ABSENT
    assert changes["model", "a"].fields == ("mode", "mtime")
    assert changes["model", "a"].new["mode"] == "600"
    assert changes["model", "d/b"].fields == ("content",)
    assert changes["model", "new"].kind == "added"
    counts = repo.diff_counts("main~1", "main")
    assert (counts["logo"].modified, counts["other"].added) == (1, 1)
    assert (counts["model"].added, counts["model"].modified) == (1, 2)
    assert not list(repo.diff("main~1", "main", "logo", start="a"))


def test_concurrent_changes_of_a_blob_are_a_lost_race(repo: Repository) -> None:
    """A blob is one value: any change of it by both, even an equal one, is Stale."""
    for ours, theirs in ((b"x", b"x"), (b"y", b"z")):
        late = repo.transaction("main")
        late.blob("logo", "wb").write(ours)
        with repo.transaction("main") as tx:
            tx.blob("logo", "wb").write(theirs)
        with pytest.raises(Stale) as caught:
            late.commit()
        assert caught.value.code == "write-conflict"
        assert repo.at("main").blob("logo").read() == theirs
    late = repo.transaction("main")
    late.rename("logo", "icon")
    late.files("model").write("a", b"late")
    with repo.transaction("main") as tx:
        tx.blob("logo", "wb").write(b"meanwhile")
        tx.files("model").write("d/b", b"meanwhile")
    late.commit()
    assert repo.at("main").blob("icon").read() == b"meanwhile"
    assert repo.at("main").files("model").read("a") == b"late"
    assert repo.at("main").files("model").read("d/b") == b"meanwhile"


def test_kinds_do_not_mix(repo: Repository) -> None:
    """Opening a dataset as another kind is Invalid, in both places."""
    snapshot = repo.at("main")
    with repo.transaction("main") as tx:
        for call in (
            lambda: snapshot.blob("model"),
            lambda: snapshot.files("logo"),
            lambda: snapshot.map("model"),
            lambda: snapshot.dataset("logo"),
            lambda: tx.map("logo"),
            lambda: tx.blob("model"),
            lambda: tx.files("logo"),
        ):
            with pytest.raises(Invalid) as caught:
                call()
            assert caught.value.code == "wrong-kind"
        with pytest.raises(Invalid) as caught:
            tx.blob("never", "w")
        assert (caught.value.code, tx.find("never")) == ("option", None)


def test_an_exception_discards_writes(repo: Repository) -> None:
    """Nothing of a failed block stays, and its file objects are closed."""
    with pytest.raises(ZeroDivisionError), repo.transaction("main") as tx:
        blob = tx.blob("logo")
        blob.write(LONG)
        file = tx.files("model").open("a", "wb")
        raise ZeroDivisionError
    assert repo.at("main").blob("logo").read() == b"first"
    with pytest.raises(Invalid) as caught:
        blob.write(b"x")
    assert caught.value.code == "closed"
    file.close()


def test_the_log_of_a_blob(repo: Repository) -> None:
    """Commits that changed it, and no others."""
    with repo.transaction("main", message="files alone") as tx:
        tx.files("model").write("a", b"2")
    with repo.transaction("main", message="blob") as tx:
        tx.blob("logo", "ab").write(b"2")
    logged = [one.commit.message for one in repo.log("main", dataset="logo")]
    assert logged == ["blob", "base"]


def test_a_byte_in_front_stores_little(tmp_path: Path) -> None:
    """On disk an insertion into 20 MB takes a few pieces, written whole or inserted."""
    value = random.Random(23).randbytes(20_000_000)

    def used() -> int:
        return sum(one.stat().st_size for one in tmp_path.rglob("*.pack"))

    with create_repository(tmp_path) as repo:
        with repo.transaction("main") as tx:
            tx.blob("b").write(value)
        before = used()
        assert before < 1.02 * len(value)
        with repo.transaction("main") as tx:
            tx.blob("b").insert(b"x")
        with repo.transaction("main") as tx:
            tx.blob("again").write(b"x" + value)
        assert used() - before < 600_000
        datasets = repo.at("main").datasets
        assert datasets["b"].root == datasets["again"].root
        assert isinstance(datasets["b"].root, Address)
