"""Landing of one tree: it is made from its records, and must have the root named.

The root of a tree is a function of its records. So a tree that came is checked by being
made: its edits, from the stream or found between its nodes and those of a tree that is
here, are applied; or where there is nothing to compare with it is made again over its
leaves. If the root is the one that was named, then every node was right: levels, order,
counts, weights and cuts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import islice

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.tree import Edits, NodeReader, apply_batches, diff, recut

from .delivery import EMPTY_TREE
from .intake import Intake
from .node_walk import Role, bad_shape
from .record_checks import Check
from .record_order import InOrder

# Edits applied in one pass; each pass but the last leaves a path that nothing keeps.
PASS_EDITS = 65_536


class OpsMismatch(Exception):
    """Edits led to another root than they said; the tree is wanted as nodes."""

    def __init__(self, root: bytes, role: Role) -> None:
        super().__init__(root, role)
        self.root = root
        self.role = role


class TreeLanding:
    """Makes trees that came, and puts them into a batch.

    ``refused`` are roots whose edits are not to be used; ``used_edits`` tells whether
    any were.
    """

    def __init__(
        self,
        intake: Intake,
        reader: NodeReader,
        writer: ChunkWriter,
        refused: Set[bytes],
    ) -> None:
        self._intake = intake
        self._reader = reader
        self._writer = writer
        self._refused = refused
        self.used_edits = False

    def land(
        self,
        roots: tuple[bytes, bytes],
        parameters: TreeParameters,
        check: Check,
        role: Role = Role.RECORDS,
    ) -> None:
        """Make the second tree from the first, and check what differs on the way.

        Raises OpsMismatch where edits lead elsewhere, Corrupt ``tree-shape`` where the
        records of received nodes do, and what ``check`` raises.
        """
        base, new = roots
        if base == new:
            return
        edits = None
        if new not in self._refused:
            edits = self._intake.edits(base, new, parameters)
        if edits is None and base == EMPTY_TREE:
            in_order = InOrder(check)
            made = recut(self._reader, self._writer, new, parameters, in_order.inspect)
        else:
            found = self._found(base, new) if edits is None else edits
            batches = _gathered(InOrder(check).checked(found))
            made = apply_batches(self._reader, self._writer, base, batches, parameters)
        self.used_edits |= edits is not None
        if made != new and edits is not None:
            raise OpsMismatch(new, role)
        if made != new:
            raise bad_shape(new, "it is not the tree that its records make")

    def _found(self, base: bytes, new: bytes) -> Iterator[Edits]:
        """Yield the edits between two trees of which all nodes are at hand."""
        differences = diff(self._reader, base, new)
        while batch := list(islice(differences, PASS_EDITS)):
            yield [one[0] for one in batch], [one[2] for one in batch]


def _gathered(batches: Iterable[Edits]) -> Iterator[Edits]:
    """Join small batches, so that few passes apply them all."""
    keys: list[bytes] = []
    values: list[bytes | None] = []
    for more_keys, more_values in batches:
        keys += more_keys
        values += more_values
        if len(keys) >= PASS_EDITS:
            yield keys, values
            keys, values = [], []
    if keys:
        yield keys, values
