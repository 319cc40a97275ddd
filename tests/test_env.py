"""The outer world's door: new ids are versioned, ordered and unique."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prolly
from prolly.env import Environment, IdSource


def source(times_ms: list[int], *, random: bytes = b"\x00") -> IdSource:
    """Return a source whose clock shows these times and whose dice show one byte."""
    times = iter(times_ms)
    return IdSource(
        Environment(
            now_us=lambda: next(times) * 1000, random_bytes=lambda size: random * size
        )
    )


@given(
    times=st.lists(st.integers(-5, 2**48 - 1), max_size=40),
    random=st.sampled_from([b"\x00", b"\x80", b"\xff"]),
)
def test_ids_grow_whatever_the_clock_does(times: list[int], random: bytes) -> None:
    """Each is greater than the one before, of version 7 and of the RFC's variant."""
    made = source(times, random=random)
    found = [made() for _ in times]
    assert found == sorted(set(found))
    assert {one.version for one in found} <= {7}
    assert {one.variant for one in found} <= {RFC_4122}


def test_an_id_tells_when_it_was_made() -> None:
    """The first 48 bits are milliseconds; a clock that goes back does not show."""
    made = source([1_700_000_000_000, 1_600_000_000_000, 1_800_000_000_000])
    milliseconds = [made().int >> 80 for _ in range(3)]
    assert milliseconds == [1_700_000_000_000, 1_700_000_000_000, 1_800_000_000_000]


def test_the_bits_stand_as_the_rfc_draws_them() -> None:
    """Time, version, and the random part in the places of RFC 9562, section 5.7."""
    [made] = [source([0x017F22E279B0], random=b"\xff")()]
    # The top random bit begins as nought, which leaves room for steps.
    assert made == UUID("017f22e2-79b0-77ff-bfff-ffffffffffff")


def test_a_millisecond_that_is_full_goes_over_into_the_next() -> None:
    """Where the random part would overflow, the time goes one on."""
    made = source([5] * 3, random=b"\xff")
    first = made()
    made._tail = 2**74 - 1
    second = made()
    assert (first.int >> 80, second.int >> 80) == (5, 6)
    assert first < second < made()


def test_threads_share_one_order() -> None:
    """Ids made by several threads are all different, and each thread's grow."""
    made = IdSource()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: [made() for _ in range(500)], range(4)))
    assert all(one == sorted(one) for one in found)
    assert len({one for part in found for one in part}) == 2000


def test_new_id_is_exported() -> None:
    """``prolly.new_id`` gives growing ids of this process."""
    first, second = prolly.new_id(), prolly.new_id()
    assert first < second
    assert first.version == 7


@pytest.mark.parametrize(
    ("set_to", "expected"), [("Ann", "Ann"), ("", "")], ids=["named", "not named"]
)
def test_who_was_named(
    monkeypatch: pytest.MonkeyPatch, set_to: str, expected: str
) -> None:
    """PROLLY_AUTHOR names the author; empty is as if it were not there."""
    monkeypatch.setenv("PROLLY_AUTHOR", set_to)
    assert Environment().named_user() == expected
    assert Environment().user() == (expected or Environment().user())
