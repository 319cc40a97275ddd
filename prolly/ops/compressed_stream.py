"""Streams of bytes through a compressor: gzip, and zst where the extra is there.

Input is told by its first bytes, output by the end of a name. Both directions stream;
what they hold in memory is bounded, whatever the bytes say.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from prolly.errors import Error, Invalid, LimitExceeded, Unsupported

Compression = Literal["", "gzip", "zst"]

# The ends of names.
SUFFIXES: dict[str, Compression] = {".gz": "gzip", ".zst": "zst"}

# The default of the gzip command; level 9 takes three times as long for 2 % less.
GZIP_LEVEL = 6
# The default of the zstd command.
ZST_LEVEL = 3
# What `zstd` itself unpacks without being asked for more: 128 MiB.
ZST_WINDOW_LOG_MAX = 27

# Inflated over stored bytes. gzip cannot pass 1,032; a table whose keys differ stays
# far below. zst reaches 30,000, and nobody should wait for such a bomb to end.
INFLATION_MAX = 2_000
# Below this many inflated bytes the ratio does not matter.
INFLATION_FREE_BYTES = 64 * 1024 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_ZST_MAGIC = b"\x28\xb5\x2f\xfd"
# Sixteen magic numbers of frames to be passed over, as parallel compressors write them.
_ZST_SKIPPED = b"\x2a\x4d\x18"
MAGIC_BYTES = 4


class Inflated(NamedTuple):
    """A reader of inflated bytes, and the errors by which it tells of damage."""

    reader: Any
    damage: tuple[type[Exception], ...]


def compression_of_bytes(head: bytes) -> Compression:
    """Return what the first bytes of an input say."""
    if head.startswith(_GZIP_MAGIC):
        return "gzip"
    is_skipped = len(head) >= MAGIC_BYTES and 0x50 <= head[0] <= 0x5F
    if head.startswith(_ZST_MAGIC) or (is_skipped and head[1:4] == _ZST_SKIPPED):
        return "zst"
    return ""


def compression_of_name(name: str) -> Compression:
    """Return what the end of a file's name says."""
    lower = name.lower()
    for suffix, compression in SUFFIXES.items():
        if lower.endswith(suffix):
            return compression
    return ""


def require_zstd() -> Any:
    """Return the module; Unsupported ``missing-extra`` where there is none."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise Unsupported(
            ".zst files need the package backports.zstd",
            code="missing-extra",
            hint="`pip install 'prolly[zst]'`, or unpack the file with zstd -d.",
            extra="zst",
        ) from error
    return zstd


def inflate(raw: Any, compression: Compression) -> Inflated:
    """Return a reader of what ``raw`` holds; closing it leaves ``raw`` open."""
    if compression == "gzip":
        damage = (EOFError, gzip.BadGzipFile, zlib.error)
        return Inflated(gzip.GzipFile(fileobj=raw, mode="rb"), damage)
    if compression == "zst":
        zstd = require_zstd()
        options = {zstd.DecompressionParameter.window_log_max: ZST_WINDOW_LOG_MAX}
        return Inflated(zstd.ZstdFile(raw, options=options), (EOFError, zstd.ZstdError))
    return Inflated(raw, ())


@contextmanager
def deflate(file: Any, compression: Compression) -> Iterator[Any]:
    """Give a writer whose bytes go compressed into ``file``, which stays open.

    The same bytes are always packed alike, by one release of the compressor.
    """
    if compression == "gzip":
        # No name and no time in the header.
        with gzip.GzipFile("", "wb", GZIP_LEVEL, file, 0) as zipped:
            yield zipped
    elif compression == "zst":
        zstd = require_zstd()
        levels = {
            zstd.CompressionParameter.compression_level: ZST_LEVEL,
            zstd.CompressionParameter.checksum_flag: 1,
        }
        with zstd.ZstdFile(file, "w", options=levels) as packed:
            yield packed
    else:
        yield file


def damaged(name: str, compression: Compression, error: Exception) -> Error:
    """Return (not raise) the error for a compressed input that does not inflate."""
    if "too much memory" in str(error):
        return LimitExceeded(
            f"{name}: its window is over {1 << ZST_WINDOW_LOG_MAX - 20} MiB",
            code="zst-window",
            hint="Pack it again without --ultra and --long.",
            source=name,
            limit=1 << ZST_WINDOW_LOG_MAX,
        )
    is_gzip = compression == "gzip"
    program = "gzip" if is_gzip else "zstd"
    return Invalid(
        f"{name} is a damaged {compression} file: {error}",
        code="bad-gzip" if is_gzip else "bad-zst",
        hint=f"Copy or download it again; {program} -t tells whether it is whole.",
        source=name,
    )


def check_inflation(name: str, inflated: int, stored: int) -> None:
    """Raise LimitExceeded ``inflated-too-far`` for bytes that grow as none should."""
    if inflated > INFLATION_FREE_BYTES and inflated > INFLATION_MAX * stored:
        raise LimitExceeded(
            f"{name} unpacks to over {INFLATION_MAX:,} times its size",
            code="inflated-too-far",
            hint="It is not what it seems; if it is, unpack it yourself first.",
            source=name,
            limit=INFLATION_MAX,
        )
