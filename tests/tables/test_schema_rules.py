"""Schemas of wrong types and with hidden marks: refused by name, with a hint."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.errors import Invalid
from prolly.tables import Column, Index, Reference, Schema

WRONG = [[1], {}, {"a": 1}, 5, None, True]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "field", ["name", "type", "index", "check", "reference", "column", "table", "key"]
)
def test_json_of_other_types_is_refused(field: str, wrong: Any) -> None:
    """A list, an object or a number where a name is wanted is Invalid, with a hint."""
    form: dict[str, Any] = {
        "columns": [
            {"name": "id", "type": "int", "nullable": False},
            {"name": "s", "type": "text"},
        ],
        "key": ["id"],
        "indexes": [{"name": "i", "columns": ["s"]}],
        "checks": [{"name": "c", "where": "s > 'a'"}],
        "references": [{"name": "r", "columns": ["s"], "table": "t"}],
    }
    Schema.from_json(form)
    places: dict[str, tuple[Any, Any]] = {
        "name": (form["columns"][1], "name"),
        "type": (form["columns"][1], "type"),
        "index": (form["indexes"][0], "name"),
        "check": (form["checks"][0], "name"),
        "reference": (form["references"][0], "name"),
        "column": (form["indexes"][0]["columns"], 0),
        "table": (form["references"][0], "table"),
        "key": (form["key"], 0),
    }
    holder, place = places[field]
    holder[place] = wrong
    with pytest.raises(Invalid) as caught:
        Schema.from_json(form)
    assert caught.value.code and caught.value.hint


@pytest.mark.parametrize("wrong", WRONG)
def test_parts_of_other_types_are_refused(wrong: Any) -> None:
    """So are they in tuples and constraints that a program gives."""
    columns = [("id", "int", False), ("s", "text")]
    calls: list[dict[str, Any]] = [
        {"columns": [("id", "int"), (wrong, "text")], "key": "id"},
        {"columns": [("id", "int"), ("s", wrong)], "key": "id"},
        {"columns": columns, "key": [wrong]},
        {"columns": columns, "key": "id", "indexes": [Index(wrong, ("s",))]},
        {"columns": columns, "key": "id", "indexes": [Index("i", (wrong,))]},
        {"columns": columns, "key": "id", "references": [Reference(wrong, ("s",), "")]},
        {"columns": columns, "key": "id", "references": [Reference("r", (wrong,), "")]},
    ]
    for call in calls:
        with pytest.raises(Invalid) as caught:
            Schema.create(**call)
        assert caught.value.code and caught.value.hint


def test_a_fill_of_another_type_is_refused_with_a_hint() -> None:
    """A list as the fill of a text column is ``column-fill``, and says what to give."""
    form = {"columns": [{"name": "s", "type": "text", "fill": []}], "key": ["s"]}
    with pytest.raises(Invalid) as caught:
        Schema.from_json(form)
    assert (caught.value.code, caught.value.hint) == (
        "column-fill",
        "Give a short text, or null for none.",
    )


HIDDEN = ["a\u200bb", "\ufeffa", "a\u202eb", "a\u2028b", "a\u2066b", "a\u00ad"]


@pytest.mark.parametrize("name", HIDDEN)
def test_new_names_have_no_marks_that_nobody_sees(name: str) -> None:
    """Zero-width and turning marks are refused in new names, and read in old ones."""
    for columns, index in (
        ([("a", "int"), (name, "int")], "i"),
        ([("a", "int")], name),
    ):
        with pytest.raises(Invalid) as caught:
            Schema.create(columns, "a", indexes=[Index(index, ("a",))])
        assert caught.value.code == "column-name" and "U+" in caught.value.message
    with pytest.raises(Invalid):
        Schema.unknown(name)
    column = Column(1, name, "int", False)
    old = Schema.from_value(Schema((column,), (name,)).to_value())
    kept = Schema.create([(name, "int"), ("b", "int")], name, base=old)
    assert kept.names == (name, "b")
