"""A sorted run of edits in a temporary file: written once, read by block or by key."""

from __future__ import annotations

import marshal
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from prolly.chunks import SpillFile
from prolly.codec import Referring
from prolly.codec.kernel import kernel

# Edits a block: one block a run is in memory while runs are merged.
BLOCK_EDITS = 2048

# Later versions of the format look each string up, to write one that recurs but once:
# that takes twice as long, and none recurs.
MARSHAL_VERSION = 2

Edits = tuple[list[bytes], list[bytes | None]]


class SortedRun:
    """Sorted edits on disk. The file has no name and goes with its last reference.

    ``batches`` hold them in order, each key once, and none is empty. ``merges`` tells
    how many times they were merged into a larger run. Raises StorageFailed
    ``spill-failed``.
    """

    def __init__(
        self, batches: Iterable[Edits], directory: str | None, merges: int = 0
    ) -> None:
        self.edits = 0
        self.merges = merges
        self._last_keys: list[bytes] = []
        self._offsets = [0]
        self._cached: tuple[int, Edits] = (-1, ([], []))
        self._file = SpillFile(directory)
        try:
            for batch in batches:
                for keys, values in blocks_of(batch):
                    self._file.append(freeze_edits(keys, values))
                    self._offsets.append(self._file.size)
                    self._last_keys.append(keys[-1])
                    self.edits += len(keys)
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._last_keys)

    def block(self, index: int) -> Edits:
        """Return one block of edits."""
        if self._cached[0] != index:
            low, high = self._offsets[index : index + 2]
            self._cached = index, thaw_edits(self._file.read(low, high - low))
        return self._cached[1]

    def blocks(self) -> Iterator[Edits]:
        """Yield all blocks in order."""
        return map(self.block, range(len(self)))

    def find(self, key: bytes) -> tuple[bool, bytes | None]:
        """Return whether the run edits ``key``, and the value it writes."""
        index = bisect_left(self._last_keys, key)
        if index == len(self._last_keys):
            return False, None
        keys, values = self.block(index)
        place = bisect_left(keys, key)
        return (True, values[place]) if keys[place] == key else (False, None)

    def close(self) -> None:
        """Give the file back; twice is fine."""
        self._file.close()


def blocks_of(edits: Edits) -> Iterator[Edits]:
    """Yield edits in blocks, the last of which may be short."""
    keys, values = edits
    for low in range(0, len(keys), BLOCK_EDITS):
        high = low + BLOCK_EDITS
        yield keys[low:high], values[low:high]


def sorted_edits(edits: Mapping[bytes, bytes | None]) -> Edits:
    """Return edits in the order of their keys."""
    if kernel is not None:
        try:
            return kernel.sort_edits(tuple(edits), tuple(edits.values()))
        except kernel.Unfit:
            pass
    keys = sorted(edits)
    if len(keys) < 2:
        return keys, list(edits.values())
    # Half the time of one look-up after the other: the values lie anywhere in memory.
    return keys, list(itemgetter(*keys)(edits))


def freeze_edits(keys: Sequence[bytes], values: Sequence[bytes | None]) -> bytes:
    """Return edits as bytes, for this version of Python to take apart again.

    Marshal knows no subclass of bytes, so values that refer are listed apart.
    """
    refers: list[int] = []
    if Referring in set(map(type, values)):
        refers = [i for i, value in enumerate(values) if type(value) is Referring]
    return marshal.dumps((list(keys), list(values), refers), MARSHAL_VERSION)


def thaw_edits(data: bytes) -> Edits:
    """Return the edits in what ``freeze_edits`` made."""
    keys, values, refers = marshal.loads(data)
    for index in refers:
        values[index] = Referring(values[index])
    return keys, values


def merge_runs(runs: Sequence[Iterator[Edits]]) -> Iterator[Edits]:
    """Merge runs of sorted edits into one; of equal keys the later run's wins.

    Blocks are merged by sorting: everything up to the smallest of the runs' last keys
    is complete, so it is gathered into one dictionary, oldest run first, and sorted,
    which on runs costs about one comparison a key.
    """
    heads: list[Edits | None] = [next(run, None) for run in runs]
    while any(heads):
        limit = min(head[0][-1] for head in heads if head)
        meeting = [
            index for index, head in enumerate(heads) if head and head[0][0] <= limit
        ]
        if len(meeting) == 1 and (alone := heads[meeting[0]]):
            # Runs that do not overlap, as sorted input leaves them: nothing to merge.
            yield alone
            heads[meeting[0]] = next(runs[meeting[0]], None)
            continue
        gathered: dict[bytes, bytes | None] = {}
        for index, head in enumerate(heads):
            if head is None:
                continue
            keys, values = head
            end = bisect_left(keys, limit)
            end += end < len(keys) and keys[end] == limit
            gathered.update(zip(keys[:end], values[:end], strict=True))
            rest = keys[end:], values[end:]
            heads[index] = rest if rest[0] else next(runs[index], None)
        yield sorted_edits(gathered)
