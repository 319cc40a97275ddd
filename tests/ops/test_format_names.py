"""Formats by name: what a file's name says, and what is no format."""

from __future__ import annotations

import pytest

from prolly.errors import Invalid
from prolly.ops import FORMATS, format_of_name
from prolly.ops.format_names import TEXT_FORMATS, Format, require_format


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("x.csv", "csv"),
        ("dir.json/x.TSV", "tsv"),
        ("x.csv.gz", "csv"),
        ("x.csv.zst", "csv"),
        ("x.ndjson.GZ", "jsonl"),
        ("x.jsonl", "jsonl"),
        ("x.json", "json"),
        ("x.tab", "tsv"),
        ("x.parquet", "parquet"),
        ("x.arrow", "arrow"),
        ("x.arrows", "arrow"),
        ("x.feather", "arrow"),
        ("x.db", "sqlite"),
        ("x.SQLite3", "sqlite"),
        ("x.gz", None),
        ("csv", None),
        ("-", None),
        ("x.xlsx", None),
    ],
)
def test_the_name_tells_the_format(name: str, wanted: str | None) -> None:
    """The last suffix but .gz and .zst counts, in either case."""
    assert format_of_name(name) == wanted


def test_a_named_format_counts_more_than_the_name() -> None:
    """A table is named behind a colon, whatever characters its name has."""
    assert require_format("x.csv", "jsonl") == Format("jsonl")
    assert require_format("x.csv", "sqlite:a:b c") == Format("sqlite", "a:b c")
    assert require_format("x.db", None) == Format("sqlite")
    for name in FORMATS:
        assert require_format("-", name).is_text == (name in TEXT_FORMATS)


@pytest.mark.parametrize("named", ["xml", "csv:t", "sqlite:", "SQLITE", ""])
def test_what_is_no_format_is_refused(named: str) -> None:
    """The error lists those that there are."""
    with pytest.raises(Invalid) as caught:
        require_format("-", named)
    assert caught.value.code == "format-unknown"
    assert "parquet" in caught.value.hint
