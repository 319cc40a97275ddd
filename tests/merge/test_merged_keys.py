"""Keys of a version as the merged table spells them, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec import key as key_codec
from prolly.merge import KeySpelling, MergedKeys, Records
from prolly.tables import Schema
from prolly.tree import NodeReader, build, iter_batches

KINDS = ("text", "int", "float", "decimal")
SPELT = ("1", "2", "007", "7", "2.50", "1e3", str(2**53 + 1))
BASE = Schema.create([("id", "text"), ("n", "int")], "id")


def retyped(kind: str) -> Schema:
    """Return the schema of the base with a key of another type."""
    return Schema.create([("id", kind), ("n", "int")], "id", base=BASE)


class Versions:
    """A base of text keys, and two sides that forced theirs into other types."""

    def __init__(self, keys: list[str], *kinds: str) -> None:
        self.writer = MemoryStore().writer()
        self.reader = NodeReader(self.writer.get)
        self.spelt = [key_codec.encode((one,)) for one in sorted(keys)]
        self.base = self.records(BASE, self.spelt)
        self.sides = []
        for kind in kinds:
            way = KeySpelling(BASE, retyped(kind))
            turned = [way.forward(one) or way.forced(one) for one in self.spelt]
            kept = sorted({one for one in turned if one is not None})
            self.sides.append(self.records(retyped(kind), kept))

    def records(self, schema: Schema, keys: list[bytes]) -> Records:
        """Store records of these keys; what is in them does not matter."""
        root = build(self.writer, [(keys, [b"x"] * len(keys))], DEFAULT_PARAMETERS)
        return Records(schema, root, DEFAULT_PARAMETERS)

    @contextmanager
    def keys(self, version: Records, target: Schema) -> Iterator[MergedKeys]:
        """Open the merged keys of a version."""
        sides = self.sides if version is self.base else ()
        found = MergedKeys(self.reader, self.base, version, target, sides=sides)
        yield found
        found.close()


def encoded(value: Any) -> bytes:
    """Return the key of one value."""
    return key_codec.encode((value,))


@given(
    st.lists(st.sampled_from(SPELT), min_size=1, unique=True),
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
)
def test_found_undoes_forward(keys: list[str], ours: str, theirs: str) -> None:
    """The row that a merged key belongs to is found, whatever the key lost."""
    made = Versions(keys, ours, theirs)
    target = retyped(ours)
    for version in (made.base, *made.sides):
        with made.keys(version, target) as spelling:
            for keys_there, _ in iter_batches(made.reader, version.root):
                for key in keys_there:
                    merged = spelling.forward(key)
                    found = None if merged is None else spelling.found(merged)
                    assert found is None if merged is None else found is not None
                    assert found is None or spelling.forward(found) == merged


def test_what_both_sides_forced_is_one_row() -> None:
    """Base and both sides come to one key; a row that is new only by its own."""
    made = Versions(["007", str(2**53 + 1)], "int", "float")
    target = retyped("int")
    with (
        made.keys(made.base, target) as of_base,
        made.keys(made.sides[1], target) as of,
    ):
        assert of_base.forward(encoded("007")) == of.forward(encoded(7.0))
        assert of.forward(encoded(2.0**53)) == encoded(2**53 + 1)
        assert of.found(encoded(2**53 + 1)) == encoded(2.0**53)
        assert of_base.found(encoded(7)) == encoded("007")
        assert of.forward(encoded(5.0)) == encoded(5)
        assert of.forward(encoded(5.5)) is None and of.found(encoded(5)) is None


def test_what_one_side_forced_is_a_new_row() -> None:
    """The base has no merged key for it: the other side knows it by its old one."""
    made = Versions(["007", "1"], "int", "text")
    with made.keys(made.base, retyped("int")) as of_base:
        assert of_base.forward(encoded("007")) is None
        assert of_base.forward(encoded("1")) == encoded(1)
        assert of_base.found(encoded(7)) is None


def test_of_two_rows_with_one_forced_key_the_plain_one_has_it() -> None:
    """007 does not take the place of 7, which loses nothing."""
    made = Versions(["007", "7"], "int", "decimal")
    with made.keys(made.base, retyped("int")) as of_base:
        assert of_base.forward(encoded("007")) is None
        assert of_base.forward(encoded("7")) == encoded(7)
