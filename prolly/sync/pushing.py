"""Pushing a branch: what the other side lacks goes there, then its ref moves.

The branch over there moves by compare-and-set from where it was seen, and only forward,
unless a lease says otherwise. That it is the current branch of a repository with
uncommitted changes is no hindrance: working states stand beside branches, and what is
uncommitted is carried over when it is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.chunks import RefMove, RefNote
from prolly.codec import cbor
from prolly.codec.wire_messages import Message, decode_bits
from prolly.errors import Corrupt, Error, Invalid, NotFound, RemoteFailed, Stale
from prolly.history import BRANCHES, REMOTES, beyond, cut_off, is_ancestor
from prolly.repo import Storage, shallow_commits

from .conversation import FRUITLESS_ATTEMPTS_MAX, ask_for
from .kept_answers import KeptAnswers
from .kept_stream import rest_of
from .negotiation import known_commits
from .outgoing import Outgoing
from .remote import Remote
from .remote_refs import RemoteRefs, read_remote_refs
from .report import Progress, SyncProgress, SyncReport
from .service import FETCH_COMMITS_MAX
from .upload import not_fast_forward

# What broke may still be landed over there, for which a server gives it 30 seconds.
BUSY_WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 12.8)

Lease = bool | bytes | None
"""False: only forward. True: from where it was last seen. Bytes: from that commit."""


class _Body(NamedTuple):
    """What a push is made of."""

    move: RefMove
    # Commits that the other side lacks, children first.
    commit_ids: Sequence[bytes]
    is_forced: bool


class Push:
    """One push of one branch. ``name`` is the remote's, None for one without."""

    def __init__(
        self,
        storage: Storage,
        remote: Remote,
        name: str | None,
        report: SyncReport,
        progress: Progress,
    ) -> None:
        self._storage = storage.here
        self._store = storage.store
        self._remote = remote
        self._name = name
        self._report = report
        self._progress = progress

    def run(self, branch: str, lease: Lease) -> None:
        """Push a branch to the branch of its name.

        Raises NotFound ``no-such-branch``, Stale ``not-fast-forward``, ``lease`` and
        ``ref-moved``, RemoteFailed, and what the other side raises.
        """
        ref = BRANCHES + branch
        ours = self._store.read_ref(ref)
        if ours is None:
            raise NotFound(
                f"no branch {branch!r}",
                code="no-such-branch",
                hint="`prolly branch` lists the branches.",
                ref=ref,
            )
        theirs = read_remote_refs(self._remote)
        stands = theirs.refs.get(ref)
        if stands != ours:
            self._require_allowed(ref, stands, ours, lease)
            self._send(RefMove(ref, stands, ours), theirs, lease)
            self._report.note(ref, stands, ours)
        self._track(branch, ours)

    def _require_allowed(
        self, ref: str, stands: bytes | None, ours: bytes, lease: Lease
    ) -> None:
        if lease is not False and lease is not None:
            expected = lease if isinstance(lease, bytes) else self._seen(ref)
            if expected != stands:
                raise Stale(
                    f"{ref} of the other side moved since it was last seen",
                    code="lease",
                    hint="`prolly fetch`, look at what is new, then push again.",
                    ref=ref,
                    expected=expected,
                    actual=stands,
                )
            return
        if stands is None:
            return
        commits = self._storage.commits
        is_known = all(self._store.contains_many([stands]))
        if not is_known or not is_ancestor(commits, stands, ours):
            raise not_fast_forward(ref)

    def _seen(self, ref: str) -> bytes | None:
        if self._name is None:
            raise Invalid(
                "a lease wants a remote with a name: nobody noted where this one stood",
                code="lease",
                hint="`prolly remote add NAME URL`, then fetch.",
            )
        return self._store.read_ref(self._tracking(ref.removeprefix(BRANCHES)))

    def _tracking(self, branch: str) -> str:
        return f"{REMOTES}{self._name}/{branch}"

    def _send(self, move: RefMove, theirs: RemoteRefs, lease: Lease) -> None:
        known = sorted(set(theirs.refs.values()))
        here = self._store.contains_many(known)
        shared = [one for one, found in zip(known, here, strict=True) if found]
        assert move.new is not None
        commit_ids = self._lacking(move.new, shared)
        body = _Body(move, commit_ids, lease is not False and lease is not None)
        subject = cbor.encode([self._remote.url, move.name, move.old, move.new])
        answers = KeptAnswers(self._store, subject, self._ask_absent)
        is_over = True
        try:
            self._send_either_way(body, answers)
        except (RemoteFailed, KeyboardInterrupt):
            is_over = False
            raise
        except Corrupt as error:
            # What it had it may have lost since it was asked.
            if error.code != "chunk-missing" or not answers.is_used:
                raise
            answers.remove()
            self._send_either_way(body, answers)
        finally:
            if is_over:
                answers.remove()
            else:
                answers.close()

    def _send_either_way(self, body: _Body, answers: KeptAnswers) -> None:
        try:
            self._send_body(body, answers, as_edits=True)
        except Stale as error:
            if error.code != "ops-mismatch":
                raise
            self._report.fallbacks += 1
            self._send_body(body, answers, as_edits=False)

    def _lacking(self, tip: bytes, shared: Sequence[bytes]) -> list[bytes]:
        """Return the commits that the other side lacks, children first.

        Where our history was cut off the other side is asked whether it knows the end:
        it came from there, or from a replica of the same.
        """
        commits = self._storage.commits
        found = list(beyond(commits, [tip], shared))
        shallow = shallow_commits(self._store)
        ends = [one for one in found if one in shallow and commits.is_cut(one)]
        if not ends:
            return found
        known = known_commits(self._remote, ends[:FETCH_COMMITS_MAX])
        for end, is_known in zip(ends, known, strict=False):
            if not is_known:
                raise cut_off(end)
        return list(beyond(commits, [tip], [*shared, *ends]))

    def _send_body(self, body: _Body, answers: KeptAnswers, *, as_edits: bool) -> None:
        move, commit_ids = body.move, body.commit_ids
        outgoing = Outgoing(self._storage, commit_ids, answers, as_edits=as_edits)
        try:
            moves = [[move.name, move.old, move.new]]
            upload = blake3(cbor.encode(moves) + outgoing.digest).digest()
            fields = {"moves": moves, "upload": upload, "force": body.is_forced}
            self._upload(fields, outgoing)
        finally:
            outgoing.close()
        report = self._report
        report.objects += len(commit_ids) + len(outgoing.chunks)
        report.records += outgoing.records + outgoing.leaf_records
        ways = [("ops", outgoing.records), ("nodes", len(outgoing.chunks))]
        report.mode = "+".join(name for name, used in ways if used)

    def _upload(self, fields: dict[str, Any], outgoing: Outgoing) -> Message:
        """Send the body, and go on where it broke as long as that gets further."""
        offset, digest = 0, blake3().digest()
        if outgoing.is_large:
            offset, digest = self._kept(fields["upload"], None)
        fruitless = 0
        may_begin_anew = True
        while True:
            resumed = {**fields, "offset": offset, "digest": digest}
            body = rest_of(outgoing.pieces(), offset, digest)
            try:
                told = self._told(body, outgoing)
                return ask_for(self._remote, "push", resumed, told)
            except (RemoteFailed, Corrupt, Stale, Invalid) as error:
                if error.code == "resume-mismatch" and may_begin_anew:
                    # What is kept over there is damaged.
                    offset, digest = 0, blake3().digest()
                    may_begin_anew = False
                    continue
                if not _may_go_on(error):
                    raise
                broken: Error = error
            kept = self._kept(fields["upload"], broken)
            fruitless = 0 if kept[0] > offset else fruitless + 1
            if fruitless == FRUITLESS_ATTEMPTS_MAX:
                raise broken
            offset, digest = kept

    def _told(self, body: Iterable[bytes], outgoing: Outgoing) -> Iterator[bytes]:
        """Pass a body on, and tell how far it is."""
        total = outgoing.records + outgoing.leaf_records
        for piece in body:
            yield piece
            sent = self._remote.traffic.bytes_sent
            self._progress(SyncProgress(outgoing.sent_records, sent, total))

    def _kept(self, upload: bytes, broken: Error | None) -> tuple[int, bytes]:
        """Ask how much of the body is over there. Raises ``broken`` if nobody tells."""
        waits = iter(BUSY_WAITS_SECONDS)
        while True:
            try:
                message = ask_for(self._remote, "uploaded", {"upload": upload})
            except (RemoteFailed, Corrupt) as error:
                raise broken or error from None
            except Stale as error:
                # The other side has not noticed yet that the line broke.
                seconds = next(waits, None)
                if error.code != "upload-busy" or seconds is None:
                    raise
                self._storage.environment.sleep(seconds)
                continue
            return message.number("bytes"), message.data("digest")

    def _ask_absent(self, addresses: Sequence[bytes]) -> list[bool]:
        message = ask_for(self._remote, "absent", {"addresses": b"".join(addresses)})
        return decode_bits(message.data("absent"), len(addresses))

    def _track(self, branch: str, ours: bytes) -> None:
        """Note where the branch of the other side stands now."""
        if self._name is None:
            return
        name = self._tracking(branch)
        old = self._store.read_ref(name)
        if old != ours:
            environment = self._storage.environment
            note = RefNote(environment.user(), "push", environment.now_us())
            self._store.move_refs([RefMove(name, old, ours)], note)


def _may_go_on(error: Error) -> bool:
    """Tell whether a push that failed so may go on from where it broke."""
    return isinstance(error, RemoteFailed) or error.code in (
        "wire-truncated",
        "upload-busy",
    )
