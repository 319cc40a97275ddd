"""Clones that break, meet, and are worked in before they are whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

import prolly
from prolly.errors import Corrupt, NotFound, RemoteFailed, Stale
from prolly.sync import PathRemote, clone, fetch

Happening = Exception | Callable[[], None]


class Interrupted(PathRemote):
    """A line to ``office`` at whose second exchange something happens, or all break."""

    def __init__(self, place: Path, happening: Happening) -> None:
        super().__init__(place / "office")
        self._happening = happening
        self._asked = 0

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        self._asked += 1
        if isinstance(self._happening, Exception):
            if self._asked > 1:
                raise self._happening
        elif self._asked == 2:
            self._happening()
        yield from super()._exchange(request, body)


def broken() -> RemoteFailed:
    """Return what a line raises that breaks."""
    return RemoteFailed("it broke on cue", code="line-broken", hint="Go on.")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a repository ``office``."""
    with (
        prolly.init(tmp_path / "office") as office,
        office.transaction("main", message="first") as tx,
    ):
        tx.map("m").update(a=1)
    return tmp_path


def half(place: Path) -> None:
    """Leave the half of a clone of ``office`` at ``desk``."""
    with pytest.raises(RemoteFailed):
        clone("x:y", place / "desk", remote=Interrupted(place, broken()))


def work(place: Path) -> bytes:
    """Commit to ``main`` of ``desk``, and make a branch; return the commit."""
    with prolly.open(place / "desk") as desk:
        with desk.transaction("main", message="mine") as tx:
            tx.map("mine")["a"] = 1
        desk.branches.create("side", desk.branches["main"])
        return bytes(desk.branches["main"])


def test_two_clones_into_one_directory_do_not_meet(place: Path) -> None:
    """The second is told to wait, and what the first one makes stays."""

    def second() -> None:
        with pytest.raises(Stale) as caught:
            clone("x:y", place / "desk", remote=PathRemote(place / "office"))
        assert caught.value.code == "upload-busy"

    line = Interrupted(place, second)
    repo, _ = clone("x:y", place / "desk", remote=line)
    assert dict(repo.at("main").map("m")) == {"a": 1}
    repo.close()


def test_what_was_committed_in_half_a_clone_stays(place: Path) -> None:
    """No branch moves that somebody has used, and none goes."""
    half(place)
    mine = work(place)
    repo, _ = clone("x:y", place / "desk", remote=PathRemote(place / "office"))
    assert {*map(bytes, repo.branches.values())} == {mine}
    assert [*repo.branches] == ["main", "side"]
    assert repo.store.read_ref("remotes/origin/main") is not None
    repo.close()


def test_a_fetch_in_half_a_clone_moves_no_branch(place: Path) -> None:
    """It is no clone, however often it is done; the next clone ends what was begun."""
    half(place)
    with prolly.open(place / "desk") as desk:
        first = desk.branches["main"]
        fetch(desk, remote=PathRemote(place / "office"))
        assert desk.branches["main"] == first
    repo, _ = clone("x:y", place / "desk", remote=PathRemote(place / "office"))
    assert dict(repo.at("main").map("m")) == {"a": 1}
    repo.close()


def test_a_clone_that_fails_removes_no_work(place: Path) -> None:
    """What somebody committed meanwhile is still there; an untouched half is not."""
    half(place)
    mine = work(place)
    wrong = Corrupt("what came is wrong", code="tree-shape", hint="Ask another one.")
    with pytest.raises(Corrupt):
        clone("x:y", place / "desk", remote=Interrupted(place, wrong))
    with prolly.open(place / "desk") as desk:
        assert desk.branches["main"] == mine


def test_a_clone_that_fails_leaves_nothing(place: Path) -> None:
    """Neither a repository nor a directory that was not there before."""
    half(place)
    missing = NotFound("what was asked for went", code="chunk-missing", hint="Again.")
    with pytest.raises(NotFound):
        clone("x:y", place / "desk", remote=Interrupted(place, missing))
    assert not (place / "desk" / ".prolly").exists()
    with pytest.raises(NotFound):
        clone("x:y", place / "new", remote=Interrupted(place, missing))
    assert not (place / "new").exists()


def test_a_fetch_goes_on_where_another_one_was_faster(place: Path) -> None:
    """Two fetches at once into one store both succeed."""
    with prolly.clone(str(place / "office"), place / "desk") as desk:
        with (
            prolly.open(place / "office") as office,
            office.transaction("main", message="second") as tx,
        ):
            tx.map("m").update(b=2)

        def meanwhile() -> None:
            with prolly.open(place / "desk") as same:
                fetch(same)

        fetch(desk, remote=Interrupted(place, meanwhile))
        assert dict(desk.at("origin/main").map("m")) == {"a": 1, "b": 2}
