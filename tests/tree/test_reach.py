"""Reachability: every chunk once, whatever shares it, and nothing taken on trust."""

from __future__ import annotations

import random

import pytest

from prolly.codec import ChunkType, Reference, encode_referring
from prolly.errors import Corrupt
from prolly.testing.tree_model import TreeModel, make_records
from prolly.tree import AddressSet, reachable


def get_many(model: TreeModel, addresses: list[bytes]) -> list[bytes | None]:
    return [model.writer.get(address) for address in addresses]


def test_all_nodes_are_found_once_and_shared_ones_too() -> None:
    """Two versions give the union of their nodes; a known root gives nothing."""
    model = TreeModel()
    records = make_records(random.Random(1), "random", "small", 3000)
    old = model.rebuild(records)
    new = model.apply(old, {min(records): b"other", b"zz": b"fresh"})
    alone = [address for address, _ in reachable(lambda a: get_many(model, a), [old])]
    assert len(alone) == len(set(alone)) > 15
    both = {a for a, _ in reachable(lambda a: get_many(model, a), [old, new])}
    known = set(alone)
    added = {a for a, _ in reachable(lambda a: get_many(model, a), [new], known)}
    assert both == set(alone) | added
    assert 2 <= len(added) <= 6
    assert not list(reachable(lambda a: get_many(model, a), [new], known))


def test_references_of_values_are_followed() -> None:
    """A chunk that only a value refers to is reached, as the kind it should be."""
    model = TreeModel()
    piece = model.writer.put(bytes([ChunkType.BLOB_PIECE]) + b"data")
    value = encode_referring([Reference(piece, ChunkType.BLOB_PIECE)])
    root = model.rebuild({b"k": value})
    found = {a for a, _ in reachable(lambda a: get_many(model, a), [root])}
    assert found == {root, piece}
    wrong = encode_referring([Reference(piece, ChunkType.COMMIT)])
    with pytest.raises(Corrupt) as caught:
        list(reachable(lambda a: get_many(model, a), [model.rebuild({b"k": wrong})]))
    assert caught.value.code == "chunk-type"


def test_a_missing_chunk_stops_the_walk() -> None:
    """A link to nothing raises Corrupt with the address."""
    model = TreeModel()
    value = encode_referring([Reference(bytes(32), ChunkType.BLOB_PIECE)])
    with pytest.raises(Corrupt) as caught:
        list(reachable(lambda a: get_many(model, a), [model.rebuild({b"k": value})]))
    assert caught.value.code == "chunk-missing"


def test_pieces_may_be_passed_over() -> None:
    """Without pieces they are known in the end, but neither read nor yielded."""
    model = TreeModel()
    piece = model.writer.put(bytes([ChunkType.BLOB_PIECE]) + b"data")
    value = encode_referring([Reference(piece, ChunkType.BLOB_PIECE)])
    root = model.rebuild({b"k": value})
    asked: list[bytes] = []

    def get(addresses: list[bytes]) -> list[bytes | None]:
        asked.extend(addresses)
        return get_many(model, addresses)

    known = AddressSet()
    assert [a for a, _ in reachable(get, [root], known, pieces=False)] == [root]
    assert asked == [root]
    assert set(known) == {root, piece}
