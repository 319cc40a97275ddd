"""The nodes of merges, counted by a command that anyone can run."""

from __future__ import annotations

from benchmarks.merge_nodes import KINDS, Grown, key_of, lines, updated


def test_a_line_for_each_size_and_kind_of_edits() -> None:
    """The counts follow from sizes and seed, and are never none."""
    told = list(lines([400, 2000], 50, 7))
    assert told == list(lines([400, 2000], 50, 7))
    assert len(told) == 2 + 2 * len(KINDS)
    for line in told[2:]:
        read, _, written = line.split(" | ")[2:5]
        assert int(read) and int(written)


def test_what_stands_already_is_not_written() -> None:
    """A side that changed nothing costs nothing."""
    grown = Grown(2000)
    _, costs = grown.merged(updated([key_of(3)], b"o"), {})
    assert (costs.gets, costs.puts) == (0, 0)
