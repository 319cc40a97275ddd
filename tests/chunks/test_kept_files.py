"""Kept files stay until they are removed, and belong to one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from prolly.chunks import KeptFiles, LocalStore, MemoryStore, Store
from prolly.chunks.kept_files import KEPT_DAYS, KEPT_FILES_MAX


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind."""
    made = (
        MemoryStore()
        if request.param == "memory"
        else LocalStore.create(tmp_path / "s")
    )
    yield made
    made.close()


def test_bytes_stay(store: Store) -> None:
    """What was appended is there when the file is opened again."""
    file = KeptFiles(store).open("a1")
    assert file is not None
    file.append(b"one")
    file.append(b"two")
    file.truncate(5)
    assert (file.size, file.read(1, 9)) == (5, b"netw")
    file.close()
    again = KeptFiles(store).open("a1")
    assert again is not None and again.read(0, 9) == b"onetw"
    again.remove()
    empty = KeptFiles(store).open("a1")
    assert empty is not None and empty.size == 0
    empty.remove()


def test_a_file_has_one_owner(store: Store) -> None:
    """While somebody holds it nobody else gets it."""
    file = KeptFiles(store).open("a1")
    assert file is not None
    assert KeptFiles(store).open("a1") is None
    file.close()
    file.close()
    again = KeptFiles(store).open("a1")
    assert again is not None
    again.remove()


def test_opening_the_store_keeps_them(tmp_path: Path) -> None:
    """Leftovers of writers are swept away, these are not."""
    with_file = LocalStore.create(tmp_path / "s")
    file = KeptFiles(with_file).open("a1")
    assert file is not None
    file.append(b"x")
    file.close()
    with_file.close()
    reopened = LocalStore.open(tmp_path / "s")
    again = KeptFiles(reopened).open("a1")
    assert again is not None and again.size == 1
    again.remove()
    reopened.close()


def test_old_files_go(tmp_path: Path) -> None:
    """Those that nobody went on with, and the oldest of too many; held ones stay."""
    store = LocalStore.create(tmp_path / "s")
    now = [1e9]
    files = KeptFiles(store, now=lambda: now[0])
    held = files.open("held")
    assert held is not None
    for number in range(KEPT_FILES_MAX + 5):
        file = files.open(f"f{number}")
        assert file is not None
        file.close()
        os.utime(tmp_path / "s" / "tmp" / "kept" / f"f{number}", (1e9 + number,) * 2)
    os.utime(tmp_path / "s" / "tmp" / "kept" / "held", (0, 0))
    names = {path.name for path in (tmp_path / "s" / "tmp" / "kept").iterdir()}
    assert "f0" not in names and "held" in names and len(names) <= KEPT_FILES_MAX + 2
    now[0] += (KEPT_DAYS + 1) * 24 * 60 * 60
    last = files.open("last")
    assert last is not None
    names = {path.name for path in (tmp_path / "s" / "tmp" / "kept").iterdir()}
    assert names == {"held", "last"}
    held.remove()
    last.remove()
    store.close()
