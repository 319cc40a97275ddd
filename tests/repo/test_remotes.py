"""Remotes by name: kept in the store, checked when they are set."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks import RefMove
from prolly.errors import Invalid, LimitExceeded, NotFound
from prolly.repo import (
    REMOTE_NAME_BYTES_MAX,
    REMOTE_URL_BYTES_MAX,
    REMOTES_MAX,
)
from prolly.repo.remotes import TOLD_NAMES
from prolly.testing.repositories import memory_repository


def test_they_are_a_mapping() -> None:
    """Set, changed, listed in order, and gone with their tracking refs."""
    repo = memory_repository()
    repo.remotes["origin"] = "/a"
    repo.remotes["backup"] = "file:///b"
    repo.remotes["origin"] = "https://host/c"
    assert list(repo.remotes.items()) == [
        ("backup", "file:///b"),
        ("origin", "https://host/c"),
    ]
    tip = bytes(repo.resolve("main"))
    repo.store.move_refs([RefMove("remotes/origin/main", None, tip)])
    assert repo.resolve("origin/main") == tip
    del repo.remotes["origin"]
    assert list(repo.remotes) == ["backup"] and len(repo.tracking) == 0
    with pytest.raises(KeyError):
        del repo.remotes["origin"]


def test_one_that_is_not_there_is_not_found() -> None:
    """``require`` names those that there are, ten at the most."""
    remotes = memory_repository().remotes
    with pytest.raises(NotFound) as caught:
        remotes.require("gone")
    assert caught.value.code == "no-such-remote" and "none yet" in caught.value.hint
    for number in range(TOLD_NAMES + 1):
        remotes[f"r{number:02d}"] = f"/{number}"
    assert remotes.require("r10") == "/10"
    with pytest.raises(NotFound) as caught:
        remotes.require("gone")
    assert "r09." in caught.value.hint and "r10" not in caught.value.hint


def test_names_and_urls_have_limits() -> None:
    """The longest are taken, one byte more is not."""
    remotes = memory_repository().remotes
    remotes["x" * REMOTE_NAME_BYTES_MAX] = "/" + "u" * (REMOTE_URL_BYTES_MAX - 1)
    for name in ("x" * (REMOTE_NAME_BYTES_MAX + 1), "a/b", "", "-x"):
        with pytest.raises(Invalid) as caught:
            remotes[name] = "/a"
        assert caught.value.code == "ref-name"
    for url in ("u" * (REMOTE_URL_BYTES_MAX + 1), "", " /a", "/a\n"):
        with pytest.raises(Invalid) as caught:
            remotes["name"] = url
        assert caught.value.code == "remote-url"


def test_a_path_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path, and that of a bundle, is made absolute where it is set."""
    remotes = memory_repository().remotes
    monkeypatch.chdir(tmp_path)
    remotes["up"] = "office"
    remotes["usb"] = "bundle:all.bundle"
    remotes["path"] = Path("office")
    remotes["far"] = "ssh://host/~/office"
    assert remotes["up"] == remotes["path"] == str(tmp_path / "office")
    assert remotes["usb"] == f"bundle:{tmp_path / 'all.bundle'}"
    assert remotes["far"] == "ssh://host/~/office"


def test_there_are_not_too_many() -> None:
    """One more than the limit is refused."""
    repo = memory_repository()
    from prolly.codec import cbor

    known = {f"r{number}": "/a" for number in range(REMOTES_MAX)}
    repo.store.write_setting("remotes", cbor.encode(known))
    with pytest.raises(LimitExceeded):
        repo.remotes["another"] = "/a"
