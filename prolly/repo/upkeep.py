"""When a store is worth a look at its upkeep: two numbers that cost nothing.

What is then to be done is decided, and done, by a room above; this one only hands a
function on to be called.
"""

from __future__ import annotations

from collections.abc import Callable

from prolly.chunks import LocalStore, Store

# Moving this much out of the index takes a fifth of a second.
INLINE_BYTES_WORTH_MOVING = 16 * 1024 * 1024

# What costs a look at every pack is not for every commit of a busy program.
MOVES_BETWEEN_LOOKS = 64


def with_upkeep(store: LocalStore, look_after: Callable[[], None]) -> Store:
    """Return the store with ``look_after`` called behind commits where it is due."""

    def after_commit() -> None:
        is_heavy = store.long_inline_bytes() >= INLINE_BYTES_WORTH_MOVING
        if is_heavy or store.sequence() % MOVES_BETWEEN_LOOKS == 0:
            look_after()

    from prolly.chunks import NotifyingStore

    return NotifyingStore(store, after_commit)
