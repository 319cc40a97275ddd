"""Where a merge puts what it cannot settle."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.chunks import MemoryStore
from prolly.codec import KEY_BYTES_MAX
from prolly.codec import key as key_codec
from prolly.maps import ABSENT, decode_value
from prolly.merge import LOSER_KEY_BYTES_MAX, ConflictEntry, ConflictKind
from prolly.merge.findings import Findings

FOUND = ConflictKind.RECORD, b"\x15\x01", ConflictEntry()


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
    assert bool(findings.log) == (mode == "ours")
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
        findings.lose(b"dataset1", "n", (ConflictKind.RECORD, key, ConflictEntry()), 1)
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
    from prolly.codec import cbor

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
