"""Collection without being asked: after a commit, when it is worth its time.

Two things are done, each where its cost is a bounded part of what was written since:

- **Tidying** moves the chunks of small commits out of the index into packs once they
  weigh ``INLINE_BYTES_WORTH_MOVING`` and more. It looks at no chunk but those.
- **Collecting** happens when moves of the reflog have left the grace since the last
  time (before, nothing new can be garbage), the store has grown by a quarter, and it is
  small enough to be walked in seconds. Larger stores are collected when somebody asks.

The setting ``gc.auto`` with the value ``off`` keeps both away.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from prolly.chunks import LocalStore
from prolly.env import SYSTEM, Environment
from prolly.errors import Error
from prolly.repo import INLINE_BYTES_WORTH_MOVING, Config

from .garbage import (
    COLLECTED_BYTES,
    EXPIRED_SEQUENCE,
    GRACE_US,
    collect_garbage,
    disk_bytes,
    pack_order,
    release,
)

if TYPE_CHECKING:
    from prolly.chunks import LocalMaintenance

# Finding the inline chunks passes over all entries of the index, at a microsecond each:
# the larger the index, the more must wait to be worth it.
INLINE_BYTES_PER_CHUNK = 16

# A store grown by less than this has little to give back.
GROWTH_RATIO = 0.25
GROWTH_BYTES_MIN = 16 * 1024 * 1024

# To walk a gigabyte of nodes takes three to five seconds: as long as anybody should
# wait for a command that was to do something else.
AUTOMATIC_BYTES_MAX = 1024**3

AUTO_SETTING = "gc.auto"


def look_after_store(store: LocalStore, environment: Environment = SYSTEM) -> None:
    """Do what is worth its time after a commit; never raises an ``Error``."""
    # The commit stands whatever comes of this, so no error of it is the caller's.
    with suppress(Error):
        if Config(store).value(AUTO_SETTING) == "off":
            return
        care = store.maintenance()
        if _is_worth_collecting(care, environment):
            collect_garbage(store, environment=environment)
        elif store.long_inline_bytes() > _inline_limit(care):
            tidy(care)


def tidy(care: LocalMaintenance) -> None:
    """Move the inline chunks into packs, and give their pages back."""
    with care.lock():
        care.repack([], pack_order, inline=True)
        release(care)


def _inline_limit(care: LocalMaintenance) -> int:
    return INLINE_BYTES_WORTH_MOVING + INLINE_BYTES_PER_CHUNK * care.chunk_count()


def _is_worth_collecting(care: LocalMaintenance, environment: Environment) -> bool:
    moved_us = care.time_of_move_after(care.read_counter(EXPIRED_SEQUENCE))
    if moved_us is None or moved_us > environment.now_us() - GRACE_US:
        return False
    collected = care.read_counter(COLLECTED_BYTES)
    grown = GROWTH_BYTES_MIN + (1 + GROWTH_RATIO) * collected
    return grown < disk_bytes(care) < AUTOMATIC_BYTES_MAX
