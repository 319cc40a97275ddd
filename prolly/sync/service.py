"""The side that answers: one request and its body in, one reply out.

It keeps nothing between requests but refs and the quarantine of uploads, so any number
of services of one store may answer, in any order. Errors become a frame of the reply.
What is said: ``docs/spec/sync.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from prolly.codec import ADDRESS_BYTES, SHALLOW_COMMITS_MAX
from prolly.codec.wire import END_FRAME, WIRE_VERSION, FrameDecoder, FrameType, bad_wire
from prolly.codec.wire_messages import (
    Message,
    decode_message,
    encode_bits,
    encode_chunk_frames,
    encode_message,
    encode_wire_error,
)
from prolly.errors import Error, NotFound, ReadOnly, Unsupported
from prolly.history import BRANCHES, TAGS, within
from prolly.repo import (
    Repository,
    Storage,
    absent,
    read_coverage,
    read_current_branch,
)

from .delivery import Delivery
from .kept_stream import rest_of
from .node_walk import WALK_ADDRESSES_MAX
from .upload import UPLOAD_BYTES_MAX, Upload

# Commits named in one request to fetch, as wanted and as held; 256 kB each.
FETCH_COMMITS_MAX = 8192
# Refs in one message: some hundred kilobytes.
REFS_PER_MESSAGE = 4096
# Chunks looked up and read together: two megabytes of leaves.
READ_CHUNKS = 256

Permit = Callable[[str, Message], None]
"""Called with each verb and its fields before it is answered; raises Denied."""


def permit_all(verb: str, fields: Message) -> None:
    """Raise nothing."""


class Service:
    """Answers for one repository. Safe for use from several threads.

    With ``read_only`` pushes are refused. ``permit`` may refuse any request.
    """

    def __init__(
        self,
        repository: Repository | Storage,
        *,
        read_only: bool = False,
        upload_bytes_max: int = UPLOAD_BYTES_MAX,
        permit: Permit = permit_all,
    ) -> None:
        storage = (
            repository.storage if isinstance(repository, Repository) else repository
        )
        # What is absent in a partial replica is not fetched for others.
        self._storage = storage.here
        self._store = self._storage.store
        self._read_only = read_only
        self._upload_bytes_max = upload_bytes_max
        self._permit = permit
        self._verbs: dict[str, Callable[[Message, Iterable[bytes]], Iterator[bytes]]]
        self._verbs = {
            "refs": self._refs,
            "common": self._common,
            "fetch": self._fetch,
            "chunks": self._chunks,
            "absent": self._absent,
            "push": self._push,
            "uploaded": self._uploaded,
        }

    def answer(self, request: bytes, body: Iterable[bytes] = ()) -> Iterator[bytes]:
        """Yield the reply to a request; ``body`` is read as far as it is of use.

        What the request or the store has wrong is told in the reply. Whatever else is
        raised is a fault of our own.
        """
        try:
            message = _request(request)
            verb = message.text("verb")
            if verb not in self._verbs:
                raise Unsupported(
                    f"this side does not know how to {verb[:40]!r}",
                    code="wire-verb",
                    hint="Upgrade prolly over there.",
                )
            self._permit(verb, message)
            yield from self._verbs[verb](message, body)
            yield END_FRAME
        except Error as error:
            yield encode_wire_error(error)

    def _refs(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        kinds = (BRANCHES, TAGS)
        refs = chain.from_iterable(map(self._store.iter_refs, kinds))
        first: dict[str, object] = {
            "head": read_current_branch(self._store) or "main",
            "sequence": self._store.sequence(),
            "limits": {"addresses": WALK_ADDRESSES_MAX, "commits": FETCH_COMMITS_MAX},
        }
        named = dict(islice(refs, REFS_PER_MESSAGE))
        while first or named:
            yield encode_message(FrameType.REPLY, {**first, "refs": named})
            first, named = {}, dict(islice(refs, REFS_PER_MESSAGE))

    def _common(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        asked = message.addresses("ids", FETCH_COMMITS_MAX)
        here = self._store.contains_many(asked)
        yield encode_message(FrameType.REPLY, {"known": encode_bits(here)})

    def _fetch(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        if not {*message.mapping("scope")} <= {"depth", "shallow"}:
            raise Unsupported(
                "this side knows of no such scope",
                code="sync-scope",
                hint="Upgrade prolly over there.",
            )
        wants = message.addresses("wants", FETCH_COMMITS_MAX)
        held = message.addresses("haves", FETCH_COMMITS_MAX)
        self._require_commits(wants)
        here = self._store.contains_many(held)
        known = [one for one, found in zip(held, here, strict=True) if found]
        yield from _resumed(self._fetched(wants, known, message), message)

    def _fetched(
        self, wants: Sequence[bytes], known: Sequence[bytes], message: Message
    ) -> Iterator[bytes]:
        commits = self._storage.commits
        is_shared = any(commits.read(one).generation for one in known)
        if message.flag("probe") and not is_shared:
            # The first commit is everywhere, and says nothing of what else is.
            yield encode_message(FrameType.REPLY, {"unknown": True})
            return
        scope = Message(message.mapping("scope"))
        depth = scope.number("depth", 0) or None
        shallow = frozenset(scope.addresses("shallow", SHALLOW_COMMITS_MAX))
        commit_ids, cut = within(commits, wants, known, depth=depth, shallow=shallow)
        yield encode_message(FrameType.REPLY, {"commits": len(commit_ids)})
        as_edits = message.text("mode") == "ops"
        delivery = Delivery(self._storage, commit_ids, as_edits=as_edits, cut=cut)
        yield from delivery.frames()

    def _require_commits(self, commit_ids: Sequence[bytes]) -> None:
        here = self._store.contains_many(commit_ids)
        if not all(here):
            missing = commit_ids[here.index(False)]
            raise NotFound(
                f"commit {missing.hex()} is not here",
                code="no-such-commit",
                hint="Ask for the refs again, they may have moved.",
                address=missing,
            )

    def _chunks(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        asked = message.addresses("addresses", WALK_ADDRESSES_MAX)
        frames = encode_chunk_frames(FrameType.CHUNKS, self._read(asked))
        yield from _resumed(frames, message)

    def _read(self, addresses: Sequence[bytes]) -> Iterator[bytes]:
        for start in range(0, len(addresses), READ_CHUNKS):
            batch = addresses[start : start + READ_CHUNKS]
            found = self._store.get_many(batch)
            for address, chunk in zip(batch, found, strict=True):
                if chunk is None:
                    if read_coverage(self._store) is not None:
                        raise _not_sent(self._storage, address)
                    raise NotFound(
                        f"chunk {address.hex()} is not here",
                        code="chunk-missing",
                        hint="It may have been collected meanwhile: do it again.",
                        address=address,
                    )
                yield chunk

    def _absent(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        asked = message.addresses("addresses", WALK_ADDRESSES_MAX)
        absent = [not here for here in self._store.contains_many(asked)]
        yield encode_message(FrameType.REPLY, {"absent": encode_bits(absent)})

    def _push(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        self._require_writable()
        upload = Upload(self._storage, message.data("upload", ADDRESS_BYTES))
        reply = upload.push(message, body, bytes_max=self._upload_bytes_max)
        yield encode_message(FrameType.REPLY, reply)

    def _uploaded(self, message: Message, body: Iterable[bytes]) -> Iterator[bytes]:
        self._require_writable()
        upload = Upload(self._storage, message.data("upload", ADDRESS_BYTES))
        yield encode_message(FrameType.REPLY, upload.kept())

    def _require_writable(self) -> None:
        if self._read_only:
            raise ReadOnly(
                "this side takes no pushes",
                code="read-only",
                hint="Push elsewhere, or let it pull from here.",
            )
        if read_coverage(self._store) is not None:
            raise Unsupported(
                "this side is a partial replica, and takes no pushes",
                code="partial-replica",
                hint="Push to the repository that it came from; it pulls from there.",
            )


def _resumed(frames: Iterable[bytes], message: Message) -> Iterator[bytes]:
    """Yield a reply from where the other side has it, behind a frame that says so.

    Without that an error could not be told from the rest of a frame.
    """
    offset = message.number("offset", 0)
    rest = rest_of(frames, offset, message.data("digest"))
    first = next(rest, b"")
    if offset:
        yield encode_message(FrameType.REPLY, {"resumed": offset})
    yield first
    yield from rest


def _request(request: bytes) -> Message:
    decoder = FrameDecoder()
    frames = list(decoder.feed(request))
    if len(frames) != 1:
        raise bad_wire("a request is one frame")
    message = decode_message(frames[0], FrameType.REQUEST)
    version = message.number("version")
    if version != WIRE_VERSION:
        raise Unsupported(
            f"the other side speaks version {version}, this one {WIRE_VERSION}",
            code="wire-version",
            hint="Upgrade the older one.",
            expected=WIRE_VERSION,
            actual=version,
        )
    return message


def _not_sent(storage: Storage, address: bytes) -> NotFound:
    """Return the error for who asks a partial replica for more than it has."""
    lack = absent(storage, [address], "")
    return NotFound(
        f"the other side has not all of it: {lack.message}",
        code=lack.code,
        hint="Ask for a part that it has (`--dataset`, `--prefix`, `--depth`), or ask "
        "where it came from.",
        **lack.facts,
    )
