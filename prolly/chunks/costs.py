"""What work on a store cost, as numbers: the terms in which the design states its cost.

Whoever does the work counts: a counting store what passes through it, a counting cache
of nodes what it was asked, the local store its waits for the disk, and transports their
round trips. All of them count into one object, each once a chunk, node, call or commit
and never once a record.
"""

from __future__ import annotations

from types import SimpleNamespace


class Costs(SimpleNamespace):
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
    ``fsyncs`` counts waits for the disk: one for each commit that goes to the journal
    else one for each durable transaction of the index, one for each new pack, and one
    for the names of new packs; and one for a record of the journal whose writer was
    killed before it waited. ``round_trips`` counts requests to other machines: none of
    a local store.
    """

    gets: int
    get_calls: int
    get_bytes: int
    checks: int
    puts: int
    put_bytes: int
    nodes_read: int
    nodes_decoded: int
    nodes_written: int
    cache_hits: int
    cache_misses: int
    commits: int
    ref_reads: int
    ref_moves: int
    fsyncs: int
    round_trips: int

    def __init__(self, **counts: int) -> None:
        """Begin at nought, but for the counts given."""
        super().__init__(**{**dict.fromkeys(Costs.__annotations__, 0), **counts})

    def reset(self) -> None:
        """Begin again at nought."""
        vars(self).update(dict.fromkeys(vars(self), 0))

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return dict(vars(self))
