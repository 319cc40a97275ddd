"""Places of byte strings in a chunk, and which of them differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.column_places import differing_places


@given(
    st.lists(st.booleans(), max_size=70),
    st.integers(1, 40),
    st.binary(max_size=3),
    st.binary(max_size=3),
)
def test_strings_that_differ_are_told_by_their_places(
    differ: list[bool], size: int, before: bytes, behind: bytes
) -> None:
    """Exactly the changed strings of a column are named, whatever stands around it."""
    old = [bytes([number]) * size for number in range(len(differ))]
    new = [
        string[:-1] + b"\xff" if changed else string
        for string, changed in zip(old, differ, strict=True)
    ]
    places = range(len(before), len(before) + size * len(differ), size)
    one = before + b"".join(old) + behind
    other = bytes(len(before)) + b"".join(new) + behind[::-1] + b"x"
    found = differing_places(one, other, places)
    assert found == [place for place, changed in enumerate(differ) if changed]
