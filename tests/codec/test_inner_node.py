"""An inner node as it is stored: what is found in its bytes is what was encoded."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.inner_node import INNER_MARK, Child, Inner, encode_inner
from prolly.errors import Corrupt

children = st.builds(
    Child,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
)
nodes = st.dictionaries(st.binary(min_size=1, max_size=6), children, min_size=1)


def encoded(node: dict[bytes, Child], level: int = 1) -> bytes:
    """The chunk of a node."""
    keys = sorted(node)
    return encode_inner(level, keys, [node[key] for key in keys])


@given(nodes, st.integers(1, 64))
def test_every_entry_is_found(entries: dict[bytes, Child], level: int) -> None:
    """One child, a column, and all children agree; so do keys and their places."""
    node = Inner(encoded(entries, level))
    keys = sorted(entries)
    assert (node.level, len(node)) == (level, len(keys))
    for at, key in enumerate(keys):
        child = entries[key]
        assert (node.key(at), node.find(key), node.position(key)) == (key, at, at)
        assert node.child(at) == (node.address(at), child.records, node.weight(at))
        assert node.child(at) == child
    assert b"".join(node.child_addresses()) == node.addresses
    assert list(node.counts) == [one.records for one in node.children()]
    assert list(node.weights) == [one.weight for one in node.children()]


@given(nodes, st.data())
def test_changed_children_are_written_over(
    entries: dict[bytes, Child], data: st.DataObject
) -> None:
    """The node over changed children is the one that is encoded from scratch."""
    keys = sorted(entries)
    places = st.integers(0, len(keys) - 1)
    changed = data.draw(st.dictionaries(places, children))
    fresh = {**entries, **{keys[at]: child for at, child in changed.items()}}
    assert Inner(encoded(entries)).with_children(changed).chunk == encoded(fresh)


@given(nodes, st.data())
def test_leaves_of_two_nodes_are_joined(
    entries: dict[bytes, Child], data: st.DataObject
) -> None:
    """Children taken from another node, and new addresses, replace the old ones."""
    keys = sorted(entries)
    others = {
        key: data.draw(children)._replace(weight=child.weight)
        for key, child in entries.items()
    }
    taken = data.draw(st.lists(st.integers(0, len(keys) - 1), unique=True))
    new = {at: bytes(32) for at in range(len(keys)) if at not in taken}
    fresh = {
        key: others[key] if at in taken else entries[key]._replace(address=new[at])
        for at, key in enumerate(keys)
    }
    node, other = Inner(encoded(entries)), Inner(encoded(others))
    assert node.over_leaves_of(other, taken, new).chunk == encoded(fresh)


@given(nodes, nodes)
def test_keys_and_weights_are_compared_as_bytes(
    some: dict[bytes, Child], others: dict[bytes, Child]
) -> None:
    """Two nodes have the same keys when the lists of them are equal."""
    one, other = Inner(encoded(some)), Inner(encoded(others))
    assert one.has_keys_of(other) is (one.keys() == other.keys())
    assert not one.has_keys_of(Inner(encoded(some, 2)))
    same_keys = dict.fromkeys(some, Child(bytes(32), 1, 5))
    assert one.has_keys_of(Inner(encoded(same_keys)))
    is_so = set(one.weights) == {5}
    assert one.has_weights_of(Inner(encoded(same_keys))) is is_so


@pytest.mark.parametrize(
    "suffixes",
    [[b"a"], [b"a", "b"], {b"a": 1, b"b": 2}, b"ab", [b"a", [b"b"]]],
    ids=["too few", "text", "a map", "a string", "nested"],
)
def test_misformed_keys_are_corrupt_when_they_are_asked_for(suffixes: object) -> None:
    """What is not a list of as many byte strings as children raises Corrupt."""
    columns = [bytes(64), bytes(16), bytes(8)]
    chunk = INNER_MARK + cbor2.dumps([1, b"", suffixes, *columns])
    for ask in (Inner.keys, lambda node: node.position(b"a")):
        with pytest.raises(Corrupt):
            ask(Inner(chunk))


@given(nodes, st.data())
def test_a_cut_or_lengthened_node_is_corrupt(
    entries: dict[bytes, Child], data: st.DataObject
) -> None:
    """A node without its last bytes, or with some behind them, raises Corrupt."""
    chunk = encoded(entries)
    end = data.draw(st.integers(0, len(chunk) - 1))
    for other in (chunk[:end], chunk + bytes(data.draw(st.integers(1, 40)))):
        with pytest.raises(Corrupt):
            Inner(other).keys()


@given(nodes, st.data())
def test_changed_children_are_the_differing_ones(
    entries: dict[bytes, Child], data: st.DataObject
) -> None:
    """After some children were changed, these differ, and the keys are as before."""
    node = Inner(encoded(entries))
    if data.draw(st.booleans()):
        assert node.keys() == sorted(entries)
    places = data.draw(st.lists(st.integers(0, len(node) - 1), unique=True))
    other = Child(b"other".ljust(32), 7, 8)
    changed = node.with_children(dict.fromkeys(places, other))
    assert node.differing_children(changed) == sorted(places)
    assert changed.keys() == sorted(entries)
    fresh = Inner(changed.chunk)
    assert changed.children() == fresh.children()
    assert (changed.level, changed.weights) == (fresh.level, fresh.weights)


@given(nodes, st.binary(max_size=4))
def test_a_key_belongs_into_the_first_child_that_reaches_it(
    entries: dict[bytes, Child], key: bytes
) -> None:
    """It is the child with the smallest last key that is not below, if any."""
    node = Inner(encoded(entries))
    reaching = [entries[last].address for last in sorted(entries) if last >= key]
    assert node.address_for(key) == (reaching[0] if reaching else None)
