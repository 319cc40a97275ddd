"""Lines of JSON taken apart without losing how they are written."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.ops.byte_source import ByteSource
from prolly.ops.json_lines import JsonLines, members_of

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('a",:}é', max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text("xy", max_size=1), inner, max_size=2)
    ),
    max_leaves=4,
)
RECORD = st.dictionaries(st.text('ab"\\é', max_size=2), VALUE, max_size=4)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :  ")])


@given(RECORD, SEPARATORS, st.sampled_from(["", " ", "\t "]))
def test_members_are_the_line_in_pieces(
    record: dict[str, Any], separators: tuple[str, str], blank: str
) -> None:
    """Joined they are its text, and each spells one value."""
    inner = json.dumps(record, separators=separators)[1:-1]
    body = f"{blank}{{{blank}{inner}{blank}}}{blank}"
    members, rest = members_of(body)
    parts = [one.lead + one.label + one.text for one in members.values()]
    assert "".join(parts) + rest == body or not record
    assert {name: json.loads(one.text) for name, one in members.items()} == record


def lines_of(*lines: str) -> JsonLines:
    """Return a file of these lines with the key ``id``."""
    text = "".join(f"{line}\n" for line in lines)
    with ByteSource(io.BytesIO(text.encode())) as file:
        return JsonLines(file, ["id"])


@given(RECORD, RECORD, SEPARATORS)
def test_a_composed_line_has_the_values(
    like: dict[str, Any], record: dict[str, Any], separators: tuple[str, str]
) -> None:
    """Whatever the line is that it is written as; the names of that one come first."""
    body = json.dumps(like, separators=separators)
    texts = {name: json.dumps(value) for name, value in record.items()}
    made = lines_of().compose(texts, (), body)
    assert json.loads(made) == record
    known = [name for name in like if name in record]
    assert list(json.loads(made))[: len(known)] == known


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"a": "2", "b": "1"}, '{ "a":2,  "b":1 }'),
        ({"b": "1"}, '{ "b":1 }'),
        ({"a": "1", "c": "3"}, '{ "a":1,  "c":3 }'),
        ({}, "{  }"),
    ],
)
def test_blanks_stay(texts: dict[str, str], expected: str) -> None:
    """A field that goes takes its comma along; one that comes brings one."""
    assert lines_of().compose(texts, (), '{ "a":1,  "b":1 }') == expected


def test_rows_and_blank_lines() -> None:
    """Each row has its key, its text and its values."""
    found = lines_of('{"id": 2, "v": 1.50}', "", ' {"id": "x"}')
    assert found.keys == [(2,), ("x",)]
    assert found.bodies[1] == ' {"id": "x"}'
    assert found.blanks == {0: "\n"}
    assert found.spelt(0) == {"id": "2", "v": "1.50"}
    assert found.header((), []) is None
