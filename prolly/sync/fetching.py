"""Fetching commits with all that they reach: asked for, checked, landed, refs moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prolly.chunks import RefNote
from prolly.codec.wire import FrameType
from prolly.codec.wire_messages import decode_message
from prolly.errors import Invalid, LimitExceeded, RemoteFailed
from prolly.repo import Storage

from .conversation import ask_on, subject_of
from .delivery import EMPTY_TREE
from .intake import Intake
from .landing import Parts
from .negotiation import shared_commits
from .node_walk import NodeWalk, Role
from .part_reading import PartReading
from .part_walk import PartWalk
from .quarantine import Quarantine
from .remote import Remote
from .report import Progress, SyncProgress, SyncReport
from .requested import requested_chunks
from .scope import Scope, scope_fields
from .service import FETCH_COMMITS_MAX
from .settlement import Moves, Settled, settle

# Commits and edits that one reply may bring; chunks are asked for one by one.
REPLY_BYTES_MAX = 64 * 1024 * 1024 * 1024


class Fetch:
    """One fetch from a remote into a store. Use once.

    With ``scope`` no more is brought than it says.
    """

    def __init__(
        self,
        storage: Storage,
        remote: Remote,
        report: SyncReport,
        progress: Progress,
        *,
        scope: Scope | None = None,
        reply_bytes_max: int = REPLY_BYTES_MAX,
    ) -> None:
        self._storage = storage.here
        self._scope = scope
        self._remote = remote
        self._report = report
        self._progress = progress
        self._reply_bytes_max = reply_bytes_max
        self._walked = 0
        self._walks: list[NodeWalk] = []
        # Of a clone it is known how many records there are to come.
        self._is_first = False
        # Some of it came before, and then the line broke or a process ended.
        self._is_resumed = False
        self._tips: Sequence[bytes] = ()
        self._near = EMPTY_TREE

    def run(
        self,
        wants: Sequence[bytes],
        haves: Sequence[bytes],
        moves: Moves,
        note: RefNote,
    ) -> Settled:
        """Fetch what is lacking of ``wants``, and move refs in the same step.

        ``haves`` are commits that are here. What came of a line that broke is kept for
        the next time. Raises RemoteFailed, Corrupt, Invalid, LimitExceeded, Stale; then
        the store is as it was.
        """
        store, environment = self._storage.store, self._storage.environment
        self._remote.require_prerequisites(store)
        with Quarantine.open(store, self._remote.url, environment) as quarantine:
            self._is_resumed = len(quarantine) > 0
            try:
                return self._run(quarantine, (wants, haves), moves, note)
            except (RemoteFailed, KeyboardInterrupt):
                quarantine.keep()
                raise

    def _run(
        self,
        quarantine: Quarantine,
        asked: tuple[Sequence[bytes], Sequence[bytes]],
        moves: Moves,
        note: RefNote,
    ) -> Settled:
        self._tips = asked[0]
        if asked[1]:
            self._near = self._storage.commits.read(asked[1][0]).root
        try:
            intake = self._take(quarantine, *asked)
        except Invalid as error:
            if error.code != "resume-mismatch":
                raise
            # What is kept is of a sender that makes other bytes now.
            quarantine.forget_stream()
            intake = self._take(quarantine, *asked)
        if self._scope is not None and self._scope.is_ranged:
            return self._run_parts(intake, self._scope, moves, note)
        walk = self._walk(intake, set())
        self._want_versions(walk, intake)
        for address in intake.blobs:
            walk.want_blob(address)
        walk.run()

        def fetch_tree(root: bytes, role: Role) -> None:
            again = self._walk(intake, {root})
            again.want_tree(root, role)
            again.run()

        parts = None
        if self._scope is not None:
            parts = Parts(self._scope.coverage, near=self._near)
        settled = settle(self._storage, intake, moves, note, fetch_tree, parts=parts)
        self._tell(intake, settled)
        return settled

    def _want_versions(self, walk: NodeWalk, intake: Intake) -> None:
        for commit in reversed(intake.commits.values()):
            if intake.has_edits(commit.root):
                for value in intake.edited_values(commit.root):
                    walk.want_descriptor(value)
            else:
                walk.want_version(commit.root)

    def _run_parts(
        self, intake: Intake, scope: Scope, moves: Moves, note: RefNote
    ) -> Settled:
        """Fetch whole manifests, then of datasets what the scope has of them."""
        manifests = self._walk(intake, set(), is_partial=True)
        self._want_versions(manifests, intake)
        manifests.run()
        reading = PartReading(self._storage, intake.quarantine)
        if scope.names:
            roots = [
                reading.commit_root(one, intake) for one in dict.fromkeys(self._tips)
            ]
            scope.look_up(reading.reader, roots)
        walk = PartWalk(
            self._storage, intake.quarantine, self._chunks, self._note_records(intake)
        )
        for commit_id in reversed(intake.commits):
            reading.want(walk, scope.coverage, intake.commits[commit_id], intake)
        walk.run()
        blobs = self._walk(intake, set(), is_partial=True)
        for address in walk.blobs:
            blobs.want_blob(address)
        blobs.run()
        parts = Parts(scope.coverage, walk.opened, self._near)
        settled = settle(self._storage, intake, moves, note, parts=parts)
        self._tell(intake, settled, walk.fetched)
        return settled

    def _take(
        self, quarantine: Quarantine, wants: Sequence[bytes], haves: Sequence[bytes]
    ) -> Intake:
        """Get commits and edits; where the other side knows none of ours, find one."""
        is_probe = any(self._storage.commits.read(one).generation for one in haves)
        self._is_first = not is_probe
        intake = self._asked(quarantine, wants, haves, probe=is_probe)
        if intake is None:
            shared = shared_commits(self._storage.commits, self._remote, haves)
            intake = self._asked(quarantine, wants, shared, probe=False)
        assert intake is not None
        return intake

    def _asked(
        self,
        quarantine: Quarantine,
        wants: Sequence[bytes],
        haves: Sequence[bytes],
        *,
        probe: bool,
    ) -> Intake | None:
        here = self._storage.store.contains_many(wants)
        lacking = sorted(
            {one for one, found in zip(wants, here, strict=True) if not found}
        )
        if len(lacking) > FETCH_COMMITS_MAX:
            raise LimitExceeded(
                f"{len(lacking)} branches and tags are new, the limit is "
                f"{FETCH_COMMITS_MAX}",
                code="too-many-refs",
                hint="Fetch from another replica, or let refs be removed over there.",
            )
        fields = {
            "wants": b"".join(lacking),
            "haves": b"".join(sorted(set(haves))),
            "mode": "ops",
            "probe": probe,
        }
        depth = None
        if self._scope is not None:
            coverage = self._scope.coverage
            depth = coverage.depth
            fields["mode"] = "nodes" if self._scope.is_ranged else "ops"
            fields["scope"] = scope_fields(coverage)
        stream = quarantine.stream(subject_of("fetch", fields))
        intake = Intake(self._storage, quarantine, stream, lacking, depth)
        if not lacking:
            return intake
        for frame in ask_on(self._remote, "fetch", fields, stream):
            if stream.size > self._reply_bytes_max:
                raise LimitExceeded(
                    f"more than {self._reply_bytes_max} bytes in one reply",
                    code="reply-too-long",
                    hint="Fetch the history in parts: tags, or branches, first.",
                )
            if frame.kind == FrameType.REPLY:
                message = decode_message(frame, FrameType.REPLY)
                if probe and message.flag("unknown"):
                    return None
            intake.take(frame)
            self._tell_progress(intake.records)
        intake.require_whole()
        return intake

    def _note_records(self, intake: Intake) -> Callable[[int], None]:
        def on_records(count: int) -> None:
            self._walked += count
            self._tell_progress(intake.records + self._walked)

        return on_records

    def _walk(
        self, intake: Intake, refused: set[bytes], *, is_partial: bool = False
    ) -> NodeWalk:
        def is_delivered(root: bytes) -> bool:
            return root not in refused and intake.has_edits(root)

        walk = NodeWalk(
            self._storage,
            intake.quarantine,
            self._chunks,
            is_delivered,
            self._note_records(intake),
            is_partial=is_partial,
        )
        self._walks.append(walk)
        return walk

    def _chunks(self, addresses: Sequence[bytes]) -> Iterator[bytes]:
        """Yield the chunks of some addresses, each verified."""
        return requested_chunks(self._remote, addresses, after_break=self._is_resumed)

    def _tell_progress(self, records: int) -> None:
        received = self._remote.traffic.bytes_received
        total = None
        if self._is_first and self._walks:
            edited = records - self._walked
            total = max(records, edited + sum(walk.due for walk in self._walks))
        self._progress(SyncProgress(records, received, total))

    def _tell(self, intake: Intake, settled: Settled, in_parts: int = 0) -> None:
        fetched = in_parts + sum(walk.fetched for walk in self._walks)
        report = self._report
        report.objects += settled.commits + len(intake.quarantine)
        report.records += intake.records + self._walked
        report.fallbacks += settled.fallbacks
        ways = [("ops", settled.used_edits), ("nodes", fetched > 0)]
        report.mode = "+".join(name for name, is_used in ways if is_used)
