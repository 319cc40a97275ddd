"""Apply sorted edits to a tree: each level once, only the nodes that change.

The result is the tree that a rebuild from the edited records would give. A level is
edited by these steps, with old nodes known through their parents:

1. Take the next edit and the node that holds it. If all edits of this node keep its
   keys and weights, they move no cut: encode the node again, alone.
2. Otherwise cuts to its left may move too, since a cut looks up to ``weight_max``
   ahead: ask each of the (at most floor(max / min)) nodes whose window reaches the
   edit whether its cut changes, leftmost first. The node chose the smallest priority of
   its window, that of its last key, which stands in the parent. So its cut changes only
   if an entry that is now in its window has a lower one, or if all that is left now
   fits one node. Only edited nodes, and nodes that move into the window because
   something before them went or shrank, need to be read.
3. Cut anew from the leftmost node that changes, or else from the node of the edit, with
   edits applied to all that is read, until a new cut meets an old one.

Nodes to the left of a place that was cut anew are final: whatever their windows saw
was read with its edits. The replaced and new nodes become the edits of the next level.
O(edits x depth) nodes in expectation.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.codec.node import INNER_ENTRY_OVERHEAD, Child, Inner
from prolly.codec.stored_leaf import StoredLeaf

from .builder import build_above
from .cut_watch import CutWatch
from .leaf_change import change_leaf
from .level_cursor import LevelCursor
from .operations import (
    Merged,
    Payload,
    encode,
    merge_edits,
    node_weight,
    record_count,
    update_inner,
    weigh,
)
from .overwrite import overwrite
from .reader import SIBLINGS_READ, NodeReader
from .renewal import Renewal, RenewedReader, write_renewals
from .run import OpenRun
from .splitter import level_seed, priorities_of

LevelEdits = tuple[Sequence[bytes], Sequence[Payload | None]]

# Updated nodes that are encoded but not written yet. An edit can move the cuts of at
# most weight_max / weight_min nodes to its left, and that is 3 with the default
# parameters; a node written too early costs a chunk that nothing refers to, no more.
HELD_NODES = 8
# Final nodes handed to the writer together, which looks up at once which of them are
# there already: half a megabyte.
WRITE_NODES = 64
# Edited nodes that are read together, of any parents: half a megabyte of leaves, which
# a ``PassingCache`` holds until they were edited.
READ_AHEAD = 64
# Edits of one leaf that are looked at one by one. More are likely to move cuts, and pay
# for cutting anew.
LEAF_EDITS = 64
# New leaves of an edit of so few are kept as read ones are: whoever writes a record
# often reads or writes it, or one beside it, again. New inner nodes always are.
LEAVES_KEPT = 16


class _Rewritten(NamedTuple):
    """A node in the place of an old one, as the cache keeps it, and what it says.

    The node is ``None`` when nothing changed.
    """

    node: Inner | StoredLeaf | None
    last_key: bytes
    records: int
    weight: int


NOTHING_CHANGED = _Rewritten(None, b"", 0, 0)


class LevelEdit:
    """The edit of one level: reads old nodes, writes new ones, gathers ``changes``.

    ``changes`` maps the last key of a node to its new :class:`Child`, or to ``None``
    when no node ends there any more: the edits of the level above.
    """

    def __init__(
        self,
        writer: ChunkWriter,
        parameters: TreeParameters,
        cursor: LevelCursor,
        edits: LevelEdits,
    ) -> None:
        self._writer = writer
        self._parameters = parameters
        self._level = cursor.level
        self._seed = level_seed(parameters.seed, cursor.level)
        self._cursor = cursor
        self._edit_keys, self._edit_payloads = edits
        self._merged: dict[bytes, Merged] = {}
        self._held: dict[bytes, _Rewritten] = {}
        # For edits whose nodes were read ahead: a cursor at the first one of a parent,
        # and where the edits of each end.
        self._plan: dict[int, tuple[LevelCursor, dict[int, int]]] = {}
        self._read_until = 0
        self._watch = CutWatch(parameters, self._seed)
        self.changes: dict[bytes, Child | None] = {}
        self.only_child: tuple[bytes, Child] | None = None

    def run(self) -> None:
        """Apply all edits."""
        done = 0
        while done < len(self._edit_keys):
            if done >= self._read_until:
                self._read_ahead(done)
            planned = self._plan.get(done)
            self._cursor, ends = planned or self._nodes_of(done)
            done, stays = self._rewrite_siblings(done, ends)
            if not stays:
                start = self._leftmost_changed() or self._cursor.clone()
                done, barrier = self._cut_anew(start)
                self._watch.settle(barrier)
                self._forget(barrier)
        self._write_held(keep=0)

    def _read_ahead(self, done: int) -> None:
        """Find the nodes of the next edits, and read them together."""
        self._plan.clear()
        cursor = self._cursor
        addresses: list[bytes] = []
        while done < len(self._edit_keys) and len(addresses) < READ_AHEAD:
            cursor, ends = self._plan[done] = self._nodes_of(done, cursor)
            done = next(reversed(ends.values()))
            if cursor.parent is not None:
                addresses += map(cursor.parent.address, ends)
        self._read_until = done
        if len(self._plan) > 1:
            # Those of one parent are read together anyway.
            cursor.reader.read_ahead(addresses)

    def _nodes_of(
        self, done: int, near: LevelCursor | None = None
    ) -> tuple[LevelCursor, dict[int, int]]:
        """Return a cursor at the node of the next edit, and its ``_sibling_ends``."""
        cursor = (near or self._cursor).clone()
        cursor.seek(self._edit_keys[done])
        return cursor, self._sibling_ends(cursor, done)

    def _rewrite_siblings(self, done: int, ends: dict[int, int]) -> tuple[int, bool]:
        """Rewrite edited nodes of one parent, from the cursor's on, whose cuts stay.

        Returns how many edits are done, and False when the node where the cursor stands
        has to be cut anew.
        """
        cursor = self._cursor
        for place, held in cursor.hold_siblings(list(ends)):
            end = ends[place]
            here = self._edit_keys[done:end], self._edit_payloads[done:end]
            rewritten = self._rewrite(held, here)
            if rewritten is None:
                return done, False
            if rewritten.node is not None:
                self._held[cursor.last_key] = rewritten
                self._write_held(keep=HELD_NODES)
            done = end
        return done, True

    def _sibling_ends(self, cursor: LevelCursor, done: int) -> dict[int, int]:
        """Return, for each of the next edited nodes of one parent, where its edits end.

        The nodes are told by their place among the siblings.
        """
        keys = self._edit_keys
        parent = cursor.parent
        if parent is None:
            return {0: len(keys)}
        stop = len(keys)
        last = len(parent) - 1
        if not cursor.is_last_parent:
            stop = bisect_right(keys, parent.key(last), done)
        ends: dict[int, int] = {}
        while done < stop and len(ends) < SIBLINGS_READ:
            place = min(parent.position(keys[done]), last)
            if place < last:
                done = bisect_right(keys, parent.key(place), done, stop)
            else:
                done = stop
            ends[place] = done
        return ends

    def _rewrite(
        self, held: Inner | StoredLeaf, edits: LevelEdits
    ) -> _Rewritten | None:
        """Apply the edits of the cursor's node, if its cut and those before it stay."""
        cursor = self._cursor
        last_key, weight = cursor.last_key, cursor.weight
        if isinstance(held, Inner):
            inner = update_inner(held, *edits)
            if inner is None:
                return None
            if inner is held:
                return NOTHING_CHANGED
            return _Rewritten(inner, last_key, inner.count(), weight)
        change = change_leaf(held, edits)
        if not change.chunk:
            return NOTHING_CHANGED
        if not change.moves_nothing:
            if len(edits[0]) > LEAF_EDITS:
                return None
            if not self._watch.stays(cursor, change):
                return None
        new_leaf = StoredLeaf(change.chunk)
        return _Rewritten(
            new_leaf, change.last_key, change.records, weight + change.grown
        )

    def _write_held(self, keep: int) -> None:
        if len(self._held) < (keep + WRITE_NODES if keep else 1):
            return
        final = list(self._held)[: len(self._held) - keep]
        held = [self._held.pop(last_key) for last_key in final]
        nodes = [one.node for one in held if one.node is not None]
        if len(nodes) == 1:
            addresses = [self._writer.put(nodes[0].chunk)]
        else:
            addresses = self._writer.put_many([node.chunk for node in nodes])
        for old_key, address, (_, last_key, records, weight) in zip(
            final, addresses, held, strict=True
        ):
            if last_key != old_key:
                self.changes[old_key] = None
            self.changes[last_key] = Child(address, records, weight)
        if self._level or len(nodes) <= LEAVES_KEPT:
            for address, node in zip(addresses, nodes, strict=True):
                self._cursor.reader.cache.add(address, node)

    def _forget(self, barrier: bytes) -> None:
        """Drop what is remembered of nodes that are final."""
        for last_key in [key for key in self._merged if key <= barrier]:
            del self._merged[last_key]

    def _edits_until(self, cursor: LevelCursor) -> int:
        """Return how many edits lie in or before the cursor's node."""
        if cursor.is_last:
            return len(self._edit_keys)
        return bisect_right(self._edit_keys, cursor.last_key)

    def _merge(self, cursor: LevelCursor) -> Merged:
        """Return the node's entries with its edits applied; remembered for a while."""
        last_key = cursor.last_key
        merged = self._merged.get(last_key)
        if merged is None:
            end = self._edits_until(cursor)
            left = cursor.clone()
            begin = 0
            if left.retreat():
                begin = bisect_right(self._edit_keys, left.last_key)
            if begin == end:
                merged = Merged(*cursor.entries(), False)
            else:
                merged = merge_edits(
                    self._level,
                    cursor.entries(),
                    self._edit_keys[begin:end],
                    self._edit_payloads[begin:end],
                )
            self._merged[last_key] = merged
        return merged

    def _leftmost_changed(self) -> LevelCursor | None:
        """Return the leftmost node before the cursor whose cut moves, if any."""
        candidates = [one.clone() for one, *_ in self._watch.nodes_left(self._cursor)]
        for candidate in reversed(candidates):
            if self._cut_moves(candidate):
                return candidate
        return None

    def _cut_moves(self, cursor: LevelCursor) -> bool:
        """Tell whether edits to the right of this node move its cut.

        The node's own edits must not move it.
        """
        if cursor.is_last:
            return False
        chosen = priorities_of([cursor.last_key], self._seed)[0]
        offset = self._watch.weight_of(cursor)
        reach = self._parameters.weight_max
        ahead = cursor.clone()
        shrunk = 0
        edits_seen = self._edits_until(cursor)
        while offset <= reach and ahead.advance():
            edits_here = self._edits_until(ahead)
            if edits_here == edits_seen and shrunk <= 0:
                offset += ahead.weight
                continue
            edits_seen = edits_here
            merged = self._merge(ahead)
            if not merged.reshaped and shrunk <= 0:
                offset += ahead.weight
                continue
            weights = weigh(self._level, merged.keys, merged.payloads)
            if self._beats(chosen, merged, weights, reach - offset):
                return True
            total = sum(weights)
            shrunk += ahead.weight - total
            offset += total
        return offset <= reach

    def _beats(
        self, chosen: int, merged: Merged, weights: list[int], reach: int
    ) -> bool:
        """Tell whether an entry within reach has a lower priority than the chosen."""
        end = 0
        for weight in weights:
            reach -= weight
            if reach < 0:
                break
            end += 1
        return any(
            priority < chosen
            for priority in priorities_of(merged.keys[:end], self._seed)
        )

    def _cut_anew(self, first: LevelCursor) -> tuple[int, bytes]:
        """Cut from a node on until a new cut meets an old one.

        Returns how many edits are done, and the last key of the last old node replaced.
        """
        run = OpenRun(self._level, self._seed, self._parameters)
        taken = [first]
        self._take(run, first)
        written: dict[bytes, Child | None] = {}
        while not (met := run.old_ends_met()):
            last = taken[-1]
            while not run.is_settled and not last.is_last:
                last = last.clone()
                last.advance()
                taken.append(last)
                self._take(run, last)
            keys, payloads, weight = run.cut()
            if self._level and len(keys) == 1 and not written and first.is_first:
                # One entry, nothing before and (or it would hold two) nothing behind:
                # the level below has one node, which is the root.
                self.only_child = keys[0], payloads[0]
            else:
                address = self._writer.put(encode(self._level, keys, payloads))
                count = record_count(self._level, payloads)
                written[keys[-1]] = Child(address, count, weight)
        replaced = taken[:met]
        for cursor in replaced:
            self._held.pop(cursor.last_key, None)
            self.changes[cursor.last_key] = None
        self.changes.update(written)
        return self._edits_until(replaced[-1]), replaced[-1].last_key

    def _take(self, run: OpenRun, cursor: LevelCursor) -> None:
        merged = self._merge(cursor)
        run.extend(merged.keys, merged.payloads)


def apply(
    reader: NodeReader,
    writer: ChunkWriter,
    root: bytes,
    edits: LevelEdits,
    parameters: TreeParameters,
) -> bytes:
    """Apply edits to the tree at ``root``; return the root of the result.

    ``edits`` is (keys, stored values), ascending without repeats; ``None`` deletes, and
    deleting what is absent changes nothing. ``reader`` must see what ``writer`` wrote
    only if the tree at ``root`` was written by it. Nodes that do not change are neither
    read nor written, but for those whose cut has to be looked at.
    """
    found = overwrite(reader, writer, root, edits, kept=LEAVES_KEPT)
    if found is not None:
        return found
    return _edit_levels(reader, writer, (root, 0), edits, parameters)


class LeafChanges(NamedTuple):
    """Leaves to be replaced, by their last keys, and nodes of level 1 to be renewed.

    ``None`` stands where no leaf ends any more.
    """

    leaves: dict[bytes, Child | None]
    renewals: Sequence[Renewal] = ()


def apply_to_leaves(
    reader: NodeReader,
    writer: ChunkWriter,
    root: bytes,
    changes: LeafChanges,
    parameters: TreeParameters,
) -> bytes:
    """Replace leaves of the tree at ``root``; return the root of the result.

    The caller vouches that the leaves are those of a rebuild.
    """
    leaves, renewals = changes
    if not leaves and not renewals:
        return root
    node = reader.read(root)
    if node.level == 0:
        if len(node):
            own = Child(root, len(node), node_weight(node))
            leaves = {node.key(len(node) - 1): own, **leaves}
        return _new_root(writer, parameters, 1, leaves)
    edits = _as_edits(leaves)
    return _edit_levels(reader, writer, (root, 1), edits, parameters, renewals=renewals)


def _edit_levels(
    reader: NodeReader,
    writer: ChunkWriter,
    lowest: tuple[bytes, int],
    edits: LevelEdits,
    parameters: TreeParameters,
    *,
    renewals: Sequence[Renewal] = (),
) -> bytes:
    """Apply edits of one level of the tree at a root, and what follows above.

    ``renewals`` are nodes of that level.
    """
    root, first = lowest
    height = reader.hold(root).level
    seen = RenewedReader(reader, renewals) if renewals else reader
    for level in range(first, height + 1):
        cursor = LevelCursor(seen, root, level)
        edit = LevelEdit(writer, parameters, cursor, edits)
        edit.run()
        if edit.only_child is not None:
            return _lowest_root(writer, level - 1, *edit.only_child)
        write_renewals(writer, renewals, edit.changes)
        if not edit.changes:
            return root
        edits = _as_edits(edit.changes)
        seen, renewals = reader, ()
    return _new_root(writer, parameters, height + 1, edit.changes)


def _as_edits(changes: dict[bytes, Child | None]) -> LevelEdits:
    keys = sorted(changes)
    return keys, [changes[key] for key in keys]


def _new_root(
    writer: ChunkWriter,
    parameters: TreeParameters,
    level: int,
    changes: dict[bytes, Child | None],
) -> bytes:
    """Return the root over the nodes that replaced the old one."""
    keys = sorted(key for key, child in changes.items() if child is not None)
    children = [child for key in keys if (child := changes[key]) is not None]
    if not children:
        return writer.put(encode(0, [], []))
    if len(children) == 1:
        return _lowest_root(writer, level - 1, keys[0], children[0])
    return build_above(writer, parameters, level, (keys, children))


def _lowest_root(writer: ChunkWriter, level: int, key: bytes, child: Child) -> bytes:
    """Return the root when a level has one node: the lowest node that is so alone.

    A node of one entry can be left over where all before it went, and it weighs what
    its entry does; then the level below has one node, too.
    """
    reader = NodeReader(writer.get)
    while level and child.weight == len(key) + INNER_ENTRY_OVERHEAD:
        node = reader.read_inner(child.address, level)
        key, child = node.key(0), node.child(0)
        level -= 1
    return child.address
