"""What a fetch is to bring to a partial replica: how far back, of which records.

What somebody asked for by name becomes ranges of keys when the versions that tell what
the names mean are at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prolly.codec import Coverage, CoveredRange, Descriptor, shown
from prolly.datasets import Manifest, records_of
from prolly.errors import Invalid, NotFound
from prolly.tree import NodeReader


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of another replica; nothing said is all of it.

    ``depth`` counts commits of each branch. With ``datasets`` all others are left out,
    with ``lazy`` all that are not named. ``prefix`` is of keys of the one dataset.
    """

    depth: int | None = None
    datasets: Sequence[str] = ()
    prefix: Any = None
    lazy: bool = False

    def coverage(self, remote: str) -> Coverage | None:
        """Return the coverage to begin with; ``None`` for all there is.

        Invalid ``clone-depth``, ``clone-prefix``.
        """
        if self.depth is not None:
            check_depth(self.depth)
        if self.prefix is not None and len(self.datasets) != 1:
            raise Invalid(
                "a prefix is one of keys of one dataset",
                code="clone-prefix",
                hint="Name that dataset: `--dataset D --prefix P`.",
            )
        is_part = self.lazy or bool(self.datasets)
        if self.depth is None and not is_part:
            return None
        return Coverage(remote, self.depth, ranges=() if is_part else None)


# Nothing is left out.
ALL = Wish()


def check_depth(depth: int) -> None:
    """Raise Invalid ``clone-depth`` for what is no number of commits."""
    if depth < 1:
        raise Invalid(
            f"a depth of {depth} leaves no commit",
            code="clone-depth",
            hint="1 is the newest commit of each branch alone.",
        )


@dataclass(slots=True)
class Scope:
    """The coverage of one fetch, and what is yet to be looked up for it.

    ``names`` are datasets that are to be in it, with a prefix of their keys or None.
    """

    coverage: Coverage
    names: Sequence[tuple[str, Any]] = ()

    @property
    def is_ranged(self) -> bool:
        """Whether records are left out."""
        return self.coverage.ranges is not None

    def look_up(self, reader: NodeReader, roots: Iterable[bytes]) -> None:
        """Make ranges of names, as manifests have them.

        Raises NotFound ``no-such-dataset``, Invalid ``wrong-kind``, ``key-prefix``.
        """
        found: dict[CoveredRange, None] = dict.fromkeys(self.coverage.ranges or ())
        manifests = [Manifest(reader, root).by_id for root in dict.fromkeys(roots)]
        for name, prefix in self.names:
            ranges = {
                covered_range(reader, identity, entry, prefix)
                for entries in manifests
                for identity, entry in entries.items()
                if entry.name == name
            }
            if not ranges:
                raise no_dataset(name)
            found.update(dict.fromkeys(sorted(ranges, key=lambda one: one.dataset)))
        self.names = ()
        self.coverage = replace(self.coverage, ranges=tuple(found))


def scope_fields(coverage: Coverage) -> dict[str, Any]:
    """Return what a request tells of a coverage; which records is for us to ask."""
    fields: dict[str, Any] = {}
    if coverage.depth is not None:
        fields["depth"] = coverage.depth
    if coverage.shallow:
        fields["shallow"] = b"".join(sorted(coverage.shallow))
    return fields


def covered_range(
    reader: NodeReader, identity: bytes, entry: Descriptor, prefix: Any
) -> CoveredRange:
    """Return the range of a dataset that begins with a prefix; all of it for None.

    A prefix may be a function that makes one for the dataset that it is given.
    Invalid ``wrong-kind`` for a prefix of a blob, and as ``encode_prefix``.
    """
    if prefix is None:
        return CoveredRange(identity, b"", None, entry.name)
    records = records_of(reader, entry)
    chosen = prefix(records) if callable(prefix) else prefix
    start, stop = records.encode_prefix(chosen)
    return CoveredRange(identity, start, stop, entry.name)


def no_dataset(name: str) -> NotFound:
    """Return (not raise) the error for a dataset that no branch has."""
    return NotFound(
        f"no branch of the other side has a dataset {shown(name)}",
        code="no-such-dataset",
        hint="`prolly ls` over there lists them.",
        dataset=name,
    )
