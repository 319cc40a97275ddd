"""How a merge ended, or where it waits."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Literal, NamedTuple

from prolly.chunks import ScratchWriter
from prolly.codec import Address
from prolly.errors import Invalid
from prolly.merge import Base, DatasetReport, ManifestMerge

from .changes import Comparison, DatasetChanges
from .open_conflicts import OpenConflicts
from .settling import Conflicts

MergeStatus = Literal[
    "up-to-date", "fast-forward", "merged", "replayed", "prepared", "conflicts"
]


class Merged(NamedTuple):
    """What was merged: over which base, and what came of it."""

    base: Base
    manifest: ManifestMerge
    missing_resolvers: tuple[str, ...] = ()


class MergeResult:
    """How a merge ended.

    ``status`` is ``up-to-date``, ``fast-forward``, ``merged``, ``prepared`` (asked not
    to commit) or ``conflicts``. ``commit_id`` is where the branch stands then, ``None``
    while the merge waits. ``conflicts`` maps (dataset, key) to what is open, to be
    settled; then ``commit``. ``datasets`` counts what the merge changes on the branch.
    ``base`` names the commits that it was merged over, several for a criss-cross, and
    ``report`` says by dataset what was taken, merged, re-used and rewritten.
    ``missing_resolvers`` names those that policies asked for and the App has not.

    What a merge that was only tried made lies in memory, and past a bound in a
    temporary file, until ``close``, or the end of a ``with`` block of the result: then
    ``conflicts`` and ``datasets`` raise Invalid ``closed``. Other results need none.
    """

    def __init__(
        self,
        status: MergeStatus,
        commit_id: bytes | None,
        conflicts: OpenConflicts,
        changes: Comparison,
        merged: Merged | None = None,
        *,
        scratch: ScratchWriter | None = None,
    ) -> None:
        self.status = status
        self.commit_id = None if commit_id is None else Address(commit_id)
        self.conflicts = conflicts
        self.base: tuple[Address, ...] = ()
        self.report: Mapping[str, DatasetReport] = {}
        self.missing_resolvers: tuple[str, ...] = ()
        if merged is not None:
            self.base = tuple(map(Address, merged.base.commits))
            self.report = merged.manifest.datasets
            self.missing_resolvers = merged.missing_resolvers
        self._changes = changes
        self._scratch = scratch

    @property
    def datasets(self) -> dict[str, DatasetChanges]:
        """How many records of each dataset the merge changes on the branch."""
        self.conflicts.require_open()
        return self._changes.counts()

    def commit(
        self, message: str | None = None, *, author: str | None = None
    ) -> Address:
        """Commit a merge that waits, all conflicts settled; return the commit's id.

        Raises Conflicted ``open-conflicts``, and as ``WorkingArea.commit``; Invalid
        ``not-merged`` for a merge that was only tried, ``no-merge`` for one that
        somebody gave up or committed, Stale ``merge-ended`` when another waits by now.
        """
        if self.commit_id is None:
            if not isinstance(self.conflicts, Conflicts):
                raise Invalid(
                    "this merge was only tried",
                    code="not-merged",
                    hint="Merge without dry_run.",
                )
            self.commit_id = self.conflicts.commit(message, author=author)
            self.status = "merged"
        return self.commit_id

    def close(self) -> None:
        """Give back what a merge that was only tried made; twice is fine.

        A merge that waits goes on waiting.
        """
        if self._scratch is not None:
            self.conflicts.close()
            self._scratch.abort()

    def __enter__(self) -> MergeResult:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MergeResult {self.status}>"
