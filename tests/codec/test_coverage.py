"""What a partial replica has is spelt in one way, and told from everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    COVERED_RANGES_MAX,
    SHALLOW_COMMITS_MAX,
    Coverage,
    CoveredRange,
    cbor,
    decode_coverage,
    encode_coverage,
)
from prolly.errors import Corrupt, LimitExceeded

ranges = st.builds(
    CoveredRange,
    st.binary(min_size=8, max_size=8),
    st.binary(max_size=9),
    st.none() | st.binary(max_size=9),
    st.text(max_size=9),
)
coverages = st.builds(
    Coverage,
    st.text(max_size=9),
    st.none() | st.integers(1, 99),
    st.frozensets(st.binary(min_size=32, max_size=32), max_size=4),
    st.none() | st.lists(ranges, max_size=4).map(tuple),
)

PLAIN = Coverage("origin", 2, frozenset({bytes(32)}), ())


@given(coverages)
def test_decoding_undoes_encoding(coverage: Coverage) -> None:
    """Any coverage comes back as it was."""
    assert decode_coverage(encode_coverage(coverage)) == coverage


def test_the_bytes_of_the_specification() -> None:
    """The example of the page is spelt as it says."""
    one = CoveredRange(bytes.fromhex("4ea406c83a268927"), b"\2c", b"\2d", "m")
    assert encode_coverage(Coverage("origin", ranges=(one,))).hex() == (
        "03a5656465707468f66672616e6765738184484ea406c83a268927420263420264616d"
        "6672656d6f7465666f726967696e677368616c6c6f77806776657273696f6e01"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"remote": 1},
        {"depth": 0},
        {"depth": True},
        {"shallow": None},
        {"shallow": [b"short"]},
        {"ranges": 1},
        {"ranges": [[]]},
        {"ranges": [[bytes(7), b"", None, "m"]]},
        {"ranges": [[bytes(8), b"", "z", "m"]]},
        {"more": 1},
    ],
)
def test_what_is_no_coverage_is_corrupt(changes: dict[str, object]) -> None:
    """Other fields, types and sizes are refused."""
    fields = cbor.decode(encode_coverage(PLAIN)[1:])
    with pytest.raises(Corrupt):
        decode_coverage(b"\3" + cbor.encode({**fields, **changes}))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_coverage_or_corrupt(data: bytes) -> None:
    """Nothing else is raised."""
    with pytest.raises(Corrupt):
        decode_coverage(data)
    with pytest.raises(Corrupt):
        decode_coverage(b"\3" + data)


def test_there_are_limits() -> None:
    """So many commits and ranges are taken, one more is not."""
    ids = [number.to_bytes(32) for number in range(SHALLOW_COMMITS_MAX + 1)]
    one = CoveredRange(bytes(8), b"", None, "m")
    encode_coverage(Coverage("o", 1, frozenset(ids[1:]), (one,) * COVERED_RANGES_MAX))
    with pytest.raises(LimitExceeded):
        encode_coverage(Coverage("o", 1, frozenset(ids)))
    with pytest.raises(LimitExceeded):
        encode_coverage(Coverage("o", ranges=(one,) * (COVERED_RANGES_MAX + 1)))


def test_ranges_are_found_by_dataset() -> None:
    """A whole dataset is one range; without ranges every dataset is whole."""
    whole = CoveredRange(bytes(8), b"", None, "m")
    part = CoveredRange(bytes(8), b"a", b"b", "m")
    other = b"otherone"
    coverage = Coverage("o", ranges=(part, whole))
    assert coverage.of(bytes(8)) == [whole] and coverage.has_whole(bytes(8))
    assert coverage.of(other) == [] and not coverage.has_whole(other)
    assert not Coverage("o", ranges=(part,)).has_whole(bytes(8))
    assert Coverage("o", 1).has_whole(other)
    assert Coverage("o").is_whole and not Coverage("o", 1).is_whole
