"""Names of files that lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.maps import FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX, Files
from prolly.merge.lost_files import beside

PATHS = st.lists(
    st.text("aé.", min_size=1, max_size=300).filter(lambda part: part.strip(".")),
    min_size=1,
    max_size=6,
).map("/".join)


@given(PATHS.filter(lambda path: len(path.encode()) <= FILE_PATH_BYTES_MAX))
def test_the_name_of_a_lost_file_is_a_path(path: str) -> None:
    """It is another path, in the same directory where there is room, within limits."""
    made = beside(path, "~12345678")
    assert made != path and made.endswith("~12345678")
    Files.encode_key(object.__new__(Files), made)
    assert len(made.encode()) <= FILE_PATH_BYTES_MAX
    assert len(made.rpartition("/")[2].encode()) <= FILE_NAME_BYTES_MAX
