"""clone, remote, fetch, pull, push, serve and bundle, as they are typed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.server import serve

REPORT = {
    "updated",
    "bytes_received",
    "bytes_sent",
    "round_trips",
    "objects",
    "records",
    "mode",
    "fallbacks",
}


def commit(run: Callable[..., object], key: str, value: int) -> None:
    """Commit one record of the map ``m``."""
    run("put", "m", key, value)
    run("commit", "-m", f"{key} is {value}")


def head(run: Callable[..., object], revision: str = "HEAD") -> str:
    """Return the commit id of a revision."""
    return str(run("show", revision, "--json").document["commit"])


@pytest.fixture
def origin(run: Callable[..., object], repository: Path) -> Callable[..., object]:
    """A repository with one record; returns what runs commands in it."""
    commit(run, "a", 1)
    return run


@pytest.fixture
def copy(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> Callable[..., object]:
    """A clone of it."""
    run_in(tmp_path)("clone", "place", "copy")
    return run_in(tmp_path / "copy")


def test_a_clone_has_everything(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> None:
    """Records, history and origin are there; JSON has the shape of all three."""
    origin("branch", "side")
    told = run_in(tmp_path)("clone", "place", "copy", "--json").document
    assert told.keys() == {"path", "branch", *REPORT}
    assert told["path"] == str(tmp_path / "copy") and told["branch"] == "main"
    assert told["updated"]["remotes/origin/side"] == {"new": head(origin)}
    copy = run_in(tmp_path / "copy")
    assert copy("log", "--json").out == origin("log", "--json").out
    listed = copy("remote", "list", "--json").document
    assert listed == {"remotes": {"origin": str(tmp_path / "place")}}
    assert copy("get", "m", "a").out == origin("get", "m", "a").out


def test_a_clone_is_named_after_its_source(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> None:
    """Without DIR the last part of the URL names the directory, here beneath -C."""
    there = run_in(tmp_path / "there")
    assert "cloned into" in there("clone", "../place").out
    assert (tmp_path / "there" / "place" / ".prolly").is_dir()
    again = there("clone", "../place", code=2)
    assert "repository-exists" in again.err
    assert "no-repository" in there("clone", "../nothing", code=3).err
    assert not (tmp_path / "there" / "nothing").exists()


def test_remotes_are_named(
    run: Callable[..., object], repository: Path, tmp_path: Path
) -> None:
    """Remotes are added, listed and removed; a path means the same from anywhere."""
    run("remote", "add", "far", "https://data.example/x")
    run("remote", "add", "near", "../other")
    run("remote", "add", "file", "bundle:x.bundle")
    assert run("remote", "list", "--json").document["remotes"] == {
        "far": "https://data.example/x",
        "file": f"bundle:{repository}/x.bundle",
        "near": str(tmp_path / "other"),
    }
    assert run("remote", "list").out.splitlines()[0].split() == [
        "far",
        "https://data.example/x",
    ]
    assert "remote-exists" in run("remote", "add", "far", "../x", code=2).err
    told = run("remote", "set", "far", "https://data.example/z", "--json").document
    assert told == {"remote": "far", "url": "https://data.example/z"}
    assert run("remote").out.splitlines()[0].split() == ["far", told["url"]]
    assert "no-such-remote" in run("remote", "set", "gone", "../x", code=3).err
    run("remote", "set", "far", "https://data.example/x")
    for url in ("ftp://x/y", "http://", "ssh://-x/y", "http://me:word@x/y"):
        assert "remote-url" in run("remote", "add", "bad", url, code=2).err
    for url in ("", "bundle:", "https:/data.example/x", "SSH:host"):
        assert "remote-url" in run("remote", "add", "bad", url, code=2).err
    run("remote", "add", "odd", "odd:name")
    assert f"{repository}/odd:name" in run("remote", "list").out
    run("remote", "remove", "odd")
    assert "ref-name" in run("remote", "add", "a/b", "../x", code=2).err
    told = run("remote", "remove", "far", "--json").document
    assert told == {"removed": "far", "url": "https://data.example/x"}
    assert "no-such-remote" in run("remote", "remove", "far", code=3).err


def test_fetch_moves_no_branch_of_ours(
    origin: Callable[..., object], copy: Callable[..., object]
) -> None:
    """What is new there stands under origin/, and a second fetch brings nothing."""
    before = head(copy)
    commit(origin, "b", 2)
    told = copy("fetch", "--json").document
    assert told.keys() == REPORT
    assert told["updated"] == {
        "remotes/origin/main": {"old": before, "new": head(origin)}
    }
    assert head(copy) == before
    assert head(copy, "origin/main") == head(origin)
    assert copy("fetch", "origin").out == "nothing new from origin\n"
    assert copy("fetch", "nobody", code=3).err.count("no-such-remote") == 1


def test_pull_moves_on_or_merges(
    origin: Callable[..., object], copy: Callable[..., object]
) -> None:
    """A branch without work of its own moves on; another is merged."""
    commit(origin, "b", 2)
    assert head(origin)[:12] in copy("pull").out
    assert head(copy) == head(origin)
    assert "has all of it already" in copy("pull", "origin", "main").out
    commit(origin, "c", 3)
    commit(copy, "d", 4)
    told = copy("pull", "--json").document
    assert told["merge"]["status"] == "merged"
    assert told["merge"]["commit"] == head(copy)
    assert told["updated"]["branches/main"]["new"] == head(copy)
    assert len(copy("scan", "m").out.splitlines()) == 4
    assert "no-such-branch" in copy("pull", "origin", "nothing", code=3).err


def test_clones_of_an_empty_repository_come_together(
    run_in: Callable[..., Callable[..., object]], tmp_path: Path
) -> None:
    """Their histories share nothing: that is told, and can be allowed."""
    run = run_in(tmp_path)
    run("init", "empty")
    for name in ("one", "two"):
        run("clone", "empty", name)
        commit(run_in(tmp_path / name), name, 1)
    run_in(tmp_path / "one")("push")
    two = run_in(tmp_path / "two")
    two("push", code=4)
    refused = two("pull", "--json", code=2).error
    assert refused["code"] == "unrelated" and "--allow-unrelated" in refused["hint"]
    two("pull", "--allow-unrelated")
    two("push")
    assert "one" in run_in(tmp_path / "empty")("scan", "m").out


def test_a_pull_with_conflicts_waits(
    origin: Callable[..., object], copy: Callable[..., object]
) -> None:
    """It exits with 1, the merge waits as that of `merge` does, and can be settled."""
    commit(origin, "a", 2)
    commit(copy, "a", 3)
    answer = copy("pull", code=1)
    assert "1 conflict" in answer.out
    assert copy("status", "--json").document["conflicts"] == 1
    copy("resolve", "m", "a", "--theirs")
    copy("merge", "--continue")
    copy("push")
    assert head(origin) == head(copy)


def test_push_moves_on_only(
    origin: Callable[..., object], copy: Callable[..., object]
) -> None:
    """A push that would drop commits exits with 4, and a lease may drop those seen."""
    commit(copy, "b", 2)
    told = copy("push", "--json").document
    assert told.keys() == REPORT
    assert told["updated"]["branches/main"]["new"] == head(copy) == head(origin)
    assert copy("push").out == "origin has all of it already\n"
    commit(origin, "c", 3)
    commit(copy, "d", 4)
    refused = copy("push", "--json", code=4).error
    assert refused["code"] == "not-fast-forward" and "prolly pull" in refused["hint"]
    assert copy("push", "--force-with-lease", "--json", code=4).error["code"] == "lease"
    copy("fetch")
    copy("push", "--force-with-lease")
    assert head(origin) == head(copy)
    assert "no-such-branch" in copy("push", "origin", "nothing", code=3).err


def test_other_branches_are_pushed_and_pulled(
    origin: Callable[..., object], copy: Callable[..., object]
) -> None:
    """A branch named on the line is made on the other side."""
    copy("branch", "side")
    copy("push", "origin", "side")
    assert "side" in origin("branch").out
    origin("branch", "other")
    copy("pull", "origin", "other")
    assert head(copy, "other") == head(origin, "other")


def test_an_address_stands_for_a_remote(
    origin: Callable[..., object], copy: Callable[..., object]
) -> None:
    """A path behind the command is seen from -C, as in clone."""
    commit(origin, "b", 2)
    copy("pull", "../place")
    assert head(copy) == head(origin)


def test_a_remote_that_does_not_answer_is_told(
    run: Callable[..., object], repository: Path
) -> None:
    """Nobody there exits with 7, and says what to look at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    run("remote", "add", "gone", f"http://127.0.0.1:{port}/x")
    for words in (["fetch", "gone"], ["pull", "gone"], ["push", "gone"]):
        told = run(*words, "--json", code=7).error
        assert told["code"] == "unreachable" and told["hint"]


def test_serve_is_ended_by_a_signal(
    origin: Callable[..., object],
    start: Callable[..., subprocess.Popen[bytes]],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> None:
    """It prints its address, serves clones and pushes, and ends well."""
    process = start("serve", "--json")
    try:
        assert process.stdout is not None
        import json

        told = json.loads(process.stdout.readline())
        assert told.keys() == {"url", "host", "port"}
        run_in(tmp_path)("clone", told["url"], "copy")
        copy = run_in(tmp_path / "copy")
        commit(copy, "b", 2)
        copy("push")
        assert head(origin) == head(copy)
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert b"Traceback" not in said


def test_serve_is_for_this_machine(
    run: Callable[..., object], repository: Path
) -> None:
    """Another address is refused with 6, a port that is taken with 7."""
    told = run("serve", "--host", "0.0.0.0", "--json", code=6).error
    assert told["code"] == "loopback-only" and told["hint"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert "address-taken" in run("serve", "--port", port, code=7).err


def test_read_only_service_takes_no_push(
    origin: Callable[..., object], copy: Callable[..., object], repository: Path
) -> None:
    """A push to who only gives exits with 6."""
    import prolly

    with (
        prolly.open(repository, writable=False) as repo,
        serve(repo, read_only=True) as server,
    ):
        copy("remote", "add", "web", server.url)
        copy("fetch", "web")
        commit(copy, "b", 2)
        refused = copy("push", "web", "--json", code=6).error
        assert refused["code"] == "read-only" and "pull from here" in refused["hint"]


@pytest.fixture
def far(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An ssh that runs the shell of this machine, and a prolly for it."""
    ssh, program = tmp_path / "ssh", tmp_path / "far prolly"
    ssh.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    paths = [str(root), str(root / "cli")]
    program.write_text(
        f"#!{sys.executable}\nimport sys; sys.path[:0] = {paths!r}\n"
        "from prolly_cli.main import main; sys.exit(main())\n"
    )
    for one in (ssh, program):
        one.chmod(0o755)
    monkeypatch.setenv("PROLLY_SSH", f"'{ssh}'")
    monkeypatch.setenv("PROLLY_REMOTE_PROGRAM", f"'{program}'")
    return "ssh://me@far.example"


def test_ssh_carries_the_same(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    repository: Path,
    tmp_path: Path,
    far: str,
) -> None:
    """Clone, pull and push over ssh; what is not there is told as what it is."""
    run_in(tmp_path)("clone", f"{far}{repository}", "copy")
    copy = run_in(tmp_path / "copy")
    commit(origin, "b", 2)
    copy("pull")
    commit(copy, "c", 3)
    copy("push")
    assert head(origin) == head(copy)
    missing = run_in(tmp_path)("clone", f"{far}/nowhere", "x", "--json", code=3)
    assert missing.error["code"] == "no-repository"


def test_bundles_are_carried(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> None:
    """Whole ones are cloned, later ones applied, and both can be looked into."""
    made = origin("bundle", "create", "../whole.bundle", "--json").document
    assert made["refs"] == {"branches/main": head(origin)}
    assert made["prerequisites"] == [] and made["commits"] == 2
    before = head(origin)
    anywhere = run_in(tmp_path)
    anywhere("clone", "bundle:whole.bundle", "copy")
    copy = run_in(tmp_path / "copy")
    commit(origin, "b", 2)
    origin("tag", "t")
    origin("bundle", "create", "../part.bundle", f"{before}..main", "t")
    looked = copy("bundle", "verify", "../part.bundle", "--json").document
    assert looked["prerequisites"] == [before] and looked["missing"] == []
    assert looked["refs"].keys() == {"branches/main", "tags/t"}
    told = copy("bundle", "apply", "../part.bundle", "--json").document
    assert told["updated"]["branches/main"] == {"old": before, "new": head(origin)}
    assert told["updated"]["tags/t"] == {"new": head(origin)}
    assert copy("bundle", "apply", "../part.bundle").out == "nothing new in it\n"
    assert copy("fsck", "--full").code == 0


def test_bundles_that_cannot_be_taken(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> None:
    """Missing commits, lost commits, damage and nonsense have their own exit codes."""
    origin("bundle", "create", "../old.bundle")
    commit(origin, "b", 2)
    origin("bundle", "create", "../part.bundle", "main~1..main")
    fresh = run_in(tmp_path / "fresh")
    fresh("init")
    assert "missing" in fresh("bundle", "verify", "../part.bundle", code=1).out
    refused = fresh("bundle", "apply", "../part.bundle", "--json", code=3).error
    assert refused["code"] == "bundle-prerequisite"
    for verb in (["pull"], ["fetch"], ["clone"]):
        where = ["../cloned"] if verb == ["clone"] else []
        told = fresh(*verb, "bundle:../part.bundle", *where, "--json", code=3).error
        assert told["code"] == "bundle-prerequisite"
    fresh("bundle", "apply", "../old.bundle")
    commit(fresh, "mine", 1)
    told = fresh("bundle", "apply", "../part.bundle", "--json", code=4).error
    assert told["code"] == "not-fast-forward" and "prolly pull bundle:" in told["hint"]
    fresh("pull", "bundle:../part.bundle")
    assert len(fresh("scan", "m").out.splitlines()) == 3
    data = bytearray((tmp_path / "old.bundle").read_bytes())
    data[20] ^= 1
    (tmp_path / "bad.bundle").write_bytes(data)
    assert fresh("bundle", "verify", "../bad.bundle", code=5).err
    other = run_in(tmp_path / "other")
    other("init")
    assert other("bundle", "apply", "../bad.bundle", code=5).err
    assert "no-file" in fresh("bundle", "verify", "../none", code=3).err
    assert "bundle-ref" in origin("bundle", "create", "x", "main~1", code=2).err
    assert "bundle-empty" in origin("bundle", "create", "x", "main..main", code=2).err


def test_a_bundle_of_everything(
    origin: Callable[..., object], repository: Path
) -> None:
    """--all holds each branch and tag; the same history makes the same bytes."""
    origin("branch", "side")
    origin("tag", "v1")
    for name in ("one", "two"):
        origin("bundle", "create", name, "--all")
    told = origin("bundle", "verify", "one", "--json").document
    assert told["refs"].keys() == {"branches/main", "branches/side", "tags/v1"}
    assert (repository / "one").read_bytes() == (repository / "two").read_bytes()


def test_places_that_are_no_repository_are_told_apart(
    origin: Callable[..., object],
    run_in: Callable[..., Callable[..., object]],
    tmp_path: Path,
) -> None:
    """A bundle without its scheme, another machine as for scp, and nothing at all."""
    origin("bundle", "create", "../all.bundle")
    run = run_in(tmp_path)
    for words, hint in (
        ("all.bundle", "bundle:"),
        ("me@host:place", "ssh://"),
        ("127.0.0.1:8000/place", "http://"),
        ("nowhere", "Check the path"),
    ):
        told = run("clone", words, "copy", "--json", code=3).error
        assert told["code"] == "no-repository" and hint in told["hint"]
        assert not (tmp_path / "copy").exists()
    refused = run("init", "http://127.0.0.1/place", "--json", code=2).error
    assert refused["code"] == "file-path" and "clone" in refused["hint"]
    assert not list(tmp_path.glob("http*"))
