"""Lines that break for real: sockets cut, servers killed, pushes that race."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import prolly
from prolly.errors import RemoteFailed, Stale
from prolly.server import serve
from prolly.sync import HttpRemote, StreamRemote
from prolly.testing.fault_proxy import FaultProxy
from prolly.testing.repositories import write_on

RECORDS = 6000
# Cut so often, a transfer is still to come to its end.
TRIES_MAX = 40


def fill(repo: prolly.Repository, count: int = RECORDS) -> None:
    """Commit records that do not deflate."""
    source = random.Random(count)
    with repo.transaction("main", message="fill") as tx:
        tx.map("m").update((number, source.randbytes(100)) for number in range(count))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[prolly.Repository]:
    """A repository with records."""
    with prolly.init(tmp_path / "source") as repo:
        fill(repo)
        yield repo


def require_equal(target: prolly.Repository, source: prolly.Repository) -> None:
    """Check that a clone is where its source is, and whole."""
    assert target.resolve("main") == source.resolve("main")
    assert not list(target.fsck(full=True))


def until_done(action: Callable[[], object]) -> None:
    """Do it again as long as the line is cut."""
    for _ in range(TRIES_MAX):
        try:
            action()
        except RemoteFailed:
            continue
        return
    raise AssertionError(f"not done after {TRIES_MAX} tries")


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_clone_goes_on_where_it_was_cut(
    tmp_path: Path, source: prolly.Repository, direction: str
) -> None:
    """Cut again and again it ends, and all bytes together are little more."""
    with serve(source) as server, FaultProxy(server.port) as proxy:
        with prolly.clone(proxy.url(server.url), tmp_path / "whole") as whole:
            require_equal(whole, source)
        uncut = proxy.down

        def clone() -> None:
            url = proxy.url(server.url)
            with prolly.clone(url, tmp_path / "cut") as target:
                require_equal(target, source)

        step = 700 if direction == "up" else uncut // 5
        proxy.cut(**{direction: step}, times=6)
        until_done(clone)
        assert proxy.cuts > 2
        assert proxy.down - uncut < 1.2 * uncut + 50_000


def test_a_push_goes_on_where_it_was_cut(
    tmp_path: Path, source: prolly.Repository
) -> None:
    """What the other side kept of a push does not go there again."""
    with prolly.init(tmp_path / "other") as other:
        with serve(other) as server, FaultProxy(server.port) as proxy:
            source.remotes["origin"] = proxy.url(server.url)
            proxy.cut(up=150_000, times=4)
            until_done(source.push)
            assert proxy.cuts == 4
            assert proxy.up < 1.3 * RECORDS * 100 + 100_000
        require_equal(other, source)


def test_a_lost_reply_to_a_push_is_no_conflict(
    tmp_path: Path, source: prolly.Repository
) -> None:
    """Wherever its replies are cut, the push is done when it is done again."""
    with prolly.init(tmp_path / "other") as other:
        with serve(other) as server, FaultProxy(server.port) as proxy:
            source.remotes["origin"] = proxy.url(server.url)
            for down in range(1, 900, 100):
                change = {down: 1}
                write_on(source, "main", lambda tx, new=change: tx.map("n").update(new))
                proxy.cut(down=down)
                until_done(source.push)
            assert proxy.cuts > 5
        require_equal(other, source)


def test_a_server_that_dies_is_outlived(
    tmp_path: Path, source: prolly.Repository
) -> None:
    """A program killed in the middle of a fetch: nothing stored, then all of it."""
    place = str(Path(__file__).parents[2])
    path = str(source.path)
    code = (
        f"import sys; sys.path.insert(0, {place!r})\n"
        "from prolly.server import serve_repository_pipes\n"
        f"serve_repository_pipes({path!r}, sys.stdin.buffer, sys.stdout.buffer)"
    )
    dying = (
        f"import sys, os; sys.path.insert(0, {place!r})\n"
        "class Dying:\n"
        "    def write(self, data, left=[30_000]):\n"
        "        left[0] -= len(data)\n"
        "        if left[0] < 0: os.kill(os.getpid(), 9)\n"
        "        sys.stdout.buffer.write(data)\n"
        "    def flush(self): sys.stdout.buffer.flush()\n"
        "from prolly.server import serve_repository_pipes\n"
        f"serve_repository_pipes({path!r}, sys.stdin.buffer, Dying())"
    )
    from prolly import sync

    with prolly.init(tmp_path / "target") as target:
        target.remotes["origin"] = "x://source"
        before = set(target.store.iter_addresses())
        line = StreamRemote("x://source", [sys.executable, "-c", dying])
        with pytest.raises(RemoteFailed):
            sync.fetch(target, "origin", remote=line)
        line.close()
        assert set(target.store.iter_addresses()) == before
        assert not dict(target.tracking)
        line = StreamRemote("x://source", [sys.executable, "-c", code])
        sync.fetch(target, "origin", remote=line)
        line.close()
        assert target.tracking["origin/main"] == source.resolve("main")
        assert not list(target.fsck(full=True))


def test_of_two_pushes_at_once_one_is_stale(
    tmp_path: Path, source: prolly.Repository
) -> None:
    """Whoever comes second is told to pull, and does, and then gets through."""
    with (
        serve(source) as server,
        prolly.clone(server.url, tmp_path / "a") as first,
        prolly.clone(server.url, tmp_path / "b") as second,
    ):
        write_on(first, "main", lambda tx: tx.map("m").update({1: "first"}))
        write_on(second, "main", lambda tx: tx.map("m").update({2: "second"}))
        first.push()
        with pytest.raises(Stale) as raised:
            second.push()
        assert raised.value.code == "not-fast-forward"
        assert second.pull().merge.status == "merged"
        second.push()
        require_equal(second, source)
    assert source.at("main").map("m")[1] == "first"
    assert source.at("main").map("m")[2] == "second"


@pytest.mark.parametrize(
    ("changes", "bytes_max"),
    [("scattered", 25_000), ("adjacent", int(1.3 * 120_000) + 2000)],
)
def test_a_pull_moves_the_change(
    tmp_path: Path, source: prolly.Repository, changes: str, bytes_max: int
) -> None:
    """On the wire, HTTP and all: 100 scattered or 1,000 adjacent of 6,000 records."""
    chance = random.Random(1)
    keys = (
        chance.sample(range(RECORDS), 100)
        if changes == "scattered"
        else range(2000, 3000)
    )
    with (
        serve(source) as server,
        FaultProxy(server.port) as proxy,
        prolly.clone(proxy.url(server.url), tmp_path / "a") as target,
    ):
        with source.transaction("main", message="change") as tx:
            tx.map("m").update((key, chance.randbytes(100)) for key in keys)
        before = proxy.up + proxy.down
        report = target.pull()
        assert report.round_trips <= 3
        assert report.mode == "ops"
        assert proxy.up + proxy.down - before <= bytes_max
        require_equal(target, source)


def test_equal_replicas_move_no_records(
    tmp_path: Path, source: prolly.Repository
) -> None:
    """Two replicas that were filled apart with the same records move commits alone."""
    with prolly.init(tmp_path / "other") as other:
        fill(other)
        with serve(source) as server, FaultProxy(server.port) as proxy:
            other.remotes["origin"] = proxy.url(server.url)
            other.fetch()
            assert proxy.up + proxy.down < 5000
        assert other.tracking["origin/main"] == source.resolve("main")


def test_an_interrupted_reader_leaves_nothing_behind(
    tmp_path: Path, source: prolly.Repository
) -> None:
    """A reply that is left in the middle gives its place on the server back."""
    from prolly.sync.conversation import request_of

    with serve(source) as server:
        address = b"".join(list(source.store.iter_addresses())[:500])
        request = request_of("chunks", {"addresses": address})
        for _ in range(40):
            line = HttpRemote(server.url)
            reply = line.ask(request)
            next(reply)
            line.close()
            reply.close()
        line = HttpRemote(server.url)
        assert b"".join(line.ask(request_of("refs", {})))
        line.close()
    assert os.listdir(tmp_path) == ["source"]
