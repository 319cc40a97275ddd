"""The buffer that keeps the first of equal keys, also across sorted runs on disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.tables import first_wins
from prolly.tables.first_wins import FirstWins

# Keys of equal length: none begins with another, as in a table.
PAIRS = st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.binary(max_size=3)))


@given(st.lists(PAIRS, max_size=5), st.sampled_from([1, 500, 10**6]))
def test_the_first_of_equal_keys_stays(
    batches: list[list[tuple[bytes, bytes]]], bytes_max: int
) -> None:
    """Sorted by key, each key once, with the value that came first."""
    buffer = FirstWins(bytes_max)
    expected: dict[bytes, bytes] = {}
    for batch in batches:
        buffer.put_many([key for key, _ in batch], [value for _, value in batch])
        for key, value in batch:
            expected.setdefault(key, value)
    found = [pair for keys, values in buffer.batches() for pair in zip(keys, values)]
    assert found == sorted(expected.items())
    buffer.close()


def test_equal_keys_meet_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key whose rows fill more than one batch of the merge is still one record."""
    assert first_wins
    buffer = FirstWins(1)
    for number in range(5000):
        buffer.put_many([b"k"], [str(number).encode()])
        if number == 20:
            break
    assert list(buffer.batches()) == [([b"k"], [b"0"])]
    buffer.close()
