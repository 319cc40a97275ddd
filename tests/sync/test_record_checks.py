"""What stands out of line is decoded in memory: how much of it, and how at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from prolly.codec import Reference, cbor, encode_referring
from prolly.maps import write_blob
from prolly.sync import fetch, record_checks
from prolly.tables import RecordCodec
from prolly.testing.repositories import memory_repository
from prolly.testing.sync_forgery import Forger, refused, victim
from prolly.testing.sync_lines import NodesRemote, Service, line_to


def out_of_line(forger: Forger, data: bytes) -> Reference:
    """Store bytes as a blob."""
    with forger.repo.store.writer() as writer:
        reference = write_blob(writer, data)
        writer.commit()
    return reference


def test_few_bytes_cannot_spell_a_value_of_many_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Empty arrays without end deflate to nothing, and are refused undecoded."""
    monkeypatch.setattr(record_checks, "RECEIVED_VALUE_ITEMS_MAX", 100_000)
    decoded: list[int] = []
    decode = cbor.decode
    monkeypatch.setattr(
        cbor, "decode", lambda data: decoded.append(len(data)) or decode(data)
    )
    for count, is_refused in ((100_000, True), (99_999, False)):
        forger = Forger()
        data = cbor.array_header(count) + b"\x80" * count
        value = encode_referring([out_of_line(forger, data)])
        forger.serve(forger.tree(["a"], [value]))
        decoded.clear()
        if is_refused:
            error = refused(NodesRemote(Service(forger.repo)))
            assert error.code == "too-many-items"
        else:
            fetch(victim(), remote=line_to(forger.repo))
        assert (len(data) in decoded) is not is_refused


def test_long_rows_are_decoded_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes spell them: pieces of blobs may repeat."""
    theirs = memory_repository()
    with theirs.transaction("main", message="rows") as tx:
        table = tx.table("t", key="id")
        table.load({"id": number, "text": "x" * 70_000} for number in range(40))
    monkeypatch.setattr(record_checks, "DECODED_BYTES_MAX", 200_000)
    together: list[int] = []
    decode = RecordCodec.decode_columns

    def counted(
        self: RecordCodec, keys: Sequence[bytes], values: Sequence[bytes], read: Any
    ) -> list[Sequence[Any]]:
        together.append(len(keys))
        return decode(self, keys, values, read)

    monkeypatch.setattr(RecordCodec, "decode_columns", counted)
    ours = victim()
    fetch(ours, remote=line_to(theirs))
    assert sum(together) == 40 and max(together) == 2
    assert len(ours.at("origin/main").table("t")) == 40
