"""A tree under edit: reads see the edits, and nothing in between is stored."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import DEFAULT_PARAMETERS
from prolly.errors import Invalid
from prolly.testing.tree_model import (
    TreeModel,
    apply_to_model,
    make_edits,
    make_records,
)
from prolly.tree import EditBuffer, NodeReader, WorkingTree, count, get, nth


def reads(model: TreeModel) -> NodeReader:
    """A reader that sees what the model's writer wrote."""
    return NodeReader(model.writer.get)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([3000, 10**9]))
def test_reads_see_edits_and_write_gives_a_rebuild(
    seed: int, begins_empty: bool, bytes_max: int
) -> None:
    """After any edits, reads of all kinds and the written root are a rebuild's."""
    source = random.Random(seed)
    model = TreeModel()
    records = {} if begins_empty else make_records(source, "random", "small", 900)
    root = None if begins_empty else model.rebuild(records)
    tree = WorkingTree(reads(model), root, DEFAULT_PARAMETERS, EditBuffer(bytes_max))
    for _ in range(source.randint(1, 5)):
        edits = make_edits(source, records, "random", "small")
        records = apply_to_model(records, edits)
        if source.random() < 0.5:
            for key, value in edits.items():
                tree.put(key, value)
        else:
            puts = {key: value for key, value in edits.items() if value is not None}
            tree.put_many(list(puts), list(puts.values()))
            tree.delete_many([key for key, value in edits.items() if value is None])
        for key in list(edits)[:20]:
            assert tree.get(key) == records.get(key)
        if source.random() < 0.6:
            reader, settled = tree.settled()
            assert settled == model.rebuild(records)
            assert count(reader, settled) == len(records)
            if records:
                assert nth(reader, settled, 0) == min(records.items())
    assert tree.write(model.writer) == model.rebuild(records)
    tree.close()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_records_that_come_in_order_are_built_as_they_come(seed: int) -> None:
    """Whatever comes between the batches, reads and the root are a rebuild's."""
    source = random.Random(seed)
    model = TreeModel()
    buffer = EditBuffer(source.choice((100_000, 10**9)))
    tree = WorkingTree(reads(model), None, DEFAULT_PARAMETERS, buffer)
    records: dict[bytes, bytes] = {}
    at = 0
    for _ in range(source.randint(1, 6)):
        count_now = source.choice((0, 1, 999, 1000, 2500))
        keys = [b"%07d" % number for number in range(at, at + count_now)]
        if source.random() < 0.2:
            source.shuffle(keys)
        values = [source.randbytes(source.choice((0, 5, 90))) for _ in keys]
        tree.put_many(keys, values, model.writer)
        records.update(zip(keys, values, strict=True))
        at += source.choice((count_now, count_now, count_now // 2))
        done = source.choice(("nothing", "nothing", "get", "put", "delete", "settle"))
        key = b"%07d" % source.randrange(at + 3)
        if done == "get":
            assert tree.get(key) == records.get(key)
        elif done == "put":
            tree.put(key, b"alone")
            records[key] = b"alone"
        elif done == "delete":
            tree.delete_many([key])
            records.pop(key, None)
        elif done == "settle":
            assert tree.settled()[1] == model.rebuild(records)
        assert tree.is_changed == bool(records) or done == "delete"
    assert tree.write(model.writer) == model.rebuild(records)
    tree.close()


def test_a_sorted_load_writes_each_node_once() -> None:
    """Records in order go to the writer as nodes, and none of them twice."""
    model = TreeModel()
    values = {b"%07d" % number: bytes(90) for number in range(20_000)}
    buffer = EditBuffer(1_500_000)
    tree = WorkingTree(reads(model), None, DEFAULT_PARAMETERS, buffer)
    keys = list(values)
    model.fresh_reader()
    for low in range(0, len(keys), 4000):
        batch = keys[low : low + 4000]
        tree.put_many(batch, [values[key] for key in batch], model.writer)
        assert buffer.runs_spilled == 0
    assert model.writes > 100
    root = tree.write(model.writer)
    written = model.writes
    model.fresh_reader()
    assert model.rebuild(values) == root
    assert model.writes == written


def test_replacing_all_keeps_nothing_of_before() -> None:
    """The tree becomes the buffer's records; later edits come on top."""
    model = TreeModel()
    old = make_records(random.Random(1), "random", "small", 500)
    new = make_records(random.Random(2), "random", "small", 500)
    tree = WorkingTree(reads(model), model.rebuild(old), DEFAULT_PARAMETERS)
    tree.put(b"before", b"gone")
    buffer = EditBuffer(unique=True)
    buffer.put_many(list(new), list(new.values()))
    tree.replace_all(model.writer, buffer)
    tree.put(b"after", b"kept")
    assert tree.get(b"before") is None
    reader, settled = tree.settled()
    assert get(reader, settled, b"after") == b"kept"
    assert tree.is_changed
    assert tree.write(model.writer) == model.rebuild({**new, b"after": b"kept"})


def test_replacing_by_repeated_keys_changes_nothing() -> None:
    """A key seen twice raises, and the tree is as it was."""
    model = TreeModel()
    root = model.rebuild({b"a": b"1"})
    tree = WorkingTree(reads(model), root, DEFAULT_PARAMETERS)
    buffer = EditBuffer(100, unique=True)
    buffer.put_many([b"k"], [b"1" * 90])
    buffer.put_many([b"k"], [b"2" * 90])
    with pytest.raises(Invalid) as caught:
        tree.replace_all(model.writer, buffer)
    assert caught.value.code == "duplicate-key"
    assert tree.get(b"a") == b"1"
    assert tree.write(model.writer) == root
    buffer.close()
