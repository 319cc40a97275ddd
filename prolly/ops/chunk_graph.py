"""All reachable chunks and their links in memory, to ask who holds what.

Chunks become numbers, so that a question about a set of roots is a walk over arrays:
half a microsecond a link, whatever the number of questions. Memory: some 200 bytes a
chunk.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prolly.codec import Reference, links_of
from prolly.tree import WALK_ADDRESSES, reachable

GetMany = Callable[[list[bytes]], list[bytes | None]]
Links = Callable[[bytes, bytes], list[Reference]]


@dataclass(frozen=True, slots=True)
class Share:
    """What some roots reach: chunks and their bytes, and the part that is theirs alone.

    ``unique_bytes`` is what would be free without them.
    """

    chunks: int
    bytes: int
    unique_bytes: int

    @property
    def shared_bytes(self) -> int:
        """The bytes that others reach too."""
        return self.bytes - self.unique_bytes


class ChunkGraph:
    """The chunks that roots reach, read once. Raises Corrupt where one is missing."""

    def __init__(
        self, get_many: GetMany, roots: Iterable[bytes], links: Links | None = None
    ) -> None:
        self._numbers: dict[bytes, int] = {}
        self._sizes = array("L")
        self._links: list[array[int]] = []
        find = _all_links if links is None else links
        found = reachable(get_many, roots, batch_addresses=WALK_ADDRESSES, links=find)
        for address, chunk in found:
            number = self._number(address)
            self._sizes[number] = len(chunk)
            below = dict.fromkeys(link.address for link in find(address, chunk))
            self._links[number] = array("L", map(self._number, below))

    def __contains__(self, address: bytes) -> bool:
        return address in self._numbers

    def _number(self, address: bytes) -> int:
        number = self._numbers.setdefault(address, len(self._numbers))
        if number == len(self._links):
            self._sizes.append(0)
            self._links.append(array("L"))
        return number

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def total_bytes(self) -> int:
        """The bytes of all chunks."""
        return sum(self._sizes)

    def shares(self, roots: Mapping[str, Iterable[bytes]]) -> dict[str, Share]:
        """Return what each of several groups of roots reaches, and reaches alone."""
        holders = bytearray(len(self))
        for addresses in roots.values():
            for number in self._walk(addresses):
                # Two and more are all alike.
                holders[number] = min(holders[number] + 1, 2)
        found: dict[str, Share] = {}
        for name, addresses in roots.items():
            chunks = total = alone = 0
            for number in self._walk(addresses):
                size = self._sizes[number]
                chunks += 1
                total += size
                alone += size if holders[number] == 1 else 0
            found[name] = Share(chunks, total, alone)
        return found

    def _walk(self, addresses: Iterable[bytes]) -> Iterable[int]:
        seen = bytearray(len(self))
        front = [self._numbers[address] for address in addresses]
        while front:
            number = front.pop()
            if not seen[number]:
                seen[number] = 1
                yield number
                front += self._links[number]


def _all_links(address: bytes, chunk: bytes) -> list[Reference]:
    return links_of(chunk)
