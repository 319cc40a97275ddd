"""Parts of trees from a replica that lies are refused, and nothing is kept of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.codec import key
from prolly.errors import Corrupt, Error, NotFound
from prolly.sync import Wish, clone
from prolly.testing.sync_forgery import (
    KEYS,
    VALUES,
    Forger,
    forge_first_child,
    wrong_count,
    wrong_cut,
    wrong_weight,
)
from prolly.testing.sync_lines import line_to

Forge = Callable[[Forger], None]


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
    halves = [forger.leaf(KEYS[:70], VALUES[:70]), forger.leaf(KEYS[70:], VALUES[70:])]
    forger.serve(forger.inner(2, halves))


def child_twice(forger: Forger) -> None:
    _, child = forger.leaf(KEYS, VALUES)
    entries = [(key.encode_key(one), child) for one in ("key:1", "key:2")]
    forger.serve(forger.inner(1, entries))


def nothing_there(forger: Forger) -> None:
    forge_first_child(forger, lambda one: one._replace(address=bytes(32)))


FORGERIES: list[tuple[Forge, type[Error], str]] = [
    (wrong_count, Corrupt, "tree-shape"),
    (wrong_weight, Corrupt, "tree-shape"),
    (wrong_cut, Corrupt, "tree-shape"),
    (wrong_order, Corrupt, "node-form"),
    (wrong_key, Corrupt, "tree-shape"),
    (wrong_value, Corrupt, "value-spelling"),
    (wrong_level, Corrupt, "tree-shape"),
    (child_twice, Corrupt, "node-form"),
    (nothing_there, NotFound, "chunk-missing"),
]


@pytest.mark.parametrize("case", FORGERIES, ids=lambda case: case[0].__name__)
def test_a_forged_part_is_refused(case: tuple[Forge, type[Error], str]) -> None:
    """There is an error with a code, and no clone."""
    forge, kind, code = case
    forger = Forger()
    forge(forger)
    with tempfile.TemporaryDirectory() as place:
        wish = Wish(datasets=("m",), prefix="key:000")
        with pytest.raises(kind) as caught:
            clone("test:", Path(place) / "r", wish=wish, remote=line_to(forger.repo))
        assert caught.value.code == code
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
