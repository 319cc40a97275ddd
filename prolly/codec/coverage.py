"""What a partial replica has: how far back history goes, which records are here.

    coverage  a blob piece, whose bytes are the canonical CBOR map
              { "version": 0, "remote": text, "depth": number or null,
                "shallow": [ commit id, ... ],
                "ranges": null or [ [ dataset id, start, stop or null, name ], ... ] }

``shallow`` are commits of which some parent is not here, in ascending order. ``ranges``
say which records are here, of every commit that is: null stands for all of them, and a
range holds start <= key < stop of encoded keys. What no range covers may be here too.
Page: docs/spec/coverage.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from prolly.errors import Corrupt, Error, LimitExceeded

from . import cbor
from .address import ADDRESS_BYTES, ChunkType, require_type
from .descriptor import DATASET_ID_BYTES

COVERAGE_VERSION = 1
# Commits where history was cut off: as many as the lines of a history that are open at
# one depth. They are read whole.
SHALLOW_COMMITS_MAX = 16_384
# Ranges that somebody chose one by one; each is walked at every fetch.
COVERED_RANGES_MAX = 1000

_PIECE_HEAD = bytes([ChunkType.BLOB_PIECE])
_FIELDS = {"version", "remote", "depth", "shallow", "ranges"}


class CoveredRange(NamedTuple):
    """The records start <= key < stop of a dataset; ``None`` leaves the end open.

    ``name`` is what the dataset was called when somebody asked for it.
    """

    dataset: bytes
    start: bytes
    stop: bytes | None
    name: str

    @property
    def is_whole(self) -> bool:
        """Whether these are all records."""
        return not self.start and self.stop is None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one partial replica has; ``ranges`` are None where no record is left out.

    ``depth`` is how many generations of commits a fetch brings of each branch.
    """

    remote: str
    depth: int | None = None
    shallow: frozenset[bytes] = frozenset()
    ranges: tuple[CoveredRange, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.ranges is None and not self.shallow and self.depth is None

    def of(self, dataset: bytes) -> list[CoveredRange]:
        """Return the ranges of a dataset that are here; one alone if it is whole."""
        if self.ranges is None:
            return [CoveredRange(dataset, b"", None, "")]
        found = [one for one in self.ranges if one.dataset == dataset]
        return [one for one in found if one.is_whole][:1] or found

    def has_whole(self, dataset: bytes) -> bool:
        """Tell whether all records of a dataset are here."""
        found = self.of(dataset)
        return bool(found) and found[0].is_whole


def encode_coverage(coverage: Coverage) -> bytes:
    """Return the chunk of a coverage.

    LimitExceeded ``too-many-shallow``, ``too-many-ranges``.
    """
    ranges = coverage.ranges
    _check_count(len(coverage.shallow), SHALLOW_COMMITS_MAX, "too-many-shallow")
    _check_count(len(ranges or ()), COVERED_RANGES_MAX, "too-many-ranges")
    fields = {
        "version": COVERAGE_VERSION,
        "remote": coverage.remote,
        "depth": coverage.depth,
        "shallow": sorted(coverage.shallow),
        "ranges": None if ranges is None else [list(one) for one in ranges],
    }
    return _PIECE_HEAD + cbor.encode(fields)


def decode_coverage(chunk: bytes) -> Coverage:
    """Return the coverage of a chunk. Raises Corrupt ``coverage``, ``chunk-type``."""
    require_type(chunk, ChunkType.BLOB_PIECE)
    try:
        fields = cbor.decode(chunk[1:])
    except Error as error:
        raise _bad_coverage(error.message) from error
    if type(fields) is not dict or set(fields) != _FIELDS:
        raise _bad_coverage("other fields than are due")
    if fields["version"] != COVERAGE_VERSION:
        raise _bad_coverage(f"version {fields['version']!r}")
    remote, depth, ranges = fields["remote"], fields["depth"], fields["ranges"]
    is_depth = depth is None or (type(depth) is int and depth > 0)
    if type(remote) is not str or not is_depth:
        raise _bad_coverage("its remote or its depth is none")
    shallow = _list(fields["shallow"])
    if not all(type(one) is bytes and len(one) == ADDRESS_BYTES for one in shallow):
        raise _bad_coverage("a commit id is none")
    found = None if ranges is None else tuple(map(_range, _list(ranges)))
    return Coverage(remote, depth, frozenset(shallow), found)


def _range(parts: Any) -> CoveredRange:
    if type(parts) is not list or len(parts) != len(CoveredRange._fields):
        raise _bad_coverage("a range is no list of four")
    found = CoveredRange(*parts)
    kinds = [type(found.dataset), type(found.start), type(found.name)]
    if kinds != [bytes, bytes, str] or len(found.dataset) != DATASET_ID_BYTES:
        raise _bad_coverage("a range is of no dataset")
    if found.stop is not None and type(found.stop) is not bytes:
        raise _bad_coverage("a range ends nowhere")
    return found


def _list(value: Any) -> Iterable[Any]:
    if type(value) is not list:
        raise _bad_coverage("a list is none")
    return value


def _check_count(count: int, count_max: int, code: str) -> None:
    if count > count_max:
        raise LimitExceeded(
            f"{count} commits or ranges in a partial replica, the limit is {count_max}",
            code=code,
            hint="Take fewer: whole datasets, a greater depth, or a whole clone.",
        )


def _bad_coverage(reason: str) -> Corrupt:
    return Corrupt(
        f"what this replica has is not told as it should: {reason}",
        code="coverage",
        hint="Run `prolly fsck`; if it stays, clone anew.",
    )
