"""What ``--profile`` prints: how long a command took, what it asked of the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from .output import json_text, number, plural

if TYPE_CHECKING:
    from prolly.chunks import StoreCounts


def profile_text(seconds: float, counts: StoreCounts | None, *, as_json: bool) -> str:
    """Return the lines; ``counts`` is ``None`` where no repository was opened."""
    if as_json:
        told = {} if counts is None else asdict(counts)
        return json_text({"profile": {"seconds": round(seconds, 6), **told}})
    lines = [f"prolly: took {seconds:.3f} s"]
    if counts is not None:
        calls = plural(counts.get_calls, "call")
        lines += [
            f"prolly: read {plural(counts.gets, 'chunk')} in {calls}, "
            f"{number(counts.get_bytes)} bytes; nodes in the cache are not read again",
            f"prolly: wrote {plural(counts.puts, 'chunk')}, "
            f"{number(counts.put_bytes)} bytes, in {plural(counts.commits, 'commit')}; "
            f"asked of {number(counts.checks)} whether they are there",
            f"prolly: read {plural(counts.ref_reads, 'ref')}, "
            f"moved {plural(counts.ref_moves, 'ref')}",
        ]
    return "\n".join(lines)
