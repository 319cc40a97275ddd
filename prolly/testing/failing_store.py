"""A store that fails on cue, for tests of what callers do with an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prolly.chunks import (
    ChunkWriter,
    RefMove,
    RefNote,
    Store,
    WrappingStore,
    WrappingWriter,
)
from prolly.errors import StorageFailed

# What may be made to fail: the calls that reach a disk or a line.
OPERATIONS = ("get", "put", "commit", "read_ref", "move_refs")


class FailingStore(WrappingStore):
    """Passes every call on, except the ones that :meth:`fail` names."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._countdown: dict[str, int] = {}
        self._errors: dict[str, Exception] = {}

    def fail(
        self, operation: str, *, after: int = 0, error: Exception | None = None
    ) -> None:
        """Let an operation fail once, after that many more successes.

        Raises StorageFailed ``io-error`` unless another error is given. The call that
        fails does not reach the inner store.
        """
        assert operation in OPERATIONS, operation
        self._countdown[operation] = after
        self._errors[operation] = error or StorageFailed(
            f"{operation} fails on cue", code="io-error", hint="Try again."
        )

    def step(self, operation: str) -> None:
        """Count one call; raise when its time has come."""
        left = self._countdown.get(operation)
        if left is None:
            return
        if left == 0:
            del self._countdown[operation]
            raise self._errors.pop(operation)
        self._countdown[operation] = left - 1

    def get(self, address: bytes) -> bytes | None:
        self.step("get")
        return self.inner.get(address)

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        for _ in addresses:
            self.step("get")
        return self.inner.get_many(addresses)

    def writer(self) -> ChunkWriter:
        return _FailingWriter(self.inner.writer(), self)

    def read_ref(self, name: str) -> bytes | None:
        self.step("read_ref")
        return self.inner.read_ref(name)

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        self.step("move_refs")
        return self.inner.move_refs(moves, note)


class _FailingWriter(WrappingWriter):
    """Fails as the store that made it is told, and is closed by a failure."""

    def __init__(self, inner: ChunkWriter, store: FailingStore) -> None:
        super().__init__(inner)
        self._store = store

    def put(self, chunk: bytes) -> bytes:
        self._step("put")
        return self.inner.put(chunk)

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        return [self.put(chunk) for chunk in chunks]

    def get(self, address: bytes) -> bytes | None:
        self._store.step("get")
        return self.inner.get(address)

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        self._step("commit")
        return self.inner.commit(moves, note)

    def _step(self, operation: str) -> None:
        try:
            self._store.step(operation)
        except Exception:
            self.inner.abort()
            raise
