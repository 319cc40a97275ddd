"""A tree made again over its leaves: equal to the one made from its records."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, TreeParameters
from prolly.codec.byte_strings import ByteStrings
from prolly.codec.node import Child, Inner, encode_inner, encode_leaf
from prolly.errors import Corrupt
from prolly.testing.tree_model import Records, TreeModel, make_records
from prolly.tree import NodeReader, build, recut

WIDER = TreeParameters(8160, 16320)


def nothing(listed: list[bytes], keys: ByteStrings, values: ByteStrings) -> None:
    """Think nothing of a leaf."""


def made_of(records: Records, parameters: TreeParameters) -> tuple[MemoryStore, bytes]:
    """Return a store with one tree, and its root."""
    store = MemoryStore()
    keys = sorted(records)
    with store.writer() as writer:
        batch = (keys, [records[key] for key in keys])
        root = build(writer, [batch] if keys else [], parameters)
        writer.commit()
    return store, root


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["random", "clustered", "hostile"]),
    st.sampled_from(["small", "equal"]),
    st.sampled_from([1, 40, 3000]),
)
def test_it_is_the_tree_of_the_records(
    seed: int, keys: str, values: str, count: int
) -> None:
    """The same root, and all nodes written; every leaf was looked at, in order."""
    records = make_records(random.Random(seed), keys, values, count)
    theirs, root = made_of(records, DEFAULT_PARAMETERS)
    ours = MemoryStore()
    seen: Records = {}
    with ours.writer() as writer:
        made = recut(
            NodeReader(theirs.get),
            writer,
            root,
            DEFAULT_PARAMETERS,
            lambda listed, _, values: seen.update(zip(listed, values, strict=True)),
        )
        writer.commit()
    assert made == root
    assert list(seen.items()) == sorted(records.items())
    assert list(ours.iter_addresses()) == list(theirs.iter_addresses())


def test_leaves_that_end_elsewhere_are_told() -> None:
    """A tree of other parameters has no root here, wherever the first cut differs."""
    records = make_records(random.Random(1), "random", "small", 3000)
    theirs, root = made_of(records, WIDER)
    reader = NodeReader(theirs.get)
    assert recut(reader, TreeModel().writer, root, DEFAULT_PARAMETERS, nothing) is None


def test_other_levels_lead_elsewhere() -> None:
    """Right leaves below a wrong inner node: the root is that of the right one."""
    records = make_records(random.Random(2), "random", "small", 300)
    theirs, root = made_of(records, DEFAULT_PARAMETERS)
    reader = NodeReader(theirs.get)
    top = reader.hold(root)
    assert isinstance(top, Inner)
    children = [one._replace(records=one.records + 1) for one in top.children()]
    with theirs.writer() as writer:
        wrong = writer.put(encode_inner(1, top.keys(), children))
        writer.commit()
    made = recut(reader, TreeModel().writer, wrong, DEFAULT_PARAMETERS, nothing)
    assert made == root != wrong


def test_an_empty_leaf_is_no_leaf_of_a_tree() -> None:
    """It ends where no cut can be."""
    store = MemoryStore()
    with store.writer() as writer:
        full = encode_leaf([b"a"], [b"1"])
        children = [Child(writer.put(full), 1, 10), Child(writer.put(EMPTY), 0, 0)]
        root = writer.put(encode_inner(1, [b"a", b"b"], children))
        writer.commit()
    reader = NodeReader(store.get)
    assert recut(reader, TreeModel().writer, root, DEFAULT_PARAMETERS, nothing) is None


EMPTY = encode_leaf([], [])


def test_a_missing_leaf_is_corrupt() -> None:
    """A node that is not there is told as anywhere."""
    store = MemoryStore()
    with store.writer() as writer:
        root = writer.put(encode_inner(1, [b"a"], [Child(bytes(32), 1, 10)]))
        writer.commit()
    reader = NodeReader(store.get)
    with pytest.raises(Corrupt) as caught:
        recut(reader, TreeModel().writer, root, DEFAULT_PARAMETERS, nothing)
    assert caught.value.code == "chunk-missing"
