"""What another replica sends is right, or refused with a code and without a trace."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.codec import (
    DEFAULT_PARAMETERS,
    Commit,
    Reference,
    cbor,
    decode_blob_node,
    encode_blob_node,
    encode_commit,
    encode_referring,
    key,
    row,
)
from prolly.codec.node import Child, encode_leaf
from prolly.codec.received_node import EMPTY_LEAF
from prolly.datasets import Manifest
from prolly.errors import Corrupt, LimitExceeded
from prolly.sync import Service, Wish, clone, push
from prolly.tables import Index, Schema
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_forgery import (
    ONE,
    Forger,
    contents,
    refused,
    wrong_count,
    wrong_cut,
    wrong_weight,
)
from prolly.testing.sync_lines import NodesRemote, line_to
from prolly.tree import build

Forge = Callable[[Forger], None]


def wrong_order(forger: Forger) -> None:
    forger.serve(forger.leaf(["b", "a"], [ONE, ONE])[1].address)


def wrong_order_of_children(forger: Forger) -> None:
    forger.serve(
        forger.inner(1, [forger.leaf(["b"], [ONE]), forger.leaf(["a"], [ONE])])
    )


def wrong_level(forger: Forger) -> None:
    forger.serve(
        forger.inner(3, [forger.leaf(["a"], [ONE]), forger.leaf(["b"], [ONE])])
    )


def child_twice(forger: Forger) -> None:
    leaf = forger.leaf(["a"], [ONE])
    forger.serve(forger.inner(1, [leaf, leaf]))


def empty_child(forger: Forger) -> None:
    child = Child(forger.put(EMPTY_LEAF), 0, 0)
    forger.serve(forger.inner(1, [forger.leaf(["a"], [ONE]), (b"\x02b\0", child)]))


def lone_child(forger: Forger) -> None:
    forger.serve(forger.inner(1, [forger.leaf(["a"], [ONE])]))


def deep_value(forger: Forger) -> None:
    forger.serve(forger.leaf(["a"], [b"\x81" * 90 + b"\x01"])[1].address)


def misspelt_value(forger: Forger) -> None:
    forger.serve(forger.leaf(["a"], [b"\x18\x01"])[1].address)


def values_that_run_over(forger: Forger) -> None:
    forger.serve(forger.leaf(["a", "b"], [b"\x42x", b"y\x01"])[1].address)


def tagged_value(forger: Forger) -> None:
    forger.serve(forger.leaf(["a"], [b"\xd9\x01\x02\x81\x01"])[1].address)


def misspelt_key(forger: Forger) -> None:
    chunk = encode_leaf([b"\x16\x00\x01"], [ONE])
    forger.serve(forger.put(chunk))


def long_value(forger: Forger) -> None:
    forger.serve(forger.leaf(["a"], [cbor.encode(b"x" * 1_100)])[1].address)


def misspelt_node(forger: Forger) -> None:
    chunk = encode_leaf([key.encode_key("a")], [ONE])
    forger.serve(forger.put(chunk.replace(b"\x81\x40\x81", b"\x98\x01\x40\x81")))


def nested_node(forger: Forger) -> None:
    forger.serve(forger.put(b"\x01" + b"\x81" * 100_000))


def no_node(forger: Forger) -> None:
    forger.serve(forger.put(b"\x03some bytes"))


def wrong_schema(forger: Forger) -> None:
    forger.serve(forger.tree(["a"], [ONE]), "table", schema={"columns": []})


def wrong_policies(forger: Forger) -> None:
    forger.serve(forger.tree(["a"], [ONE]), policies={"/": "of-his-own"})


def two_trees(forger: Forger) -> None:
    roots = [Reference(forger.tree([name], [ONE]), 1) for name in "ab"]
    forger.serve(roots[0].address, roots=tuple(roots))


def wrong_generation(forger: Forger) -> None:
    tip = forger.repo.commit_of("main")
    forger.commit(tip.root, generation=7)


def misspelt_commit(forger: Forger) -> None:
    tip = bytes(forger.repo.resolve("main"))
    root = forger.repo.commit_of("main").root
    chunk = encode_commit(Commit((tip,), root, "", 0, "", {}, 1))
    forger.point(chunk[:-1] + b"\x18\x01")


def no_commit(forger: Forger) -> None:
    forger.point(b"\x03no commit")


def filled_table(forger: Forger) -> None:
    """Give the repository a table with an index."""
    schema = Schema.create(
        [("id", "int"), ("name", "text")], "id", indexes=[Index("by_name", ("name",))]
    )
    rows = [{"id": number, "name": f"n{number % 7}"} for number in range(200)]
    write_on(forger.repo, "main", lambda tx: tx.table("t", schema=schema).load(rows))


def roots_of(forger: Forger, name: str) -> tuple[Reference, ...]:
    """Return the roots of a dataset."""
    root = forger.repo.commit_of("main").root
    found = Manifest(forger.repo.storage.reader, root).find(name)
    assert found is not None
    return found[1].roots


def wrong_index(forger: Forger) -> None:
    filled_table(forger)
    records, _ = roots_of(forger, "t")
    other = Reference(forger.tree(["a"], [ONE]), 1)
    forger.replace("t", roots=(records, other))


def rows_of_another_table(forger: Forger) -> None:
    filled_table(forger)
    _, index = roots_of(forger, "t")
    with forger.repo.store.writer() as writer:
        stored = row.encode([1.5], [None])
        root = build(writer, [([key.encode_key(1)], [stored])], DEFAULT_PARAMETERS)
        writer.commit()
    forger.replace("t", roots=(Reference(root, 1), index))


def rows_spelt_otherwise(forger: Forger) -> None:
    filled_table(forger)
    _, index = roots_of(forger, "t")
    with forger.repo.store.writer() as writer:
        # The cell of a column that the row says it has not.
        stored = b"\x82\x41\x01\xf6"
        root = build(writer, [([key.encode_key(1)], [stored])], DEFAULT_PARAMETERS)
        writer.commit()
    forger.replace("t", roots=(Reference(root, 1), index))


def filled_blob(forger: Forger) -> None:
    """Give the repository a blob of several pieces."""
    data = random.Random(1).randbytes(400_000)
    tx = forger.repo.transaction("main", message="blob")
    with tx, tx.blob("b", "wb") as blob:
        blob.write(data)


def wrong_blob_cut(forger: Forger) -> None:
    filled_blob(forger)
    data = random.Random(1).randbytes(400_000)
    spans = [data[at : at + 100_000] for at in range(0, 400_000, 100_000)]
    pieces = [forger.put(b"\x03" + one) for one in spans]
    root = forger.put(encode_blob_node(1, pieces, [100_000] * 4))
    forger.replace("b", roots=(Reference(root, 4),))


def wrong_blob_length(forger: Forger) -> None:
    filled_blob(forger)
    (root,) = roots_of(forger, "b")
    node = decode_blob_node(forger.repo.storage.reader.read_chunk(root.address))
    lengths = [node.lengths[0] + 1, *node.lengths[1:]]
    forged = forger.put(encode_blob_node(node.level, node.addresses, lengths))
    forger.replace("b", roots=(Reference(forged, 4),))


def blob_without_end(forger: Forger) -> None:
    filled_blob(forger)
    forger.replace("b", roots=(endless_blob(forger),))


def value_without_end(forger: Forger) -> None:
    value = encode_referring([endless_blob(forger)])
    forger.serve(forger.leaf(["a"], [value])[1].address)


def endless_blob(forger: Forger) -> Reference:
    """Store few bytes that spell more than there are."""
    address = forger.put(b"\x03" + bytes(262_144))
    length = 262_144
    for level in range(1, 9):
        address = forger.put(encode_blob_node(level, [address] * 85, [length] * 85))
        length *= 85
    return Reference(address, 4)


FORGERIES: list[tuple[Forge, str]] = [
    (wrong_count, "tree-shape"),
    (wrong_weight, "tree-shape"),
    (wrong_cut, "tree-shape"),
    (wrong_order, "record-order"),
    (wrong_order_of_children, "record-order"),
    (wrong_level, "tree-shape"),
    (child_twice, "node-form"),
    (empty_child, "tree-shape"),
    (lone_child, "tree-shape"),
    (deep_value, "value-spelling"),
    (misspelt_value, "value-spelling"),
    (values_that_run_over, "value-spelling"),
    (tagged_value, "value-spelling"),
    (misspelt_key, "key-spelling"),
    (long_value, "record-order"),
    (misspelt_node, "node-form"),
    (nested_node, "node-form"),
    (no_node, "chunk-type"),
    (wrong_schema, "schema"),
    (wrong_policies, "policies"),
    (two_trees, "descriptor"),
    (wrong_index, "index-content"),
    (rows_of_another_table, "value-type"),
    (rows_spelt_otherwise, "row"),
    (wrong_blob_cut, "blob-cut"),
    (wrong_blob_length, "blob-form"),
    (blob_without_end, "blob-too-long"),
    (value_without_end, "blob-too-long"),
    (wrong_generation, "commit-generation"),
    (misspelt_commit, "value-spelling"),
    (no_commit, "chunk-type"),
]


def name_of(case: tuple[Forge, str]) -> str:
    """Return what a forgery is called."""
    return case[0].__name__


@pytest.mark.parametrize("case", FORGERIES, ids=name_of)
def test_a_forged_store_is_refused(case: tuple[Forge, str]) -> None:
    """Each chunk has its hash; what they make is refused, and leaves nothing."""
    forge, code = case
    forger = Forger()
    forge(forger)
    error = refused(NodesRemote(Service(forger.repo)))
    assert isinstance(error, Corrupt | LimitExceeded)
    assert error.code == code
    assert isinstance(refused(line_to(forger.repo)), Corrupt | LimitExceeded)


@pytest.mark.parametrize("case", FORGERIES, ids=name_of)
def test_a_forged_push_is_refused(case: tuple[Forge, str]) -> None:
    """So is the same by a push."""
    forge, _ = case
    forger = Forger()
    forge(forger)
    theirs = memory_repository()
    before = contents(theirs)
    with pytest.raises((Corrupt, LimitExceeded)):
        push(forger.repo, remote=line_to(theirs))
    assert contents(theirs) == before


def test_a_parent_that_comes_later_must_stand_below() -> None:
    """Also where another parent of the shallow commit stays absent."""
    forger = Forger()
    root = forger.repo.commit_of("main").root
    forger.commit(root)
    side = bytes(forger.repo.resolve("main"))
    for _ in range(4):
        forger.commit(root)
    high = bytes(forger.repo.resolve("main"))
    forger.point(encode_commit(Commit((high, side), root, "", 0, "", {}, 2)))
    with tempfile.TemporaryDirectory() as place:
        wish = Wish(depth=1)
        ours, _ = clone(
            "test:", Path(place) / "r", wish=wish, remote=line_to(forger.repo)
        )
        forger.repo.branches.create("high", high)
        with ours:
            assert refused(line_to(forger.repo), ours).code == "commit-generation"
