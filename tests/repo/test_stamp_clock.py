"""The clock that stamps writes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec.record_stamps import stamp_ms
from prolly.env import Environment
from prolly.repo.stamp_clock import StampClock


def clock_of(store: MemoryStore, times: list[int]) -> StampClock:
    """Return a clock that sees these times in milliseconds, one after the other."""
    waiting = iter(times)
    environment = Environment()._replace(
        now_us=lambda: 1000 * next(waiting),
        random_bytes=lambda size: b"R" * size,
    )
    return StampClock(store, environment)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_stamps_ascend_whatever_the_clock_does(times: list[int]) -> None:
    """Each is later than all before it, and no earlier than the time it was given."""
    clock = clock_of(MemoryStore(), times)
    stamps = [clock() for _ in times]
    assert stamps == sorted(set(stamps))
    for stamp, time in zip(stamps, times, strict=True):
        assert stamp_ms(stamp) >= time
        assert stamp[8:] == b"R" * 8


def test_the_replica_is_made_once_per_store() -> None:
    """Another clock of the store stamps in the same name."""
    store = MemoryStore()
    first = clock_of(store, [1])()
    again = StampClock(store, Environment()._replace(now_us=lambda: 0))
    assert again()[8:] == first[8:]
