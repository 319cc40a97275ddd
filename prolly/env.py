"""The door to the outer world: clock, randomness, new ids, user, temporary files.

Everything that is not a function of its arguments comes in through an
:class:`Environment`, so that a test can hand in its own. Nothing here knows of stores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["SYSTEM", "Environment", "IdSource", "temporary_file"]

# The fields of an id of version 7. A step of 32 bits leaves room for 2**41 ids within
# one millisecond, and is no easier to guess than 32 random bits are.
_ID_MS_MASK = (1 << 48) - 1
_ID_TAIL_BITS = 74
_ID_TAIL_MASK = (1 << _ID_TAIL_BITS) - 1
_ID_STEP_BYTES = 4


def _named_user() -> str:
    """Return ``PROLLY_AUTHOR``, or nothing."""
    return os.environ.get("PROLLY_AUTHOR", "")


def _system_user() -> str:
    """Return ``PROLLY_AUTHOR``, else the login name, else ``unknown``."""
    named = _named_user()
    if named:
        return named
    return _login_name()


@cache
def _login_name() -> str:
    # Only writers need it, and starting a program is felt.
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


class Environment(NamedTuple):
    """Clock, waiting, randomness and user, each a function that a test may replace.

    ``now_us()`` is microseconds since 1970-01-01 UTC. ``random_bytes(n)`` returns n
    unpredictable bytes. ``user()`` is the default author of a commit; ``named_user()``
    is an author who was named for this process, and empty where none was.
    ``sleep(seconds)`` waits.
    """

    now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    random_bytes: Callable[[int], bytes] = os.urandom
    user: Callable[[], str] = _system_user
    named_user: Callable[[], str] = _named_user
    sleep: Callable[[float], None] = time.sleep


def temporary_file(directory: str | None = None) -> BinaryIO:
    """Return a new file without a name, gone with its last reference.

    It lies in ``directory``, else where TMPDIR says. Raises OSError.
    """
    # Few programs ever spill, and this import is a tenth of the time to start.
    import tempfile

    return tempfile.TemporaryFile(dir=directory)


SYSTEM = Environment()


class IdSource:
    """Ids that are unique everywhere and sort by when they were made.

    Version 7 of RFC 9562: 48 bits of milliseconds, then 74 random bits. Each call of
    one source gives a greater id than the call before, also within a millisecond and
    when the clock goes back: then the random part grows by a random step. Thread-safe.
    """

    def __init__(self, environment: Environment = SYSTEM) -> None:
        self._environment = environment
        self._lock = Lock()
        self._ms = -1
        self._tail = 0

    def __call__(self) -> UUID:
        """Return the next id."""
        # Few programs that only read need one, and starting is felt.
        from uuid import UUID

        now_ms = max(self._environment.now_us() // 1000, 0) & _ID_MS_MASK
        with self._lock:
            if now_ms <= self._ms:
                self._tail += 1 + self._random(_ID_STEP_BYTES)
            if now_ms > self._ms or self._tail >> _ID_TAIL_BITS:
                self._ms = max(now_ms, self._ms + (now_ms <= self._ms))
                # The top bit is left for steps within this millisecond.
                self._tail = self._random(10) & (_ID_TAIL_MASK >> 1)
            ms, tail = self._ms, self._tail
        low = tail & ((1 << 62) - 1)
        return UUID(int=ms << 80 | 7 << 76 | tail >> 62 << 64 | 2 << 62 | low)

    def _random(self, size: int) -> int:
        return int.from_bytes(self._environment.random_bytes(size), "big")
