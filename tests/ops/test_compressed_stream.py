"""Compressed inputs and outputs: the same bytes back, and everything else refused."""

from __future__ import annotations

import gzip
import io
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Error, Invalid, LimitExceeded, Unsupported
from prolly.ops import compressed_stream, open_table
from prolly.ops.byte_source import ByteSource
from prolly.ops.compressed_stream import (
    Compression,
    compression_of_bytes,
    compression_of_name,
    deflate,
    require_zstd,
)

BOTH: tuple[Compression, ...] = ("gzip", "zst")


def packed(data: bytes, compression: Compression) -> bytes:
    """Return data, compressed."""
    stream = io.BytesIO()
    with deflate(stream, compression) as writer:
        writer.write(data)
    return stream.getvalue()


def read(stored: bytes) -> bytes:
    """Return what a source reads from stored bytes."""
    with ByteSource(io.BytesIO(stored), "x") as source, source.open() as reader:
        return reader.read()


@pytest.mark.parametrize("compression", BOTH)
@given(data=st.binary().map(lambda one: one.replace(b"\0", b"a").hex().encode()))
def test_what_is_packed_comes_back(compression: Compression, data: bytes) -> None:
    """Reading undoes writing, the same bytes are packed alike, and members join."""
    stored = packed(data, compression)
    assert read(stored) == data
    assert packed(data, compression) == stored
    assert compression_of_bytes(stored[:4]) == compression
    assert read(stored + stored) == data + data


@pytest.mark.parametrize("compression", BOTH)
def test_every_cut_and_every_flip_is_refused(compression: Compression) -> None:
    """A damaged archive raises Invalid, or is known by its magic no more."""
    stored = packed(bytes(range(1, 256)) * 3, compression)
    code = {"gzip": "bad-gzip", "zst": "bad-zst"}[compression]
    for cut in range(4, len(stored)):
        with pytest.raises(Invalid) as caught:
            read(stored[:cut])
        assert caught.value.code == code
    wrong = bytearray(stored)
    wrong[-2] ^= 1
    with pytest.raises(Error) as refused:
        read(bytes(wrong))
    assert refused.value.code == code


def test_a_frame_to_be_passed_over_is_zst() -> None:
    """What parallel compressors put in front is known, and passed over."""
    frame = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"size"
    assert read(frame + packed(b"a,b\n", "zst")) == b"a,b\n"


def test_names_say_what_is_packed() -> None:
    """In either case; other ends say nothing."""
    assert compression_of_name("a.csv.GZ") == "gzip"
    assert compression_of_name("a.csv.zst") == "zst"
    assert compression_of_name("a.csv") == compression_of_name("gz") == ""
    assert compression_of_bytes(b"") == compression_of_bytes(b"P*") == ""


@pytest.mark.parametrize("compression", BOTH)
def test_a_bomb_is_refused(
    compression: Compression, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the free bytes, what grows by more than the limit is not unpacked."""
    monkeypatch.setattr(compressed_stream, "INFLATION_FREE_BYTES", 100_000)
    monkeypatch.setattr(compressed_stream, "INFLATION_MAX", 500)
    bomb = packed(b"a\n" * 1_000_000, compression)
    with pytest.raises(LimitExceeded) as caught:
        read(bomb)
    assert caught.value.code == "inflated-too-far"
    monkeypatch.setattr(compressed_stream, "INFLATION_MAX", len(b"a\n") * 1_000_000)
    assert len(read(bomb)) == 2_000_000


def test_a_huge_window_is_refused() -> None:
    """An archive that wants more memory than is usual says so."""
    zstd = require_zstd()
    options = {
        zstd.CompressionParameter.window_log: 28,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    stream = io.BytesIO()
    with zstd.ZstdFile(stream, "w", options=options) as writer:
        writer.write(b"a,b\n" * 1000)
    with pytest.raises(LimitExceeded) as caught:
        read(stream.getvalue())
    assert (caught.value.code, caught.value.limit) == ("zst-window", 1 << 27)


def test_without_the_extra_a_sentence_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package; gzip works all the same."""
    stored: Any = packed(b"a\n1\n", "zst")
    modules = ("compression.zstd", "backports.zstd", "backports")
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    with (
        open_table(io.BytesIO(stored), "csv") as source,
        pytest.raises(Unsupported) as caught,
    ):
        source.infer()
    assert (caught.value.code, caught.value.extra) == ("missing-extra", "zst")
    assert "prolly[zst]" in caught.value.hint
    assert read(gzip.compress(b"a\n")) == b"a\n"
