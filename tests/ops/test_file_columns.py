"""Columns of three files made one."""

from __future__ import annotations

import pytest

from prolly.ops.file_columns import merge_columns


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "wrote", "names", "kept"),
    [
        ("iab", "iab", "iab", "", "iab", {}),
        ("iab", "ixab", "iaby", "", "ixaby", {}),
        ("iab", "iab", "xiab", "", "xiab", {}),
        ("iab", "bai", "iaxyb", "", "baxyi", {}),
        ("iab", "ia", "iab", "", "ia", {}),
        ("iab", "iab", "ia", "", "ia", {}),
        ("iab", "ia", "ib", "", "i", {}),
        ("iab", "ia", "iab", "b", "iab", {"b": "ours"}),
        ("iab", "iab", "ia", "b", "iab", {"b": "theirs"}),
        ("iab", "ia", "ia", "b", "ia", {}),
        ("iab", "ib", "iab", "a", "iab", {"a": "ours"}),
        ("", "iab", "ibx", "", "iabx", {}),
    ],
)
def test_the_table(
    base: str, ours: str, theirs: str, wrote: str, names: str, kept: dict[str, str]
) -> None:
    """Each row of the table in the docstring, with orders."""
    found = merge_columns(base, ours, theirs, lambda _, name: name in wrote)
    assert ("".join(found.names), found.kept) == (names, kept)
