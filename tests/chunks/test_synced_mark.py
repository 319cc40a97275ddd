"""The mark says what was told, and nothing where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks.synced_mark import SyncedMark


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mark"


def test_it_says_just_what_was_told_last(path: Path) -> None:
    """Another generation or another place is not said, by whoever opens it."""
    mark = SyncedMark(str(path))
    assert not mark.says(0, 0)
    mark.set(3, 100)
    mark.set(3, 250)
    other = SyncedMark(str(path))
    for one in (mark, other):
        assert one.says(3, 250)
        assert not any(one.says(*place) for place in ((3, 100), (2, 250), (0, 0)))
        one.close()
        one.close()
    assert mark.says(3, 250)
    mark.close()


def test_a_place_for_which_there_is_no_file_says_nothing(path: Path) -> None:
    """No directory, or a directory in its place: it is told nothing, without error."""
    path.mkdir()
    for place in (path, path / "no" / "mark"):
        mark = SyncedMark(str(place))
        mark.set(1, 1)
        assert not mark.says(1, 1)
        mark.close()


@pytest.mark.parametrize("content", [b"", b"\0" * 15, b"\xff" * 16])
def test_other_bytes_say_nothing(path: Path, content: bytes) -> None:
    """What a power cut may leave of it is no word."""
    path.write_bytes(content)
    mark = SyncedMark(str(path))
    assert not mark.says(0, 0)
    mark.set(0, 7)
    assert mark.says(0, 7)
    mark.close()
