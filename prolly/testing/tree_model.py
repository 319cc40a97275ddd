"""A tree beside its plain model, and the shapes of keys that trees are tried on."""

from __future__ import annotations

import random
from collections.abc import Callable

from prolly.chunks import CountingStore, MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, INLINE_BYTES_MAX, KEY_BYTES_MAX
from prolly.tree import NodeReader, apply, build, iter_batches, level_seed
from prolly.tree import priorities_of as true_priorities_of

Records = dict[bytes, bytes]
KeyMaker = Callable[[random.Random], bytes]


class TreeModel:
    """Trees in one memory writer, each checked against a dictionary of records."""

    def __init__(self) -> None:
        store = CountingStore(MemoryStore())
        self._counts = store.costs
        self.writer = store.writer()
        self.reader = NodeReader(self.writer.get)

    @property
    def reads(self) -> int:
        """Nodes read from the store since the last ``fresh_reader``."""
        return self._counts.gets

    @property
    def writes(self) -> int:
        """Nodes given to the writer since the last ``fresh_reader``."""
        return self._counts.puts

    def fresh_reader(self) -> NodeReader:
        """Return a reader with an empty cache, and count from zero."""
        self._counts.reset()
        return NodeReader(self.writer.get)

    def rebuild(self, records: Records) -> bytes:
        """Build the tree of the records from scratch."""
        keys = sorted(records)
        batch = keys, [records[key] for key in keys]
        return build(self.writer, [batch], DEFAULT_PARAMETERS)

    def apply(self, root: bytes, edits: dict[bytes, bytes | None]) -> bytes:
        """Apply edits (``None`` deletes) to the tree at ``root``."""
        keys = sorted(edits)
        sorted_edits = keys, [edits[key] for key in keys]
        return apply(self.reader, self.writer, root, sorted_edits, DEFAULT_PARAMETERS)

    def records(self, root: bytes) -> Records:
        """Return all records of a tree."""
        found: Records = {}
        for keys, values in iter_batches(self.reader, root):
            found.update(zip(keys, values, strict=True))
        return found


def apply_to_model(records: Records, edits: dict[bytes, bytes | None]) -> Records:
    """Return the records after edits."""
    edited = dict(records)
    for key, value in edits.items():
        if value is None:
            edited.pop(key, None)
        else:
            edited[key] = value
    return edited


def _hostile(source: random.Random) -> bytes:
    """Return a key ground to a high priority, so that no window has a good end."""
    seed = level_seed(DEFAULT_PARAMETERS.seed, 0)
    while True:
        key = source.randbytes(8)
        if true_priorities_of([key], seed)[0] >> 60 == 0xF:
            return key


KEY_SHAPES: dict[str, KeyMaker] = {
    "random": lambda source: source.randbytes(source.randint(1, 20)),
    "sequential": lambda source: b"key:%08d" % source.randrange(4000),
    "clustered": lambda source: (
        b"%03d/%05d" % (source.choice((1, 500, 999)), source.randrange(1500))
    ),
    "hostile": _hostile,
    "long": lambda source: (
        b"%05d" % source.randrange(300)
        + b"x" * source.choice((0, 500, KEY_BYTES_MAX - 5))
    ),
    "nested": lambda source: b"a" * source.randint(1, 60),
}

VALUE_SIZES: dict[str, tuple[int, ...]] = {
    "empty": (0,),
    "small": (0, 1, 20, 100),
    "equal": (100,),
    "limit": (INLINE_BYTES_MAX - 1, INLINE_BYTES_MAX),
}


def make_records(source: random.Random, keys: str, values: str, count: int) -> Records:
    """Return up to ``count`` records of the named shapes."""
    maker, sizes = KEY_SHAPES[keys], VALUE_SIZES[values]
    return {maker(source): source.randbytes(source.choice(sizes)) for _ in range(count)}


def make_edits(
    source: random.Random, records: Records, keys: str, values: str
) -> dict[bytes, bytes | None]:
    """Return edits of one kind or of all kinds: puts, deletes, same-weight updates."""
    maker, sizes = KEY_SHAPES[keys], VALUE_SIZES[values]
    there = sorted(records)
    kind = source.choice(("put", "delete", "equal", "update", "range", "all"))
    edits: dict[bytes, bytes | None] = {}
    for _ in range(source.choice((1, 1, 2, 7, 40, 200))):
        chosen = source.choice(("put", "delete", "equal", "update"))
        now = chosen if kind == "all" else kind
        if now == "put" or not there:
            edits[maker(source)] = source.randbytes(source.choice(sizes))
        elif now == "delete":
            edits[source.choice(there)] = None
        elif now == "equal":
            key = source.choice(there)
            edits[key] = source.randbytes(len(records[key]))
        elif now == "update":
            edits[source.choice(there)] = source.randbytes(source.choice(sizes))
        else:
            low = source.randrange(len(there))
            run = there[low : low + source.choice((1, 60, 500))]
            edits.update(dict.fromkeys(run))
            break
    return edits
