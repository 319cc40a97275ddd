"""A cursor over the nodes of one level, told by what their parents say of them.

It knows each node's last key and weight without reading the node; only ``read`` and
``entries`` read it. An edit uses it to walk a level left and right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prolly.codec.node import Child, Inner, Node
from prolly.codec.stored_leaf import StoredLeaf

from .operations import Keys, Payload, entries_of, node_weight
from .reader import NodeReader


class LevelCursor:
    """A position on one node of one level of a tree.

    The path is a list of (inner node, index) from the root down to the parent; it is
    empty when the level is the root's own.
    """

    def __init__(self, reader: NodeReader, root: bytes, level: int) -> None:
        self.reader = reader
        self.level = level
        self._root = root
        self._path: list[tuple[Inner, int]] = []
        # The last key sought, unless the cursor moved since.
        self._sought: bytes | None = None
        self._root_read: Node | None = None

    def clone(self) -> LevelCursor:
        """Return an independent cursor at the same place."""
        twin = LevelCursor(self.reader, self._root, self.level)
        twin._path = list(self._path)
        twin._sought, twin._root_read = self._sought, self._root_read
        return twin

    def seek(self, key: bytes) -> None:
        """Go to the node that holds ``key`` or would; past the end, to the last.

        From a key that was sought before to one behind it the path is climbed as far as
        needed.
        """
        before, self._sought = self._sought, key
        path = self._path
        if before is None or key < before:
            path.clear()
        while path:
            node, _ = path.pop()
            index = node.position(key)
            if index < len(node):
                self._descend(node, index, key)
                return
        if self.level == 0 and isinstance(self.reader.hold(self._root), StoredLeaf):
            return
        root = self.reader.read(self._root)
        if root.level > self.level:
            assert isinstance(root, Inner)
            self._descend(root, min(root.position(key), len(root) - 1), key)

    def _descend(self, node: Inner, index: int, key: bytes) -> None:
        """Go down from a child of a node to the node that holds a key."""
        self._path.append((node, index))
        while node.level > self.level + 1:
            below = self.reader.read_below(node, index)
            assert isinstance(below, Inner)
            node = below
            index = min(node.position(key), len(node) - 1)
            self._path.append((node, index))

    def advance(self) -> bool:
        """Go to the node on the right; False, without moving, when there is none."""
        return self._step(1)

    def retreat(self) -> bool:
        """Go to the node on the left; False, without moving, when there is none."""
        return self._step(-1)

    def _step(self, by: int) -> bool:
        self._sought = None
        path = self._path
        depth = len(path) - 1
        while depth >= 0:
            node, index = path[depth]
            if 0 <= index + by < len(node):
                break
            depth -= 1
        else:
            return False
        node, index = path[depth]
        path[depth] = (node, index + by)
        for position in range(depth + 1, len(path)):
            parent, place = path[position - 1]
            child = self.reader.read_below(parent, place)
            assert isinstance(child, Inner)
            path[position] = (child, 0 if by > 0 else len(child) - 1)
        return True

    @property
    def parent(self) -> Inner | None:
        """The parent of the node; ``None`` for a root."""
        return self._path[-1][0] if self._path else None

    @property
    def is_last_parent(self) -> bool:
        """Tell whether no node lies to the right of the parent."""
        return all(index + 1 == len(node) for node, index in self._path[:-1])

    def hold_siblings(
        self, places: Sequence[int]
    ) -> Iterator[tuple[int, Inner | StoredLeaf]]:
        """Read children of one parent; go to each of them, and yield it as ``hold``."""
        if not self._path:
            yield 0, self.reader.hold(self._root)
            return
        parent, _ = self._path[-1]
        for place, held in zip(
            places, self.reader.hold_many(parent, places), strict=True
        ):
            self._path[-1] = parent, place
            yield place, held

    @property
    def is_first(self) -> bool:
        """Tell whether no node of the level lies to the left."""
        return not any(index for _, index in self._path)

    @property
    def is_last(self) -> bool:
        """Tell whether no node of the level lies to the right."""
        return not any(index + 1 < len(node) for node, index in reversed(self._path))

    @property
    def last_key(self) -> bytes:
        """The last key of the node; empty for an empty root leaf."""
        if self._path:
            node, index = self._path[-1]
            return node.key(index)
        root = self._read_root()
        return root.key(len(root) - 1) if len(root) else b""

    @property
    def weight(self) -> int:
        """The weight of the node, from its parent."""
        if self._path:
            node, index = self._path[-1]
            return node.weight(index)
        return node_weight(self._read_root())

    @property
    def child(self) -> Child:
        """All that the parent says of the node."""
        if self._path:
            node, index = self._path[-1]
            return node.child(index)
        root = self._read_root()
        return Child(self._root, root.count(), node_weight(root))

    def hold(self) -> Inner | StoredLeaf:
        """Read the node in the form that the cache keeps."""
        if not self._path:
            return self.reader.hold(self._root)
        return self.reader.hold_below(*self._path[-1])

    def read(self) -> Node:
        """Read the node."""
        if not self._path:
            return self._read_root()
        return self.reader.read_below(*self._path[-1])

    def _read_root(self) -> Node:
        """Read the root, once where it is asked for its key, its weight and entries."""
        node = self._root_read
        if node is None:
            node = self._root_read = self.reader.read(self._root)
        return node

    def entries(self) -> tuple[Keys, list[Payload]]:
        """Read the node's keys and payloads; the caller must not change them."""
        return entries_of(self.read())
