"""Records in order: within a batch, from batch to batch, within their limits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prolly.codec import INLINE_BYTES_MAX, KEY_BYTES_MAX
from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt
from prolly.sync.record_order import InOrder
from prolly.tree import Edits


def in_order(seen: list[tuple[Sequence[bytes], Sequence[bytes]]]) -> InOrder:
    """Return one that notes what it would check."""
    return InOrder(lambda keys, values: seen.append((list(keys), list(values))))


def inspect(checks: InOrder, keys: list[bytes], values: list[bytes]) -> None:
    """Let a leaf of these records be checked."""
    columns = StoredLeaf(encode_leaf(keys, values)).columns()
    checks.inspect(columns[0].apart(), *columns)


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        ([b"c", b"b"], [b"1", b"1"]),
        ([b"b", b"b"], [b"1", b"1"]),
        ([b"a"], [b"1"]),
        ([b"b" * (KEY_BYTES_MAX + 1)], [b"1"]),
        ([b"b", b"c"], [b"1", b"1" * (INLINE_BYTES_MAX + 1)]),
    ],
    ids=["falling", "repeated", "not behind", "long key", "long value"],
)
def test_what_is_out_of_order_is_refused(
    keys: list[bytes], values: list[bytes]
) -> None:
    """Behind a batch that ended with ``a``, as a leaf and as edits."""
    for is_leaf in (True, False):
        checks = in_order([])
        inspect(checks, [b"a"], [b"1"])
        with pytest.raises(Corrupt) as caught:
            if is_leaf:
                inspect(checks, keys, values)
            else:
                list(checks.checked([(keys, list(values))]))
        assert caught.value.code == "record-order"


def test_limits_are_allowed() -> None:
    """The longest key and the longest value pass."""
    seen: list[tuple[Sequence[bytes], Sequence[bytes]]] = []
    keys, values = [b"k" * KEY_BYTES_MAX], [b"v" * INLINE_BYTES_MAX]
    inspect(in_order(seen), keys, values)
    assert seen == [(keys, values)]


def test_deletions_are_not_checked() -> None:
    """Only what is written is, and all edits go on as they came."""
    seen: list[tuple[Sequence[bytes], Sequence[bytes]]] = []
    batches: list[Edits] = [([b"a", b"b"], [None, b"1"]), ([b"c"], [None])]
    assert list(in_order(seen).checked(batches)) == batches
    assert seen == [([b"b"], [b"1"])]
