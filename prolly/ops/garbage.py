"""Garbage collection: what nothing reaches goes, and its space is given back.

It runs beside readers and writers of other threads and processes. What they count on
is kept, or their commit is refused with Stale ``gc-epoch`` and nothing of it is stored.
How it knows, and why it is safe: ``docs/design/0004-gc.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prolly.chunks import LocalStore, Store, WrappingStore, what_is_here
from prolly.codec import ADDRESS_BYTES
from prolly.codec.node import INNER_MARK, LEAF_MARK, decode_node
from prolly.env import SYSTEM, Environment
from prolly.errors import Invalid, Unsupported

from .gc_marking import Marking

if TYPE_CHECKING:
    from prolly.chunks import LocalMaintenance, PackFile

# What is unreachable survives for two weeks: as long as anybody may keep a snapshot
# open, a holiday away from an unfinished merge, or a mistake not noticed.
GRACE_US = 14 * 24 * 3600 * 1_000_000

# The part of a pack that may be dead before it is written anew. Lower, and every
# collection copies much to win little; higher, and the disk holds more garbage.
WASTE_RATIO_MAX = 0.25

# Inline chunks move into a pack once they outweigh what one commit may put inline: a
# smaller pack would be a file for a few pages.
INLINE_KEPT_BYTES = 256 * 1024

# Packs below this are joined, but only so many at once that each byte is copied
# seldom: a bulk commit of a few hundred kilobytes makes a pack of its own.
SMALL_PACK_BYTES = 16 * 1024 * 1024
SMALL_PACKS_MAX = 8

# While writers are busy the last look is repeated outside of the sweep's transaction,
# where nobody waits for it, so often.
LOOKS_MAX = 3

# Settings that a collection leaves for the next.
EXPIRED_SEQUENCE = "gc-expired"
COLLECTED_BYTES = "gc-bytes"
COLLECTIONS = "gc-runs"


@dataclass(frozen=True, slots=True)
class GcReport:
    """What a collection did, or with ``dry_run`` would do.

    ``reachable`` and ``kept`` count chunks: reached from refs and the young reflog,
    and unreachable but young. ``removed`` chunks had ``removed_bytes`` bytes.
    ``disk_bytes_before`` and ``disk_bytes`` are those of index and packs on the disk;
    a dry run does not know how much would be given back, and tells them alike.
    """

    reachable: int
    kept: int
    removed: int
    removed_bytes: int
    packs_written: int
    packs_removed: int
    disk_bytes_before: int
    disk_bytes: int
    dry_run: bool


def collect_garbage(
    store: Store,
    *,
    grace_us: int = GRACE_US,
    dry_run: bool = False,
    environment: Environment = SYSTEM,
) -> GcReport:
    """Remove what nothing reaches and nobody may be about to use; give space back.

    ``grace_us`` is how long what became unreachable survives; with 0 all of it goes at
    once, but for what a batch under way counts on. Memory: some 33 bytes a kept chunk.
    Raises Corrupt when something reachable is missing or damaged (then nothing is
    removed), Stale ``gc-running``, Invalid ``duration``, ReadOnly, StorageFailed,
    Unsupported ``gc-store`` for a store that is not in a directory.
    """
    if grace_us < 0:
        raise Invalid(
            "a grace is not negative", code="duration", hint="0 is the shortest."
        )
    # What a partial replica left out is not to be fetched for this.
    store = what_is_here(store)
    care = local_store_of(store).maintenance()
    cutoff_us = environment.now_us() - grace_us if grace_us else None
    with nullcontext() if dry_run else care.lock():
        before = disk_bytes(care)
        marking = Marking(store, care, cutoff_us)
        condemned, condemned_bytes = _condemn(marking, care)
        removed = len(condemned) // ADDRESS_BYTES
        written = dropped = 0
        if not dry_run:
            if condemned:
                removed = care.sweep(condemned, marking.sparing(condemned))
            written, dropped = give_space_back(care)
            care.write_counters(
                {
                    EXPIRED_SEQUENCE: marking.expired_sequence,
                    COLLECTED_BYTES: disk_bytes(care),
                }
            )
            release(care)
        return GcReport(
            reachable=marking.reached,
            kept=len(marking.kept) - marking.reached,
            removed=removed,
            removed_bytes=condemned_bytes,
            packs_written=written,
            packs_removed=dropped,
            disk_bytes_before=before,
            disk_bytes=disk_bytes(care),
            dry_run=dry_run,
        )


def _condemn(marking: Marking, care: LocalMaintenance) -> tuple[bytearray, int]:
    """Mark, and return what may go; done again while others commit meanwhile."""
    for _ in range(LOOKS_MAX):
        marking.mark()
        files = care.pack_files()
        marking.mark_young(files)
        condemned = marking.condemned(files)
        if marking.is_current():
            break
    return condemned


def give_space_back(care: LocalMaintenance) -> tuple[int, int]:
    """Rewrite wasteful packs, join small ones, move inline chunks into packs.

    Returns the numbers of packs written and removed. The caller holds ``care.lock()``.
    """
    live: Counter[int] = Counter()
    for _address, pack, size in care.iter_placed():
        live[pack] += size
    packs = _worth_rewriting(list(care.pack_files().values()), live)
    inline = live[0] > INLINE_KEPT_BYTES
    done = care.repack(packs, pack_order, inline=inline)
    return done.packs_written, done.packs_removed


def _worth_rewriting(packs: Sequence[PackFile], live: Counter[int]) -> list[PackFile]:
    chosen = {
        pack.number
        for pack in packs
        if live[pack.number] < (1 - WASTE_RATIO_MAX) * pack.frame_bytes
    }
    small = [pack.number for pack in packs if live[pack.number] < SMALL_PACK_BYTES]
    if len(small) > SMALL_PACKS_MAX:
        chosen.update(small)
    return [pack for pack in packs if pack.number in chosen]


def release(care: LocalMaintenance) -> None:
    """Give the index's free pages back, those of the last commits included."""
    care.write_counters({COLLECTIONS: care.read_counter(COLLECTIONS) + 1})
    care.release_free_pages()


def pack_order(chunk: bytes) -> bytes:
    """Return what chunks of a new pack are sorted by.

    Leaves first, by their first keys, so that a scan reads forwards; then whatever else
    there is, in the order in which it was; inner nodes, which caches keep, at the end.
    """
    kind = chunk[:1]
    if kind == LEAF_MARK:
        leaf = decode_node(chunk)
        return b"\0" + leaf.key(0) if len(leaf) else b"\0"
    return b"\2" if kind == INNER_MARK else b"\1"


def disk_bytes(care: LocalMaintenance) -> int:
    """Return the bytes that index and packs take on the disk."""
    packs = care.pack_files().values()
    return care.index_bytes() + sum(pack.file_bytes for pack in packs)


def local_store_of(store: Store) -> LocalStore:
    """Return the local store inside of wrappers; Unsupported ``gc-store``."""
    while isinstance(store, WrappingStore):
        store = store.inner
    if not isinstance(store, LocalStore):
        raise Unsupported(
            f"{type(store).__name__} is no store in a directory",
            code="gc-store",
            hint="A store in memory is gone with its process; it needs no care.",
        )
    return store
