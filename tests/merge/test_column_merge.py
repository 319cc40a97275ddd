"""The rules under the merge of columns: three versions, and names told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.merge.column_merge import apart, three_way

VALUES = st.sampled_from([None, 1, 2, 3])


@given(VALUES, VALUES)
def test_a_change_of_one_side_stands(base: object, new: object) -> None:
    """What one side changed, or both alike, is no clash."""
    assert three_way(base, new, base) == (new, False)
    assert three_way(base, base, new) == (new, False)
    assert three_way(base, new, new) == (new, False)


def test_two_changes_are_a_clash() -> None:
    """Both changed it differently: ours, and a clash; absent is a change like any."""
    assert three_way(1, 2, 3) == (2, True)
    assert three_way(1, None, 3) == (None, True)


@given(st.text(min_size=1, max_size=300), st.sets(st.text(max_size=5)))
def test_names_told_apart_are_new_and_fit(name: str, taken: set[str]) -> None:
    """A name with a mark is within the limit, and not taken."""
    made = apart(name, "0123abcd", taken)
    again = apart(name, "0123abcd", taken | {made})
    assert made not in taken and again not in taken | {made}
    assert max(len(made.encode()), len(again.encode())) <= 255
