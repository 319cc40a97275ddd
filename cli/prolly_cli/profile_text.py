"""What ``--profile`` prints: how long a command took, and what the work cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import json_text, number, plural

if TYPE_CHECKING:
    from prolly.chunks import Costs


def profile_text(seconds: float, costs: Costs | None, *, as_json: bool) -> str:
    """Return the lines; ``costs`` is ``None`` where no repository was opened."""
    if as_json:
        told = {} if costs is None else costs.as_dict()
        return json_text({"profile": {"seconds": round(seconds, 6), **told}})
    lines = [f"prolly: took {seconds:.3f} s"]
    if costs is not None:
        calls = plural(costs.get_calls, "call")
        lines += [
            f"prolly: read {plural(costs.gets, 'chunk')} in {calls}, "
            f"{number(costs.get_bytes)} bytes; {plural(costs.nodes_read, 'node')} of "
            f"trees among them, {plural(costs.nodes_decoded, 'node')} decoded",
            f"prolly: {number(costs.cache_hits)} of "
            f"{plural(costs.cache_hits + costs.cache_misses, 'node')} asked for "
            "were in the cache",
            f"prolly: wrote {plural(costs.puts, 'chunk')}, "
            f"{number(costs.put_bytes)} bytes; "
            f"{plural(costs.nodes_written, 'node')} among them; "
            f"asked of {number(costs.checks)} whether they are there",
            f"prolly: read {plural(costs.ref_reads, 'ref')}, "
            f"moved {plural(costs.ref_moves, 'ref')} "
            f"in {plural(costs.commits, 'commit')}, "
            f"waited {plural(costs.fsyncs, 'time')} for the disk, "
            f"{plural(costs.round_trips, 'round trip')}",
        ]
    return "\n".join(lines)
