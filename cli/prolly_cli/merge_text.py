"""How a merge was made, as its commit tells: for ``prolly show``.

The metadata of a commit may come from anywhere, so whatever does not have the form of a
merge's is passed over. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .output import visible


def merge_lines(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a merge commit says of its policy, its resolvers and its conflicts."""
    told = metadata.get("merge")
    if not isinstance(told, dict):
        return
    policy = told.get("policy")
    if isinstance(policy, str):
        yield f"merged with the policy {visible(policy)}"
    for field, words in (
        ("answers", "answers of resolvers"),
        ("settled", "conflicts settled"),
    ):
        counts = _counts(told.get(field))
        if counts:
            yield f"{words}: {counts}"


def _counts(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    return ", ".join(
        f"{visible(name)} {count:,}"
        for name, count in sorted(given.items(), key=str)
        if isinstance(name, str) and isinstance(count, int)
    )
