"""Records as they come in: in order, within their limits, then checked for spelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt

from prolly.codec import INLINE_BYTES_MAX, KEY_BYTES_MAX
from prolly.codec.byte_strings import ByteStrings, EvenStrings
from prolly.errors import Corrupt
from prolly.tree import Edits

from .record_checks import Check


class InOrder:
    """Checks batch after batch of one tree: keys ascend, from batch to batch, too.

    Raises Corrupt ``record-order``, and what ``check`` does. No batch is empty.
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self._last = b""

    def inspect(
        self, listed: list[bytes], keys: ByteStrings, values: ByteStrings
    ) -> None:
        """Check the records of one leaf, given its keys apart and as a column."""
        self._require_order(listed, _longest(keys))
        self._require_values(keys, values)

    def checked(self, batches: Iterable[Edits]) -> Iterator[Edits]:
        """Pass edits on, each checked; what they delete has a key alone."""
        for keys, values in batches:
            self._require_order(keys, max(map(len, keys)))
            named = [
                (key, value)
                for key, value in zip(keys, values, strict=True)
                if value is not None
            ]
            if named:
                written_keys, written = zip(*named, strict=True)
                self._require_values(list(written_keys), list(written))
            yield keys, values

    def _require_order(self, keys: Sequence[bytes], longest: int) -> None:
        ascends = self._last < keys[0] and all(map(lt, keys, islice(keys, 1, None)))
        if not ascends or longest > KEY_BYTES_MAX:
            raise _bad_order()
        self._last = keys[-1]

    def _require_values(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        if _longest(values) > INLINE_BYTES_MAX:
            raise _bad_order()
        self._check(keys, values)


def _longest(strings: Sequence[bytes]) -> int:
    if type(strings) is EvenStrings:
        return strings.size
    return max(map(len, strings))


def _bad_order() -> Corrupt:
    return Corrupt(
        "records that came are out of order, or past a limit",
        code="record-order",
        hint="The other side breaks the format; nothing was changed.",
    )
