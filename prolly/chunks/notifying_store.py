"""A store that tells somebody of every commit, once it is durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .contract import ChunkWriter, RefMove, RefNote, Store
from .wrapping_store import WrappingStore, WrappingWriter


class NotifyingStore(WrappingStore):
    """Calls ``after_commit`` behind each commit of a writer and each move of refs.

    What has to go upward goes through it: upkeep that a room above decides on. It runs
    in the thread that committed, which waits for it; an error of it reaches the caller,
    although the commit stands.
    """

    def __init__(self, inner: Store, after_commit: Callable[[], None]) -> None:
        super().__init__(inner)
        self.after_commit = after_commit

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        sequence = self.inner.move_refs(moves, note)
        self.after_commit()
        return sequence

    def writer(self) -> ChunkWriter:
        return _NotifyingWriter(self.inner.writer(), self)


class _NotifyingWriter(WrappingWriter):
    """Tells the store's listener when it has committed."""

    def __init__(self, inner: ChunkWriter, store: NotifyingStore) -> None:
        super().__init__(inner)
        self._store = store

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        sequence = self.inner.commit(moves, note)
        self._store.after_commit()
        return sequence
