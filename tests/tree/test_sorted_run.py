"""Edits in the order of their keys, with the kernel and without."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from prolly.tree import sorted_run
from prolly.tree.sorted_run import sorted_edits

near_keys = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b"\0" * size for size in range(12)]),
    st.binary(max_size=12).map(b"shared".__add__),
)


@given(st.lists(near_keys, unique=True, max_size=40), st.booleans())
def test_edits_are_sorted_by_key(several: list[bytes], is_alike: bool) -> None:
    """Keys that share much or nothing, end in zeros, or are the start of others."""
    if is_alike:
        several = [b"prefix:" + key for key in several]
    edits = {key: None if len(key) == 3 else key * 2 for key in several}
    order = sorted(edits)
    wanted = order, [edits[key] for key in order]
    assert sorted_edits(edits) == wanted
    with patch.object(sorted_run, "kernel", None):
        assert sorted_edits(edits) == wanted
