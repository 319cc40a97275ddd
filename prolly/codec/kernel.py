"""The compiled kernel: whole leaves and batches of rows and keys, in C.

Each of its functions does what a piece of Python in this room does too, its twin, with
the same results: tests hold them against each other. It is built where there is a C
compiler; without it everything works, at the speed of the twins. What it gains, and
why it is there at all: ``docs/design/0025-kernel.md``.

For anything unusual a function raises its ``Unfit`` and leaves the work, and the error
that there may be, to the twin. So whoever calls one writes::

    if kernel is not None:
        try:
            return kernel.decode_rows(...)
        except kernel.Unfit:
            pass
    # the twin
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    # Byte strings: a list, or (chunk, start, stride, count, skipped, prefix).
    Strings = list[bytes] | tuple[bytes, int, int, int, int, bytes]
    Column = Sequence[Any]
    Change = tuple[bytes, bytes | None, bytes | None]
    # As the fields of ``LeafChange``.
    Edited = tuple[bytes, int, bytes, list[tuple[bytes, int]], int, int, int]

    class Kernel(Protocol):
        """What the compiled module has; the file of each function is in ``c/``."""

        REVISION: int
        Unfit: type[Exception]

        def leaf_places(self, chunk: bytes, /) -> bytes:
            """Return where the records of a leaf stand, for ``leaf_find``."""

        def leaf_find(
            self, chunk: bytes, places: bytes, key: bytes, referring: type[bytes], /
        ) -> bytes | None:
            """Return the value under a key, ``None`` where there is none."""

        def leaf_edit(
            self,
            chunk: bytes,
            keys: Sequence[bytes],
            values: Sequence[bytes | None],
            referring: type[bytes],
            /,
        ) -> Edited:
            """Apply sorted edits, ``None`` deletes; no bytes where nothing changes."""

        def leaf_overwrite(
            self,
            chunk: bytes,
            keys: list[bytes],
            values: list[Any],
            start: int,
            stop: int,
            /,
        ) -> bytes:
            """Write some values over those of the same keys and lengths.

            No bytes where nothing changes; Unfit where it takes more than that.
            """

        def leaf_records(
            self, chunk: bytes, referring: type[bytes], /
        ) -> tuple[list[bytes], list[bytes]]:
            """Return all keys and all values."""

        def leaf_encode(
            self, keys: Column, values: Column, referring: type[bytes], /
        ) -> bytes:
            """Return the bytes of a leaf of sorted keys and as many values."""

        def leaf_changes(
            self, old: bytes, new: bytes, referring: type[bytes], /
        ) -> list[Change]:
            """Return (key, old, new) where two leaves differ, in key order."""

        def encode_rows(
            self,
            columns: tuple[Column, ...],
            fills: tuple[bytes, ...],
            encode_other: Callable[[Any], bytes],
            /,
        ) -> list[bytes]:
            """Return plain rows; ``fills`` are encoded, other cells by a function."""

        def decode_rows(
            self,
            rows: Strings,
            fills: tuple[Any, ...],
            decode_other: Callable[[bytes], Any],
            /,
        ) -> list[Sequence[Any]]:
            """Return the columns of plain rows, any number of them."""

        def decode_row(
            self,
            row: bytes,
            fills: tuple[Any, ...],
            decode_other: Callable[[bytes], Any],
            /,
        ) -> list[Any]:
            """Return the cells of one plain row."""

        def encode_keys(self, keys: Sequence[Any], /) -> list[bytes]:
            """Return the bytes of keys that are texts or whole numbers."""

        def decode_keys(self, keys: Strings, /) -> list[Any]:
            """Return the texts or whole numbers that some bytes spell."""

        def sort_edits(
            self, keys: Column, values: Column, /
        ) -> tuple[list[bytes], list[Any]]:
            """Return different keys in order, each value in the place of its key."""

        def columns_of(self, rows: list[Any], width: int, /) -> list[Column]:
            """Return rows, lists or tuples of one width, as columns."""

        def are_plain(self, values: Column, kind: type, /) -> bool:
            """Tell whether all are of one type, texts encodable, ints of 64 bits."""


# What ``kernel.h`` has: one that was built of other sources is left alone.
_REVISION = 4


def _load() -> Kernel | None:
    if os.environ.get("PROLLY_KERNEL") == "off":
        return None
    try:
        found: Any = import_module("prolly.codec._kernel")
    except ImportError:
        return None
    return found if getattr(found, "REVISION", None) == _REVISION else None


kernel = _load()
