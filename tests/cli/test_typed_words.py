"""Keys, bounds, prefixes and values as they are typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from prolly_cli.record_text import key_parts, key_words
from prolly_cli.typed_words import (
    parse_bound,
    parse_key,
    parse_prefix,
    parse_row,
    parse_value,
    split_scope,
)

from prolly import Invalid, MutableOrderedMap, MutableTable, Schema
from prolly.chunks import ScratchWriter
from prolly.codec import DEFAULT_PARAMETERS
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
def test_every_key_can_be_shown(key: Any) -> None:
    """As an array of parts that JSON takes, and as words without control characters."""
    json.dumps(key_parts(key), allow_nan=False)
    words = key_words(key, typed=False)
    assert not any(mark < " " or "\x7f" <= mark < "\xa0" for mark in words)
