"""Keys of one record under schemas whose key columns differ in type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import key as key_codec
from prolly.merge import KeySpelling, is_key_of
from prolly.tables import Schema


def schema(*types: str, base: Schema | None = None) -> Schema:
    """Return a schema whose key columns have these types; those of a base, if any."""
    names = [f"k{place}" for place in range(len(types))]
    columns = [*zip(names, types, strict=True), ("a", "int")]
    return Schema.create(columns, names, base=base)


PARTS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**70), 2**70),
    "float": st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(2**60), 2**60).map(float),
    ),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=3),
    "text": st.text(max_size=9),
    "bool": st.booleans(),
    "date": st.dates(),
}
KEYS = st.sampled_from(sorted(PARTS)).flatmap(
    lambda kind: st.tuples(st.just(kind), PARTS[kind])
)


@given(KEYS, st.sampled_from(sorted(PARTS)), st.text(max_size=3))
def test_back_undoes_forward(part: tuple[str, Any], other: str, second: str) -> None:
    """What a key becomes leads back to it, or to one that becomes the same."""
    kind, value = part
    old = schema(kind, "text")
    new = schema(other, "text", base=old)
    key = key_codec.encode((value, second))
    spelling = KeySpelling(old, new)
    assert spelling.changes is (kind != other) and is_key_of(old, key)
    turned = spelling.forward(key)
    if turned is None:
        return
    assert is_key_of(new, turned)
    before = spelling.back(turned)
    assert before is not None and spelling.forward(before) == turned
    if kind in ("int", "bool", "date"):
        assert before == key


@pytest.mark.parametrize(
    ("old", "new", "value", "turned"),
    [
        ("int", "text", 7, "7"),
        ("int", "float", 10**17, 1e17),
        ("int", "float", 2**53 + 1, None),
        ("int", "decimal", 7, Decimal(7)),
        ("text", "int", "012", None),
        ("text", "int", "x", None),
        ("float", "text", 1.5, "1.5"),
    ],
)
def test_keys_under_another_type(old: str, new: str, value: Any, turned: Any) -> None:
    """A value becomes what a cell becomes; one that would lose digits has no key."""
    before = schema(old)
    spelling = KeySpelling(before, schema(new, base=before))
    found = spelling.forward(key_codec.encode((value,)))
    assert found == (None if turned is None else key_codec.encode((turned,)))


def test_keys_without_a_common_spelling_stay() -> None:
    """Other key columns, no columns yet, and no schema at all: each key is its own."""
    key = key_codec.encode((1,))
    for other in (None, schema("int", "text"), Schema.create([], "k0")):
        spelling = KeySpelling(schema("int"), other)
        assert not spelling.changes
        assert spelling.forward(key) == spelling.back(key) == key
    old = schema("int")
    wrong = KeySpelling(old, schema("text", base=old))
    assert wrong.forward(key_codec.encode(("1",))) is None
    assert wrong.back(key_codec.encode((1, 2))) is None


def test_numbers_may_have_been_floats_on_the_way() -> None:
    """What two changes without loss make of a key, where one would make another."""
    old = schema("int", "decimal")
    keys = {
        kinds: KeySpelling(old, schema(*kinds, base=old))
        for kinds in (("text", "text"), ("text", "decimal"), ("float", "decimal"))
    }
    key = key_codec.encode((7, Decimal("1.50")))
    spelt = [list(map(key_codec.decode, one.byways(key))) for one in keys.values()]
    assert spelt == [
        [("7.0", "1.50"), ("7", "1.5"), ("7.0", "1.5")],
        [("7.0", Decimal("1.50"))],
        [],
    ]
    assert [one.has_byways for one in keys.values()] == [True, True, False]
    same = key_codec.encode((2**60 + 1, Decimal("1.5")))
    assert list(keys["text", "text"].byways(same)) == []
