"""Keys, bounds, prefixes and values as they are typed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from prolly_cli.record_text import key_parts, key_words, value_text
from prolly_cli.typed_words import (
    parse_bound,
    parse_key,
    parse_prefix,
    parse_row,
    parse_value,
    require_record,
    split_scope,
)

from prolly import Invalid, KeyNotFound, MutableOrderedMap, MutableTable, Schema
from prolly.chunks import ScratchWriter
from prolly.codec import DEFAULT_PARAMETERS, cbor
from prolly.codec.key import encode_key
from prolly.testing import strategies
from prolly.tree import NodeCache, NodeReader, WorkingTree


def map_of() -> MutableOrderedMap:
    """Return an empty map in memory."""
    writer = ScratchWriter(lambda _: None)
    reader = NodeReader(writer.get, NodeCache())
    return MutableOrderedMap(WorkingTree(reader, None, DEFAULT_PARAMETERS), writer)


def table_of(*columns: Any, key: Any) -> MutableTable:
    """Return an empty table in memory."""
    writer = ScratchWriter(lambda _: None)
    tree = WorkingTree(NodeReader(writer.get, NodeCache()), None, DEFAULT_PARAMETERS)
    return MutableTable(tree, writer, Schema.create(columns, key))


COMPOSITE = table_of(("a", "text"), ("b", "int"), ("c", "float"), key=["a", "b"])
NUMBERS = table_of(("id", "int"), ("v", "text"), key="id")
TEXTS = table_of(("id", "text"), ("v", "decimal"), key="id")


def test_a_map_takes_text_or_an_array() -> None:
    """Anything that does not begin with a bracket is a text key."""
    one = map_of()
    assert parse_key("5", one) == "5"
    assert parse_key("[5]", one) == 5
    assert parse_key('["[5]"]', one) == "[5]"
    assert parse_key('["US", 1, [null, true]]', one) == ("US", 1, (None, True))
    assert parse_bound("[]", one) == ()


def test_a_table_converts_to_the_type_of_its_key() -> None:
    """Bare text and an array of one part mean the same."""
    assert parse_key("5", NUMBERS) == parse_key('["5"]', NUMBERS) == 5
    assert parse_key("5", TEXTS) == "5"
    assert parse_key('["US", 7]', COMPOSITE) == ("US", 7)
    assert parse_bound('["US"]', COMPOSITE) == ("US",)
    assert parse_bound("US", COMPOSITE) == "US"


@pytest.mark.parametrize("text", ["US", '["US"]', '["US", 1, 2]', "[]"])
def test_a_key_has_all_its_parts(text: str) -> None:
    """Too few or too many parts are refused, with the names of the columns."""
    with pytest.raises(Invalid) as caught:
        parse_key(text, COMPOSITE)
    assert caught.value.code == "key-parts"
    assert "a, b" in caught.value.message


def test_prefixes() -> None:
    """Text means keys that begin with it, where keys are text; else whole parts."""
    assert parse_prefix("US", TEXTS) == "US"
    assert parse_prefix("U", COMPOSITE) == "U"
    assert parse_prefix('["US"]', COMPOSITE) == ("US",)
    assert parse_prefix("5", NUMBERS) == (5,)
    assert parse_prefix("a", map_of()) == "a"
    assert parse_prefix("[1]", map_of()) == (1,)


def test_rows_get_their_key_from_the_key() -> None:
    """The object may repeat the key, but not contradict it."""
    row = {"a": "US", "b": 1, "c": 2.5}
    assert parse_row('{"c": 2.5}', ("US", 1), COMPOSITE.schema) == row
    assert parse_row(json.dumps(row), ("US", 1), COMPOSITE.schema) == row
    with pytest.raises(Invalid) as caught:
        parse_row('{"b": 2, "c": 1}', ("US", 1), COMPOSITE.schema)
    assert caught.value.code == "key-mismatch"


@pytest.mark.parametrize("text", ["", "{", "dark", "NaN", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    """With a code of its own, however deep or short."""
    with pytest.raises(Invalid) as caught:
        parse_value(text)
    assert caught.value.code == "bad-json"


def test_scopes() -> None:
    """A dataset's name holds no colon; what is behind the first one is the key."""
    assert split_scope(None) == (None, None)
    assert split_scope("a/b") == ("a/b", None)
    assert split_scope("a:b:c") == ("a", "b:c")
    assert split_scope("a:") == ("a", "")


def test_what_is_shown_can_be_typed() -> None:
    """The words for a key are read as that key again."""
    one = map_of()
    for key in ("a", "", "[x", 5, -1, 1.5, True, None, ("a", 1), ("a", ("b", None))):
        assert parse_key(key_words(key, typed=False), one) == key
    for table, key in ((NUMBERS, 5), (TEXTS, "5"), (COMPOSITE, ("US", 7))):
        assert parse_key(key_words(key, typed=True), table) == key


@given(strategies.keys())
def test_a_shown_key_can_be_typed(key: Any) -> None:
    """What a map's key is shown as is typed to mean it, and has no control characters.

    So do its parts in JSON, whatever their types.
    """
    words = key_words(key, typed=False)
    assert not any(mark < " " or "\x7f" <= mark < "\xa0" for mark in words)
    parts = json.dumps(key_parts(key, typed=False), allow_nan=False)
    for shown in (words, parts):
        assert encode_key(parse_key(shown, map_of())) == encode_key(key)


@given(strategies.values())
def test_a_shown_value_can_be_typed(value: Any) -> None:
    """A map's value as it is printed is the VALUE that writes it."""
    assert cbor.encode(parse_value(value_text(value))) == cbor.encode(value)


def test_numbers_keep_what_is_typed() -> None:
    """A number is a float where one is written so, else a decimal; never rounded."""
    assert repr(parse_value("[2.50, 2.5, 1e5, -0.0, 0.1000000000000000055]")) == (
        "[Decimal('2.50'), 2.5, 100000.0, -0.0, Decimal('0.1000000000000000055')]"
    )
    assert parse_row('{"v": 2.50}', "a", TEXTS.schema) == {
        "id": "a",
        "v": Decimal("2.50"),
    }


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '[{"a":1,"b":0,"a":1}]', "NaN", "1 2"]
)
def test_loose_json_is_refused(text: str) -> None:
    """A name twice in an object, what is no JSON, anything behind the end."""
    with pytest.raises(Invalid) as caught:
        parse_value(text)
    assert caught.value.code == "bad-json"


@pytest.mark.parametrize(
    ("words", "hint"),
    [("5", "'[5]'"), ("[5]", "5 is text"), ("x", "`prolly scan DATASET`")],
)
def test_a_missing_key_of_a_map_says_how_keys_are_typed(words: str, hint: str) -> None:
    """A number that was typed as text above all."""
    one = map_of()
    with pytest.raises(KeyNotFound) as caught:
        require_record(parse_key(words, one), words, one)
    assert hint in caught.value.hint


def test_a_missing_key_of_a_table_names_its_columns() -> None:
    """Names and types of the key's columns are in the hint."""
    with pytest.raises(KeyNotFound) as caught:
        require_record(parse_key('["x", 1]', COMPOSITE), '["x", 1]', COMPOSITE)
    assert "The key is a (text), b (int)" in caught.value.hint
