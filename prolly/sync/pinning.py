"""Bringing ranges of records into a partial replica: of one version, or for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from blake3 import blake3

from prolly.chunks import COVERAGE_REF, RefMove, RefNote
from prolly.codec import (
    Coverage,
    CoveredRange,
    Descriptor,
    address_of,
    encode_coverage,
)
from prolly.datasets import Manifest, changed_datasets
from prolly.errors import NotFound
from prolly.history import BRANCHES, REMOTES, TAGS
from prolly.repo import Repository, Revision, coverage_at, versions_here

from .intake import Intake
from .landing import Landing, Parts
from .node_walk import NodeWalk
from .part_reading import parts_of
from .part_walk import PartWalk
from .quarantine import Quarantine
from .remote import Remote
from .replication import remote_line
from .report import Progress, SyncProgress, SyncReport, no_progress
from .requested import requested_chunks
from .scope import covered_range
from .settlement import settle


class RangeFetch:
    """One fetch of the records of a range, of some versions that are here."""

    def __init__(
        self, repo: Repository, line: Remote, report: SyncReport, progress: Progress
    ) -> None:
        self._storage = repo.storage.here
        self._line = line
        self._report = report
        self._progress = progress

    def run(
        self,
        covered: CoveredRange,
        versions: Sequence[tuple[bytes | None, bytes]],
        move: tuple[bytes, Coverage] | None,
    ) -> None:
        """Fetch a range of versions, each with the one before it, older ones first.

        ``move`` is where the coverage stands, and what it is to be. Raises Corrupt,
        RemoteFailed, Stale, and what the other side raises; then nothing is changed.
        """
        subject = f"{self._line.url} {covered.dataset.hex()}"
        environment = self._storage.environment
        with Quarantine.open(self._storage.store, subject, environment) as quarantine:
            try:
                walk = self._walk(quarantine, covered, versions)
                self._land(quarantine, walk, covered, versions, move)
            except BaseException:
                quarantine.keep()
                raise
        self._report.objects += len(quarantine)
        self._report.mode = "nodes" if len(quarantine) else ""

    def _changes(
        self, covered: CoveredRange, versions: Sequence[tuple[bytes | None, bytes]]
    ) -> Iterator[tuple[Descriptor | None, Descriptor]]:
        for before, root in versions:
            changed = changed_datasets(self._storage.reader, before, root)
            old, new = changed.get(covered.dataset, (None, None))
            if new is not None:
                yield old, new

    def _walk(
        self,
        quarantine: Quarantine,
        covered: CoveredRange,
        versions: Sequence[tuple[bytes | None, bytes]],
    ) -> PartWalk:
        def fetch(addresses: Sequence[bytes]) -> Iterator[bytes]:
            return requested_chunks(self._line, addresses)

        def on_records(count: int) -> None:
            self._report.records += count
            received = self._line.traffic.bytes_received
            self._progress(SyncProgress(self._report.records, received))

        walk = PartWalk(self._storage, quarantine, fetch, on_records)
        for _, new in self._changes(covered, versions):
            if new.kind == "blob":
                walk.blobs[new.roots[0].address] = None
            for part in parts_of(new, (covered.start, covered.stop)):
                walk.want(part)
        walk.run()
        blobs = NodeWalk(
            self._storage,
            quarantine,
            fetch,
            lambda _: False,
            on_records,
            is_partial=True,
        )
        for address in walk.blobs:
            blobs.want_blob(address)
        blobs.run()
        return walk

    def _land(
        self,
        quarantine: Quarantine,
        walk: PartWalk,
        covered: CoveredRange,
        versions: Sequence[tuple[bytes | None, bytes]],
        move: tuple[bytes, Coverage] | None,
    ) -> None:
        environment = self._storage.environment
        why = f"pin: {covered.name}" if move else f"fetch: {covered.name}"
        note = RefNote(environment.user(), why, environment.now_us())
        stream = quarantine.stream(blake3(b"ranges").digest())
        intake = Intake(self._storage, quarantine, stream, [])
        parts = Parts(Coverage("", ranges=(covered,)), walk.opened)

        def landed(landing: Landing) -> Sequence[RefMove]:
            for old, new in self._changes(covered, versions):
                landing.land_dataset(covered.dataset, old, new)
            if move is None:
                return ()
            address = landing.put(encode_coverage(move[1]))
            return [RefMove(COVERAGE_REF, move[0], address)]

        settle(self._storage, intake, landed, note, parts=parts)


def pin(
    repo: Repository,
    dataset: str,
    prefix: Any = None,
    *,
    remote: Remote | None = None,
    progress: Progress = no_progress,
) -> SyncReport:
    """Bring the records of a dataset, of all commits that are here, and keep it so.

    With ``prefix`` those whose keys begin with it. What fetches bring from now on has
    them too. Where they are here nothing happens. Raises NotFound ``no-such-dataset``,
    and as ``fetch``.
    """
    report = SyncReport()
    storage, store = repo.storage.here, repo.storage.here.store
    old = store.read_ref(COVERAGE_REF)
    if old is None:
        return report
    coverage = coverage_at(store, old)
    tips = [tip for one in (BRANCHES, REMOTES, TAGS) for _, tip in store.iter_refs(one)]
    found = dict.fromkeys(_ranges(repo, list(dict.fromkeys(tips)), dataset, prefix))
    missing = [one for one in found if not _is_in(one, coverage)]
    if not missing:
        return report
    versions = versions_here(store, storage.commits)
    with remote_line(repo, coverage.remote, remote) as line:
        fetch = RangeFetch(repo, line, report, progress)
        for one in missing:
            assert coverage.ranges is not None, "nothing else is left out"
            after = replace(coverage, ranges=(*coverage.ranges, one))
            fetch.run(one, versions, (old, after))
            coverage, old = after, address_of(encode_coverage(after))
        report.count(line.traffic)
    return report


def fetch_range(
    repo: Repository,
    dataset: str,
    prefix: Any = None,
    *,
    remote: Remote | None = None,
    revision: Revision = "HEAD",
    progress: Progress = no_progress,
) -> SyncReport:
    """Bring the records of a dataset of one version, as far as they are not here.

    Later fetches do not know of it. Raises as ``pin``.
    """
    report = SyncReport()
    storage = repo.storage.here
    address = storage.store.read_ref(COVERAGE_REF)
    if address is None:
        return report
    commit_id = repo.resolve(revision)
    root = storage.commits.read(commit_id).root
    coverage = coverage_at(storage.store, address)
    with remote_line(repo, coverage.remote, remote) as line:
        fetch = RangeFetch(repo, line, report, progress)
        for one in _ranges(repo, [commit_id], dataset, prefix):
            fetch.run(one, [(None, root)], None)
        report.count(line.traffic)
    return report


def _ranges(
    repo: Repository, commit_ids: Sequence[bytes], dataset: str, prefix: Any
) -> Iterator[CoveredRange]:
    """Yield the ranges that a name and a prefix mean in some versions."""
    storage = repo.storage.here
    is_found = False
    for commit_id in commit_ids:
        root = storage.commits.read(commit_id).root
        for identity, entry in Manifest(storage.reader, root).by_id.items():
            if entry.name == dataset:
                is_found = True
                yield covered_range(storage.reader, identity, entry, prefix)
    if not is_found:
        raise NotFound(
            f"no branch has a dataset {dataset!r}",
            code="no-such-dataset",
            hint="`prolly ls --at REV` lists the datasets of a version.",
            dataset=dataset,
        )


def _is_in(one: CoveredRange, coverage: Coverage) -> bool:
    """Tell whether a range is covered already."""
    return any(
        known.start <= one.start
        and (known.stop is None or (one.stop is not None and one.stop <= known.stop))
        for known in coverage.of(one.dataset)
    )
