"""Where a merge puts what it cannot settle."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, KEY_BYTES_MAX, Descriptor, cbor
from prolly.codec import key as key_codec
from prolly.maps import ABSENT, decode_value
from prolly.merge import (
    LOSER_KEY_BYTES_MAX,
    ConflictEntry,
    ConflictKind,
    SchemaConflict,
)
from prolly.merge.findings import Findings, Found
from prolly.tables import Schema
from prolly.tree import NodeReader

FOUND = Found(ConflictKind.RECORD, b"\x15\x01", ConflictEntry())


def losers(findings: Findings, writer: Any) -> dict[Any, Any]:
    """Return what lost, as the dataset shows it."""
    return {
        key_codec.decode(key): decode_value(stored, writer.get)
        for keys, values in findings.losers.batches()
        for key, stored in zip(keys, values, strict=True)
        if stored is not None
    }


@pytest.mark.parametrize("mode", ["ours", "base", "keep-both"])
def test_each_kind_of_merge_has_its_place(mode: Any) -> None:
    """The log, nowhere, or the losers."""
    writer = MemoryStore().writer()
    findings = Findings(mode, writer)
    findings.record(b"d", "name", FOUND, lambda: 5)
    _, logged = findings.log.write(NodeReader(writer.get), writer, None)
    assert logged == (mode == "ours")
    assert bool(findings.losers) == (mode == "keep-both")
    findings.close()


@pytest.mark.parametrize("byte", [b"\x00", b"k"])
def test_a_long_key_stands_as_its_hash(byte: bytes) -> None:
    """At the limit the key is there itself; one past it, its hash."""
    writer = MemoryStore().writer()
    for size in (LOSER_KEY_BYTES_MAX, LOSER_KEY_BYTES_MAX + 1):
        findings = Findings("keep-both", writer)
        part = b"k" * (size - 2)
        key = key_codec.encode((part,))
        assert len(key) == size
        found = Found(ConflictKind.RECORD, key, ConflictEntry())
        findings.lose(b"dataset1", "n", found, 1)
        [(parts, value)] = losers(findings, writer).items()
        assert (parts[1] == key) == (size == LOSER_KEY_BYTES_MAX)
        assert value["key"] == [part]
        findings.close()
    zeros = key_codec.encode((b"\x00" * 8, byte * LOSER_KEY_BYTES_MAX, b"\x00" * 16))
    assert len(zeros) <= KEY_BYTES_MAX


def test_a_deletion_that_lost_is_told() -> None:
    """An absent loser has no value; a null one has null."""
    writer = MemoryStore().writer()
    findings = Findings("keep-both", writer)
    findings.lose(b"d", "n", FOUND, ABSENT)
    findings.lose(b"d", "n", FOUND, None)
    values = list(losers(findings, writer).values())
    assert sorted("value" in one for one in values) == [False, True]
    findings.close()


def test_a_value_nested_to_the_limit_stands_encoded() -> None:
    """What cannot be nested once more is kept as its encoding."""
    value: Any = 1
    while True:
        try:
            cbor.encode([value])
        except Exception:
            break
        value = [value]
    writer = MemoryStore().writer()
    findings = Findings("keep-both", writer)
    findings.lose(b"d", "n", FOUND, value)
    [told] = losers(findings, writer).values()
    assert cbor.decode(told["value"]) == value
    findings.close()


def entry_of(fill: Any) -> Descriptor:
    """Return the description of a table with a column of JSON, and that fill."""
    columns = [
        {"name": "id", "type": "int"},
        {"name": "doc", "type": "json", "fill": fill},
    ]
    schema = Schema.from_json({"columns": columns, "key": ["id"]})
    return Descriptor(
        "t", "table", (), DEFAULT_PARAMETERS, schema.to_value(), {"/": "max"}
    )


def test_no_sentence_is_part_of_what_lost() -> None:
    """However a release words it, what lost is one record under one key."""
    found = []
    for words in ("two rows have equal cells", "rows have equal cells"):
        writer = MemoryStore().writer()
        findings = Findings("keep-both", writer)
        entry = ConflictEntry((), words, facts={"constraint": "index tag"})
        row = Found(ConflictKind.CONSTRAINT, FOUND.key, entry)
        findings.record(b"d", "n", row, lambda: 5)
        conflict = SchemaConflict("policy /", words)
        findings.schema(b"d", "n", conflict, [entry_of(1), None])
        found.append(losers(findings, writer))
        findings.close()
    assert found[0] == found[1]
    values = sorted(found[0].values(), key=lambda one: one["kind"])
    assert [sorted(one) for one in values] == [
        ["constraint", "dataset", "key", "kind", "value"],
        ["dataset", "kind", "versions", "what"],
    ]
    assert values[1]["versions"] == ["max"]


def test_the_versions_of_a_part_are_kept_whichever_side_has_them() -> None:
    """Each once, the same whichever side is ours."""
    for fills in ([1, 2], [1, 1]):
        found = []
        for order in (fills, fills[::-1]):
            writer = MemoryStore().writer()
            findings = Findings("keep-both", writer)
            conflict = SchemaConflict("column doc", "", (7,))
            findings.schema(b"d", "n", conflict, map(entry_of, order))
            found.append(losers(findings, writer))
            findings.close()
        assert found[0] == found[1]
        [value] = found[0].values()
        assert [one[4] for one in value["versions"]] == sorted({*fills})
