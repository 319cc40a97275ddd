"""File entries: one spelling each way, and every other one refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    FILE_MODE_MAX,
    MTIME_NS_MAX,
    MTIME_NS_MIN,
    Address,
    FileEntry,
    Reference,
    cbor,
    decode_file_entry,
    encode_file_entry,
    encode_referring,
)
from prolly.codec.file_entry import FILE_BYTES_MAX
from prolly.errors import Corrupt

ADDRESS = bytes(range(32))
PIECE = Reference(ADDRESS, 3)


@given(
    st.integers(0, FILE_BYTES_MAX),
    st.integers(0, FILE_MODE_MAX),
    st.none() | st.integers(MTIME_NS_MIN, MTIME_NS_MAX),
    st.sampled_from([3, 4]),
)
def test_decode_undoes_encode(
    size: int, mode: int, mtime_ns: int | None, kind: int
) -> None:
    """Every entry comes back, at its limits too."""
    entry = FileEntry(size, mode, mtime_ns, Reference(ADDRESS, kind))
    assert decode_file_entry(encode_file_entry(entry)) == entry


@pytest.mark.parametrize(
    "payload",
    [
        [1, 0o644],
        [1, 0o644, None, 0],
        {"size": 1},
        [-1, 0o644, None],
        [True, 0o644, None],
        [FILE_BYTES_MAX + 1, 0o644, None],
        [1, FILE_MODE_MAX + 1, None],
        [1, -1, None],
        [1, "644", None],
        [1, 0o644, MTIME_NS_MAX + 1],
        [1, 0o644, MTIME_NS_MIN - 1],
        [1, 0o644, 1.5],
    ],
)
def test_other_payloads_are_corrupt(payload: object) -> None:
    """One past each limit, and every other type."""
    with pytest.raises(Corrupt) as caught:
        decode_file_entry(encode_referring([PIECE], cbor.encode(payload)))
    assert caught.value.code == "file-entry"


def test_an_entry_refers_to_one_blob() -> None:
    """No mark, two references, or a reference to something else are corrupt."""
    payload = cbor.encode([1, 0o644, None])
    good = encode_referring([PIECE], payload)
    for stored in (
        bytes(good),
        encode_referring([PIECE, PIECE], payload),
        encode_referring([Reference(ADDRESS, 1)], payload),
        encode_referring([PIECE], payload + b"\0"),
        encode_referring([PIECE]),
    ):
        with pytest.raises(Corrupt):
            decode_file_entry(stored)


def test_a_summary_is_plain() -> None:
    """The summary has the content's address in hexadecimal and the mode in octal."""
    entry = FileEntry(5, 0o40, 7, PIECE)
    assert entry.content == Address(ADDRESS)
    assert entry.summary() == {
        "content": ADDRESS.hex(),
        "size": 5,
        "mode": "040",
        "mtime": 7,
    }
