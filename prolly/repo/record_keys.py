"""The key of one row in versions of a table that spell it differently.

A conflict is kept under the key as the merge spelt it: under the merged schema, or as a
side does where it fits no other. Base, sides and the table as it stands by now may have
other types of key columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prolly.merge import KeySpelling, is_key_of
from prolly.tables import Schema


def spellings(
    key: bytes,
    schema: Schema | None,
    others: Iterable[Schema],
    base: Schema | None = None,
) -> Iterator[bytes]:
    """Yield under which keys a row may stand in a version of this schema.

    ``key`` is of one of the schemas, and is yielded first. ``base`` is the schema that
    all come from, if there is one.
    """
    yield key
    for other in () if schema is None else others:
        for found in KeySpelling(schema, other, base).all_back(key):
            if found != key:
                yield found


def key_under(
    schema: Schema, key: bytes, others: Iterable[Schema], base: Schema | None = None
) -> bytes | None:
    """Return a key of one of the schemas under this one; None if it does not fit.

    ``base`` as in ``spellings``.
    """
    if is_key_of(schema, key):
        return key
    for other in others:
        if is_key_of(other, key):
            found = KeySpelling(other, schema, base).forward(key)
            if found is not None:
                return found
    return None
