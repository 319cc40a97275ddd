"""The lines of a patch: written, read, and refused when they were changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Descriptor, cbor
from prolly.codec import key as key_codec
from prolly.codec.patch import MISSING, PatchRecord, PatchStamps, decode_patch
from prolly.codec.patch_lines import (
    head_line,
    record_line,
    section_line,
    stamps_line,
    with_end,
)
from prolly.errors import Corrupt, Unsupported
from prolly.testing.strategies import keys, values

OLD, NEW = b"\1" * 32, b"\2" * 32
ENTRY = Descriptor("m", "map", ())


def text_of(*lines: str) -> bytes:
    """Return a whole patch around some lines of one map."""
    section = section_line(b"12345678", ENTRY, ENTRY)
    told = with_end([head_line(OLD, NEW), section, *lines])
    return "".join(f"{line}\n" for line in told).encode()


def ended(*lines: str) -> bytes:
    """Return lines with the end that suits them."""
    return "\n".join([*with_end(lines), ""]).encode()


@given(keys(), values(), values(), st.one_of(st.none(), st.binary(max_size=9)))
def test_a_record_comes_back(key: Any, old: Any, new: Any, data: bytes | None) -> None:
    """Its key and both values, of any type that a value has; null is not missing."""
    encoded = key_codec.encode_key(key)
    for sides in ((old, new), (MISSING, new), (old, MISSING), (None, MISSING)):
        record = PatchRecord(encoded, *sides, data)
        line = record_line(record)
        assert line.isprintable() or not any(map("\n\r\x1b\x9b".count, line))
        [section] = decode_patch(text_of(line)).sections
        [found] = section.records()
        assert (found.key, found.data) == (encoded, data)
        for there, wanted in zip(found[1:3], sides, strict=True):
            if wanted is MISSING:
                assert there is MISSING
            else:
                assert cbor.encode(there) == cbor.encode(wanted)


def test_stamps_come_back() -> None:
    """On one side or both, beside the records."""
    key, value = key_codec.encode(("k",)), [b"\0" * 16, {}]
    for sides in ((value, MISSING), (MISSING, value), (value, value)):
        line = stamps_line(PatchStamps(key, *sides))
        [section] = decode_patch(text_of(line)).sections
        assert list(section.stamps()) == [PatchStamps(key, *sides)]
        assert list(section.records()) == []


def test_descriptions_come_back() -> None:
    """Name, kind, parameters, schema and policies; the roots of the whole."""
    schema = {"key": ["id"], "deep": [[1, b"x", None]]}
    table = Descriptor("täble", "table", (), schema=schema, policies={"": "max"})
    lines = [head_line(OLD, NEW), section_line(b"12345678", None, table)]
    patch = decode_patch(ended(*lines))
    assert (patch.old, patch.new) == (OLD, NEW)
    [section] = patch.sections
    assert (section.identity, section.old, section.new) == (b"12345678", None, table)
    assert section.present is section.new


def test_a_patch_of_nothing_is_a_patch() -> None:
    """Head and end alone."""
    assert decode_patch(ended(head_line(OLD, OLD))).sections == []


def test_line_ends_of_other_systems_do_no_harm() -> None:
    """Nor does a missing last one."""
    whole = text_of(record_line(PatchRecord(key_codec.encode(("k",)), 1, 2)))
    known = decode_patch(whole).old
    assert decode_patch(whole.replace(b"\n", b"\r\n")).old == known
    assert decode_patch(whole.rstrip(b"\n")).old == known


@given(st.data())
def test_whatever_is_changed_is_corrupt(data: st.DataObject) -> None:
    """Any byte changed, any part cut off; no other error comes."""
    whole = bytearray(text_of(record_line(PatchRecord(b"\x021\x00", "a", "b"))))
    at = data.draw(st.integers(0, len(whole) - 2))
    if data.draw(st.booleans()):
        del whole[at:]
    else:
        whole[at] ^= data.draw(st.integers(1, 255))
    try:
        decode_patch(bytes(whole))
    except Corrupt as error:
        assert error.code == "patch"
    except Unsupported as error:
        assert error.code == "patch-version"
    else:
        # Nothing but a line end can have become another one.
        assert b"\r" in bytes(whole)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"id,name\n1,Ada\n",
        b"\xff\xfe",
        b"[]\n[]\n",
        ended("{}"),
        ended(head_line(OLD, NEW), '{"key": [1]}'),
        ended('{"prolly-patch": 1, "old": "00", "new": "00"}'),
        ended('{"prolly-patch": 1}'),
        ended(head_line(OLD, NEW), '{"dataset": "00"}'),
        ended(head_line(OLD, NEW), '{"dataset": 5}'),
        ended(head_line(OLD, NEW), *[section_line(b"12345678", ENTRY, None)] * 2),
        ended(head_line(OLD, NEW), '{"dataset": "3132333435363738", "new": {}}'),
        b"[" * 100_000 + b"\n{}\n",
    ],
)
def test_what_is_no_patch_is_corrupt(data: bytes) -> None:
    """Another file, or lines that a patch does not have, though the hash suits them."""
    with pytest.raises(Corrupt) as caught:
        decode_patch(data)
    assert caught.value.code == "patch"


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"key": 5}',
        '{"key": [{}]}',
        '{"key": ["k"], "new": {"$bytes": "?"}}',
        '{"key": ["k"], "new": NaN}',
        '{"key": ["k"], "data": "?"}',
        '{"key": ["k"], "key": ["k"]}',
        '{"stamps": "zz"}',
        '{"stamps": [1], "new": NaN}',
    ],
)
def test_a_record_of_another_form_is_corrupt(line: str) -> None:
    """The line is named."""

    def read(act: Callable[[Any], Any]) -> None:
        [section] = decode_patch(text_of(line)).sections
        list(act(section))

    with pytest.raises(Corrupt) as caught:
        read(lambda section: section.records())
        read(lambda section: section.stamps())
    assert (caught.value.code, caught.value.facts["line"]) == ("patch", 3)


@pytest.mark.parametrize("version", ["0", "2", '"1"', "null", "[]"])
def test_another_version_is_not_read(version: str) -> None:
    """It is told, whatever else the patch holds."""
    with pytest.raises(Unsupported) as caught:
        decode_patch(ended(f'{{"prolly-patch": {version}}}'))
    assert caught.value.code == "patch-version"


def test_the_worked_patch_of_the_page_is_true(root: Path) -> None:
    """It is read, and written so; its hash is that of all lines before the last."""
    page = (root / "docs/spec/patch.md").read_text()
    text = page.split("```patch\n")[1].split("```")[0]
    patch = decode_patch(text.encode())
    names = [one.present.name for one in patch.sections]
    assert names == ["people", "settings"]
    lines = [head_line(patch.old, patch.new)]
    for one in patch.sections:
        lines.append(section_line(one.identity, one.old, one.new))
        lines += map(record_line, one.records())
    assert ended(*lines).decode() == text
    digest = blake3(text[: text.rindex("{")].encode()).hexdigest()
    assert digest in text.splitlines()[-1]
