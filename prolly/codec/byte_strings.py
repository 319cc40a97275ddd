"""Columns of a leaf: sequences of byte strings, kept together until needed apart.

Most that is done with a column is done with all of it: keys are decoded in one go, and
so are values. Where all strings are of one length, as most keys and many values are,
one look at every n-th byte says what each of them begins with, and one call takes them
apart. Both kinds are sequences of ``bytes`` for whoever wants just that.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .kernel import Strings

# Lengths are few, and numbers of records in a leaf some hundred. One takes 32 bytes a
# record.
_FORMS_KEPT = 512


class ByteStrings(Sequence[bytes]):
    """Byte strings in order; what is made of them belongs to the caller."""

    __slots__ = ()

    @abstractmethod
    def apart(self) -> list[bytes]:
        """Return the strings as a list."""

    @abstractmethod
    def joined(self, separator: bytes = b"") -> bytes:
        """Return all strings in one, ``separator`` between each two."""

    @abstractmethod
    def part(self, places: slice) -> Self:
        """Return the strings at these places, which stand in a row."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.apart())

    def __getitem__(self, place: Any) -> Any:
        return self.part(place) if isinstance(place, slice) else self.apart()[place]


class EvenStrings(ByteStrings):
    """Strings of one length, at places of one distance in the bytes of a chunk.

    ``places`` is where each stands, ``skipped`` how many bytes stand there before it,
    and ``prefix`` is what each of them begins with and the chunk leaves out.
    """

    __slots__ = ("_chunk", "_places", "_prefix", "_skipped", "size")

    def __init__(
        self, chunk: bytes, places: range, skipped: int, prefix: bytes = b""
    ) -> None:
        self._chunk = chunk
        self._places = places
        self._skipped = skipped
        self._prefix = prefix
        self.size = len(prefix) + places.step - skipped

    def __len__(self) -> int:
        return len(self._places)

    def apart(self) -> list[bytes]:
        if not self._prefix:
            return list(self._apart())
        return list(even_form(self.size, len(self)).unpack(self.joined()))

    def joined(self, separator: bytes = b"") -> bytes:
        places, prefix = self._places, self._prefix
        if not places:
            return b""
        if prefix and not separator and self._skipped == 1:
            # Where their header stands in no string, it gives way to the prefix.
            column = self._chunk[places.start : places.stop]
            if column.count(column[0]) == len(places):
                return column.replace(column[:1], prefix)
        return prefix + (separator + prefix).join(self._apart())

    def part(self, places: slice) -> Self:
        some = self._places[places]
        return type(self)(self._chunk, some, self._skipped, self._prefix)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return self.part(place)
        at = self._places[place]
        return self._prefix + self._chunk[at + self._skipped : at + self._places.step]

    def begin_with(self, head: bytes) -> bool:
        """Tell whether every one begins so; not for strings with a prefix."""
        assert not self._prefix, "the prefix is not in the chunk"
        if len(head) > self.size:
            return False
        chunk, places, count = self._chunk, self._places, len(self)
        at, end, stride = places.start + self._skipped, places.stop, places.step
        if chunk[at : at + len(head)] != head:
            return False
        return all(
            chunk[place:end:stride].count(byte) == count
            for place, byte in enumerate(head, at)
        )

    def strides(self) -> tuple[bytes, int, int, int]:
        """Return (chunk, where the first string begins, an end, the distance of two).

        ``chunk[begin + n : end : distance]`` are the n-th bytes of all strings; as
        ``begin_with``.
        """
        assert not self._prefix, "the prefix is not in the chunk"
        places = self._places
        return self._chunk, places.start + self._skipped, places.stop, places.step

    def laid_out(self) -> tuple[bytes, int, int, int, int, bytes]:
        """Return how they stand: chunk, start, stride, count, bytes skipped, prefix."""
        places = self._places
        return (
            self._chunk,
            places.start,
            places.step,
            len(places),
            self._skipped,
            self._prefix,
        )

    def behind(self, size: int) -> Self:
        """Return the strings without their first ``size`` bytes; as ``begin_with``."""
        assert not self._prefix and size <= self.size
        return type(self)(self._chunk, self._places, self._skipped + size)

    def _apart(self) -> tuple[bytes, ...]:
        """Return what of each string stands in the chunk."""
        places, skipped = self._places, self._skipped
        form = even_form(places.step - skipped, len(places), skipped)
        return form.unpack_from(self._chunk, places.start)


class ListedStrings(ByteStrings):
    """Strings of any lengths: what follows a prefix that all of them share."""

    __slots__ = ("_prefix", "_rests")

    def __init__(self, rests: list[bytes], prefix: bytes = b"") -> None:
        self._rests = rests
        self._prefix = prefix

    def __len__(self) -> int:
        return len(self._rests)

    def apart(self) -> list[bytes]:
        prefix = self._prefix
        if not prefix:
            return self._rests
        return [prefix + rest for rest in self._rests]

    def joined(self, separator: bytes = b"") -> bytes:
        if not self._rests:
            return b""
        prefix = self._prefix
        return prefix + (separator + prefix).join(self._rests)

    def part(self, places: slice) -> Self:
        return type(self)(self._rests[places], self._prefix)


def as_strings(strings: Sequence[bytes]) -> Strings:
    """Return byte strings as the kernel takes them."""
    if type(strings) is EvenStrings:
        return strings.laid_out()
    return strings if type(strings) is list else list(strings)


@lru_cache(maxsize=_FORMS_KEPT)
def even_form(size: int, count: int, skipped: int = 0) -> Struct:
    """Return what takes so many strings of one size apart, each behind some bytes."""
    return Struct(f"{skipped}x{size}s" * count)
