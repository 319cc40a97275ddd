"""Parts of descriptions, as they are stored and as people see them."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.codec import DEFAULT_PARAMETERS, Descriptor
from prolly.maps import ABSENT
from prolly.merge import shown_part
from prolly.merge.dataset_parts import described_part
from prolly.tables import Schema

SCHEMA = Schema.from_json(
    {
        "columns": [{"name": "id", "type": "int"}, {"name": "a", "type": "int"}],
        "key": ["id"],
        "indexes": [{"name": "i", "columns": ["a"], "unique": True}],
        "checks": [{"name": "c", "where": "a > 1"}],
        "references": [{"name": "r", "columns": ["a"], "table": "p"}],
    }
)
TABLE = Descriptor(
    "t", "table", (), DEFAULT_PARAMETERS, SCHEMA.to_value(), {"/": "max"}
)
MAP = Descriptor("m", "map", (), DEFAULT_PARAMETERS)


@pytest.mark.parametrize("schema", [SCHEMA, None])
@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("column a", "columns"),
        ("index i", "indexes"),
        ("check c", "checks"),
        ("reference r", "references"),
    ],
)
def test_a_part_of_a_schema_is_found(
    what: str, kind: str, schema: Schema | None
) -> None:
    """In both forms, by its name; for another name there is none."""
    stored, shown = SCHEMA.to_value()[kind], SCHEMA.to_json()[kind]
    at = 1 if kind == "columns" else 0
    assert described_part(TABLE, what) == stored[at]
    assert shown_part(TABLE, what, schema=schema) == shown[at]
    assert described_part(TABLE, what + "x") is ABSENT
    assert shown_part(MAP, what) is ABSENT and described_part(None, what) is ABSENT


def test_a_column_is_found_by_its_id() -> None:
    """Whatever it is called in this version."""
    number = SCHEMA.columns[1].id
    assert described_part(TABLE, "column other", (number,))[0] == number
    assert shown_part(TABLE, "column other", (number,))["name"] == "a"


@pytest.mark.parametrize(
    ("what", "part"),
    [("name", "t"), ("kind", "table"), ("policy /", "max"), ("policy /x", ABSENT)],
)
def test_other_parts_are_plain(what: str, part: Any) -> None:
    """Names, kinds and policies are the same in both forms; the key is a list."""
    assert described_part(TABLE, what) == part
    assert shown_part(TABLE, what) == part
    assert shown_part(TABLE, "key") == ["id"]
    assert shown_part(TABLE, "schema") == SCHEMA.to_json()
