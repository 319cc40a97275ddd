"""A buffer of records in which the first of equal keys stays, not the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prolly.tree import BUFFER_BYTES_MAX, EditBuffer, Edits

_ORDINAL_BYTES = 8


class FirstWins(EditBuffer):
    """Sorts by key and then by arrival, and keeps the first of each key.

    Each key carries its number of arrival, so that sorted runs on disk need no memory
    of what came before. That keeps the order only for keys of which none begins with
    another, as those of one table do. For ``put_many`` and ``batches`` alone.
    """

    def __init__(self, bytes_max: int = BUFFER_BYTES_MAX) -> None:
        super().__init__(bytes_max)
        self._arrived = 0

    def put_many(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Write many records, in order: of a repeated key the first value stays."""
        first = self._arrived
        self._arrived += len(keys)
        numbered = [
            key + number.to_bytes(_ORDINAL_BYTES, "big")
            for number, key in enumerate(keys, first)
        ]
        super().put_many(numbered, values)

    def batches(self) -> Iterator[Edits]:
        """Yield all records sorted by key, in batches, each key once."""
        last = None
        for numbered, values in super().batches():
            keys = [key[:-_ORDINAL_BYTES] for key in numbered]
            if keys[0] == last or len(set(keys)) < len(keys):
                # Of equal keys the one that a dictionary takes last is the first.
                backwards = zip(reversed(keys), reversed(values), strict=True)
                kept = dict(backwards)
                kept.pop(last or b"", None)
                last = keys[-1]
                keys = sorted(kept)
                values = [kept[key] for key in keys]
            else:
                last = keys[-1]
            if keys:
                yield keys, values
