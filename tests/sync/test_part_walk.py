"""Parts of trees from a replica that lies are refused, and nothing is kept of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.codec import cbor, key
from prolly.codec.node import Child
from prolly.errors import Corrupt
from prolly.sync import Wish, clone
from prolly.testing.sync_forgery import Forger
from prolly.testing.sync_lines import line_to

KEYS = [f"key:{number:05d}" for number in range(400)]
VALUES = [cbor.encode(bytes([number % 256]) * 90) for number in range(400)]

Forge = Callable[[Forger], None]


def wrong_entry(**changes: int) -> Forge:
    """Return what serves a tree whose root says something else of its first child."""

    def forge(forger: Forger) -> None:
        node = forger.repo.storage.reader.read_inner(forger.tree(KEYS, VALUES), 1)
        entries = list(zip(node.keys(), node.children(), strict=True))
        last, child = entries[0]
        more = {name: getattr(child, name) + by for name, by in changes.items()}
        entries[0] = last, child._replace(**more)
        forger.serve(forger.inner(1, entries))

    return forge


def wrong_cut(forger: Forger) -> None:
    halves = [forger.leaf(KEYS[:70], VALUES[:70]), forger.leaf(KEYS[70:], VALUES[70:])]
    forger.serve(forger.inner(1, halves))


def wrong_order(forger: Forger) -> None:
    halves = [forger.leaf(KEYS[70:], VALUES[70:]), forger.leaf(KEYS[:70], VALUES[:70])]
    forger.serve(forger.inner(1, halves))


def wrong_key(forger: Forger) -> None:
    (_, first), second = (
        forger.leaf(KEYS[:200], VALUES[:200]),
        forger.leaf(KEYS[200:], VALUES[200:]),
    )
    forger.serve(forger.inner(1, [(key.encode_key("key:00150"), first), second]))


def wrong_value(forger: Forger) -> None:
    values = [b"\x18\x01", *VALUES[1:]]
    forger.serve(forger.tree(KEYS, values))


def wrong_level(forger: Forger) -> None:
    _, child = forger.leaf(KEYS, VALUES)
    twice = [(key.encode_key("key:1"), child), (key.encode_key("key:2"), child)]
    forger.serve(forger.inner(2, [twice[0], (twice[1][0], Child(child[0], 1, 1))]))


def nothing_there(forger: Forger) -> None:
    node = forger.repo.storage.reader.read_inner(forger.tree(KEYS, VALUES), 1)
    entries = list(zip(node.keys(), node.children(), strict=True))
    entries[0] = entries[0][0], entries[0][1]._replace(address=bytes(32))
    forger.serve(forger.inner(1, entries))


@pytest.mark.parametrize(
    "forge",
    [
        wrong_entry(records=1),
        wrong_entry(weight=1),
        wrong_cut,
        wrong_order,
        wrong_key,
        wrong_value,
        wrong_level,
        nothing_there,
    ],
)
def test_a_forged_part_is_refused(forge: Forge) -> None:
    """There is a code, and no clone."""
    forger = Forger()
    forge(forger)
    with tempfile.TemporaryDirectory() as place:
        wish = Wish(datasets=("m",), prefix="key:000")
        with pytest.raises(Exception) as caught:
            clone("test:", Path(place) / "r", wish=wish, remote=line_to(forger.repo))
        code = getattr(caught.value, "code", "")
        assert isinstance(caught.value, Corrupt) or code == "chunk-missing"
        assert not (Path(place) / "r" / ".prolly").exists()


def test_a_right_part_is_taken() -> None:
    """The tree that the forgeries are of is taken when it is right."""
    forger = Forger()
    forger.serve(forger.tree(KEYS, VALUES))
    with tempfile.TemporaryDirectory() as place:
        wish = Wish(datasets=("m",), prefix="key:000")
        ours, _ = clone(
            "test:", Path(place) / "r", wish=wish, remote=line_to(forger.repo)
        )
        with ours:
            found = list(ours.at("main").map("m").items(prefix="key:000"))
            assert [one for one, _ in found] == KEYS[:100]
