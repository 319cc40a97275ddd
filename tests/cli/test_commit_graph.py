"""The graph of commits: every line of history is drawn, and lanes stay apart."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from prolly_cli.commit_graph import Graph


def drawn(*commits: tuple[str, str]) -> list[str]:
    """Return the graph of commits, each (name, names of its parents)."""
    graph = Graph()
    lines = []
    for name, parents in commits:
        ids = [one.encode() for one in parents]
        lines += graph.draw(name.encode(), ids, [name])
    return lines


def test_a_merge_opens_a_lane_and_closes_it() -> None:
    """Two lines of history, from the merge to where they began."""
    assert drawn(("m", "ab"), ("a", "c"), ("b", "c"), ("c", "")) == [
        "* m",
        "|\\",
        "* | a",
        "| * b",
        "|/",
        "* c",
    ]


def test_both_merges_of_a_criss_cross_have_two_lines() -> None:
    """The second one joins lanes that are there, and a line says so."""
    commits = [("n", "xy"), ("x", "ab"), ("y", "ba"), ("b", "c"), ("a", "c")]
    assert drawn(*commits, ("c", "")) == [
        "* n",
        "|\\",
        "* | x",
        "|\\ \\",
        "| | * y",
        "|_|/|",
        "| |/",
        "| * b",
        "* | a",
        "|/",
        "* c",
    ]


def test_a_lane_ends_in_one_far_to_its_right() -> None:
    """The line leads over the lanes between, which then move up."""
    rows = drawn(("a", "x"), ("b", "y"), ("c", "z"), ("x", "z"))
    assert rows[-3:] == ["* | | x", "|\\|_|", " / /"]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[bytes, list[bytes]]]:
    """Commits with up to three parents among the earlier ones, newest first."""
    made: list[tuple[bytes, list[bytes]]] = []
    for number in range(draw(st.integers(1, 12))):
        earlier = st.integers(0, max(number - 1, 0))
        most = 3 if number else 0
        parents = draw(st.lists(earlier, max_size=most, unique=True))
        made.append((b"%d" % number, [b"%d" % one for one in parents]))
    return made[::-1]


@settings(max_examples=200, deadline=None)
@given(histories())
def test_every_commit_stands_in_its_lane(
    history: list[tuple[bytes, list[bytes]]],
) -> None:
    """One star a commit, no row without a bar, and no lane is left at the end."""
    graph = Graph()
    for commit, parents in history:
        rows = graph.draw(commit, parents, [commit.decode(), "more"])
        assert rows[0].count("*") == 1
        assert all("*" not in row for row in rows[1:])
        edges = [row for row in rows[1:] if "more" not in row]
        assert len(edges) >= max(len(parents) - 1, 0) - (len(parents) > 2)
    assert graph._lanes == []
