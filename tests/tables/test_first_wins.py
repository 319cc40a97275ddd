"""The buffer that keeps the first of equal keys, also across sorted runs on disk."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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
    found = [
        pair
        for keys, values in buffer.batches()
        for pair in zip(keys, values, strict=True)
    ]
    assert found == sorted(expected.items())
    buffer.close()


def test_a_key_that_fills_whole_batches_is_one_record() -> None:
    """Thousands of rows of one key, over many batches of the merge, leave the first."""
    buffer = FirstWins(200_000)
    for first in range(0, 5000, 100):
        numbers = range(first, first + 100)
        buffer.put_many([b"k"] * 100, [str(number).encode() for number in numbers])
    assert buffer.runs_spilled
    assert list(buffer.batches()) == [([b"k"], [b"0"])]
    buffer.close()
