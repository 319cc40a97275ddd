"""Remotes by name: kept in the store, checked when they are set."""

from __future__ import annotations

import pytest

from prolly.chunks import RefMove
from prolly.errors import Invalid, LimitExceeded
from prolly.repo import (
    REMOTE_NAME_BYTES_MAX,
    REMOTE_URL_BYTES_MAX,
    REMOTES_MAX,
)
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


def test_names_and_urls_have_limits() -> None:
    """The longest are taken, one byte more is not."""
    remotes = memory_repository().remotes
    remotes["x" * REMOTE_NAME_BYTES_MAX] = "u" * REMOTE_URL_BYTES_MAX
    for name in ("x" * (REMOTE_NAME_BYTES_MAX + 1), "a/b", "", "-x"):
        with pytest.raises(Invalid) as caught:
            remotes[name] = "/a"
        assert caught.value.code == "ref-name"
    for url in ("u" * (REMOTE_URL_BYTES_MAX + 1), "", " /a", "/a\n"):
        with pytest.raises(Invalid) as caught:
            remotes["name"] = url
        assert caught.value.code == "remote-url"


def test_there_are_not_too_many() -> None:
    """One more than the limit is refused."""
    repo = memory_repository()
    from prolly.codec import cbor

    known = {f"r{number}": "/a" for number in range(REMOTES_MAX)}
    repo.store.write_setting("remotes", cbor.encode(known))
    with pytest.raises(LimitExceeded):
        repo.remotes["another"] = "/a"
