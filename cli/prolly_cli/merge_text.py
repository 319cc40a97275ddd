"""How a commit was made of others, as it tells itself: for ``prolly show``.

The metadata of a commit may come from anywhere, so whatever does not have the form that
we give it is passed over. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from .commit_words import named
from .output import Output, visible
from .versions import short_id

if TYPE_CHECKING:
    from prolly import Repository
    from prolly.codec import Address, Descriptor

# Conflicts named by a commit that are shown: what fits a screen beside all else.
SETTLED_SHOWN = 10
# What is said of conflicts that are not just a record's.
KIND_WORDS = {1: " (schema)", 2: " (constraint)"}
# What is said of the commit that a field of the metadata names.
ORIGINS = {"reverted": "takes back", "picked": "picked from"}


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


def origin_lines(
    output: Output, repository: Repository, metadata: Mapping[str, Any]
) -> Iterator[str]:
    """Yield which commit this one takes back, and which one it was picked from."""
    from prolly.codec import ADDRESS_BYTES
    from prolly.errors import Error

    for field, words in ORIGINS.items():
        origin = metadata.get(field)
        if type(origin) is not bytes or len(origin) != ADDRESS_BYTES:
            continue
        try:
            shown = named(output, repository, origin)
        except Error:
            # It need not be here: nothing but these words leads to it.
            shown = output.style(short_id(origin), "id")
        yield f"{words} {shown}"


def _counts(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    return ", ".join(
        f"{visible(name)} {count:,}"
        for name, count in sorted(given.items(), key=str)
        if isinstance(name, str) and isinstance(count, int)
    )


def settled_lines(repository: Repository, commit_id: Address) -> Iterator[str]:
    """Yield the first conflicts that a merge commit names, and how they were settled.

    Then how many more there were. Nothing for a commit that names none.
    """
    told = repository.commit_of(commit_id).metadata.get("merge")
    if not isinstance(told, dict) or not told.get("conflicts"):
        return
    entries = _datasets(repository, commit_id)
    named = list(islice(named_conflicts(told.get("conflicts"), entries), SETTLED_SHOWN))
    yield from (f"  {one}" for one in named)
    counts = told.get("settled")
    numbers = counts.values() if isinstance(counts, dict) else ()
    left = sum(one for one in numbers if type(one) is int) - len(named)
    if named and left > 0:
        yield f"  ... and {left:,} more"


def _datasets(repository: Repository, commit_id: Address) -> dict[bytes, Descriptor]:
    """Return the datasets of a commit by id, and those that its first parent had."""
    from prolly.datasets import Manifest

    commit = repository.commit_of(commit_id)
    roots = [commit.root]
    if commit.parents and not repository.is_cut(commit_id):
        roots.insert(0, repository.commit_of(commit.parents[0]).root)
    found: dict[bytes, Descriptor] = {}
    for root in roots:
        found.update(Manifest(repository.storage.reader, root).by_id)
    return found


def named_conflicts(
    listed: object, entries: Mapping[bytes, Descriptor]
) -> Iterator[str]:
    """Yield conflicts as a person types them, each with how it was settled."""
    from prolly.codec import key as key_codec
    from prolly.errors import Corrupt

    from .record_text import key_words

    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, list) or list(map(type, one)) != [
            bytes,
            int,
            bytes,
            str,
        ]:
            continue
        identity, number, encoded, how = one
        entry = entries.get(identity)
        name = identity.hex()[:8] if entry is None else entry.name
        try:
            key = key_codec.decode_key(encoded)
        except Corrupt:
            continue
        # A blob has no key; None stands for one.
        typed = entry is not None and entry.kind == "table"
        words = "" if key is None else f" {key_words(key, typed=typed)}"
        kind = KIND_WORDS.get(number, "")
        yield f"{visible(name + words)}{kind}: {visible(how)}"
