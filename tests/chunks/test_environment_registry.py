"""One environment for all stores of a process that stand on the same files."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prolly.chunks import LocalStore
from prolly.chunks import environment_registry as registry
from prolly.errors import Invalid, Unsupported


def put(store: LocalStore, chunk: bytes) -> bytes:
    """Commit one chunk."""
    with store.writer() as writer:
        address = writer.put(chunk)
        writer.commit()
    return address


def test_second_store_shares_the_environment(tmp_path: Path) -> None:
    """Two stores, by path and by link, see each other; either may close first."""
    first = LocalStore.create(tmp_path / "store")
    (tmp_path / "link").symlink_to(tmp_path / "store")
    second = LocalStore.open(tmp_path / "link")
    assert first._environment is second._environment
    address = put(first, b"shared")
    first.close()
    assert second.get(address) == b"shared"
    put(second, b"still open")
    second.close()
    assert second._environment._handle is None


def test_made_again_is_another_store(tmp_path: Path) -> None:
    """A directory that was removed and made again does not show the old store."""
    old = LocalStore.create(tmp_path / "store")
    address = put(old, b"old")
    shutil.rmtree(tmp_path / "store")
    new = LocalStore.create(tmp_path / "store")
    assert new.get(address) is None
    new.close()
    old.close()


def test_durability_is_never_less_than_asked(tmp_path: Path) -> None:
    """A store in 'full' is not given a 'scratch' environment; the reverse is fine."""
    scratch = LocalStore.create(tmp_path, durability="scratch")
    with pytest.raises(Invalid) as caught:
        LocalStore.open(tmp_path)
    assert caught.value.code == "durability"
    scratch.close()
    full = LocalStore.open(tmp_path)
    other = LocalStore.open(tmp_path, durability="scratch")
    put(other, b"x")
    other.close()
    full.close()


def test_threads_open_and_close_at_once(tmp_path: Path) -> None:
    """Any number of threads may open, use and close the same store."""
    LocalStore.create(tmp_path).close()

    def work(number: int) -> bool:
        store = LocalStore.open(tmp_path)
        address = put(store, b"chunk %d" % number)
        good = store.get(address) == b"chunk %d" % number
        store.close()
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(24)))
    store = LocalStore.open(tmp_path)
    assert len(list(store.iter_addresses())) == 24
    assert store._environment.users == 1
    store.close()


def test_another_engine_is_unsupported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine whose files have another form is refused before it touches any."""
    LocalStore.create(tmp_path).close()
    monkeypatch.setattr(registry, "ENGINE_VERSION", (1, 0))
    with pytest.raises(Unsupported) as caught:
        LocalStore.open(tmp_path)
    assert caught.value.code == "engine-version"
