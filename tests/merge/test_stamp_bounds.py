"""Stamps from the future are refused where versions come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid
from prolly.merge import STAMP_AHEAD_MS_MAX, require_stamps_in_time
from prolly.repo import Workspace
from prolly.testing.stamped_world import BLOB, MAP, StampedWorld

NOW_MS = 10 * STAMP_AHEAD_MS_MAX


def put(space: Workspace) -> None:
    """Write one record."""
    space.map(MAP)["x"] = 1


def refused(world: StampedWorld, known: bytes, new: bytes) -> bool:
    """Tell whether a version may not come in now."""
    try:
        require_stamps_in_time(world.reader, known, new, lambda: NOW_MS * 1000)
    except Invalid as error:
        assert error.code == "stamp-ahead" and error.hint.endswith(".")
        return True
    return False


@given(st.integers(0, 3 * STAMP_AHEAD_MS_MAX))
def test_what_is_too_far_ahead_is_refused(ahead_ms: int) -> None:
    """By the clock of who takes it in; the past is always fine."""
    world = StampedWorld()
    known = world.first()
    ahead_ms -= STAMP_AHEAD_MS_MAX
    new = world.write(known, put, now_ms=NOW_MS + ahead_ms)
    assert refused(world, known, new) is (ahead_ms > STAMP_AHEAD_MS_MAX)


def test_what_is_known_is_not_asked_about() -> None:
    """Nor what is older than it; nor does a version without stamps ask the clock."""
    world = StampedWorld()
    base = world.first()
    ahead = world.write(base, put, now_ms=10 * NOW_MS)
    newer = world.write(ahead, lambda space: space.map(MAP).update(y=1), now_ms=NOW_MS)
    assert refused(world, base, newer)
    assert not refused(world, ahead, newer)
    assert not refused(world, newer, ahead)
    older = world.write(base, put, now_ms=9 * NOW_MS)
    assert not refused(world, ahead, older)

    plain = world.write(base, lambda space: space.map("plain").update(a=1))

    def no_clock() -> int:
        raise AssertionError("nobody asks")

    require_stamps_in_time(world.reader, base, plain, no_clock)


def test_the_error_names_the_record() -> None:
    """A blob has the key ()."""
    world = StampedWorld()
    base = world.first()
    new = world.write(
        base, lambda space: space.blob(BLOB, "wb").write(b"new"), now_ms=2 * NOW_MS
    )
    with pytest.raises(Invalid) as caught:
        require_stamps_in_time(world.reader, base, new, lambda: NOW_MS * 1000)
    facts = {"dataset": BLOB, "key": (), "ahead_ms": NOW_MS}
    assert caught.value.facts == facts
