"""The compiled kernel does what its twins do: the same results, or the same errors.

Where there is no kernel both sides are the twin, and what asks the kernel itself has
nothing to ask.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any
from unittest.mock import patch

import cbor2
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    Reference,
    Referring,
    cbor,
    encode_referring,
    node,
    row,
    stored_leaf,
)
from prolly.codec import key as key_codec
from prolly.codec.byte_strings import EvenStrings
from prolly.codec.kernel import kernel
from prolly.codec.node import check_node, encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.testing.strategies import byte_strings, keys, texts, values
from prolly.tree import leaf_change, operations
from prolly.tree.leaf_change import change_leaf
from prolly.tree.operations import leaf_changes

# All there is to ask: one, or none.
KERNELS: list[Any] = [] if kernel is None else [kernel]
REFERRING = encode_referring([Reference(bytes(range(32)), 3)], b"more")


class _Number(int):
    """An integer of another type, which is no value of the format."""


def nested(depth: int) -> Any:
    """Return lists in lists, so many."""
    made: Any = []
    for _ in range(depth - 1):
        made = [made]
    return made


# Where a float16 or a float32 ends, is subnormal or lies half way, and what is no
# number.
BORDERS = [
    *(0.0, -0.0, math.inf, -math.inf, math.nan, 65504.0, 65520.0, 65519.99, -65536.0),
    *(2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-14, 2.0**-14 - 2.0**-24, 1 + 2.0**-10),
    *(1 + 2.0**-11, 2.0**-126, 2.0**-149, 2.0**-150, 3 * 2.0**-150, 1 + 2.0**-23),
    *(3.4028234663852886e38, -3.4028234663852886e38, 3.4028235677973366e38, 5e-324),
    *(math.nextafter(3.4028234663852886e38, side) for side in (0.0, math.inf)),
    *(math.nextafter(65504.0, side) for side in (0.0, math.inf)),
    *(sys.float_info.max, sys.float_info.min, 0.1, 1e300, 100000.0, 16777217.0),
]
floats = st.one_of(
    st.sampled_from(BORDERS), *(st.floats(width=width) for width in (16, 32, 64))
)
# What has no encoding, or only just.
odd_cells = st.sampled_from(
    [
        *("\ud800", ["\udfff"], _Number(3), object(), {1: 2}, (1, 2), bytearray(b"a")),
        *(1 << 8191, 1 << 8192, -(1 << 8192) - 1, "x" * 1001, b"y" * 70000),
        *(nested(62), nested(63), nested(64), nested(65)),
    ]
)
cells = st.one_of(values(4), floats, st.text(max_size=300), values(4), odd_cells)


def shown(found: Any) -> str:
    """Return a text that tells apart what the format does: 1, 1.0, True, -0.0."""
    if isinstance(found, list):
        return repr([list(one) if isinstance(one, tuple) else one for one in found])
    return repr(found)


def outcome(act: Callable[[], Any]) -> tuple[Any, ...]:
    """Return what a call gives, or the class and the code of what it raises."""
    try:
        return "gave", shown(act())
    except Exception as error:
        return "raised", type(error), getattr(error, "code", None)


def same(module: ModuleType, act: Callable[[], Any]) -> Any:
    """Return the outcome of a call, which must be that of the twin."""
    compiled = outcome(act)
    with patch.object(module, "kernel", None):
        assert compiled == outcome(act)
    return compiled


def damaged(data: st.DataObject, whole: bytes) -> bytes:
    """Return bytes of which some are others, left out or too many."""
    made = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(made) - 1, 0)))
        kind = data.draw(st.sampled_from(["flip", "set", "cut", "leave", "add"]))
        if kind == "flip" and made:
            made[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "set" and made:
            heads = b"\x00\x17\x18\x1b\x3b\x40\x58\x59\x5b\x5f\x78\x7f\x80\x84\x98\x9b"
            more = b"\x9f\xa0\xbb\xbf\xc0\xc2\xd8\xf6\xf7\xf8\xf9\xfb\xff"
            made[at] = data.draw(st.sampled_from(heads + more))
        elif kind == "cut":
            del made[at:]
        elif kind == "leave":
            del made[at : at + 1]
        else:
            made[at:at] = data.draw(st.binary(min_size=1, max_size=9))
    return bytes(made)


def even(data: st.DataObject, joined: list[bytes], prefix: bytes = b"") -> EvenStrings:
    """Return strings of one length as they may stand in a chunk."""
    skipped, before = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    chunk = b"?" * before + b"".join(b"!" * skipped + one for one in joined)
    stride = skipped + len(joined[0])
    places = range(before, before + stride * len(joined), stride)
    return EvenStrings(chunk, places, skipped, prefix)


# ------------------------------------------------------------------------------- rows


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[Any]], list[Any]]:
    """Columns and fills, from few cells, so that many equal their fill."""
    width = draw(st.one_of(st.integers(1, 9), st.sampled_from([15, 16, 17, 200])))
    count = draw(st.integers(1, 4))
    pool = draw(st.lists(cells, min_size=1, max_size=5))
    few = st.sampled_from([*pool, None])
    columns = [[draw(few) for _ in range(count)] for _ in range(min(width, 17))]
    fills = [draw(st.one_of(st.none(), few)) for _ in columns]
    times = max(1, width // len(columns))
    return columns * times, fills * times


@given(tables())
def test_rows_are_spelt_as_by_the_twin(
    table: tuple[list[list[Any]], list[Any]],
) -> None:
    """Cells of every type and of none, equal to fills and not, up to 200 columns."""
    columns, fills = table
    same(row, lambda: row.encode_columns(columns, fills))
    same(row, lambda: row.encode_columns(list(map(tuple, columns)), fills))


@given(st.lists(floats, min_size=1, max_size=8), st.one_of(st.none(), floats))
def test_each_float_takes_its_shortest_spelling(
    numbers: list[float], fill: float | None
) -> None:
    """Numbers, zeros, infinities and no numbers, within float16, float32, float64."""
    same(row, lambda: row.encode_columns([numbers], [fill]))
    for number in [*numbers, *BORDERS]:
        for compiled in KERNELS:
            [spelt] = compiled.encode_rows(([number],), (b"\xf6",), cbor.encode)
            assert spelt == b"\x82\x41\x01" + cbor.encode(number)
            [read] = compiled.decode_row(spelt, (None,), cbor2.loads)
            # There is one NaN, whatever bits it had.
            same_bits = struct.pack(">d", read) == struct.pack(">d", number)
            assert same_bits or (math.isnan(read) and math.isnan(number))


def spelt_rows(columns: list[list[Any]], fills: list[Any]) -> list[bytes]:
    """Return rows as the twin spells them, those that have a spelling."""
    datas = []
    for one in zip(*columns, strict=True):
        found = outcome(lambda one=one: row.encode(one, fills))
        if found[0] == "gave":
            datas.append(row.encode(one, fills))
    return datas


@given(tables(), st.data())
def test_rows_are_read_as_by_the_twin(
    table: tuple[list[list[Any]], list[Any]], data: st.DataObject
) -> None:
    """Rows as they were written: one, many, and as they stand in a leaf."""
    columns, fills = table
    datas = spelt_rows(columns, fills)
    for one in datas:
        assert same(row, lambda one=one: row.decode(one, fills))[0] == "gave"
        alike = even(data, [one, one])
        assert same(row, lambda one=alike: row.decode_columns(one, fills))[0] == "gave"
    if datas:
        assert same(row, lambda: row.decode_columns(datas, fills))[0] == "gave"


@given(tables(), st.data())
def test_damaged_rows_are_read_as_by_the_twin(
    table: tuple[list[list[Any]], list[Any]], data: st.DataObject
) -> None:
    """Other bytes, too few and too many: Corrupt, or the cells that the twin reads."""
    columns, fills = table
    for one in spelt_rows(columns, fills)[:2]:
        bad = damaged(data, one[:300])
        same(row, lambda bad=bad: row.decode(bad, fills))
        same(row, lambda bad=bad: row.decode_columns([bad], fills))
        alike = even(data, [bad, bad]) if bad else [bad]
        same(row, lambda one=alike: row.decode_columns(one, fills))
        for compiled in KERNELS:
            mixed = [one, bad, one]
            try:
                found = compiled.decode_rows(mixed, tuple(fills), cbor2.loads)
            except (ValueError, cbor2.CBORDecodeError):
                continue
            each = [
                compiled.decode_row(part, tuple(fills), cbor2.loads) for part in mixed
            ]
            assert shown(each) == shown(list(map(list, zip(*found, strict=True))))


def test_claims_past_every_length_are_refused() -> None:
    """Arguments up to 2**64 - 1 for strings, arrays, maps, tags and presences."""
    for mark in (0x1B, 0x3B, 0x5B, 0x7B, 0x9B, 0xBB, 0xDB):
        for claim in (0, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
            cell = bytes([mark]) + claim.to_bytes(8, "big")
            for data in (b"\x82\x41\x01" + cell, cell, b"\x82" + cell):
                same(row, lambda data=data: row.decode(data, [None]))


def test_usual_rows_are_not_left_to_the_twin() -> None:
    """Every type of the format, nested too: all rows are of the kernel's making."""
    pool = [1, -1, 2**64, -(2**64), "a\u00e4", b"b", 1.5, True, None, [1, {"k": [2]}]]
    fills = tuple(map(cbor.encode, [None] * len(pool)))
    for compiled in KERNELS:
        rows = compiled.encode_rows(
            tuple([cell] for cell in pool), fills, lambda cell: cbor.encode(cell)
        )
        assert rows == [row.encode(pool, [None] * len(pool))]
        read = compiled.decode_row(rows[0], (None,) * len(pool), cbor2.loads)
        assert shown(read) == shown(pool)


# ------------------------------------------------------------------------------- keys

long_texts = st.sampled_from(["x" * size for size in (1021, 1022, 1023, 2000)])
odd_keys = st.sampled_from(["\ud800", "a\0b", (), (1,), _Number(3), math.nan, [1]])
whole = st.one_of(
    st.integers(-(2**65), 2**65),
    st.sampled_from(
        [
            sign * 2**bits + step
            for bits in (0, 8, 56, 63, 64)
            for sign in (-1, 1)
            for step in (-1, 0, 1)
        ]
    ),
)
some_keys = st.one_of(
    st.lists(whole, max_size=6),
    st.lists(texts(), max_size=6),
    st.lists(st.one_of(whole, texts(), keys(), long_texts, odd_keys), max_size=4),
)


@given(some_keys)
def test_keys_are_spelt_as_by_the_twin(given_keys: list[Any]) -> None:
    """Keys of every type, too long ones and ones that cannot be."""
    same(key_codec, lambda: key_codec.encode_keys(given_keys))
    same(key_codec, lambda: key_codec.encode_keys(tuple(given_keys)))


@given(some_keys, st.booleans(), st.data())
def test_keys_are_read_as_by_the_twin(
    given_keys: list[Any], is_damaged: bool, data: st.DataObject
) -> None:
    """One by one, in lists and behind a prefix as in a leaf; damaged ones too."""
    datas = []
    for key in given_keys:
        if outcome(lambda key=key: key_codec.encode_key(key))[0] == "gave":
            datas.append(key_codec.encode_key(key))
    if is_damaged:
        datas = [damaged(data, one) for one in datas]
    same(key_codec, lambda: key_codec.decode_keys(datas))
    for one in filter(None, datas):
        size = data.draw(st.integers(0, len(one) - 1))
        alike = even(data, [one[size:]] * 2, one[:size])
        same(key_codec, lambda alike=alike: key_codec.decode_keys(alike))


def test_usual_keys_are_not_left_to_the_twin() -> None:
    """Texts and integers of up to 8 bytes, both ways."""
    usual = [0, 1, -1, 255, 256, 2**64 - 1, -(2**63) + 1, "", "a", "\u20ac" * 340]
    for compiled in KERNELS:
        datas = compiled.encode_keys(usual)
        assert datas == list(map(key_codec.encode_key, usual))
        assert compiled.decode_keys(datas) == usual


# ----------------------------------------------------------------------------- leaves

Records = dict[bytes, bytes]
Edits = dict[bytes, bytes | None]
ends = st.one_of(
    st.binary(max_size=3),
    st.sampled_from([b"k" * size for size in (22, 23, 24, 25, 255, 256, 257, 500)]),
    st.text("ab", max_size=4).map(str.encode),
)
leaf_values = st.one_of(
    byte_strings(4),
    st.sampled_from([bytes(size) for size in (0, 23, 24, 255, 256, 1000)]),
    st.sampled_from([REFERRING, bytes(REFERRING)]),
)
prefixes = st.sampled_from([b"", b"k", b"key:", b"p" * 23, b"p" * 255, b"p" * 256])


@st.composite
def edited_leaves(draw: st.DrawFn) -> tuple[Records, Edits]:
    """The records of a leaf, and edits: within it, before it, behind it, of all."""
    prefix = draw(prefixes)
    shared = ends.map(prefix.__add__)
    if draw(st.booleans()):
        shared = st.integers(0, 99).map(lambda number: prefix + b"%02d" % number)
    records = draw(st.dictionaries(shared, leaf_values, max_size=30))
    there = sorted(records) or [b"a"]
    edges = [there[0][:-1], there[-1] + b"\0", b"\0", b"\xff" * 9, prefix, prefix[:-1]]
    touched = st.one_of(st.sampled_from(there), shared, st.sampled_from(edges), ends)
    edits = draw(st.dictionaries(touched, st.none() | leaf_values, max_size=8))
    if draw(st.integers(0, 9)) == 0:
        edits |= dict.fromkeys(records)
    return records, edits


def chunk_of(records: Records) -> bytes:
    """Return the bytes of a leaf."""
    order = sorted(records)
    return encode_leaf(order, [records[key] for key in order])


def after(records: Records, edits: Edits) -> Records:
    """Return what edits make of records."""
    merged = {**records, **edits}
    return {key: value for key, value in merged.items() if value is not None}


def edit(chunk: bytes, edits: Edits) -> Any:
    """Return all that is told of a leaf under edits but its old shape."""
    order = sorted(edits)
    given_edits = order, [edits[key] for key in order]
    return change_leaf(StoredLeaf(chunk), given_edits)[:7]


def compared(old: bytes, new: bytes) -> Any:
    """Return what differs between two leaves, as a list."""
    return list(leaf_changes(StoredLeaf(old), StoredLeaf(new)))


@given(edited_leaves())
def test_leaves_are_searched_edited_and_compared_as_by_the_twin(
    case: tuple[Records, Edits],
) -> None:
    """Prefixes that grow and shrink, references, one entry, none, all deleted."""
    records, edits = case
    old, new = chunk_of(records), chunk_of(after(records, edits))
    leaf = StoredLeaf(old)
    for key in [*records, *edits]:
        leaf = StoredLeaf(old)
        assert same(stored_leaf, partial(leaf.find, key)) == (
            "gave",
            repr(records.get(key)),
        )
    assert same(leaf_change, lambda: edit(old, edits))[0] == "gave"
    assert same(operations, lambda: compared(old, new))[0] == "gave"
    same(operations, lambda: compared(new, old))
    if new != old:
        assert edit(old, edits)[0] == new


@given(edited_leaves(), st.data())
def test_damaged_leaves_are_read_as_by_the_twin(
    case: tuple[Records, Edits], data: st.DataObject
) -> None:
    """What the kernel does not refuse is what the twin makes of it."""
    records, edits = case
    old = chunk_of(records)
    bad = damaged(data, old)
    for key in [*list(records)[:5], *edits]:
        leaf = StoredLeaf(bad)
        same(stored_leaf, lambda leaf=leaf, key=key: leaf.find(key))
    same(leaf_change, lambda: edit(bad, edits))
    same(operations, lambda: compared(bad, old))
    same(operations, lambda: compared(old, bad))


@given(edited_leaves(), st.data())
def test_what_edits_make_is_a_leaf(
    case: tuple[Records, Edits], data: st.DataObject
) -> None:
    """Also of damaged bytes the kernel makes a leaf in its one spelling, or nothing."""
    records, edits = case
    del edits
    bad = damaged(data, chunk_of(records))
    for compiled in KERNELS:
        try:
            made = compiled.leaf_edit(bad, [b"new"], [b"value"], Referring)
        except compiled.Unfit:
            continue
        if made[0] and StoredLeaf(made[0]).find(b"") is None:
            check_node(made[0])


def test_usual_leaves_are_not_left_to_the_twin() -> None:
    """None, one, many, with references: each function answers."""
    for count in (0, 1, 2, 23, 24, 255, 256):
        records = {b"key:%03d" % at: bytes(at % 300) for at in range(count)}
        if count > 2:
            records[b"key:001"] = REFERRING
        chunk = chunk_of(records)
        for compiled in KERNELS:
            places = compiled.leaf_places(chunk)
            for key, value in records.items():
                found = compiled.leaf_find(chunk, places, key, Referring)
                assert type(found) is type(value) and found == value
            assert compiled.leaf_find(chunk, places, b"key:", Referring) is None
            made = compiled.leaf_edit(chunk, [b"l"], [REFERRING], Referring)
            assert made[0] == chunk_of({**records, b"l": REFERRING})
            wanted = [(b"l", None, REFERRING)]
            assert compiled.leaf_changes(chunk, made[0], Referring) == wanted


@given(edited_leaves())
def test_leaves_are_made_as_by_the_twin(case: tuple[Records, Edits]) -> None:
    """Of no record, of one, with references; also of keys that do not ascend."""
    records, edits = case
    order = sorted(records)
    stored = [records[key] for key in order]
    assert same(node, lambda: encode_leaf(order, stored))[0] == "gave"
    same(node, lambda: encode_leaf(order[::-1], stored))
    same(node, lambda: encode_leaf([*order, *edits], [*stored, *edits.values()]))


@given(edited_leaves(), st.booleans(), st.data())
def test_records_of_a_leaf_are_taken_out_as_by_the_twin(
    case: tuple[Records, Edits], is_damaged: bool, data: st.DataObject
) -> None:
    """All keys and values, those that refer as such; damaged bytes too."""
    records, _ = case
    chunk = chunk_of(records)
    if is_damaged:
        chunk = damaged(data, chunk)
    found = same(stored_leaf, lambda: list(StoredLeaf(chunk).records()))
    if not is_damaged:
        order = sorted(records)
        assert found[1] == shown([order, [records[key] for key in order]])


@given(edited_leaves(), st.booleans(), st.data())
def test_values_are_written_over_as_by_an_edit(
    case: tuple[Records, Edits], is_damaged: bool, data: st.DataObject
) -> None:
    """What changes no length and no reference is done, all else left alone."""
    records, edits = case
    chunk = chunk_of(records)
    alike = data.draw(st.sets(st.sampled_from(sorted(records) or [b""])))
    edits |= {key: records[key][::-1] for key in alike if key in records}
    if data.draw(st.booleans()):
        edits = {key: value for key, value in edits.items() if key in alike}
    if is_damaged:
        chunk = damaged(data, chunk)
    keys, stored = sorted(edits), [edits[key] for key in sorted(edits)]
    for compiled in KERNELS:
        low = data.draw(st.integers(0, len(keys)))
        part = slice(low, data.draw(st.integers(low, len(keys))))
        try:
            made = compiled.leaf_overwrite(chunk, keys, stored, low, part.stop)
        except compiled.Unfit:
            made = None
        change = None
        if made is not None or not is_damaged:
            change = change_leaf(StoredLeaf(chunk), (keys[part], stored[part]))
        if made is None and change is not None:
            refer = Referring in map(type, (*records.values(), *stored))
            assert not change.moves_nothing or refer or None in stored
        elif change is not None:
            assert (made, True) == (change.chunk, change.moves_nothing)
