"""Locks of files: one holder or many readers, and errors that are ours."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from prolly.chunks.file_lock import file_lock
from prolly.errors import Error, ReadOnly, Stale, StorageFailed


def is_free(path: Path, *, shared: bool = False) -> bool:
    """Tell whether somebody else could take the lock."""
    try:
        with file_lock(str(path), shared=shared, if_taken=Stale("taken")):
            return True
    except Stale:
        return False


def test_one_holder_or_many_readers(tmp_path: Path) -> None:
    """An exclusive lock keeps all out, a shared one those that want it alone."""
    path = tmp_path / "x.lock"
    with file_lock(str(path)):
        assert not is_free(path)
        assert not is_free(path, shared=True)
    with file_lock(str(path), shared=True):
        assert not is_free(path)
        assert is_free(path, shared=True)
    assert is_free(path)


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOLCK, StorageFailed, "io-error"),
        (errno.EOPNOTSUPP, StorageFailed, "io-error"),
        (errno.EROFS, ReadOnly, "read-only"),
    ],
)
@pytest.mark.parametrize("waits", [True, False])
def test_a_file_system_without_locks_is_no_other_holder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[Error],
    code: str,
    waits: bool,
) -> None:
    """What the system says is told as it is, whether or not the caller waits."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(fcntl, "flock", refuse)
    taken = None if waits else Stale("taken")
    with pytest.raises(kind) as caught, file_lock(str(tmp_path / "x"), if_taken=taken):
        raise AssertionError("not held")
    assert caught.value.code == code
    assert caught.value.hint


def test_a_file_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    """A directory that is gone is StorageFailed."""
    with pytest.raises(StorageFailed), file_lock(str(tmp_path / "none" / "x")):
        raise AssertionError("not held")
