"""Commits: bytes, limits, and the constant first one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    COMMIT_PARENTS_MAX,
    Commit,
    cbor,
    decode_commit,
    encode_commit,
    first_commit,
)
from prolly.codec.commit import (
    COMMIT_AUTHOR_BYTES_MAX,
    COMMIT_MESSAGE_BYTES_MAX,
    COMMIT_METADATA_BYTES_MAX,
)
from prolly.errors import Corrupt, LimitExceeded
from prolly.testing.strategies import addresses, texts, values

ROOT = bytes(range(32))
PLAIN = Commit((bytes(32),), ROOT, "Ann", 5, "first", {}, 1)


def commits() -> st.SearchStrategy[Commit]:
    """Commits with parents and without."""
    return st.lists(addresses(), max_size=4, unique=True).map(tuple).flatmap(_with)


def _with(parents: tuple[bytes, ...]) -> st.SearchStrategy[Commit]:
    return st.builds(
        Commit,
        parents=st.just(parents),
        root=addresses(),
        author=texts(),
        time_us=st.integers(-(2**62), 2**62),
        message=texts(),
        metadata=st.dictionaries(texts(4), values(3), max_size=3),
        generation=st.integers(1, 2**62) if parents else st.just(0),
    )


@given(commits())
def test_decode_undoes_encode(commit: Commit) -> None:
    """Every commit comes back."""
    found = decode_commit(encode_commit(commit))
    assert cbor.encode(found.metadata) == cbor.encode(commit.metadata)
    assert found._replace(metadata={}) == commit._replace(metadata={})


@given(commits(), st.data())
def test_a_damaged_commit_is_corrupt_or_another_commit(
    commit: Commit, data: st.DataObject
) -> None:
    """One changed byte never raises anything else, and has no second spelling."""
    raw = bytearray(encode_commit(commit))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(raw), bytes(raw[:at])):
        try:
            found = decode_commit(damaged)
        except Corrupt:
            continue
        assert encode_commit(found) == damaged


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, [bytes(32), bytes(32)]),
        (0, [bytes(31)]),
        (0, ["x" * 32]),
        (0, {}),
        (0, []),
        (0, [n.to_bytes(32, "big") for n in range(COMMIT_PARENTS_MAX + 1)]),
        (1, bytes(33)),
        (1, None),
        (2, None),
        (2, "x" * (COMMIT_AUTHOR_BYTES_MAX + 1)),
        (3, 1.5),
        (3, True),
        (3, 2**63),
        (4, b"message"),
        (4, "x" * (COMMIT_MESSAGE_BYTES_MAX + 1)),
        (5, []),
        (5, {"x": bytes(COMMIT_METADATA_BYTES_MAX)}),
        (6, 0),
        (6, -1),
        (6, 2**63),
        (6, "1"),
    ],
)
def test_a_commit_of_another_shape_is_corrupt(place: int, value: Any) -> None:
    """Types, limits, repeated parents and generations are checked when read."""
    fields = [[bytes(32)], ROOT, "Ann", 5, "first", {}, 1]
    assert decode_commit(b"\x05" + cbor.encode(fields)) == PLAIN
    fields[place] = value
    with pytest.raises(Corrupt):
        decode_commit(b"\x05" + cbor.encode(fields))


def test_limits_hold_at_the_limit_and_one_past_it() -> None:
    """Parents, author, message and metadata."""
    parents = tuple(n.to_bytes(32, "big") for n in range(COMMIT_PARENTS_MAX + 1))
    blob = COMMIT_METADATA_BYTES_MAX - len(cbor.encode({"x": bytes(65000)})) + 65000
    for inside, outside in (
        ({"parents": parents[1:]}, {"parents": parents}),
        (
            {"author": "x" * (COMMIT_AUTHOR_BYTES_MAX)},
            {"author": "x" * (COMMIT_AUTHOR_BYTES_MAX + 1)},
        ),
        (
            {"message": "x" * (COMMIT_MESSAGE_BYTES_MAX)},
            {"message": "x" * (COMMIT_MESSAGE_BYTES_MAX + 1)},
        ),
        ({"metadata": {"x": bytes(blob)}}, {"metadata": {"x": bytes(blob + 1)}}),
    ):
        commit = PLAIN._replace(**inside)
        assert decode_commit(encode_commit(commit)) == commit
        with pytest.raises(LimitExceeded) as caught:
            encode_commit(PLAIN._replace(**outside))
        assert caught.value.code == "commit-too-long"


def test_a_long_chunk_is_refused_before_it_is_decoded() -> None:
    """Each byte of it may spell an item; the largest commit fits."""
    parents = tuple(n.to_bytes(32, "big") for n in range(COMMIT_PARENTS_MAX))
    metadata = {"x": bytes(COMMIT_METADATA_BYTES_MAX - 10)}
    author, message = "x" * COMMIT_AUTHOR_BYTES_MAX, "x" * COMMIT_MESSAGE_BYTES_MAX
    largest = PLAIN._replace(
        parents=parents, metadata=metadata, author=author, message=message
    )
    chunk = encode_commit(largest)
    assert decode_commit(chunk) == largest
    with pytest.raises(Corrupt, match="the limit is"):
        decode_commit(chunk[:1] + b"\x9a\x00\x10\x00\x00" + b"\x80" * 0x100000)


def test_a_chunk_of_another_kind_is_no_commit() -> None:
    """The type byte is checked first."""
    with pytest.raises(Corrupt) as caught:
        decode_commit(b"\x06" + encode_commit(PLAIN)[1:])
    assert caught.value.code == "chunk-type"


def test_the_first_commit_is_constant() -> None:
    """No author, no clock, no parents: one chunk for one root."""
    chunk = first_commit(ROOT)
    assert chunk == first_commit(ROOT)
    assert decode_commit(chunk) == Commit((), ROOT, "", 0, "", {}, 0)
