"""Which row of the base a row of a version is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec import key as key_codec
from prolly.merge import Records
from prolly.merge.base_keys import BaseKeys
from prolly.tables import Schema
from prolly.tree import NodeReader, build


def base_keys(
    kinds: tuple[str, str], base: Sequence[Any], version: Sequence[Any]
) -> list[Any]:
    """Return the base's keys of the rows of a version, None for those that are new."""
    writer = MemoryStore().writer()
    before = Schema.create([("id", kinds[0]), ("n", "int")], "id")
    after = Schema.create([("id", kinds[1]), ("n", "int")], "id", base=before)

    def records(schema: Schema, parts: Sequence[Any]) -> Records:
        keys = sorted([key_codec.encode((one,)) for one in parts])
        root = build(writer, [(keys, [b"x"] * len(keys))], DEFAULT_PARAMETERS)
        return Records(schema, root, DEFAULT_PARAMETERS)

    one = BaseKeys(
        NodeReader(writer.get), records(before, base), records(after, version)
    )
    found = [one.base_key(key_codec.encode((part,))) for part in version]
    one.close()
    one.close()
    return [None if key is None else key_codec.decode_key(key) for key in found]


@pytest.mark.parametrize(
    ("kinds", "base", "version", "found"),
    [
        (("text", "text"), ["1", "2"], ["2", "3"], ["2", None]),
        (("int", "text"), [1, 2], ["1", "01"], [1, None]),
        (("text", "float"), ["1", "02"], [1.0, 2.0, 3.0], ["1", "02", None]),
        (("text", "int"), ["007", "7"], [7], ["7"]),
        (("text", "int"), ["007", "07"], [7], ["007"]),
        (("decimal", "float"), [Decimal("2.50")], [2.5], [Decimal("2.50")]),
        (("int", "float"), [2**53 + 1], [2.0**53], [2**53 + 1]),
        (("int", "text"), [7], ["7.0"], [7]),
    ],
)
def test_rows_lead_back_to_the_base(
    kinds: tuple[str, str], base: list[Any], version: list[Any], found: list[Any]
) -> None:
    """By what the key lost, by force and by way of a float; new ones lead nowhere."""
    assert base_keys(kinds, base, version) == found


def test_without_a_base_all_rows_are_new() -> None:
    """There is nothing that a key could lead to."""
    writer = MemoryStore().writer()
    key = key_codec.encode((1,))
    schema = Schema.create([("id", "int"), ("n", "int")], "id")
    root = build(writer, [([key], [b"x"])], DEFAULT_PARAMETERS)
    version = Records(schema, root, DEFAULT_PARAMETERS)
    assert BaseKeys(NodeReader(writer.get), None, version).base_key(key) is None
