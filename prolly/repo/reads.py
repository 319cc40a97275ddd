"""What a transaction read, so that its commit can tell whether it would read it again.

A serializable transaction is admitted when nothing that it read differs between the
version it began on and the one it would follow. Then it could as well have run there,
one after the other with everybody else (backward validation: Kung and Robinson, "On
Optimistic Methods for Concurrency Control", 1981). Recorded are

    keys             looked up, present or not, and keys written: a value that equals
                     what stood there makes no change, but must not be lost beside one
    ranges of keys   of iterators, lengths, numbers and ranks; all keys when records
                     are replaced as a whole
    index ranges     the entries looked through; the records that they led to are keys
    datasets         by name, whether there was one, and what describes it

More may be recorded than was read (an iterator counts with all of its range, many
keys become one range): then a transaction is refused and repeated without need, never
admitted in error. The tree of a dataset is the one place where reads pass, but for
those through an index: entries that are the same lead to the same records.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from prolly.chunks import ChunkWriter
from prolly.codec import Descriptor, TreeParameters, key
from prolly.datasets import Standing, VersionRoots, stored_table
from prolly.errors import Stale
from prolly.tables import TableReads
from prolly.tree import EditBuffer, NodeReader, WorkingTree, diff

# Keys kept one by one for a dataset, some 10 MB; past them all of it counts as read.
READ_KEYS_MAX = 100_000
# Ranges kept for a dataset, for the same reason.
READ_RANGES_MAX = 10_000
# Ranges that are compared each for itself; more are compared in one sweep over them.
RANGES_APART = 64

Range = tuple[bytes | None, bytes | None]

EVERYTHING: Range = (None, None)


class ReadRanges:
    """The keys and ranges read of one dataset."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()
        self._ranges: set[Range] = set()

    def add_keys(self, keys: Iterable[bytes]) -> None:
        """Add single keys."""
        if EVERYTHING not in self._ranges:
            self._keys.update(keys)
            if len(self._keys) > READ_KEYS_MAX:
                self._add_everything()

    def add(self, start: bytes | None, stop: bytes | None) -> None:
        """Add the range start <= key < stop; ``None`` leaves a side open."""
        is_empty = start is not None and stop is not None and start >= stop
        if is_empty or EVERYTHING in self._ranges:
            return
        self._ranges.add((start, stop))
        if len(self._ranges) > READ_RANGES_MAX or (start, stop) == EVERYTHING:
            self._add_everything()

    def _add_everything(self) -> None:
        self._keys = set()
        self._ranges = {EVERYTHING}

    def first_change(self, reader: NodeReader, old: bytes, new: bytes) -> bytes | None:
        """Return the first key read whose record differs between two trees."""
        apart = _merged([*self._ranges, *((one, one + b"\0") for one in self._keys)])
        sweeps = apart
        if len(apart) > RANGES_APART:
            sweeps = [(apart[0][0], apart[-1][1])]
        starts = [start or b"" for start, _ in apart]
        for start, stop in sweeps:
            for encoded, _, _ in diff(reader, old, new, start=start, stop=stop):
                end = apart[bisect_right(starts, encoded) - 1][1]
                if end is None or encoded < end:
                    return encoded
        return None


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """Return the ranges in order, those that touch made one."""
    found: list[Range] = []
    for start, stop in sorted(ranges, key=lambda one: one[0] or b""):
        if found:
            last_start, last_stop = found[-1]
            if last_stop is None:
                break
            if (start or b"") <= last_stop:
                end = None if stop is None else max(stop, last_stop)
                found[-1] = (last_start, end)
                continue
        found.append((start, stop))
    return found


class Reads:
    """What becomes of the reads of a transaction: here nothing, they are not kept."""

    def record_name(self, name: str) -> None:
        """Note that it was asked whether there is a dataset of this name."""

    def record_listing(self) -> None:
        """Note that the names of all datasets were read."""

    def record(
        self, dataset: bytes, start: bytes | None = None, stop: bytes | None = None
    ) -> None:
        """Note that a range of encoded keys was read of a dataset, told by its id.

        All keys by default. What describes the dataset counts as read, too.
        """

    def tree(
        self,
        dataset: bytes,
        reader: NodeReader,
        root: bytes | None,
        parameters: TreeParameters,
    ) -> WorkingTree:
        """Return the tree of a dataset for editing; what is read of it is noted."""
        return WorkingTree(reader, root, parameters)

    def table(self, dataset: bytes) -> TableReads | None:
        """Return who is to be told of reads through the indexes of a table."""
        return None

    def check(self, reader: NodeReader, base: VersionRoots, head: VersionRoots) -> None:
        """Raise Stale ``read-conflict`` when a read would give something else now.

        ``base`` are the manifests read, ``head`` those that stand now.
        """


class RecordedReads(Reads):
    """Everything that one transaction read. Not thread-safe."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._ranges: dict[bytes, ReadRanges] = {}
        self._entries: dict[bytes, dict[int, ReadRanges]] = {}
        self._listed = False

    def record_name(self, name: str) -> None:
        self._names.add(name)

    def record_listing(self) -> None:
        self._listed = True

    def record(
        self, dataset: bytes, start: bytes | None = None, stop: bytes | None = None
    ) -> None:
        self._of(dataset).add(start, stop)

    def tree(
        self,
        dataset: bytes,
        reader: NodeReader,
        root: bytes | None,
        parameters: TreeParameters,
    ) -> WorkingTree:
        return RecordingTree(reader, root, parameters, self._of(dataset))

    def table(self, dataset: bytes) -> TableReads:
        entries = self._entries.setdefault(dataset, {})
        return RecordedTableReads(self._of(dataset), entries)

    def _of(self, dataset: bytes) -> ReadRanges:
        return self._ranges.setdefault(dataset, ReadRanges())

    def check(self, reader: NodeReader, base: VersionRoots, head: VersionRoots) -> None:
        if base != head:
            self._check(Standing(reader, base), Standing(reader, head), reader)

    def _check(self, base: Standing, head: Standing, reader: NodeReader) -> None:
        names = {*base.ids(), *head.ids()} if self._listed else set()
        for name in sorted(self._names | names):
            if base.ids().get(name) != head.ids().get(name):
                raise _dataset_conflict(name)
        for identity, ranges in self._ranges.items():
            old, new = base.by_id.get(identity), head.by_id.get(identity)
            if old == new:
                continue
            if old is None or new is None or _bare(old) != _bare(new):
                raise _dataset_conflict((old or new or _NOTHING).name)
            if old.kind == "blob":
                # One value: whoever opened it read it.
                raise _dataset_conflict(old.name)
            roots = old.roots[0].address, new.roots[0].address
            changed = ranges.first_change(reader, *roots)
            if changed is not None:
                raise _record_conflict(old.name, changed)
            for place, entries in self._entries.get(identity, {}).items():
                # Behind the root of the records stand those of the indexes.
                trees = [one.roots[1 + place].address for one in (old, new)]
                if entries.first_change(reader, *trees) is not None:
                    raise _index_conflict(old, place)


_NOTHING = Descriptor("", "map", roots=())


def _bare(entry: Descriptor) -> Descriptor:
    return entry._replace(roots=())


class RecordedTableReads(TableReads):
    """Notes what is read of a table through its indexes."""

    def __init__(self, records: ReadRanges, entries: dict[int, ReadRanges]) -> None:
        self._records = records
        self._entries = entries

    def add_entries(self, place: int, low: bytes | None, high: bytes | None) -> None:
        self._entries.setdefault(place, ReadRanges()).add(low, high)

    def add_records(self, keys: Sequence[bytes]) -> None:
        self._records.add_keys(keys)


class RecordingTree(WorkingTree):
    """A tree under edit that notes what is read of it."""

    def __init__(
        self,
        reader: NodeReader,
        root: bytes | None,
        parameters: TreeParameters,
        ranges: ReadRanges,
    ) -> None:
        super().__init__(reader, root, parameters)
        self._ranges = ranges

    def get(self, key: bytes) -> bytes | None:
        self._ranges.add_keys((key,))
        return super().get(key)

    def settled(
        self, start: bytes | None = None, stop: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        self._ranges.add(start, stop)
        return super().settled(start, stop)

    def put(self, key: bytes, value: bytes | None) -> None:
        self._ranges.add_keys((key,))
        super().put(key, value)

    def put_many(
        self,
        keys: Sequence[bytes],
        values: Sequence[bytes],
        writer: ChunkWriter | None = None,
    ) -> None:
        self._ranges.add_keys(keys)
        super().put_many(keys, values, writer)

    def delete_many(self, keys: Sequence[bytes]) -> None:
        self._ranges.add_keys(keys)
        super().delete_many(keys)

    def replace_all(self, writer: ChunkWriter, buffer: EditBuffer) -> None:
        self._ranges.add(*EVERYTHING)
        super().replace_all(writer, buffer)


def _record_conflict(dataset: str, encoded: bytes) -> Stale:
    shown = key.decode_key(encoded)
    return Stale(
        f"the record {shown!r} of {dataset!r}, which this transaction read, was "
        "changed by another commit meanwhile",
        code="read-conflict",
        hint="Do it again on the branch as it is now; repo.run() does so.",
        dataset=dataset,
        key=shown,
    )


def _index_conflict(entry: Descriptor, place: int) -> Stale:
    index = stored_table(entry).schema.indexes[place].name
    return Stale(
        f"rows of {entry.name!r} that this transaction looked for through the index "
        f"{index!r} were changed by another commit meanwhile",
        code="read-conflict",
        hint="Do it again on the branch as it is now; repo.run() does so.",
        dataset=entry.name,
        index=index,
    )


def _dataset_conflict(name: str) -> Stale:
    return Stale(
        f"the dataset {name!r}, which this transaction read, was made, altered or "
        "dropped by another commit meanwhile",
        code="read-conflict",
        hint="Do it again on the branch as it is now; repo.run() does so.",
        dataset=name,
    )
