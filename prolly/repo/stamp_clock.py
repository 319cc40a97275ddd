"""The clock that stamps writes: hybrid, of physical time and what was stamped before.

A stamp of this clock is later than all that it gave before, also within a millisecond
and when the system's clock goes back. That a record's new stamp is later than its old
ones, whoever gave them, is up to who writes the record (``merge.stamp_writing``).
"""

from __future__ import annotations

from threading import Lock

from prolly.chunks import RefStore
from prolly.codec.record_stamps import (
    NO_STAMP,
    REPLICA_BYTES,
    later_stamp,
    stamp_at,
)
from prolly.env import Environment

# Where a store keeps the name of its replica; no setting that people change.
REPLICA_SETTING = "replica"


class StampClock:
    """Gives stamps in the name of one store's replica. Thread-safe.

    The replica is eight random bytes, made when the first stamp is given. A copy of a
    store's files has the same ones: equal stamps of two values are no harm, the greater
    value stands then.
    """

    def __init__(self, store: RefStore, environment: Environment) -> None:
        self._store = store
        self._environment = environment
        self._lock = Lock()
        self._replica: bytes | None = None
        self._last = NO_STAMP

    def __call__(self) -> bytes:
        """Return the next stamp."""
        now_ms = self._environment.now_us() // 1000
        with self._lock:
            if self._replica is None:
                self._replica = self._known_replica()
            stamp = stamp_at(now_ms, self._replica)
            self._last = later_stamp(stamp, self._last)
            return self._last

    def _known_replica(self) -> bytes:
        stored = self._store.read_setting(REPLICA_SETTING)
        if stored is not None and len(stored) == REPLICA_BYTES:
            return stored
        made = self._environment.random_bytes(REPLICA_BYTES)
        self._store.write_setting(REPLICA_SETTING, made)
        return made
