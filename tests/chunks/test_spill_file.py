"""A temporary file: what is appended is read back, and errors of the disk are ours."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import SpillFile
from prolly.errors import StorageFailed


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_what_is_appended_is_read_back(parts: list[bytes]) -> None:
    """Each part stands where append said, and the file is as long as all of them."""
    file = SpillFile()
    places = [(file.append(part), part) for part in parts]
    assert file.size == len(b"".join(parts))
    for at, part in reversed(places):
        assert file.read(at, len(part)) == part
    file.close()
    file.close()


def full(*_arguments: object) -> int:
    """Refuse as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_storage_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hint; what was written before is still read, and writing goes on later."""
    file = SpillFile()
    file.append(b"before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageFailed) as caught:
            file.append(b"too much")
    assert (caught.value.code, caught.value.errno) == ("spill-failed", errno.ENOSPC)
    assert "TMPDIR" in caught.value.hint
    assert file.append(b"after") == 6
    assert file.read(0, 11) == b"beforeafter"
    file.close()


def test_short_writes_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that the system takes in parts is written whole."""
    real: Callable[[int, bytes, int], int] = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:3], at))
    file = SpillFile()
    file.append(b"0123456789")
    assert file.read(0, 10) == b"0123456789"
    file.close()


def test_no_directory_is_storage_failed(tmp_path: Path) -> None:
    """A temporary directory that is not there is the same error."""
    with pytest.raises(StorageFailed) as caught:
        SpillFile(str(tmp_path / "none"))
    assert caught.value.code == "spill-failed"
