"""Taking in a push: its body is kept as it comes, then checked and landed at once.

A body that breaks stays, under the id that the sender gave it, and the sender goes on
from there. Nothing of it is seen by anybody until its refs move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from blake3 import blake3

from prolly.chunks import RefMove, RefNote
from prolly.codec import ADDRESS_BYTES
from prolly.codec.wire import FrameDecoder, FrameType, WireFrame, bad_wire
from prolly.codec.wire_messages import Message
from prolly.errors import (
    Corrupt,
    Denied,
    Error,
    Invalid,
    LimitExceeded,
    RemoteFailed,
    Stale,
)
from prolly.history import BRANCHES, TAGS, check_name, is_ancestor
from prolly.repo import Storage

from .intake import Intake
from .kept_stream import KeptStream
from .landing import Landing
from .quarantine import Quarantine
from .settlement import settle

# What somebody may leave on our disk without any of it being of use.
UPLOAD_BYTES_MAX = 64 * 1024 * 1024 * 1024
# More than a person moves; a mirror pushes in parts.
PUSH_REFS_MAX = 1024


class Upload:
    """The body of one push, told from others by an id of 32 bytes."""

    def __init__(self, storage: Storage, upload_id: bytes) -> None:
        self._storage = storage
        self._store = storage.store
        self._id = upload_id

    def kept(self) -> dict[str, Any]:
        """Return how many bytes of the body are kept, and their hash."""
        with Quarantine.of_upload(self._store, self._id) as quarantine:
            stream = self._stream(quarantine)
            if stream.size:
                quarantine.keep()
            return {"bytes": stream.size, "digest": stream.digest}

    def push(
        self, message: Message, body: Iterable[bytes], *, bytes_max: int
    ) -> dict[str, Any]:
        """Take the body, land it, and move refs; return the fields of the reply.

        Raises Stale ``ref-moved``, ``not-fast-forward``, ``ops-mismatch`` and
        ``upload-busy``; Invalid ``resume-mismatch``; LimitExceeded ``upload-too-long``;
        and as landing does. Refs that stand where they are to go are no error.
        """
        moves = _moves(message)
        if self._is_done(moves):
            return {"sequence": self._store.sequence(), "objects": 0, "records": 0}
        self._require_current(moves)
        with Quarantine.of_upload(self._store, self._id) as quarantine:
            stream = self._stream(quarantine)
            _go_on(stream, message)
            wants = [move.new for move in moves if move.new is not None]
            intake = Intake(self._storage, quarantine, stream, wants)
            try:
                for frame in _frames(stream, body, bytes_max):
                    intake.take(frame)
            except BaseException as error:
                # A body that broke is worth keeping, one that is wrong is not.
                if not isinstance(error, Error) or _is_broken(error):
                    quarantine.keep()
                raise
            return self._land(intake, moves, message)

    def _land(
        self, intake: Intake, moves: Sequence[RefMove], message: Message
    ) -> dict[str, Any]:
        intake.require_whole()
        is_forced = message.flag("force")

        def checked(landing: Landing) -> Sequence[RefMove]:
            if not is_forced:
                for move in moves:
                    _require_forward(landing, move)
            tips = [(move.old, move.new) for move in moves if move.new is not None]
            landing.require_stamps(tips)
            return moves

        environment = self._storage.environment
        note = RefNote(environment.user(), "push: received", environment.now_us())
        settled = settle(self._storage, intake, checked, note)
        objects = settled.commits + len(intake.quarantine)
        return {
            "sequence": settled.sequence,
            "objects": objects,
            "records": intake.records,
        }

    def _stream(self, quarantine: Quarantine) -> KeptStream:
        return quarantine.stream(blake3(self._id).digest())

    def _is_done(self, moves: Sequence[RefMove]) -> bool:
        """Tell whether all refs stand where they are to go: the reply was lost."""
        return all(self._store.read_ref(move.name) == move.new for move in moves)

    def _require_current(self, moves: Sequence[RefMove]) -> None:
        """Raise Stale ``ref-moved`` before anything is taken in vain."""
        for move in moves:
            actual = self._store.read_ref(move.name)
            if actual != move.old:
                raise Stale(
                    f"{move.name} stands elsewhere than you think",
                    code="ref-moved",
                    hint="Pull, then push again.",
                    ref=move.name,
                    expected=move.old,
                    actual=actual,
                )


def _moves(message: Message) -> list[RefMove]:
    listed = message.fields.get("moves")
    if type(listed) is not list or not 0 < len(listed) <= PUSH_REFS_MAX:
        raise bad_wire(f"'moves' are no list of up to {PUSH_REFS_MAX}")
    moves = [_move(one) for one in listed]
    if len({move.name for move in moves}) != len(moves):
        raise bad_wire("a ref is to move twice")
    return moves


def _move(parts: object) -> RefMove:
    if type(parts) is not list or len(parts) != 3 or type(parts[0]) is not str:
        raise bad_wire("a move is a name and two addresses")
    name, old, new = parts
    for address in (old, new):
        is_address = type(address) is bytes and len(address) == ADDRESS_BYTES
        if not is_address and (address is not None or address is new):
            raise bad_wire("a move is a name and two addresses")
    for prefix in (BRANCHES, TAGS):
        if name.startswith(prefix):
            check_name(name.removeprefix(prefix))
            if prefix == TAGS and old is not None:
                raise Denied(
                    f"the tag {name.removeprefix(TAGS)} is there, and tags stay",
                    code="tag-moved",
                    hint="Choose another name.",
                    ref=name,
                )
            return RefMove(name, old, new)
    raise Denied(
        f"{name[:100]!r} is no branch and no tag",
        code="push-ref",
        hint="Push branches and tags.",
        ref=name[:100],
    )


def _go_on(stream: KeptStream, message: Message) -> None:
    """Make sure that the body goes on where what is kept of it ends."""
    offset = message.number("offset", 0)
    if offset == 0:
        stream.restart()
    elif offset != stream.size or message.data("digest") != stream.digest:
        raise Invalid(
            "what is kept of this upload is not what was sent before",
            code="resume-mismatch",
            hint="Do it again: it begins anew.",
        )


def _frames(
    stream: KeptStream, body: Iterable[bytes], bytes_max: int
) -> Iterator[WireFrame]:
    decoder = FrameDecoder()
    for piece in stream.pieces():
        yield from _checked(decoder, piece)
    for piece in body:
        if stream.size + len(piece) > bytes_max:
            raise LimitExceeded(
                f"more than {bytes_max} bytes in one push",
                code="upload-too-long",
                hint="Push the history in parts.",
            )
        stream.append(piece)
        yield from _checked(decoder, piece)
    decoder.finish()


def _checked(decoder: FrameDecoder, piece: bytes) -> Iterator[WireFrame]:
    for frame in decoder.feed(piece):
        if frame.kind == FrameType.ERROR:
            raise Corrupt(
                "the sender gave up",
                code="wire-truncated",
                hint="Look for its own error over there.",
            )
        if frame.kind != FrameType.END:
            yield frame


def _is_broken(error: Error) -> bool:
    return isinstance(error, RemoteFailed) or error.code == "wire-truncated"


def _require_forward(landing: Landing, move: RefMove) -> None:
    assert move.new is not None
    if move.old is not None and not is_ancestor(landing.commits, move.old, move.new):
        raise not_fast_forward(move.name)


def not_fast_forward(ref: str) -> Stale:
    """Return (not raise) the error for a push that would leave commits behind."""
    return Stale(
        f"{ref} of the other side has commits that this push does not",
        code="not-fast-forward",
        hint="`prolly pull` first, then push again; or --force-with-lease to leave "
        "them behind.",
        ref=ref,
    )
