"""Conflicts of files as programs read them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from prolly import ABSENT
from prolly.ops import FileConflict, write_file_conflicts

CONFLICTS = [
    FileConflict(("2", "x"), ("a", "b"), ABSENT, {"a": "1"}, {"a": "2", "b": ""}, "r"),
    FileConflict((3,), (), {"a": [1]}, ABSENT, {"a": None}, "s"),
]


def test_json_lines() -> None:
    """One a line; a side without the row is left out."""
    stream = io.BytesIO()
    write_file_conflicts(stream, CONFLICTS, "n")
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {
            "dataset": "n",
            "key": ["2", "x"],
            "ours": {"a": "1"},
            "theirs": {"a": "2", "b": ""},
            "fields": ["a", "b"],
            "kind": "record",
            "reason": "r",
        },
        {
            "dataset": "n",
            "key": [3],
            "base": {"a": [1]},
            "theirs": {"a": None},
            "fields": [],
            "kind": "record",
            "reason": "s",
        },
    ]


def test_csv(tmp_path: Path) -> None:
    """A line for each field, or one for the whole row."""
    path = tmp_path / "c.csv"
    write_file_conflicts(path, CONFLICTS, "n")
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert rows[1:] == [
        ["n", '["2", "x"]', "a", "", "1", "2", "r"],
        ["n", '["2", "x"]', "b", "", "", "", "r"],
        ["n", "[3]", "", '{"a":[1]}', "", '{"a":null}', "s"],
    ]
