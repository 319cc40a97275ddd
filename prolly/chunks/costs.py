"""What work on a store cost, as numbers: the terms in which the design states its cost.

Whoever does the work counts: a counting store what passes through it, a counting cache
of nodes what it was asked, the local store its waits for the disk, and transports their
round trips. All of them count into one object, each once a chunk, node, call or commit
and never once a record.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Costs:
    """Counts since the beginning, or since ``reset``.

    Exact while one thread works; a near guess with more. Of chunks: ``gets`` were asked
    for, present or not, in ``get_calls`` calls, and had ``get_bytes``; ``checks`` were
    asked only whether they are there; ``puts``, of ``put_bytes``, were given to
    writers, also those that were there already. ``nodes_read`` and ``nodes_written``
    are the nodes of trees among them.

    ``cache_hits`` and ``cache_misses`` are nodes that were wanted; ``nodes_decoded``
    are inner nodes that came into the cache, and leaves taken apart as a whole, which
    finding one record does not need.

    ``commits`` and ``ref_moves`` were accepted, ``ref_reads`` refs were asked for.
    ``fsyncs`` counts waits for the disk: one for each commit that goes to the journal,
    else one for each durable transaction of the index, one for each new pack, and one
    for the names of new packs. ``round_trips`` counts
    requests to other machines: none of a local store.
    """

    gets: int = 0
    get_calls: int = 0
    get_bytes: int = 0
    checks: int = 0
    puts: int = 0
    put_bytes: int = 0
    nodes_read: int = 0
    nodes_decoded: int = 0
    nodes_written: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    commits: int = 0
    ref_reads: int = 0
    ref_moves: int = 0
    fsyncs: int = 0
    round_trips: int = 0

    def reset(self) -> None:
        """Begin again at nought."""
        # Loaded here, since it takes longer than all else that a start of ours needs.
        from dataclasses import fields

        for field in fields(self):
            setattr(self, field.name, 0)
