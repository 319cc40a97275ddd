"""The compiled kernel under misuse: other types, places, callbacks; and its loading.

Where there is no kernel there is nothing to ask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import cbor2
import pytest

from prolly.codec import Reference, Referring, cbor, encode_referring, row
from prolly.codec import kernel as kernel_module
from prolly.codec.kernel import kernel
from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

# All there is to ask: one, or none.
KERNELS: list[Any] = [] if kernel is None else [kernel]
REFERRING = encode_referring([Reference(bytes(range(32)), 3)], b"more")
Records = dict[bytes, bytes]


def chunk_of(records: Records) -> bytes:
    """Return the bytes of a leaf."""
    order = sorted(records)
    return encode_leaf(order, [records[key] for key in order])


def test_places_of_another_leaf_are_refused_or_give_nothing_of_it() -> None:
    """Whatever places come with a chunk, nothing outside of the chunk is read."""
    leaves = [
        chunk_of({b"k%04d" % at: bytes(at % 40) for at in range(count)})
        for count in (0, 1, 5, 90, 400)
    ]
    for compiled in KERNELS:
        packed = [compiled.leaf_places(chunk) for chunk in leaves]
        full = [*packed, b"", b"\xff" * 20, b"\xff" * 28, b"\0" * 28]
        full += [made[:-4] for made in packed] + [made + b"\0" for made in packed]
        for chunk in [*leaves, b"", b"\x01"]:
            for places in full:
                try:
                    found = compiled.leaf_find(chunk, places, b"k0003", Referring)
                except compiled.Unfit:
                    continue
                assert found is None or found in chunk


def test_edits_that_are_not_there_are_refused() -> None:
    """Places past the lists, before them, and edits of other types."""
    chunk = chunk_of({b"a": b"1", b"c": b"2"})
    for compiled in KERNELS:
        for low, high in ((-1, 1), (0, 2), (0, 1 << 62)):
            with pytest.raises(ValueError):
                compiled.leaf_overwrite(chunk, [b"a"], [b"3"], low, high)
        for key, value in ((b"a", None), ("a", b"3"), (b"a", REFERRING), (b"", b"3")):
            with pytest.raises(compiled.Unfit):
                compiled.leaf_overwrite(chunk, [key], [value], 0, 1)
        assert compiled.leaf_overwrite(chunk, [b"a"], [b"3"], 1, 0) == b""
        with pytest.raises(TypeError):
            compiled.leaf_overwrite(chunk, (b"a",), (b"3",), 0, 1)


def test_what_is_no_record_makes_no_leaf() -> None:
    """Other types, more keys than values, and more than the format counts."""
    many = [b"%06d" % at for at in range(1 << 16)]
    odd: list[tuple[Any, Any]] = [
        (["a"], [b"1"]),
        ([b"a"], [None]),
        ([b"a"], [bytearray(b"1")]),
        ([b"ab", b"a", b"abc"], [b"1"] * 3),
        (many, many),
    ]
    for compiled in KERNELS:
        for keys, values in odd:
            with pytest.raises(compiled.Unfit):
                compiled.leaf_encode(keys, values, Referring)
        with pytest.raises(ValueError):
            compiled.leaf_encode([b"a", b"b"], [b"1"], Referring)
        with pytest.raises(TypeError):
            compiled.leaf_encode(1, 2, Referring)


def test_what_is_no_key_is_not_sorted() -> None:
    """Keys of other types, and other numbers of keys and values."""
    for compiled in KERNELS:
        for key in ("a", None, REFERRING, bytearray(b"a")):
            with pytest.raises(compiled.Unfit):
                compiled.sort_edits([b"b", key], [b"1", b"2"])
        with pytest.raises(ValueError):
            compiled.sort_edits([b"a"], [])
        with pytest.raises(TypeError):
            compiled.sort_edits(1, [])
        assert compiled.sort_edits((), ()) == ([], [])


def test_what_is_no_table_gives_no_columns() -> None:
    """Rows of other widths and types; whatever width is asked for."""
    for compiled in KERNELS:
        for rows in ([(1, 2), (1,)], ["ab", "cd"], [(1, 2), None], [{1: 2, 3: 4}]):
            with pytest.raises(compiled.Unfit):
                compiled.columns_of(rows, 2)
        for width in (0, -1, -(1 << 62)):
            with pytest.raises(compiled.Unfit):
                compiled.columns_of([()], width)
        with pytest.raises(TypeError):
            compiled.columns_of(((1, 2),), 2)
        assert compiled.columns_of([(1, 2), [3, 4]], 2) == [(1, 3), (2, 4)]


def test_edits_out_of_order_are_left_to_the_twin() -> None:
    """What is behind a key is relied upon, so keys must ascend."""
    chunk = chunk_of({b"a": b"1", b"c": b"2"})
    for order in ([b"d", b"b"], [b"b", b"b"]):
        for compiled in KERNELS:
            with pytest.raises(compiled.Unfit):
                compiled.leaf_edit(chunk, order, [b"x", b"y"], Referring)


def test_arguments_of_other_kinds_are_type_errors() -> None:
    """Nothing but Python's own errors, and never a crash."""
    odd: list[Any] = [
        None,
        1,
        "text",
        [],
        (),
        [1],
        [None],
        (1, 2),
        {},
        object(),
        b"",
        [b""],
    ]
    odd += [
        (b"abc", 0, 1, 4, 0, b""),
        (b"abc", -1, 1, 1, 0, b""),
        (b"", 0, 0, 0, 0, b""),
    ]
    odd += [
        (b"abc", 0, 1, 2**62, 0, b""),
        (b"abc", 0, 1, 1, 2, b""),
        (b"a", 1, 1, 1, 0),
    ]
    for compiled in KERNELS:
        for name in ("leaf_places", "encode_keys", "decode_keys"):
            for one in odd:
                _refused(getattr(compiled, name), one)
        for name in ("leaf_find", "leaf_edit", "leaf_changes", "encode_rows"):
            _misuse(getattr(compiled, name), odd)
        for name in ("decode_rows", "decode_row"):
            _misuse(getattr(compiled, name), odd)


def _misuse(function: Callable[..., Any], odd: list[Any]) -> None:
    for count in range(6):
        for at, one in enumerate(odd):
            _refused(function, *[one] * count)
            _refused(function, *[odd[(at + step) % len(odd)] for step in range(count)])


def _refused(function: Callable[..., Any], *args: Any) -> None:
    with suppress(TypeError, ValueError, OverflowError):
        function(*args)


class _Raised(Exception):
    """What only these tests raise."""


def test_what_a_function_raises_comes_out() -> None:
    """The error of a callback is that of the call, and nothing is kept."""

    def refuse(_: Any) -> Any:
        raise _Raised

    nested_row = row.encode(["x", [1]], [None, None])
    for compiled in KERNELS:
        with pytest.raises(_Raised):
            compiled.encode_rows((["a"], [[1]]), (b"\xf6", b"\xf6"), refuse)
        with pytest.raises(_Raised):
            compiled.decode_row(nested_row, (None, None), refuse)
        with pytest.raises(_Raised):
            compiled.decode_rows([nested_row] * 2, (None, None), refuse)
        chunk = chunk_of({b"k": REFERRING})
        with pytest.raises(_Raised):
            compiled.leaf_find(chunk, compiled.leaf_places(chunk), b"k", refuse)
        with pytest.raises(_Raised):
            compiled.leaf_changes(chunk, chunk_of({}), refuse)
        with pytest.raises(TypeError):
            compiled.encode_rows(([[1]],), (b"\xf6",), lambda _: "no bytes")


def test_lists_that_a_function_changes_meanwhile_do_no_harm() -> None:
    """A callback that empties what is being read gets an error, or changes nothing."""
    rows = [row.encode([[number]], [None]) for number in range(50)]
    for compiled in KERNELS:
        column: list[Any] = [[number] for number in range(50)]

        def cut(cell: Any, column: list[Any] = column) -> bytes:
            column.clear()
            return cbor.encode(cell)

        with pytest.raises(compiled.Unfit):
            compiled.encode_rows((column,), (b"\xf6",), cut)
        given_rows = [bytes(bytearray(one)) for one in rows]

        def drop(data: bytes, given_rows: list[bytes] = given_rows) -> Any:
            given_rows.clear()
            return cbor2.loads(data)

        [read] = compiled.decode_rows(given_rows, (None,), drop)
        assert read == [[number] for number in range(50)]


def _calls(compiled: Any) -> list[Callable[[], Any]]:
    """Return calls of every function, those that fail too."""
    fills = (None, 7)
    rows = row.encode_columns([["a", "b"], [[1], 7]], fills)
    coded = tuple(map(cbor.encode, fills))
    chunk = chunk_of({b"k%d" % at: b"v" for at in range(9)} | {b"r": REFERRING})
    other = chunk_of({b"k%d" % at: b"w" for at in range(5)})
    places = compiled.leaf_places(chunk)
    return [
        lambda: compiled.encode_rows((["a", "b"], [[1], 7]), coded, cbor.encode),
        lambda: compiled.encode_rows((["a", "\ud800"], [1, 7]), coded, cbor.encode),
        lambda: compiled.encode_rows((["a", "b"], [1, {1}]), coded, cbor.encode),
        lambda: compiled.decode_rows(rows, fills, cbor2.loads),
        lambda: compiled.decode_rows([*rows, rows[0][:-1]], fills, cbor2.loads),
        lambda: compiled.decode_row(rows[0], fills, cbor2.loads),
        lambda: compiled.decode_row(rows[0] + b"\0", fills, cbor2.loads),
        lambda: compiled.encode_keys(["a", 1, -1, "\u20ac"]),
        lambda: compiled.encode_keys(["a", 1, 1.0]),
        lambda: compiled.decode_keys([b"\2a\0", b"\x15\1"]),
        lambda: compiled.decode_keys([b"\2a\0", b"\2\xff\0"]),
        lambda: compiled.leaf_places(chunk[:-1]),
        lambda: compiled.leaf_find(chunk, places, b"r", Referring),
        lambda: compiled.leaf_find(chunk, places, b"x", Referring),
        lambda: compiled.leaf_edit(chunk, [b"a", b"k1"], [REFERRING, None], Referring),
        lambda: compiled.leaf_edit(chunk, [b"a", b"b"], [b"v", 1], Referring),
        lambda: compiled.leaf_changes(chunk, other, Referring),
        lambda: compiled.leaf_changes(chunk, other[:-1], Referring),
    ]


def test_nothing_is_kept_of_what_was_done() -> None:
    """Blocks of memory and references are after many calls what they were before."""
    for compiled in KERNELS:
        calls = _calls(compiled)

        def repeat(times: int, calls: list[Callable[[], Any]] = calls) -> None:
            for _ in range(times):
                for call in calls:
                    with suppress(Exception):
                        call()

        repeat(5)
        blocks, nones = sys.getallocatedblocks(), sys.getrefcount(None)
        repeat(300)
        assert abs(sys.getallocatedblocks() - blocks) < 250
        assert abs(sys.getrefcount(None) - nones) < 250


def test_a_kernel_of_other_sources_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of another number, of none, one that does not load, and one switched off."""
    load = kernel_module._load
    monkeypatch.delenv("PROLLY_KERNEL", raising=False)
    fits = SimpleNamespace(REVISION=kernel_module._REVISION)
    older = SimpleNamespace(REVISION=kernel_module._REVISION - 1)
    for found, wanted in ((fits, fits), (older, None), (SimpleNamespace(), None)):
        monkeypatch.setattr(kernel_module, "import_module", lambda _, it=found: it)
        assert load() is wanted
    monkeypatch.setenv("PROLLY_KERNEL", "off")
    monkeypatch.setattr(kernel_module, "import_module", lambda _: fits)
    assert load() is None
    monkeypatch.delenv("PROLLY_KERNEL")

    def refuse(_: str) -> Any:
        raise ImportError("built for another machine")

    monkeypatch.setattr(kernel_module, "import_module", refuse)
    assert load() is None


def test_bytes_that_are_no_leaf_are_corrupt() -> None:
    """What the kernel refuses the twin names."""
    for data in (b"", b"\x01", b"\x01\x84", b"\x02\x84\x40\x80\x80\x40"):
        with pytest.raises(Corrupt):
            StoredLeaf(data).find(b"key")
