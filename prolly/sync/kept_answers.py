"""What the other side said to lack, kept so that a push that broke need not ask again.

    entry    BLAKE3-256 of question and answer | size u32 | question hash 32 | answer

A push asks for each chunk whether it lacks there, 32 bytes a chunk: in a push that is
begun again by another process that would be most of what goes over the line. The body
of a push is a function of the answers, so who has them sends the same body, and goes on
with it. Answers may be old: whoever relies on them asks anew where a push is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct

from blake3 import blake3

from prolly.chunks import KeptFile, KeptFiles, Store
from prolly.codec.wire_messages import decode_bits, encode_bits
from prolly.errors import Corrupt

# Eight kilobytes of addresses: fewer are asked again sooner than kept.
KEPT_ADDRESSES_MIN = 256

_NAME_DIGITS = 32
_HASH_BYTES = 32
_SIZE = Struct("<I")
# Of questions about all chunks that there may be, some hundred times over.
_FILE_BYTES_MAX = 64 * 1024 * 1024

AskAbsent = Callable[[Sequence[bytes]], list[bool]]
"""Tells which of some chunks the other side lacks; at most WALK_ADDRESSES_MAX."""


class KeptAnswers:
    """The answers to the questions of one push. Not thread-safe; close or remove it.

    ``subject`` names the push. While another process has its answers, or they are few,
    nothing is kept. ``is_used`` tells whether an answer of before was given.
    """

    def __init__(self, store: Store, subject: bytes, ask: AskAbsent) -> None:
        self._store = store
        self._name = f"{blake3(subject).hexdigest()[:_NAME_DIGITS]}a"
        self._ask = ask
        self._file: KeptFile | None = None
        self._answers: dict[bytes, bytes] | None = None
        self.is_used = False

    def __call__(self, addresses: Sequence[bytes]) -> list[bool]:
        """Tell which of some chunks the other side lacks, or lacked when asked."""
        if len(addresses) < KEPT_ADDRESSES_MIN:
            return self._ask(addresses)
        question = blake3(b"".join(addresses)).digest()
        answers = self._opened()
        kept = answers.get(question)
        if kept is not None:
            try:
                found = decode_bits(kept, len(addresses))
            except Corrupt:
                pass
            else:
                self.is_used = True
                return found
        found = self._ask(addresses)
        answers[question] = encode_bits(found)
        if self._file is not None:
            self._file.append(_entry(question, answers[question]))
        return found

    def close(self) -> None:
        """Leave the answers for who goes on later."""
        if self._file is not None:
            self._file.close()

    def remove(self) -> None:
        """Forget the answers."""
        if self._file is not None:
            self._file.remove()
            self._file = None
        self._answers = None
        self.is_used = False

    def _opened(self) -> dict[bytes, bytes]:
        if self._answers is None:
            self._file = KeptFiles(self._store).open(self._name)
            self._answers = {} if self._file is None else _load(self._file)
        return self._answers


def _entry(question: bytes, answer: bytes) -> bytes:
    body = question + answer
    return blake3(body).digest() + _SIZE.pack(len(body)) + body


def _load(file: KeptFile) -> dict[bytes, bytes]:
    """Return the answers in a file; what is cut short or damaged is forgotten."""
    data = file.read(0, min(file.size, _FILE_BYTES_MAX))
    answers: dict[bytes, bytes] = {}
    at = 0
    while len(data) - at >= _HASH_BYTES + _SIZE.size:
        start = at + _HASH_BYTES + _SIZE.size
        end = start + _SIZE.unpack_from(data, at + _HASH_BYTES)[0]
        body = data[start:end]
        if end > len(data) or blake3(body).digest() != data[at : at + _HASH_BYTES]:
            break
        answers[body[:_HASH_BYTES]] = body[_HASH_BYTES:]
        at = end
    if at < file.size:
        file.truncate(at)
    return answers
