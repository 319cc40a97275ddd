"""What goes between replicas, as people see it: while it moves, and what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .output import Output, number, plural, visible
from .sizes import size_text
from .versions import short_id

if TYPE_CHECKING:
    from prolly import SyncReport
    from prolly.sync import SyncProgress

# Often enough to be seen to move, seldom enough to cost nothing.
SHOWN_SECONDS = 0.1
# Until then a rate is a guess.
RATE_SECONDS = 1.0


class TransferProgress:
    """A line on standard error, on a terminal alone, wiped at the end.

    ``receiving  120,000 records  14.1 MB  9.3 MB/s  about 8 s left``
    """

    def __init__(
        self,
        title: str,
        *,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._is_shown = not quiet and sys.stderr.isatty()
        self._clock = clock
        self._began = clock()
        self._next = self._began
        self._has_shown = False

    def __call__(self, progress: SyncProgress) -> None:
        """Show how far it is; cheap when it was shown a moment ago."""
        if not self._is_shown:
            return
        now = self._clock()
        if now < self._next:
            return
        self._next = now + SHOWN_SECONDS
        self._has_shown = True
        line = f"{self._title}  {progress_text(progress, now - self._began)}"
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> TransferProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._has_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def progress_text(progress: SyncProgress, seconds: float) -> str:
    """Return records, bytes, and when it can be told the rate and what remains."""
    total = progress.records_total
    records = number(progress.records)
    if total:
        records = f"{records} of {number(total)}"
    parts = [f"{records} records", size_text(progress.bytes)]
    if seconds >= RATE_SECONDS:
        parts.append(f"{size_text(int(progress.bytes / seconds))}/s")
        if total and progress.records:
            left = seconds * (total - progress.records) / progress.records
            parts.append(f"about {max(left, 0):.0f} s left")
    return "  ".join(parts)


def report_json(report: SyncReport) -> dict[str, Any]:
    """Return what moved as JSON shows it; an absent side of a ref is left out."""
    updated = {
        name: {
            side: str(one)
            for side, one in (("old", change.old), ("new", change.new))
            if one is not None
        }
        for name, change in sorted(report.updated.items())
    }
    return {
        "updated": updated,
        "bytes_received": report.bytes_received,
        "bytes_sent": report.bytes_sent,
        "round_trips": report.round_trips,
        "objects": report.objects,
        "records": report.records,
        "mode": report.mode,
        "fallbacks": report.fallbacks,
    }


def tell_report(output: Output, report: SyncReport) -> None:
    """Say which refs moved, and what it cost."""
    names = sorted(report.updated)
    width = max(map(len, map(visible, names)), default=0)
    for name in names:
        change = report.updated[name]
        padded = f"{visible(name):{width}}"
        output.say(f"{padded}  {_moved(change.old, change.new)}")
    if names or report.objects:
        moved = f"{size_text(report.bytes_received)} received"
        sent = f"{size_text(report.bytes_sent)} sent"
        trips = plural(report.round_trips, "round trip")
        records = plural(report.records, "record")
        output.say(f"{records}, {moved}, {sent}, {trips}")
    if report.fallbacks:
        output.note(
            f"{plural(report.fallbacks, 'tree')} came as nodes: the edits led "
            "elsewhere (ops-mismatch)"
        )


def _moved(old: bytes | None, new: bytes | None) -> str:
    if old is None:
        return f"new, at {short_id(new)}" if new is not None else "gone"
    if new is None:
        return f"deleted, was at {short_id(old)}"
    return f"{short_id(old)} -> {short_id(new)}"
