"""Stamps from the future: refused where versions come in and a clock may be asked.

A replica whose clock is far ahead would win over everybody for as long. A merge without
a person is a function of its versions and asks no clock, so this is asked before: of
what is merged by a person, and of what another replica sends.
"""

from __future__ import annotations

from collections.abc import Callable

from prolly.codec import key as key_codec
from prolly.codec.record_stamps import stamp_ms
from prolly.datasets import changed_datasets
from prolly.errors import Invalid
from prolly.tree import NodeReader, diff

from .stamp_tree import read_stamps, stamps_root

# Clocks that are set by the network are right within a second; this leaves room for
# those that are set by hand.
STAMP_AHEAD_MS_MAX = 5 * 60 * 1000


def require_stamps_in_time(
    reader: NodeReader, known: bytes, new: bytes, now_us: Callable[[], int]
) -> None:
    """Raise Invalid ``stamp-ahead`` if a manifest brings stamps from the future.

    ``known`` is the manifest that stands here: what is no later there is not asked
    about. ``now_us`` gives microseconds since 1970 UTC, and is asked only where there
    are stamps. The error has ``dataset``, ``key`` and ``ahead_ms``. O(changes x depth)
    nodes, none for datasets without stamps.
    """
    for before, after in changed_datasets(reader, known, new).values():
        root = stamps_root(after)
        if after is None or root is None:
            continue
        now_ms = now_us() // 1000
        for key, old, stored in diff(reader, stamps_root(before), root):
            latest = read_stamps(reader, stored).of(None)
            ahead_ms = stamp_ms(latest) - now_ms
            if ahead_ms <= STAMP_AHEAD_MS_MAX:
                continue
            if latest > read_stamps(reader, old).of(None):
                shown = () if after.kind == "blob" else key_codec.decode_key(key)
                raise _ahead(after.name, shown, ahead_ms)


def _ahead(dataset: str, key: object, ahead_ms: int) -> Invalid:
    return Invalid(
        f"the record {key!r} of {dataset!r} was stamped {ahead_ms // 1000} seconds "
        "ahead of this clock",
        code="stamp-ahead",
        hint="Set the clock that is wrong. If it was the other one, take the policy "
        "away over there and set it again: its stamps begin anew.",
        dataset=dataset,
        key=key,
        ahead_ms=ahead_ms,
    )
