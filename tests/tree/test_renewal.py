"""Nodes of level 1 known anew: read by an edit of the level, or written as they are."""

from __future__ import annotations

import pytest

from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec.node import Child, Inner
from prolly.testing.tree_model import Records, TreeModel
from prolly.tree import NodeReader
from prolly.tree.edit import LeafChanges, apply_to_leaves
from prolly.tree.renewal import Renewal, RenewedReader, write_renewals

KEYS = [b"%05d" % number for number in range(30_000)]
BASE: Records = dict.fromkeys(KEYS, bytes(60))


class Renewed:
    """The tree of a base, and its first node of level 1 with one leaf updated."""

    def __init__(self) -> None:
        self.model = TreeModel()
        self.records = {**BASE, KEYS[3]: b"new" * 20}
        self.root = self.model.rebuild(BASE)
        old, new = self.first(self.root), self.first(self.model.rebuild(self.records))
        self.node = self.model.reader.read_inner(new.address, 1)
        last_key = self.node.key(len(self.node) - 1)
        self.renewal = Renewal(old.address, last_key, old.weight, lambda: self.node)
        self.added = new

    def first(self, root: bytes) -> Child:
        """The first node of level 1, as the root tells of it."""
        node = self.model.reader.read(root)
        assert isinstance(node, Inner)
        assert node.level == 2
        return node.child(0)

    def replaced(self, leaves: dict[bytes, Child | None]) -> bytes:
        """The root after the renewal and changes of leaves."""
        model = self.model
        changes = LeafChanges(leaves, [self.renewal])
        return apply_to_leaves(
            model.reader, model.writer, self.root, changes, DEFAULT_PARAMETERS
        )


@pytest.fixture(scope="module")
def renewed() -> Renewed:
    return Renewed()


def test_a_renewal_is_read_in_the_place_of_the_old_node(renewed: Renewed) -> None:
    """The reader of an edit gives the new node under the address of the old one."""
    reader = RenewedReader(renewed.model.reader, [renewed.renewal])
    assert reader.hold(renewed.renewal.old) is renewed.node
    assert reader.hold(renewed.root) is renewed.model.reader.hold(renewed.root)


def test_what_the_edit_did_not_touch_is_written(renewed: Renewed) -> None:
    """A renewal becomes a change of its level, unless the edit made one there."""
    writer = renewed.model.writer
    changes: dict[bytes, Child | None] = {}
    write_renewals(writer, [renewed.renewal], changes)
    assert changes == {renewed.renewal.last_key: renewed.added}
    touched: dict[bytes, Child | None] = {renewed.renewal.last_key: None}
    write_renewals(writer, [renewed.renewal], touched)
    assert touched == {renewed.renewal.last_key: None}


def test_renewals_and_other_leaves_make_one_tree(renewed: Renewed) -> None:
    """Alone, and beside a leaf that is replaced in its own node, the root is right."""
    model = renewed.model
    assert renewed.replaced({}) == model.rebuild(renewed.records)
    first = renewed.node.key(5)
    fresh = {**renewed.records, first: b"end" * 20}
    leaf = model.reader.read_inner(renewed.first(model.rebuild(fresh)).address, 1)
    assert renewed.replaced({first: leaf.child(5)}) == model.rebuild(fresh)


def test_what_is_renewed_is_not_read_ahead(renewed: Renewed) -> None:
    """Of nodes read ahead of an edit, only those are read that nothing renews."""
    asked: list[bytes] = []

    def counted(address: bytes) -> bytes | None:
        asked.append(address)
        return renewed.model.writer.get(address)

    reader = RenewedReader(NodeReader(counted), [renewed.renewal])
    root = reader.read_inner(renewed.root, 2)
    asked.clear()
    reader.read_ahead(root.child_addresses())
    assert asked == [
        one for one in root.child_addresses() if one != renewed.renewal.old
    ]
    reader.read_ahead(root.child_addresses())
    assert len(asked) == len(root) - 1
