"""Edits that wait for their commit: a dictionary, spilling sorted runs past a bound.

Each run is an open file, so runs are merged before they are many: ``RUNS_MAX`` of them
into one that is so much larger, and as many of those again. An edit is written once for
each such step, which is once for the first 4 GiB and three times up to 16 TiB.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import lt

from prolly.errors import Invalid

from .sorted_run import Edits, SortedRun, blocks_of, merge_runs, sorted_edits

# Estimated bytes of buffered edits at which a run is written out. A million small
# records spill a handful of runs and stay under 150 MB in all.
BUFFER_BYTES_MAX = 64 * 1024 * 1024

# Runs of one size before they are merged into one. A process may commonly have 1,024
# files open, and a table with its indexes is several buffers at once.
RUNS_MAX = 64

# So many edits touch half a megabyte of leaves at most.
FEW_EDITS = 64

# What one buffered edit costs beyond its bytes: two `bytes` headers, one dict slot.
EDIT_OVERHEAD = 170


class EditBuffer:
    """Puts and deletes by key, the last one winning, in bounded memory.

    With ``unique`` a key may be edited once only: a repeat raises Invalid with code
    ``duplicate-key`` and the encoded key, at once or when runs are merged. Writing, and
    reading what was spilled, raise StorageFailed ``spill-failed``.
    """

    def __init__(
        self,
        bytes_max: int = BUFFER_BYTES_MAX,
        *,
        unique: bool = False,
        directory: str | None = None,
    ) -> None:
        self._bytes_max = bytes_max
        self._unique = unique
        self._directory = directory
        self._runs: list[SortedRun] = []
        # Edits in memory: while they come in ascending order, two lists; else a
        # dictionary. One of the two is empty.
        self._ordered: Edits = [], []
        self._edits: dict[bytes, bytes | None] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._edits or self._ordered[0] or self._runs)

    @property
    def runs_spilled(self) -> int:
        """How many sorted runs are on the disk."""
        return len(self._runs)

    @property
    def is_small(self) -> bool:
        """Tell whether the edits are few: then their leaves are few, too."""
        return not self._runs and len(self._edits) + len(self._ordered[0]) <= FEW_EDITS

    @property
    def is_half_full(self) -> bool:
        """Tell whether half of what may stand in memory does."""
        return self._bytes > self._bytes_max // 2

    def take_ordered(self) -> Edits | None:
        """Take all edits out if every one of them came in order and is in memory."""
        if self._runs or not self._ordered[0]:
            return None
        ordered = self._ordered
        self._ordered = [], []
        self._bytes = 0
        return ordered

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write one record; ``None`` deletes it."""
        self._mix()
        if self._unique and key in self._edits:
            raise _duplicate(key)
        self._edits[key] = value
        self._bytes += len(key) + len(value or b"") + EDIT_OVERHEAD
        if self._bytes > self._bytes_max:
            self._spill()

    def put_many(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Write many records, in order: of a repeated key the last value stays."""
        if not self._edits and self._follows(keys):
            self._ordered[0].extend(keys)
            self._ordered[1].extend(values)
        else:
            self._mix()
            self._update(keys, values)
        size = sum(map(len, keys)) + sum(map(len, values))
        self._bytes += size + EDIT_OVERHEAD * len(keys)
        if self._bytes > self._bytes_max:
            self._spill()

    def delete_many(self, keys: Sequence[bytes]) -> None:
        """Delete many records; absent ones are no error."""
        self._mix()
        self._update(keys, [None] * len(keys))
        self._bytes += sum(map(len, keys)) + EDIT_OVERHEAD * len(keys)
        if self._bytes > self._bytes_max:
            self._spill()

    def _update(self, keys: Sequence[bytes], values: Sequence[bytes | None]) -> None:
        edits = self._edits
        before = len(edits)
        edits.update(zip(keys, values, strict=True))
        if self._unique and len(edits) != before + len(keys):
            raise _duplicate(_first_repeat(keys, edits, before))

    def find(self, key: bytes) -> tuple[bool, bytes | None]:
        """Return whether ``key`` was edited, and what was written (None: deleted)."""
        if key in self._edits:
            return True, self._edits[key]
        keys, values = self._ordered
        place = bisect_left(keys, key)
        if place < len(keys) and keys[place] == key:
            return True, values[place]
        for run in reversed(self._runs):
            found, value = run.find(key)
            if found:
                return True, value
        return False, None

    def batches(self) -> Iterator[Edits]:
        """Yield all edits sorted by key, in batches, each key once."""
        if not self._runs:
            edits = self._sorted()
            if edits[0]:
                yield edits
            return
        blocks = [run.blocks() for run in self._runs]
        spilled = sum(run.edits for run in self._runs)
        waiting = self._sorted()
        yield from self._merged(
            [*blocks, blocks_of(waiting)], spilled + len(waiting[0])
        )

    def _merged(self, blocks: Sequence[Iterator[Edits]], edits: int) -> Iterator[Edits]:
        """Merge so many edits; where each is to be of its own key, see that it is."""
        seen = 0
        for batch in merge_runs(blocks):
            seen += len(batch[0])
            yield batch
        if self._unique and seen != edits:
            raise _duplicate(self._repeat_in_runs())

    def _sorted(self) -> Edits:
        """Return the edits in memory, sorted."""
        if not self._edits:
            return self._ordered
        return sorted_edits(self._edits)

    def _follows(self, keys: Sequence[bytes]) -> bool:
        """Tell whether keys ascend, and lie behind those that came in order."""
        ordered = self._ordered[0]
        if ordered and keys and keys[0] <= ordered[-1]:
            return False
        return all(map(lt, keys, islice(keys, 1, None)))

    def _mix(self) -> None:
        """Give up the order: what came in order goes into the dictionary."""
        if self._ordered[0]:
            self._edits.update(zip(*self._ordered, strict=True))
            self._ordered = [], []

    def _repeat_in_runs(self) -> bytes:
        for index, run in enumerate([*self._runs[1:], None], 1):
            blocks = run.blocks() if run else blocks_of(self._sorted())
            for keys, _ in blocks:
                for key in keys:
                    if any(earlier.find(key)[0] for earlier in self._runs[:index]):
                        return key
        raise AssertionError("no key repeats")

    def _spill(self) -> None:
        self._runs.append(SortedRun([self._sorted()], self._directory))
        self._ordered = [], []
        self._edits.clear()
        self._bytes = 0
        while self._merge_youngest():
            pass

    def _merge_youngest(self) -> bool:
        """Merge the youngest runs if they are ``RUNS_MAX`` of one size."""
        group = self._runs[-RUNS_MAX:]
        merges = group[-1].merges
        # Older runs were merged as often or more often, so the ends tell of all.
        if len(group) < RUNS_MAX or group[0].merges != merges:
            return False
        edits = sum(run.edits for run in group)
        batches = self._merged([run.blocks() for run in group], edits)
        self._runs[-RUNS_MAX:] = [SortedRun(batches, self._directory, merges + 1)]
        for run in group:
            run.close()
        return True

    def close(self) -> None:
        """Forget everything; twice is fine."""
        for run in self._runs:
            run.close()
        self._runs.clear()
        self._ordered = [], []
        self._edits.clear()
        self._bytes = 0


def _first_repeat(
    keys: Sequence[bytes], edits: dict[bytes, bytes | None], before: int
) -> bytes:
    """Return a key of the batch that was there before it, or stands in it twice."""
    fresh = set(list(edits)[before:])
    for key in keys:
        if key not in fresh:
            return key
        fresh.discard(key)
    raise AssertionError("no key repeats")


def _duplicate(key: bytes) -> Invalid:
    return Invalid(
        f"a key occurs twice (encoded as {key.hex()})",
        code="duplicate-key",
        hint="Remove one of the two records.",
        encoded_key=key,
    )
