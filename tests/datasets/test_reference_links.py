"""Which rows refer to rows that are to go."""

from __future__ import annotations

from prolly.codec import key as key_codec
from prolly.datasets import Manifest, ReferenceLinks, reference_violations
from prolly.tables import Index, Reference, Schema
from prolly.testing.repositories import memory_repository
from prolly.tree import NodeReader

SCHEMA = Schema.create(
    [("id", "int"), ("up", "int")],
    "id",
    indexes=[Index("up", ("up",))],
    references=[Reference("up", ("up",), "t")],
)
ROWS = [(1, None), (2, 1), (3, 1), (4, 2), (5, 5)]


def test_it_says_what_a_check_would_say_of_the_rows_left() -> None:
    """The same pairs of rows, by reference and key, whichever rows are to go."""
    repo = memory_repository()
    with repo.transaction("main", message="rows") as tx:
        tx.table("t", schema=SCHEMA).load([{"id": a, "up": b} for a, b in ROWS])
    root = repo.commit_of(repo.branches["main"]).root
    reader = NodeReader(repo.store.get)
    manifest = Manifest(reader, root)
    [identity] = manifest.by_id
    links = ReferenceLinks(reader, root)
    for gone in ([1], [2], [1, 2], [4], [5], [9]):
        keys = [key_codec.encode((one,)) for one in gone]
        found = list(links.violations({identity: keys}))
        expected = [(a, b) for a, b in ROWS if b in gone]
        told = [(one.child_key, one.parent_key) for one in found]
        assert told == [tuple(key_codec.encode((x,)) for x in one) for one in expected]
        assert {one.error.code for one in found} <= {"reference-missing"}
    assert not list(links.violations({b"another table": [keys[0]]}))
    assert not list(reference_violations(reader, [], root))
