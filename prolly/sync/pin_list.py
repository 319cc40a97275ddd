"""What a partial replica is to have for good: listing it, and taking from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from prolly.chunks import COVERAGE_REF, RefMove, RefNote
from prolly.codec import CoveredRange, encode_coverage, key, shown
from prolly.datasets import Manifest
from prolly.errors import Error, NotFound
from prolly.repo import Repository, read_coverage

from .scope import covered_range

# Text and bytes in a key end with it, which their beginning as a prefix lacks.
_PART_END = b"\0"


class Pin(NamedTuple):
    """A dataset that every fetch brings, or the records whose keys begin so.

    ``prefix`` is None for the whole of it, and a tuple for whole leading parts.
    """

    dataset: str
    prefix: Any = None


def pins(repo: Repository) -> list[Pin] | None:
    """Return what a partial replica keeps to; None where no record is left out.

    A dataset stands under the name that it has on the current branch.
    """
    coverage = read_coverage(repo.storage.here.store)
    if coverage is None or coverage.ranges is None:
        return None
    names = _names(repo)
    found = (
        Pin(names.get(one.dataset, one.name), _prefix_of(one))
        for one in coverage.ranges
    )
    return sorted(dict.fromkeys(found), key=lambda pin: (pin.dataset, str(pin.prefix)))


def unpin(repo: Repository, dataset: str, prefix: Any = None) -> None:
    """Let fetches bring no more of a dataset, or of the one prefix that was pinned.

    What is here stays until it is collected with what led to it, and what is new comes
    when it is read. Without a prefix all pins of the dataset end. Raises NotFound
    ``no-such-pin``, Stale ``ref-moved``.
    """
    store, environment = repo.storage.here.store, repo.storage.environment
    coverage = read_coverage(store)
    ranges = () if coverage is None else coverage.ranges or ()
    gone = set(_asked(repo, ranges, dataset, prefix))
    if coverage is None or not gone:
        raise _no_pin(dataset, pins(repo))
    left = tuple(one for one in ranges if one not in gone)
    note = RefNote(environment.user(), f"unpin: {dataset}", environment.now_us())
    old = store.read_ref(COVERAGE_REF)
    with store.writer() as writer:
        new = writer.put(encode_coverage(replace(coverage, ranges=left)))
        writer.commit([RefMove(COVERAGE_REF, old, new)], note)


def _manifest(repo: Repository) -> Manifest:
    root = repo.storage.commits.read(repo.resolve("HEAD")).root
    return Manifest(repo.storage.reader, root)


def _names(repo: Repository) -> dict[bytes, str]:
    return {identity: one.name for identity, one in _manifest(repo).by_id.items()}


def _asked(
    repo: Repository, ranges: tuple[CoveredRange, ...], dataset: str, prefix: Any
) -> Iterator[CoveredRange]:
    """Yield the ranges that a name and a prefix mean."""
    by_id = _manifest(repo).by_id
    for one in ranges:
        entry = by_id.get(one.dataset)
        if dataset != (one.name if entry is None else entry.name):
            continue
        if prefix is None:
            yield one
        elif entry is not None:
            wanted = covered_range(repo.storage.reader, one.dataset, entry, prefix)
            if wanted[:3] == one[:3]:
                yield one


def _prefix_of(one: CoveredRange) -> Any:
    """Return what the keys of a range begin with."""
    if one.is_whole:
        return None
    if one.stop == one.start + b"\xff":
        parts = key.decode_key(one.start)
        return parts if type(parts) is tuple else (parts,)
    try:
        return key.decode_key(one.start + _PART_END)
    except Error:
        # A range that no prefix made: its beginning says enough to tell it apart.
        return one.start


def _no_pin(dataset: str, there: list[Pin] | None) -> NotFound:
    hint = "`prolly pin` lists what is pinned."
    if there is None:
        hint = "Nothing is left out of this replica, so nothing is pinned."
    return NotFound(
        f"there is no such pin of dataset {shown(dataset)}",
        code="no-such-pin",
        hint=hint,
        dataset=dataset,
    )
